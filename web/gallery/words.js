// What the gallery says, in English and Chinese, and how its elements are made.

import { app } from "../../../scripts/app.js";

const WORDS = {
  en: {
    gallery: "Human Feedback Gallery", open: "Open Human Feedback Gallery", full: "Full size", run: "Run",
    accept: "Accept", reject: "Reject", undo: "Undo", zoom: "Zoom", compare: "Compare", go: "Train on",
    minimise: "Minimise", style: "Style picture", styles: "Style pictures",
    captionOf: "Caption that this sample would be learnt with", noRuns: "There is no run yet: train one first.",
    steps: "Steps", all: "all steps", step: "step", plain: "plain model",
    accepted: "accepted", rejected: "rejected", open_: "not judged", edited: "own words",
    waitingFor: (name) => `${name} waits for your picks`, left: (time) => `${time} left`,
    counts: (a, r) => `${a} accepted · ${r} rejected`, gone: "The graph goes on with these picks.",
    queued: "Queued: the graph goes on with these picks.", noNode: "Kept. Queue the graph to train on.",
    lost: "Not kept, the server did not answer:", over: { timeout: "Time ran out; the graph went on without you.",
      closed: "The page was closed; the graph went on without you.", cancelled: "Cancelled; your picks are kept.",
      nobody: "The gallery was not shown in time; the graph went on without you.", answered: "" },
    restart: "The server was restarted: queue the graph again, your picks are kept.",
    second: "Press C on another sample to compare it with this one.", close: "Close",
    signals: { style: "style", prompt: "prompt", copying: "copy" },
    told: { style: "nearness to the style picture", prompt: "nearer to its own prompt than to the others",
      copying: "layout copied from the style picture" },
    look: (v, n, d) => `validation loss ${v} · LoRA norm ${n} · diversity ${d}`,
    help: "Arrows: move · Enter: accept · X: reject · Z: undo · Space: zoom · C: compare · S: style picture · G: train "
      + "on · 1-9: accept in this column · in the zoom: wheel and drag, arrows for other samples, 0 resets",
    popup: "Open the gallery when a graph waits for picks",
  },
  zh: {
    gallery: "人工反馈画廊", open: "打开人工反馈画廊", full: "全屏", run: "训练", accept: "采纳", reject: "拒绝",
    undo: "撤销", zoom: "放大", compare: "对比", go: "继续训练", minimise: "最小化", style: "风格图片",
    styles: "风格图片", captionOf: "训练时这张样图所用的说明", noRuns: "还没有训练：请先训练。",
    steps: "步数", all: "全部步数", step: "步", plain: "原模型", accepted: "已采纳",
    rejected: "已拒绝", open_: "未评判", edited: "自己的说明",
    waitingFor: (name) => `${name} 等待你的选择`, left: (time) => `剩余 ${time}`,
    counts: (a, r) => `采纳 ${a} · 拒绝 ${r}`, gone: "流程以这些选择继续。", queued: "已排队：流程以这些选择继续。",
    noNode: "已保存。运行流程即可继续训练。", lost: "未保存，服务器没有应答：",
    over: { timeout: "时间已到，流程自行继续。", closed: "页面已关闭，流程自行继续。", cancelled: "已取消，你的选择已保存。",
      nobody: "画廊未及时显示，流程自行继续。", answered: "" },
    restart: "服务器已重启：请重新运行流程，你的选择已保存。", second: "在另一张样图上按 C 与此图对比。", close: "关闭",
    signals: { style: "风格", prompt: "提示词", copying: "照抄" },
    told: { style: "与风格图片的接近程度", prompt: "与自身提示词比与其他提示词更接近", copying: "照抄了风格图片的构图" },
    look: (v, n, d) => `验证损失 ${v} · LoRA 范数 ${n} · 多样性 ${d}`,
    help: "方向键：移动 · Enter：采纳 · X：拒绝 · Z：撤销 · 空格：放大 · C：对比 · S：风格图片 · G：继续训练 · 1-9：采纳本列 · "
      + "放大时：滚轮与拖动，方向键换图，0 复位",
    popup: "流程等待选择时打开画廊",
  },
};

/** The words of the page's language. */
export function words() {
  const locale = app.extensionManager?.setting?.get?.("Comfy.Locale") ?? navigator.language ?? "en";
  return String(locale).startsWith("zh") ? WORDS.zh : WORDS.en;
}

/** An element with text (never markup), attributes and children. */
export function make(tag, { text, ...attributes } = {}, children = []) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A button with a handler. */
export function button(text, handler, attributes = {}) {
  const element = make("button", { type: "button", text, ...attributes });
  element.addEventListener("click", handler);
  return element;
}
