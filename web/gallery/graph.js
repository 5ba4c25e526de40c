// The host's graph as the gallery needs it: its own nodes in it, and what hangs on them.

export const NODE_TYPE = "SWF_FeedbackGallery";

/** The gallery's nodes in a graph. */
export function galleryNodes(graph) {
  return (graph?._nodes ?? []).filter((node) => node.comfyClass === NODE_TYPE || node.type === NODE_TYPE);
}

/** The ids of the output nodes at and behind a node, as the host's partial execution takes them. */
export function outputIdsFrom(graph, start) {
  const visited = new Set();
  const ids = [];
  const visit = (node) => {
    if (!node || visited.has(node.id)) return;
    visited.add(node.id);
    if (node.constructor?.nodeData?.output_node) ids.push(String(node.id));
    for (const output of node.outputs ?? []) {
      for (const id of output.links ?? []) {
        const link = graph.links.get?.(id) ?? graph.links[id];
        visit(graph.getNodeById(link?.target_id));
      }
    }
  };
  visit(start);
  return ids;
}
