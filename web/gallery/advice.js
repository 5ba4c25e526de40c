// What the signals of a run say (swf_core/learn/signals.py), in the page's language. English comes from the server.

import { translations } from "../locale.js";

export const ADVICE = {
  en: {},
  zh: {
    copied: ({ copied, samples }) => `${samples} 张样图中有 ${copied} 张照抄了风格图片的构图：请取更早的步数、降低强度，或多给几张图片。`,
    alike: () => "不同提示词的样图变得相似：请取更早的步数，或降低学习率再训练。",
    "prompts lost": () => "样图越来越不符合提示词：请取更早的步数或降低强度。",
    "no style": () => "样图还没有更像风格图片：请继续训练，或提高学习率。",
    risen: ({ step }) => `验证损失在第 ${step} 步最低，之后又上升：也请看看那一步。`,
    good: () => "最后一步没有什么问题；请与前一步比较。",
    "measured again": () => "signals.json 已损坏；继续训练这个训练时会重新测量。",
  },
};

const texts = translations(ADVICE);

/** A run's advice: `judgement` is [kind, numbers]. */
export function adviceOf({ advice, judgement: [kind, numbers] = [""] }) {
  return texts()[kind]?.(numbers) ?? advice;
}
