// The gallery's texts.

import { translations } from "../locale.js";

export const WORDS = {
  en: {
    gallery: "Human Feedback Gallery", open: "Open Human Feedback Gallery", full: "Full size", run: "Run",
    accept: "Accept", reject: "Reject", undo: "Undo", zoom: "Zoom", compare: "Compare", trainOn: "Train on",
    minimise: "Minimise", style: "Style picture", styles: "Style pictures", close: "Close",
    captionOf: "Caption that this sample would be learnt with", noRuns: "There is no run yet: train one first.",
    steps: "Steps", allSteps: "all steps", step: "step", plain: "plain model", ownCaption: "own words",
    verdicts: { accepted: "accepted", rejected: "rejected", "": "not judged" },
    waitingFor: (name) => `${name} waits for your picks`, timeLeft: (time) => `${time} left`,
    counts: (accepted, rejected) => `${accepted} accepted · ${rejected} rejected`,
    continued: "The graph goes on with these picks.", queued: "Queued: the graph goes on with these picks.",
    noNode: "Kept. Queue the graph to train on.", notSaved: "Not kept, the server did not answer:",
    outcomes: { timeout: "Time ran out; the graph went on without you.",
      closed: "The page was closed; the graph went on without you.", cancelled: "Cancelled; your picks are kept.",
      nobody: "The gallery was not shown in time; the graph went on without you.", answered: "" },
    restarted: "The server was restarted: queue the graph again, your picks are kept.",
    compareHint: "Press C on another sample to compare it with this one.",
    signals: { style: "style", prompt: "prompt", copying: "copy" },
    signalMeanings: { style: "nearness to the style picture", prompt: "nearer to its own prompt than to the others",
      copying: "layout copied from the style picture" },
    evaluation: (loss, norm, diversity) => `validation loss ${loss} · LoRA norm ${norm} · diversity ${diversity}`,
    help: "Arrows: move · Enter: accept · X: reject · Z: undo · Space: zoom · C: compare · S: style picture · G: train "
      + "on · 1-9: accept in this column · in the zoom: wheel and drag, arrows for other samples, 0 resets",
    popup: "Open the gallery when a graph waits for picks",
  },
  zh: {
    gallery: "人工反馈画廊", open: "打开人工反馈画廊", full: "全屏", run: "训练", accept: "采纳", reject: "拒绝",
    undo: "撤销", zoom: "放大", compare: "对比", trainOn: "继续训练", minimise: "最小化", style: "风格图片",
    styles: "风格图片", close: "关闭", captionOf: "训练时这张样图所用的说明", noRuns: "还没有训练：请先训练。",
    steps: "步数", allSteps: "全部步数", step: "步", plain: "原模型", ownCaption: "自己的说明",
    verdicts: { accepted: "已采纳", rejected: "已拒绝", "": "未评判" },
    waitingFor: (name) => `${name} 等待你的选择`, timeLeft: (time) => `剩余 ${time}`,
    counts: (accepted, rejected) => `采纳 ${accepted} · 拒绝 ${rejected}`,
    continued: "流程以这些选择继续。", queued: "已排队：流程以这些选择继续。",
    noNode: "已保存。运行流程即可继续训练。", notSaved: "未保存，服务器没有应答：",
    outcomes: { timeout: "时间已到，流程自行继续。", closed: "页面已关闭，流程自行继续。",
      cancelled: "已取消，你的选择已保存。", nobody: "画廊未及时显示，流程自行继续。", answered: "" },
    restarted: "服务器已重启：请重新运行流程，你的选择已保存。", compareHint: "在另一张样图上按 C 与此图对比。",
    signals: { style: "风格", prompt: "提示词", copying: "照抄" },
    signalMeanings: { style: "与风格图片的接近程度", prompt: "与自身提示词比与其他提示词更接近",
      copying: "照抄了风格图片的构图" },
    evaluation: (loss, norm, diversity) => `验证损失 ${loss} · LoRA 范数 ${norm} · 多样性 ${diversity}`,
    help: "方向键：移动 · Enter：采纳 · X：拒绝 · Z：撤销 · 空格：放大 · C：对比 · S：风格图片 · G：继续训练 · 1-9：采纳本列 · "
      + "放大时：滚轮与拖动，方向键换图，0 复位",
    popup: "流程等待选择时打开画廊",
  },
};

export const words = translations(WORDS);
