// How the elements of this pack are made.

/** An element with text (never markup), attributes and children. An attribute that is undefined is left out. */
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
