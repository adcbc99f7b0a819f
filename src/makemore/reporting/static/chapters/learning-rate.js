// The learning-rate sweep, with its running mean, and its minimum enlarged.

import { axes, chart, extent, number, numbers, path, short, svg, ticks } from "../charts.js";
import { at, data } from "../data.js";
import { chapter } from "../frame.js";

const AROUND = 0.6; // powers of 10 to both sides of the best rate
const RATES = [1, 2, 5].flatMap((digit) => Array.from({ length: 60 }, (_, i) => Math.log10(digit) + i - 30)); // ticks
const ABOVE = 2; // nats per token above the minimum that the enlarged chart shows

function draw(id, title, x, y) {
  const { lr, loss, mean, good } = data.rates;
  const range = `${short(good.lowest)} to ${short(good.highest)}`;
  const inside = (i) => lr[i] > 0 && Math.log10(lr[i]) >= x[0] - 1e-9 && Math.log10(lr[i]) <= x[1] + 1e-9;
  const shown = [...lr.keys()].filter(inside);
  chart(at(id), {
    title,
    description: `The loss in nats per token while the learning rate grows from ${short(10 ** x[0])} to ${short(10 ** x[1])}. The running mean is lowest near ${short(good.best)}, and close to its minimum from ${range}.`,
    height: 280,
    draw: (width, height) => {
      const whole = x[1] - x[0] > 2;
      const { toX, toY, drawn, top } = axes(width, height, x, y, {
        xTicks: whole ? ticks(x, 4).filter(Number.isInteger) : RATES.filter((rate) => rate > x[0] && rate < x[1]),
        yTicks: ticks(y, 5),
        xLabel: "learning rate",
        yLabel: "loss, nats per token",
        xFormat: (value) => short(10 ** value),
      });
      const [from, to] = [good.lowest, good.highest].map((rate) => toX(Math.log10(rate)));
      const place = (values) =>
        shown
          .filter((i) => values[i] !== null)
          .map((i) => [toX(Math.log10(lr[i])), toY(Math.min(y[1], Math.max(y[0], values[i])))]);
      const shapes = [
        ...drawn,
        svg("rect", { class: "band", x: from, y: top, width: Math.max(2, to - from), height: height - 40 - top }),
        svg("path", { class: "line noisy", d: path(place(loss)) }),
        svg("path", { class: "line mean", d: path(place(mean)) }),
      ];
      const points = shown
        .filter((i) => mean[i] !== null && mean[i] <= y[1])
        .map((i) => {
          const text = `learning rate ${short(lr[i])}: loss ${number(loss[i], 3)}, running mean ${number(mean[i], 3)}`;
          return [toX(Math.log10(lr[i])), toY(mean[i]), text];
        });
      return { shapes, points };
    },
  });
}

chapter("learning-rate", () => {
  const { lr, loss, mean, good } = data.rates;
  const [first, last] = [Math.log10(lr[0]), Math.log10(lr.at(-1))];
  const best = Math.log10(good.best);
  const lowest = extent(mean)[0];
  draw(
    "rates-chart",
    "Loss by learning rate",
    [first, last],
    [Math.floor(extent([...loss, ...mean])[0]), Math.ceil(extent(loss)[1])],
  );
  const near = [Math.max(first, best - AROUND), Math.min(last, best + AROUND)];
  draw("minimum-chart", "Loss by learning rate near the minimum", near, [lowest - 0.5, lowest + ABOVE]);
  numbers(at("rates-numbers"), "Learning rates", ["learning rate", "loss, nats per token", "running mean"], () =>
    lr.map((rate, i) => [short(rate), number(loss[i], 3), number(mean[i], 3)]).filter((_, i) => i % 10 === 0),
  );
});
