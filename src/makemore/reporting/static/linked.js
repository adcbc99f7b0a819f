// Linked views: pointing at a character anywhere selects it everywhere.
//
// What shows a character says so in an attribute: `data-token`, its id, or `data-pair`, the ids of the one before and of
// itself, "5,13". One style sheet marks all that show the selected ones, also those that are drawn later.

import { state, subscribe, update } from "./store.js";

function select({ target }) {
  const shown = target.closest?.("[data-pair], [data-token]");
  if (!shown) return;
  const { pair, token } = shown.dataset;
  update({ pair: pair ? pair.split(",").map(Number) : [state.pair[0], Number(token)] });
}

document.addEventListener("pointerover", select);
document.addEventListener("focusin", select);

const sheet = new CSSStyleSheet();
document.adoptedStyleSheets.push(sheet);
subscribe(["pair"], ({ pair }) => {
  const shown = `:is([data-pair="${pair}"], [data-token="${pair[1]}"])`;
  sheet.replaceSync(`${shown}:not(svg *) { outline: 2px solid var(--mark); outline-offset: -2px; }
    svg ${shown} { stroke: var(--mark); stroke-width: 2.5px; stroke-opacity: 1; }`);
});
