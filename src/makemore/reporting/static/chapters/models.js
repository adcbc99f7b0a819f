// The table of models: sorting, with or without families; and the cards, open where there is room.

import { element } from "../charts.js";
import { at } from "../data.js";
import { chapter } from "../frame.js";
import { update } from "../store.js";

/** Compare values of the table: numbers, or names. What is missing comes last. */
function compare(a, b, sign) {
  if (a === "" || b === "") return (a === "") - (b === "");
  const [x, y] = [Number(a), Number(b)];
  return sign * (Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x === y ? 0 : x < y ? -1 : 1);
}

chapter("models", (section) => {
  const table = at("models-table");
  const families = [...table.tBodies].map((body) => ({
    title: body.rows[0],
    rows: [...body.rows].slice(1).map((row) => {
      const values = [...row.cells].map((cell) => cell.dataset.value ?? "");
      return { row, values: [row.cells[0].textContent, ...values.slice(1)] };
    }),
  }));
  const headers = [...table.tHead.rows[0].cells];
  let [column, sign] = [headers.findIndex((cell) => cell.dataset.sort === "dev.nll"), 1];

  const show = () => {
    const sorted = (rows) => [...rows].sort((a, b) => compare(a.values[column], b.values[column], sign));
    const groups = at("by-family").checked
      ? families.map(({ title, rows }) => ({ title, rows: sorted(rows) }))
      : [{ title: null, rows: sorted(families.flatMap(({ rows }) => rows)) }];
    groups.sort((a, b) => compare(a.rows[0].values[column], b.rows[0].values[column], sign));
    const bodies = groups.map(({ title, rows }) =>
      element("tbody", {}, ...(title ? [title] : []), ...rows.map(({ row }) => row)),
    );
    for (const body of [...table.tBodies]) body.remove();
    table.append(...bodies);
    for (const [i, cell] of headers.entries()) {
      if (i === column) cell.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    }
  };

  for (const [i, cell] of headers.entries()) {
    if (!cell.dataset.sort) continue;
    const button = element("button", { type: "button" }, ...cell.childNodes);
    cell.append(button);
    button.addEventListener("click", () => {
      [column, sign] = [i, i === column ? -sign : 1];
      show();
    });
  }
  at("by-family").addEventListener("input", show);
  at("models-options").hidden = false;
  show();

  const cards = [...section.querySelectorAll(".card")];
  const wide = matchMedia("(min-width: 48rem), print");
  const open = () => {
    for (const card of cards) card.open = wide.matches;
  };
  wide.addEventListener("change", open);
  open();
  section.addEventListener("click", ({ target }) => {
    const { model } = target.closest("a[data-model]")?.dataset ?? {};
    if (model) update({ model });
  });
});
