// The panel's style sheet, from the host's theme.

export const MIN_HEIGHT = 160;

export const CSS = `
.swf-panel { box-sizing: border-box; width: 100%; height: 100%; min-height: ${MIN_HEIGHT}px; overflow: auto; padding: 6px;
  font: 12px/1.45 sans-serif; color: var(--input-text, var(--fg-color, #222)); background: var(--comfy-input-bg, #fff);
  border: 1px solid var(--border-color, #888); border-radius: 4px; user-select: text; }
.swf-panel section + section { margin-top: 8px; padding-top: 8px; border-top: 1px solid var(--border-color, #888); }
.swf-panel header, .swf-panel .swf-small { color: var(--descrip-text, inherit); font-size: 11px; }
.swf-panel p { margin: 2px 0; overflow-wrap: anywhere; }
.swf-panel button { font: inherit; color: inherit; background: none; border: 1px solid transparent; border-radius: 3px;
  padding: 0 2px; margin: 0; cursor: pointer; text-align: start; overflow-wrap: anywhere; }
.swf-panel button:hover, .swf-panel button:focus-visible { border-color: var(--fg-color, currentColor); }
.swf-panel button[aria-pressed="true"] { border-color: var(--fg-color, currentColor); }
.swf-panel .swf-candidate { display: flex; gap: 8px; width: 100%; }
.swf-panel .swf-score { flex: none; min-width: 4em; font-variant-numeric: tabular-nums; }
.swf-panel del { color: var(--error-text, #c33); }
.swf-panel .swf-warning { color: var(--warning-text, #b26a00); font-weight: bold; }
.dark-theme .swf-panel .swf-warning, .swf-panel.swf-dark .swf-warning { color: var(--warning-text, #f5b942); }
.swf-panel .swf-swatches { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 4px; }
.swf-panel .swf-swatch { display: flex; flex-direction: column; align-items: stretch; width: 48px; font-size: 11px; }
.swf-panel .swf-swatch .swf-before { height: 22px; border-radius: 3px 3px 0 0; }
.swf-panel .swf-swatch input { width: 100%; height: 26px; padding: 0; border: 0; border-radius: 0 0 3px 3px;
  background: none; cursor: pointer; }
.swf-panel .swf-swatch .swf-share { display: flex; justify-content: space-between; }
`;
