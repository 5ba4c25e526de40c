// The texts of forgetting what is kept.

import { translations } from "../locale.js";

export const WORDS = {
  en: {
    forget: "Forget kept style and content pictures", forgotten: "Kept pictures are forgotten",
    failed: "Kept pictures were not forgotten",
    inMemory: (count, size) => `In memory: ${count} ${count === 1 ? "picture" : "pictures"}, ${size} MB`,
    onDisk: (count, size) => `On disk: ${count} ${count === 1 ? "style" : "styles"}, ${size} MB`,
  },
  zh: {
    forget: "清除已保留的风格图和内容图", forgotten: "已清除保留的图片", failed: "未能清除保留的图片",
    inMemory: (count, size) => `内存：${count} 张图片，${size} MB`,
    onDisk: (count, size) => `磁盘：${count} 个风格，${size} MB`,
  },
};

export const words = translations(WORDS);
