// What our features do to nodes of the host's graph.

/** Put an element on a node as a widget that is never saved with the graph, and make room for it. `type` is one of our
 * own: the host turns types that it knows into its own widgets. */
export function addElementWidget(node, { name, type, element, minHeight, minWidth }) {
  const widget = node.addDOMWidget(name, type, element, {
    serialize: false, hideOnZoom: false, getMinHeight: () => minHeight, getValue: () => "", setValue: () => {},
  });
  widget.serialize = false; // or the graph's file would hold an entry for it
  const [width, height] = node.computeSize();
  node.setSize?.([Math.max(node.size[0], width, minWidth), Math.max(node.size[1], height)]);
  return widget;
}

/** Call `handler(node, output)` whenever a node of this type has run, after what the host itself does then. */
export function onExecuted(nodeType, handler) {
  const original = nodeType.prototype.onExecuted;
  nodeType.prototype.onExecuted = function (output) {
    original?.apply(this, arguments);
    handler(this, output);
  };
}

/** Write a text into a node's widget as if it had been typed. */
export function writeWidget(node, widget, text) {
  widget.value = text;
  widget.callback?.(text);
  node.setDirtyCanvas?.(true, true);
}
