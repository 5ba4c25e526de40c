// The panel's texts.

import { translations } from "../locale.js";

export const WORDS = {
  en: {
    panel: "Result", picture: "Picture", caption: "Caption", ranked: "best first, by similarity in CLIP space",
    unranked: "not ranked", use: "Use this caption:", keep: "Keep these words:", remove: "Remove these words:",
    stripped: "Stripped", method: "method", nothing: "(nothing)", origins: { edited: "your own", given: "connected" },
    methods: { edited: "your own" }, gap: "semantic gap", text: "text", random: "random words", image: "picture",
    nextRun: "runs with the next queue", pictureColors: "Colors of the picture", keepColor: "Keep this color",
    changeColor: "Change this color", targetColors: "colors to move to",
    preset: "Preset", presetNote: "The widgets of these names do not count; for your own values choose custom.",
    prompt: "Prompt", editPrompt: "Edit this prompt:",
  },
  zh: {
    panel: "结果", picture: "图片", caption: "说明", ranked: "按 CLIP 空间相似度排序", unranked: "未排序",
    use: "使用这条说明：", keep: "保留这些词：", remove: "再次删除这些词：", stripped: "去风格", method: "方法",
    nothing: "（无）", origins: { edited: "手动编辑", given: "外部输入" }, methods: { edited: "手动编辑" },
    gap: "语义差距", text: "文本", random: "随机删词", image: "图片", nextRun: "下次运行时生效",
    pictureColors: "图片的颜色", keepColor: "保留这种颜色", changeColor: "更改这种颜色", targetColors: "目标颜色",
    preset: "预设", presetNote: "同名控件此时不起作用；要用自己的数值请选 custom。",
    prompt: "提示词", editPrompt: "编辑这条提示词：",
  },
};

export const words = translations(WORDS);
