// The neural bigram trains in the page. Dragging the learning rate shows the whole training at that rate.

import { axes, chart, element, number, numbers, path, short, svg, ticks } from "../charts.js";
import { Counts, lossOf } from "../counts.js";
import { at, data, glyph, percent, V } from "../data.js";
import { chapter } from "../frame.js";
import { losses, Training } from "../gradient.js";
import { decode, zeros } from "../models.js";

const FIRST = 0.1; // the lowest learning rate; each position of the slider is a 20th of a power of 10 higher
const PALEST = 8; // cells are shaded by ln p, from -8 or less to 0
const LAST = 80;
const TOLERANCE = 0.05; // nats per token above the best training within which a training is good

const rateAt = (position) => Number((FIRST * 10 ** (position / 20)).toPrecision(3));
const positionOf = (rate) => Math.round(20 * Math.log10(rate / FIRST));

function begin() {
  const { lr, steps, regularization, W } = data.neural_bigram;
  const counts = zeros(V * V);
  const rows = new Counts(data.additive, V);
  for (let i = 0; i < V; i++) counts.set(rows.row([i]), i * V);
  const plain = zeros(V * V); // probabilities
  for (let i = 0; i < V; i++) plain.set(rows.probs([i], 0), i * V);
  const floor = lossOf(data.additive.losses.bigram.train, 0, V); // of the counts on train
  const options = { counts, initial: decode(W).data, V, regularization };
  const recipe = losses({ ...options, lr }, steps);

  let [rate, training, past, running] = [lr, new Training({ ...options, lr }), [], 0];

  const best = { loss: Number.isFinite(recipe.at(-1)) ? recipe.at(-1) : Infinity, rate: lr }; // the best training so far; see `scan`
  const verdict = (whole) => {
    const last = whole.at(-1);
    const ends = `after ${steps} steps the loss is ${number(last, 3)}`;
    if (last <= best.loss + TOLERANCE)
      return `Good: ${ends}. The counts have ${number(floor, 3)}, without regularization.`;
    if (rate < best.rate) return `Too slow: ${ends}, and still falling.`;
    if (last < whole[0]) return `Too high: steps overshoot, and ${ends}.`;
    return `Diverging: every step overshoots, and ${ends}, above the first one.`;
  };
  /** Look for the best rate, one training at a time, so that nothing has to wait. */
  const scan = (position) => {
    if (position > LAST) return drawLoss();
    const loss = losses({ ...options, lr: rateAt(position) }, steps).at(-1);
    if (loss < best.loss) Object.assign(best, { loss, rate: rateAt(position) });
    return setTimeout(scan, 0, position + 5);
  };

  let whole = recipe;
  const drawLoss = () => {
    const top = Math.max(whole[0], floor) + (Math.max(...whole) > whole[0] ? 1 : 0.1); // higher losses are cut off
    const y = [Math.floor(floor * 5) / 5, top];
    chart(at("network-chart"), {
      title: `Loss of the neural bigram by step, learning rate ${short(rate)}`,
      description: `${verdict(whole)} It begins at ${number(whole[0], 3)} nats per token.`,
      height: (width) => (width < 480 ? 230 : 260),
      draw: (width, height) => {
        const { toX, toY, drawn, left, right } = axes(width, height, [1, steps], y, {
          xTicks: ticks([0, steps], width < 480 ? 4 : 8).map((tick) => Math.max(1, tick)),
          yTicks: ticks(y, 5),
          xLabel: "step",
          yLabel: "loss, nats per token",
        });
        const line = (values) => path(values.map((loss, i) => [toX(i + 1), toY(Math.min(loss, top))]));
        const shapes = [
          ...drawn,
          svg("line", { class: "uniform", x1: left, x2: right, y1: toY(floor), y2: toY(floor) }),
          svg("path", { class: "line whole", d: line(whole) }),
          svg("path", { class: "line past", d: line(past) }),
        ];
        if (past.length) {
          const [cx, cy] = [toX(past.length), toY(Math.min(past.at(-1), top))];
          shapes.push(svg("circle", { class: "mark", cx, cy, r: 5 }));
        }
        const points = whole.map((loss, i) => [
          toX(i + 1),
          toY(Math.min(loss, top)),
          `step ${i + 1}: loss ${number(loss)}`,
        ]);
        return { shapes, points };
      },
    });
    at("network-verdict").textContent = verdict(whole);
  };

  /** A matrix of probabilities: functions that draw it, and that only colour its cells anew. */
  const matrix = (id, title, probs) => {
    let cells = [];
    const paint = () => {
      const values = probs();
      for (const [k, cell] of cells.entries()) {
        cell.style.setProperty("--k", Math.max(0, 1 + Math.log(values[k]) / PALEST).toFixed(3));
      }
    };
    const draw = (width) => {
      const [margin, values] = [Math.min(18, width / (V + 1)), probs()];
      const size = (width - margin) / V;
      const middle = (i) => margin + (i + 0.5) * size;
      const style = `font-size: ${Math.min(12, size * 0.95)}px`;
      const labels = Array.from({ length: V }, (_, i) => [
        svg("text", { class: "glyph", style, x: margin / 2, y: middle(i) + 4, "text-anchor": "middle" }, glyph(i)),
        svg("text", { class: "glyph", style, x: middle(i), y: margin * 0.7, "text-anchor": "middle" }, glyph(i)),
      ]);
      const points = [];
      cells = Array.from({ length: V * V }, (_, k) => {
        const [i, j] = [Math.floor(k / V), k % V];
        const log = (p) => `${p ? Math.log(p).toFixed(2) : "−∞"} (${percent(p)})`;
        const text = `${glyph(i)}${glyph(j)}: ln p ${log(values[k])}, counts ${log(plain[k])}`;
        points.push([middle(j), middle(i), text, { pair: [i, j] }]);
        const place = { x: middle(j) - size / 2, y: middle(i) - size / 2, width: size - 0.5, height: size - 0.5 };
        return svg("rect", { class: "cell", "data-pair": `${i},${j}`, ...place });
      });
      paint();
      return { shapes: [...labels.flat(), ...cells], points };
    };
    const description = "Rows are characters, columns the ones that follow; darker is more likely.";
    const redraw = () => chart(at(id), { title, description, height: (width) => width, draw, flat: false });
    redraw();
    return { paint, redraw };
  };

  const say = () => {
    const { probs } = training;
    let difference = 0;
    for (let k = 0; k < V * V; k++) difference += Math.abs(probs[k] - plain[k]) / (V * V);
    at("network-status").textContent =
      `Step ${past.length} of ${steps}: loss ${number(training.loss)}. The probabilities differ from the counts' by ` +
      `${(100 * difference).toFixed(2)} percentage points on average.`;
  };

  const reset = () => {
    stop();
    training = new Training({ ...options, lr: rate });
    past = [];
    say();
  };
  const learned = matrix("network-W", "Log-probabilities from W", () => training.probs);
  matrix("network-P", "Log-probabilities of the counts", () => plain);

  const advance = (count) => {
    for (let i = 0; i < count && past.length < steps; i++) past.push(training.step());
    say();
    drawLoss();
    learned.paint();
    if (past.length >= steps) stop();
  };
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const frame = () => {
    if (!running) return;
    advance(still.matches ? steps : Math.max(1, Math.ceil(steps / 200)));
    if (running) running = requestAnimationFrame(frame);
  };
  function stop() {
    cancelAnimationFrame(running);
    if (running) learned.redraw(); // for the readout
    running = 0;
    at("train-network").textContent = "Train";
  }

  at("train-network").addEventListener("click", () => {
    if (running) return stop();
    if (past.length >= steps) reset();
    at("train-network").textContent = "Pause";
    running = requestAnimationFrame(frame);
  });
  at("step-network").addEventListener("click", () => {
    if (past.length >= steps) reset();
    stop();
    advance(1);
    learned.redraw();
  });
  const restart = () => {
    reset();
    drawLoss();
    learned.redraw();
  };
  at("reset-network").addEventListener("click", restart);
  const setRate = (value) => {
    rate = value;
    at("rate-value").textContent = short(rate);
    at("rate").setAttribute("aria-valuetext", short(rate));
    whole = rate === lr ? recipe : losses({ ...options, lr: rate }, steps);
    restart();
  };
  at("rate").value = positionOf(lr);
  at("rate").addEventListener("input", ({ target }) => {
    const position = Number(target.value);
    setRate(position === positionOf(lr) ? lr : rateAt(position));
  });
  setRate(lr);
  scan(0);
  numbers(at("network-chart").closest("figure"), "Loss of the neural bigram", ["step", "loss"], () =>
    whole.map((loss, i) => [i + 1, number(loss)]).filter(([step]) => step === 1 || step % 10 === 0),
  );
}

chapter("neural-bigram", () => {
  if (data.neural_bigram && data.additive.counts) return begin();
  at("network").hidden = true;
  at("network-missing").hidden = false;
  at("network-missing").append(
    `With ${V.toLocaleString("en")} tokens, W has ${(V * V).toLocaleString("en")} weights, too many to train here. The command `,
    element("code", {}, "python stages/train_neural_bigram.py"),
    " trains it.",
  );
  return undefined;
});
