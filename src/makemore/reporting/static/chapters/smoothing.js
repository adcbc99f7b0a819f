// The smoothing of n-gram models.
import { axes, chart, extent, number, numbers, path, short, svg, ticks } from "../charts.js";
import { at, data } from "../data.js";
import { chapter } from "../frame.js";

function drawSmoothing(container, { strength, train, dev }) {
  const logarithms = strength.map(Math.log10);
  const x = extent(logarithms);
  const finite = extent([...train, ...dev]);
  const y = [Math.floor(finite[0] * 20) / 20, Math.ceil(finite[1] * 20) / 20];
  const best = dev.indexOf(extent(dev)[0]);
  chart(container, {
    title: "Loss by smoothing strength",
    description: `In nats per token. The train loss rises from ${number(train[0])} to ${number(train.at(-1))}. The dev loss has its minimum, ${number(dev[best] ?? null)}, at ${short(strength[best] ?? 0)}.`,
    height: 280,
    draw: (width, height) => {
      const { toX, toY, drawn } = axes(width, height, x, y, {
        xTicks: ticks(x, 4).filter(Number.isInteger),
        yTicks: ticks(y, 5),
        xLabel: "added to each count",
        yLabel: "loss, nats per token",
        xFormat: (value) => short(10 ** value),
      });
      const line = (losses) =>
        path(
          losses
            .map((loss, i) => [logarithms[i], loss])
            .filter(([, loss]) => loss !== null)
            .map(([a, b]) => [toX(a), toY(b)]),
        );
      const shown = [...drawn];
      for (const [name, losses, kind] of [
        ["dev", dev, ""],
        ["train", train, "second"],
      ]) {
        shown.push(svg("path", { class: `line ${kind}`, d: line(losses) }));
        if (losses[0] === null) continue;
        const label = { class: kind ? "second-text" : "first-text", x: toX(x[0]) + 6, y: toY(losses[0]) - 9 };
        shown.push(svg("text", label, name));
      }
      if (best >= 0) {
        const [cx, cy] = [toX(logarithms[best]), toY(dev[best])];
        const text = `${number(dev[best])} at ${short(strength[best])}`;
        shown.push(svg("circle", { class: "mark", cx, cy, r: 4.5 }));
        shown.push(svg("text", { class: "first-text", x: cx, y: cy - 26, "text-anchor": "middle" }, text));
      }
      return shown;
    },
  });
  numbers(container.parentElement, ["added to each count", "train", "dev"], () =>
    strength.map((value, i) => [short(value), number(train[i]), number(dev[i])]),
  );
}

chapter("smoothing", () => drawSmoothing(at("smoothing-chart"), data.smoothing));
