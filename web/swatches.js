// Color Edit's swatches, a row of the panel (panel.js): the picture's colors with their shares, each of which can be
// turned into another. What is chosen is written into the node's `palette` widget as "#a63f1b -> #1d3557", which is
// saved with the graph and can be typed as well.

const WORDS = {
  en: {
    heading: "Colors of the picture", back: "Keep this color", change: "Change this color",
    typed: "colors to move to", taken: "runs with the next queue",
  },
  zh: {
    heading: "图片的颜色", back: "保留这种颜色", change: "更改这种颜色", typed: "目标颜色", taken: "下次运行时生效",
  },
};

export const CSS = `
.swf-panel .swf-swatches { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 4px; }
.swf-panel .swf-swatch { display: flex; flex-direction: column; align-items: stretch; width: 48px; font-size: 11px; }
.swf-panel .swf-swatch .swf-before { height: 22px; border-radius: 3px 3px 0 0; }
.swf-panel .swf-swatch input { width: 100%; height: 26px; padding: 0; border: 0; border-radius: 0 0 3px 3px;
  background: none; cursor: pointer; }
.swf-panel .swf-swatch .swf-share { display: flex; justify-content: space-between; }
`;

function paletteWidget(node) {
  return node.widgets?.find((widget) => widget.name === "palette");
}

/** The edits that the widget holds: from color to color; null where it holds a palette of another kind. */
export function readEdits(text) {
  const pieces = text.split(/[,;\n](?![^(]*\))/).map((piece) => piece.trim()).filter(Boolean);
  if (!pieces.length) return new Map();
  if (!pieces.some((piece) => piece.includes("->"))) return null;
  return new Map(pieces.map((piece) => {
    const [before, after] = piece.split("->").map((part) => part.trim().toLowerCase());
    return [before, after ?? before];
  }));
}

/** All of the picture's colors, so that those that are left alone stay where they are; "" where nothing is edited. */
export function writeEdits(colors, edits) {
  if (!colors.some((color) => edits.has(color) && edits.get(color) !== color)) return "";
  return colors.map((c) => (edits.has(c) && edits.get(c) !== c ? `${c} -> ${edits.get(c)}` : c)).join(",\n");
}

/** A row {colors: [{color, share}], target: [color]}; `make` is the panel's, `chinese` its language. */
export function drawPalette(node, row, make, chinese) {
  const say = chinese ? WORDS.zh : WORDS.en;
  const section = make("section", {}, [make("header", { text: say.heading })]);
  const widget = paletteWidget(node);
  const colors = row.colors.map((each) => each.color);
  const told = make("p", { class: "swf-small", role: "status" });
  const list = make("div", { class: "swf-swatches", role: "list" });
  const edits = () => readEdits(String(widget?.value ?? ""));
  const write = (changed) => {
    widget.value = writeEdits(colors, changed);
    widget.callback?.(widget.value);
    node.setDirtyCanvas?.(true, true);
    told.textContent = say.taken;
    draw();
  };
  const draw = () => {
    const now = edits();
    list.replaceChildren(...row.colors.map(({ color, share }) => {
      const after = now?.get(color) ?? color;
      const name = `${color}, ${Math.round(share * 100)} %`;
      const before = make("div", { class: "swf-before", title: name });
      before.style.background = color;
      const input = make("input", { type: "color", "aria-label": `${say.change}: ${name}` });
      input.value = /^#[0-9a-f]{6}$/.test(after) ? after : color;
      input.addEventListener("change", () => {
        const changed = edits() ?? new Map();
        changed.set(color, input.value);
        write(changed);
      });
      const foot = make("span", { class: "swf-share" }, [make("span", { text: `${Math.round(share * 100)} %` })]);
      if (after !== color) {
        const back = make("button", { type: "button", text: "×", title: say.back, "aria-label": `${say.back}: ${name}` });
        back.addEventListener("click", () => {
          const changed = edits() ?? new Map();
          changed.delete(color);
          write(changed);
        });
        foot.append(back);
      }
      return make("div", { class: "swf-swatch", role: "listitem" }, [before, input, foot]);
    }));
  };
  if (row.target.length && edits() === null) {
    const target = make("div", { class: "swf-swatches", "aria-label": say.typed });
    for (const color of row.target) {
      const patch = make("div", { class: "swf-swatch" }, [make("div", { class: "swf-before", title: color })]);
      patch.firstChild.style.background = color;
      target.append(patch);
    }
    section.append(target);
  }
  draw();
  section.append(list, told);
  return section;
}
