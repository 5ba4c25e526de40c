// How the elements of this pack are made, and where those that belong to no node are put.

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

/** Put an element of this pack on the page: the one place where the page that we share gets anything from us. Styles lie
 * inside our own elements, and so do all listeners. */
export function putOnPage(element) {
  const { body } = document;
  body.append(element);
}
