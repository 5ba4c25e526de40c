// The gallery's style sheet, from the host's theme. The element's own class decides how much is shown.

export const CSS = `
.swf-board { box-sizing: border-box; display: flex; flex-direction: column; gap: 6px; width: 100%; height: 100%;
  min-height: 280px; padding: 8px; overflow: hidden; font: 13px/1.4 sans-serif; outline: none; position: relative;
  color: var(--input-text, #222); background: var(--comfy-menu-bg, #fff); border-radius: 4px;
  --swf-line: var(--border-color, #888); --swf-dim: var(--descrip-text, #777); --swf-yes: #2e9e5b; --swf-no: #d1453b; }
.swf-board *, .swf-dialog * { box-sizing: border-box; }
.swf-board button, .swf-board select, .swf-board textarea, .swf-chip { font: inherit; color: inherit;
  background: var(--comfy-input-bg, #eee); border: 1px solid var(--swf-line, #888); border-radius: 4px;
  padding: 3px 9px; }
.swf-board button { cursor: pointer; } .swf-board button:disabled { opacity: 0.45; cursor: default; }
.swf-board button:hover:not(:disabled) { border-color: currentColor; }
.swf-board :focus-visible { outline: 2px solid #4a90e2; outline-offset: 1px; }
.swf-bar { display: flex; flex-wrap: wrap; align-items: center; gap: 6px; flex: none; }
.swf-bar .swf-go { background: var(--swf-yes); border-color: var(--swf-yes); color: #fff; font-weight: 600; }
.swf-bar .swf-space { flex: 1; } .swf-bar .swf-ends { display: flex; gap: 6px; margin-inline-start: auto; }
.swf-bar label { display: flex; gap: 6px; align-items: center; min-width: 0; }
.swf-bar input[type="range"] { width: 110px; }
.swf-dim, .swf-board .swf-signals { color: var(--swf-dim); font-size: 11px; }
.swf-hint, .swf-advice { flex: none; font-size: 12px; overflow-wrap: anywhere; }
.swf-hint:empty, .swf-advice:empty { display: none; } .swf-hint::before { content: "ⓘ "; }
.swf-advice { border-inline-start: 3px solid var(--swf-yes); padding-inline-start: 6px; }
.swf-lines { min-height: 1.4em; flex: none; display: flex; flex-wrap: wrap; gap: 0 14px; align-items: baseline; }
.swf-status.swf-bad { color: var(--error-text, #c33); font-weight: 600; }
.swf-main { display: flex; gap: 10px; flex: 1; min-height: 0; }
.swf-side { width: 220px; flex: none; overflow: auto; display: flex; flex-direction: column; gap: 6px; }
.swf-side img { max-width: 100%; max-height: 220px; object-fit: contain; cursor: zoom-in; border-radius: 3px; }
.swf-side textarea { width: 100%; min-height: 64px; resize: vertical; }
.swf-side h3 { font-size: 12px; margin: 0; font-weight: 600; }
.swf-grid { flex: 1; min-width: 0; overflow: auto; display: grid; gap: 6px 8px; align-content: start; align-items: start;
  scrollbar-width: thin; scrollbar-gutter: stable; --swf-px: 128px; }
.swf-grid > .swf-head { position: sticky; top: 0; z-index: 2; background: var(--comfy-menu-bg, #fff); font-weight: 600;
  font-size: 12px; padding: 2px 0; }
.swf-grid > .swf-head:first-child { z-index: 3; left: 0; }
.swf-grid > .swf-prompt { font-size: 12px; align-self: stretch; display: flex; align-items: center; overflow-wrap: anywhere;
  position: sticky; left: 0; z-index: 1; background: var(--comfy-menu-bg, #fff); }
.swf-cell { display: block; width: var(--swf-px); padding: 0 !important; background: none !important; border: 0 !important;
  text-align: start; content-visibility: auto; contain-intrinsic-size: var(--swf-px) calc(var(--swf-px) + 42px); }
.swf-cell span.swf-frame { display: block; position: relative; width: var(--swf-px); height: var(--swf-px);
  border: 3px solid transparent; border-radius: 5px; overflow: hidden; background: var(--comfy-input-bg, #ddd); }
.swf-cell img { width: 100%; height: 100%; object-fit: contain; display: block; }
.swf-cell[data-verdict="accepted"] .swf-frame { border-color: var(--swf-yes); }
.swf-cell[data-verdict="rejected"] .swf-frame { border-color: var(--swf-no); }
.swf-cell[data-verdict="rejected"] img { opacity: 0.4; }
.swf-cell .swf-mark { position: absolute; right: 2px; top: 2px; min-width: 20px; border-radius: 10px; color: #fff;
  font-weight: 700; text-align: center; font-size: 13px; line-height: 20px; }
.swf-cell[data-verdict="accepted"] .swf-mark { background: var(--swf-yes); }
.swf-cell[data-verdict="rejected"] .swf-mark { background: var(--swf-no); }
.swf-cell[aria-selected="true"] .swf-frame { box-shadow: 0 0 0 2px #4a90e2; }
.swf-cell[data-compare] .swf-frame { outline: 2px dashed #e2a34a; outline-offset: -4px; }
.swf-cell .swf-signals { display: block; width: var(--swf-px); line-height: 1.25; }
.swf-cell .swf-signals span { display: block; } .swf-cell .swf-signals .swf-warn { color: var(--swf-no); font-weight: 600; }
.swf-cell img[data-missing] { padding: 8px; font-size: 11px; }
.swf-compact .swf-side, .swf-compact .swf-help { display: none; }
.swf-viewer { position: absolute; inset: 0; z-index: 5; display: flex; flex-direction: column; gap: 6px; padding: 8px;
  background: var(--comfy-menu-bg, #fff); }
.swf-panes { display: flex; flex: 1; gap: 6px; min-height: 0; }
.swf-pane { flex: 1; min-width: 0; display: flex; flex-direction: column; margin: 0; }
.swf-pane div { flex: 1; min-height: 0; overflow: hidden; position: relative; cursor: grab; touch-action: none;
  background: var(--comfy-input-bg, #ddd); border-radius: 4px; }
.swf-pane img { position: absolute; left: 0; top: 0; width: 100%; height: 100%; object-fit: contain;
  transform-origin: 0 0; user-select: none; -webkit-user-drag: none; image-rendering: auto; }
.swf-pane figcaption { font-size: 12px; overflow-wrap: anywhere; padding-top: 2px; }
.swf-dialog { width: 96vw; height: 94vh; max-width: none; max-height: none; padding: 0; border-radius: 8px;
  border: 1px solid var(--border-color, #888); background: var(--comfy-menu-bg, #fff); overflow: hidden; }
.swf-dialog::backdrop { background: rgb(0 0 0 / 55%); }
.swf-corner { position: fixed; left: 50%; bottom: 20px; transform: translateX(-50%); z-index: 1100; max-width: 94vw; }
.swf-chip { cursor: pointer; color: #fff !important; background: #2e9e5b !important; border-color: #2e9e5b;
  font: 600 14px sans-serif; padding: 8px 14px; box-shadow: 0 2px 10px rgb(0 0 0 / 40%); }
@media (max-width: 640px) {
  .swf-dialog { width: 100vw; height: 100dvh; border-radius: 0; border: 0; }
  .swf-dialog .swf-main { flex-direction: column; }
  .swf-dialog .swf-side { width: 100%; max-height: 32%; display: grid; grid-template-columns: 96px 1fr; gap: 2px 8px; }
  .swf-dialog .swf-side h3 { grid-row: 1; } .swf-dialog .swf-side > div { grid-area: 2 / 1 / 4 / 2; }
  .swf-dialog .swf-side textarea { grid-area: 2 / 2; min-height: 48px; } .swf-dialog .swf-side p { grid-area: 3 / 2; margin: 0; }
  .swf-dialog .swf-side img { max-height: 88px; }
  .swf-dialog .swf-help { display: none; }
  .swf-panes { flex-direction: column; }
}
@media (prefers-reduced-motion: no-preference) { .swf-cell .swf-frame { transition: border-color 0.1s; } }
`;
