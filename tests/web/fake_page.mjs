// What the page's modules need of a browser, as little as the tests need of it: elements that hold what is put into them.

class FakeElement {
  constructor(tag) {
    this.tagName = tag.toUpperCase();
    this.attributes = {};
    this.children = [];
    this.dataset = {};
    this.style = { setProperty() {} };
    this.textContent = "";
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  append(...children) {
    this.children.push(...children);
  }

  addEventListener() {}
}

/** Put a document into the global scope. */
export function fakeDocument() {
  globalThis.document = { createElement: (tag) => new FakeElement(tag) };
}

/** A node of the host's graph with these widgets, { name: value }. */
export function fakeNode(values) {
  return { widgets: Object.entries(values).map(([name, value]) => ({ name, value })) };
}
