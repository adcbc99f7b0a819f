// The learning-rate sweep.
import { axes, chart, extent, number, numbers, path, short, svg, ticks } from "../charts.js";
import { at, data } from "../data.js";
import { chapter } from "../frame.js";

function drawRates(container, { lr, loss, good }) {
  const x = [Math.floor(10 * Math.log10(lr[0])) / 10, Math.log10(lr.at(-1))];
  const y = [0, Math.ceil(extent(loss)[1])];
  const range = `${short(good.lowest)} to ${short(good.highest)}`;
  chart(container, {
    title: "Loss by learning rate",
    description: `The loss in nats per token while the learning rate grows from ${short(lr[0])} to ${short(lr.at(-1))}. It is lowest near ${short(good.best)} and close to its minimum from ${range}.`,
    height: 280,
    draw: (width, height) => {
      const { toX, toY, drawn, top } = axes(width, height, x, y, {
        xTicks: ticks(x, 4).filter(Number.isInteger),
        yTicks: ticks(y, 5),
        xLabel: "learning rate",
        yLabel: "loss, nats per token",
        xFormat: (value) => short(10 ** value),
      });
      const [from, to] = [good.lowest, good.highest].map((rate) => toX(Math.log10(rate)));
      const points = lr.map((rate, i) => [rate, loss[i]]).filter(([, value]) => value !== null);
      return [
        ...drawn,
        svg("rect", { class: "band", x: from, y: top, width: Math.max(2, to - from), height: height - 40 - top }),
        svg("path", { class: "line", d: path(points.map(([rate, value]) => [toX(Math.log10(rate)), toY(value)])) }),
        svg("text", { class: "line-text", x: from - 6, y: top + 10, "text-anchor": "end" }, `${range}`),
      ];
    },
  });
  numbers(container.parentElement, "Learning rates", ["learning rate", "loss, nats per token"], () =>
    lr.map((rate, i) => [short(rate), number(loss[i], 3)]).filter((_, i) => i % 10 === 0),
  );
}

chapter("learning-rate", () => drawRates(at("rates-chart"), data.rates));
