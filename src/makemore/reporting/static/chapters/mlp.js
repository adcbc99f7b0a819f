// The MLP: its forward pass for a typed context, what a hidden unit responds to, and its embedding.
//
// Shapes: V vocabulary, T context length, C embedding, H hidden, S shown characters.

import { bars, label, likeliest, ranked } from "../bars.js";
import { chart, extent, number, numbers, svg } from "../charts.js";
import { at, complaint, data, encode, glyph, models, percent } from "../data.js";
import { chapter } from "../frame.js";
import { softmax } from "../models.js";
import { subscribe } from "../store.js";

/** The style of a signed number, full at `most`. */
const signed = (value, most) =>
  `--shade: var(--${value < 0 ? "minus" : "plus"}-shade); --k: ${Math.min(1, Math.abs(value) / (most || 1)).toFixed(3)}`;

const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Cells in a grid, each with a text for the readout. `cells` have a column, a row, a value and the text. */
function grid(
  container,
  {
    title,
    description,
    columns,
    rows,
    most,
    cells,
    left = 0,
    top = 0,
    outlined = [],
    size: largestSize = 26,
    more = [],
    rest,
  },
) {
  chart(container, {
    title,
    description,
    rest,
    flat: false,
    height: (width) => top + rows * Math.min(largestSize, (width - left) / columns) + 2,
    draw: (width) => {
      const size = Math.min(largestSize, (width - left) / columns);
      const place = (column, row) => ({ x: left + column * size, y: top + row * size });
      const shapes = cells.map(({ column, row, value, attributes = {} }) => {
        const box = { ...place(column, row), width: size - 0.75, height: size - 0.75 };
        return svg("rect", { class: "signed", style: signed(value, most), ...box, ...attributes });
      });
      for (const [column, row, kind] of outlined) {
        shapes.push(
          svg("rect", { class: kind, ...place(column, row), width: size - 0.75, height: size - 0.75, rx: 1 }),
        );
      }
      const points = cells.map(({ column, row, text, read }) => {
        const { x, y } = place(column, row);
        return [x + size / 2, y + size / 2, text, read];
      });
      return { shapes: [...shapes, ...more.flatMap((add) => add(size, place))], points };
    },
  });
}

const note = (x, y, text, attributes = {}) =>
  svg("text", { class: "glyph", x, y, "text-anchor": "middle", ...attributes }, text);

class Forward {
  constructor(name) {
    Object.assign(this, { name, model: models.get(name), unit: null });
    this.context = Array(this.model.context).fill(0);
  }

  show(context) {
    this.context = context;
    Object.assign(this, this.model.forward(context));
    this.probs = softmax(this.logits);
    this.unit ??= this.strongest(this.logits.indexOf(Math.max(...this.logits)));
    this.drawRows();
    this.drawUnits();
    this.drawTokens();
    this.drawUnit();
  }

  /** The unit that adds most to a token's logit. */
  strongest(token) {
    const { data, shape } = this.model.W2;
    const added = this.h.map((value, unit) => value * data[unit * shape[1] + token]);
    return added.indexOf(Math.max(...added));
  }

  get spelled() {
    return this.context.map(glyph).join("");
  }

  drawRows() {
    const most = largest(this.model.C.data);
    const cells = this.rows.flatMap((values, row) =>
      [...values].map((value, column) => ({
        row,
        column,
        value,
        text: `C[${glyph(this.context[row])}], number ${column + 1}: ${number(value, 3)}`,
        read: { token: this.context[row] },
      })),
    );
    grid(at("mlp-rows"), {
      title: `Embedding rows of ${this.spelled}`,
      description: `${this.rows.length} rows of ${this.rows[0].length} numbers, one row for each character of the context.`,
      rest: `${this.rows[0].length} numbers for each character`,
      columns: this.rows[0].length,
      rows: this.rows.length,
      left: 28,
      size: 34,
      most,
      cells,
      more: [(size, place) => this.context.map((token, row) => note(12, place(0, row).y + size / 2 + 5, glyph(token)))],
    });
  }

  drawUnits() {
    const H = this.h.length;
    const columns = Math.min(Math.ceil(Math.sqrt(H * 2)), Math.floor(at("mlp-units").clientWidth / 17) || H);
    const cells = [...this.h].map((value, i) => ({
      row: Math.floor(i / columns),
      column: i % columns,
      value,
      text: `unit ${i}: tanh(${number(this.inputs[i], 3)}) = ${number(value, 3)}`,
      read: { unit: i },
    }));
    const saturated = [...this.h].filter((value) => Math.abs(value) > 0.99).length;
    grid(at("mlp-units"), {
      title: `The ${H} hidden units after ${this.spelled}`,
      description: `${saturated} of them are beyond ±0.99.`,
      rest: `${saturated} of ${H} units are beyond ±0.99`,
      columns,
      rows: Math.ceil(H / columns),
      most: 1,
      cells,
      outlined: [[this.unit % columns, Math.floor(this.unit / columns), "chosen"]],
    });
  }

  drawTokens() {
    const { probs, logits } = this;
    const tokens = ranked(probs);
    const shared = {
      description: `Most likely next: ${likeliest(probs)}.`,
      height: 170,
      tokens,
      before: this.context.at(-1),
      text: (id) => `${label(id)}: logit ${number(logits[id], 3)}, probability ${percent(probs[id])}`,
    };
    const highest = tokens.slice(0, 5).map((id) => `${label(id)} ${number(logits[id], 2)}`);
    bars(at("mlp-logits"), {
      ...shared,
      title: `Logits after ${this.spelled}`,
      yLabel: "logit",
      rest: `Highest: ${highest.join(", ")}`,
      values: logits,
      kind: (logit) => (logit < 0 ? "below" : "above"),
    });
    bars(at("mlp-probs"), {
      ...shared,
      title: `Probabilities after ${this.spelled}`,
      yLabel: "probability",
      rest: `Most likely: ${likeliest(probs)}`,
      values: probs,
    });
  }

  /** What each character at each position adds to the input of the chosen unit, and what the unit adds to each logit. */
  drawUnit() {
    const { model, unit, context } = this;
    const { shown } = data.bigrams;
    const T = context.length;
    const added = context.map((_, position) => shown.map((token) => model.drive(unit, position, token))); // (T, S)
    const out = shown.map((token) => model.W2.data[unit * model.W2.shape[1] + token]); // (S,)
    const [most, mostOut] = [largest(added.flat()), largest(out)];
    const cells = added.flatMap((line, row) =>
      line.map((value, column) => ({
        row,
        column,
        value,
        text: `${glyph(shown[column])} as character ${row + 1} of ${T} adds ${number(value, 3)} to the input of unit ${unit}`,
        read: { token: shown[column] },
      })),
    );
    cells.push(
      ...out.map((value, column) => ({
        row: T + 0.6,
        column,
        value: (value * most) / (mostOut || 1),
        text: `when unit ${unit} is 1, it adds ${number(value, 3)} to the logit of ${label(shown[column])}`,
        read: { token: shown[column] },
      })),
    );
    const best = added.map((line) => glyph(shown[line.indexOf(Math.max(...line))]));
    const order = [...out.keys()].sort((a, b) => out[b] - out[a]);
    const [up, down] = [order.slice(0, 3), order.slice(-3)].map((ids) => ids.map((i) => label(shown[i])).join(", "));
    at("unit-title").textContent = `What unit ${unit} responds to`;
    grid(at("unit-chart"), {
      title: `What unit ${unit} responds to`,
      description: `Strongest at each position: ${best.join(", ")}. It raises the logits of ${up} most.`,
      rest: `It is highest after ${best.join("")}. When it is high, it raises the logits of ${up} most and lowers those of ${down}.`,
      columns: shown.length,
      rows: T + 1.6,
      left: 56,
      top: 20,
      size: 30,
      most,
      cells,
      outlined: context.flatMap((token, row) =>
        shown.includes(token) ? [[shown.indexOf(token), row, "current"]] : [],
      ),
      more: [
        (size, place) => shown.map((token, column) => note(place(column, 0).x + size / 2, 14, glyph(token))),
        (size, place) =>
          [...context.keys(), T + 0.6].map((row) => {
            const text = row < T ? `char ${row + 1}` : "logits";
            return svg("text", { x: 48, y: place(0, row).y + size / 2 + 4, "text-anchor": "end" }, text);
          }),
      ],
    });
    const bias = model.b1.data[unit];
    const terms = context.map(
      (token, position) => `${number(model.drive(unit, position, token), 2)} (${glyph(token)})`,
    );
    at("unit-said").textContent =
      `After ${this.spelled}: bias ${number(bias, 2)} + ${terms.join(" + ")} = ${number(this.inputs[unit], 2)}, ` +
      `and tanh of it is ${number(this.h[unit], 3)}.`;
  }
}

/** The vowels of a few scripts, without accents. */
const VOWELS = new Set("aeiouyæøœəıαεηιουωаеёиоуыэюяіїєӣӯ");
const isVowel = (character) => VOWELS.has(character.normalize("NFD")[0]?.toLowerCase());

function drawEmbedding(container, points) {
  const ids = new Map(data.bigrams.shown.map((id) => [data.itos[id], id]));
  const [x, y] = [extent(points.map((point) => point[1])), extent(points.map((point) => point[2]))];
  const name = ([character]) => glyph(ids.get(character) ?? 0);
  const nearest = ([, a, b], i) => {
    const distances = points.map(([, c, d], j) => (j === i ? Infinity : Math.hypot(a - c, b - d)));
    const closest = points[distances.indexOf(Math.min(...distances))];
    return closest && points.length > 1 ? name(closest) : "–";
  };
  const vowels = points.filter(([character]) => isVowel(character));
  at("vowel-note").hidden = !vowels.length;
  const near = points.slice(0, 8).map((point, i) => `${name(point)} is closest to ${nearest(point, i)}`);
  chart(container, {
    title: "Character embeddings",
    description: `${points.length} characters as points; the table below lists their coordinates. ${near.join(", ")}.`,
    flat: false,
    height: (width) => Math.min(600, Math.max(280, 40 + ((width - 40) * (y[1] - y[0])) / (x[1] - x[0] || 1))),
    draw: (width, height) => {
      // the same scale on both axes, so that distances can be compared
      const unit = Math.min((width - 40) / (x[1] - x[0] || 1), (height - 40) / (y[1] - y[0] || 1));
      const toX = (value) => width / 2 + (value - (x[0] + x[1]) / 2) * unit;
      const toY = (value) => height / 2 - (value - (y[0] + y[1]) / 2) * unit;
      const shapes = [
        svg("line", { class: "grid", x1: toX(0), x2: toX(0), y1: 0, y2: height }),
        svg("line", { class: "grid", x1: 0, x2: width, y1: toY(0), y2: toY(0) }),
      ];
      const read = points.map((point, i) => {
        const [character, a, b] = point;
        const [vowel, token] = [isVowel(character), ids.get(character)];
        const circle = { class: vowel ? "point vowel" : "point", cx: toX(a), cy: toY(b), r: width < 500 ? 9 : 12 };
        shapes.push(svg("circle", { ...circle, "data-token": token }));
        const text = vowel ? { class: "glyph on-vowel" } : {};
        shapes.push(note(toX(a), toY(b) + 4, name(point), { ...text, style: "pointer-events: none" }));
        const place = `(${number(a, 2)}, ${number(b, 2)})`;
        return [toX(a), toY(b), `${name(point)} at ${place}, closest to ${nearest(point, i)}`, { token }];
      });
      return { shapes, points: read };
    },
  });
  numbers(container.parentElement, "Embedding", ["character", "x", "y", "nearest"], () =>
    points.map((point, i) => [name(point), number(point[1], 3), number(point[2], 3), nearest(point, i)]),
  );
}

chapter("mlp", () => {
  drawEmbedding(at("embedding-chart"), data.embedding);
  const networks = models.names.filter((name) => {
    const { family, config } = models.source(name);
    return family === "mlp" && config.layers === 1; // one hidden layer, whose units it shows
  });
  at("forward").hidden = !networks.length;
  if (!networks.length) return;
  const forward = new Forward(networks[0]);
  at("unit-chart").style.setProperty("--characters", data.bigrams.shown.length);
  const T = forward.model.context;
  at("mlp-name").textContent = forward.name;
  at("mlp-length").textContent = T === 1 ? "one" : String(T);
  const show = () => {
    const { unknown, tokens } = encode(at("context").value);
    at("context-error").textContent = complaint(unknown);
    if (unknown === undefined) forward.show([...Array(T).fill(0), ...tokens].slice(-T));
  };
  at("context").addEventListener("input", show);
  subscribe(["text"], ({ text }) => {
    const { characters, unknown } = encode(text);
    if (unknown !== undefined) return;
    at("context").value = characters.slice(-T).join("");
    show();
  });
  at("mlp-units").addEventListener("read", ({ detail }) => {
    forward.unit = detail.unit;
    forward.drawUnit();
    const chosen = at("mlp-units").querySelector(".chosen");
    const { x, y } = at("mlp-units").querySelectorAll(".signed")[detail.unit].getBBox();
    chosen.setAttribute("x", x);
    chosen.setAttribute("y", y);
  });
});
