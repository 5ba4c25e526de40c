// What the signals of a sample say, in words: beside the plain model's sample of the same prompt, where there is one. The
// limits are those of the advice (swf_core/learn/signals.py).

import { words } from "./words.js";

const SOME_STYLE = 0.02; // a change of the cosine that is no chance
const UNKNOWN = ""; // the number stands alone where there is nothing to compare it with
const HALF = 0.5; // of what the plain model's sample shows of its prompt

/** The words for each signal that a sample has: [{ name, text, title, isWarning }]. `plain`: the signals of the plain
 * model's sample, or nothing. */
export function signalsInWords(signals, plain, copyingLimit) {
  const say = words();
  return Object.entries(judge(signals, plain ?? {}, copyingLimit)).map(([name, judgement]) => ({
    name,
    text: say.signals[name][judgement] ?? `${say.signalNames[name]} ${number(signals[name])}`,
    title: say.signalTitle(say.signalMeanings[name], number(signals[name]), isNumber(plain?.[name]) ? number(plain[name]) : ""),
    isWarning: judgement === "bad",
  }));
}

/** A judgement, a key of `words().signals`, by signal. */
export function judge(signals, plain, copyingLimit) {
  const { style, prompt, copying } = signals;
  const judgements = {};
  if (isNumber(style)) judgements.style = isNumber(plain.style) ? change(style - plain.style) : UNKNOWN;
  if (isNumber(prompt)) {
    const isLost = plain.prompt > 0 && prompt < HALF * plain.prompt;
    judgements.prompt = isNumber(plain.prompt) ? (isLost ? "bad" : "good") : UNKNOWN;
  }
  if (isNumber(copying)) judgements.copying = layout(copying, copyingLimit);
  return judgements;
}

function change(difference) {
  if (difference > SOME_STYLE) return "good";
  return difference < -SOME_STYLE ? "bad" : "same";
}

function layout(copying, limit) {
  if (copying > limit) return "bad";
  return copying > limit / 2 ? "same" : "good";
}

function isNumber(value) {
  return typeof value === "number";
}

function number(value) {
  return value.toFixed(2).replace("-", "−");
}
