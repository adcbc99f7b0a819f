// Linked views: pointing at a character anywhere selects it everywhere.
//
// What shows a character says so in an attribute: `data-token`, its id, or `data-pair`, the ids of the one before and of
// itself, "5,13". One style sheet marks all that show the selected ones, also those that are drawn later.

import { state, subscribe, update } from "./store.js";

const sheet = new CSSStyleSheet();

function select({ pair, token }) {
  if (pair !== undefined) update({ pair: String(pair).split(",").map(Number) });
  else if (token !== undefined) update({ pair: [state.pair[0], Number(token)] });
}

/** Link the views, without marking the pair that is selected when the page opens. */
export function link() {
  const pointed = ({ target }) => select(target.closest?.("[data-pair], [data-token]")?.dataset ?? {});
  document.addEventListener("pointerover", pointed);
  document.addEventListener("focusin", pointed);
  document.addEventListener("read", ({ detail }) => select(detail)); // from a chart's readout
  document.adoptedStyleSheets.push(sheet);
  const opened = String(state.pair);
  let touched = false;
  subscribe(["pair"], ({ pair }) => {
    touched ||= String(pair) !== opened;
    if (!touched) return;
    const shown = `:is([data-pair="${pair}"], [data-token="${pair[1]}"])`;
    sheet.replaceSync(`${shown}:not(svg *) { outline: 2px solid var(--mark); outline-offset: -2px; }
      svg ${shown}:not(text) { stroke: var(--mark); stroke-width: 2.5px; }`);
  });
}
