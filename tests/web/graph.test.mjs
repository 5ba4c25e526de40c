import assert from "node:assert/strict";
import { test } from "node:test";

import { galleryNodes, outputIdsFrom } from "../../web/gallery/graph.js";
import { addElementWidget, onExecuted } from "../../web/node_widget.js";

/** A graph of nodes { id: [target ids] }; those in `outputs` are output nodes. `links`: a Map or a plain object. */
function graphOf(targets, outputs, asMap) {
  const pairs = Object.entries(targets).flatMap(([id, ends]) => ends.map((end) => [`${id}>${end}`, { target_id: end }]));
  const links = asMap ? new Map(pairs) : Object.fromEntries(pairs);
  const nodes = new Map(Object.keys(targets).map((id) => [id, {
    id, constructor: { nodeData: { output_node: outputs.includes(id) } },
    outputs: [{ links: targets[id].map((end) => `${id}>${end}`) }, { links: null }],
  }]));
  return { links, getNodeById: (id) => nodes.get(id) };
}

for (const asMap of [true, false]) {
  test(`output nodes behind a node are found once each, with links in a ${asMap ? "Map" : "plain object"}`, () => {
    const graph = graphOf({ 1: ["2", "3"], 2: ["4"], 3: ["4"], 4: [], 5: ["4"] }, ["1", "4", "5"], asMap);
    assert.deepEqual(outputIdsFrom(graph, graph.getNodeById("1")), ["1", "4"]);
  });
}

test("the gallery's nodes are known by either name of their type", () => {
  const graph = { _nodes: [{ type: "SWF_FeedbackGallery" }, { comfyClass: "SWF_FeedbackGallery" }, { type: "Other" }] };
  assert.equal(galleryNodes(graph).length, 2);
  assert.deepEqual(galleryNodes(undefined), []);
});

test("a widget of ours is never saved with the graph, and the node grows to hold it", () => {
  const node = {
    size: [300, 200], computeSize: () => [200, 500],
    addDOMWidget(name, type, element, options) {
      return { name, type, element, options };
    },
    setSize(size) {
      this.size = size;
    },
  };
  const widget = addElementWidget(node, { name: "n", type: "T", element: "e", minHeight: 160, minWidth: 340 });
  assert.deepEqual([widget.serialize, widget.options.serialize, widget.options.getMinHeight()], [false, false, 160]);
  assert.equal(widget.options.getValue(), "");
  assert.deepEqual(node.size, [340, 500]);
});

test("what the host does after a run comes first and is not lost", () => {
  const calls = [];
  class Node {
    onExecuted(output) {
      calls.push(["host", output]);
    }
  }
  onExecuted(Node, (node, output) => calls.push([node.constructor.name, output]));
  new Node().onExecuted("output");
  assert.deepEqual(calls, [["host", "output"], ["Node", "output"]]);
});
