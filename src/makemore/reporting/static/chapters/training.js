// Learning curves, and the tanh units before training.

import { axes, chart, element, extent, number, numbers, path, svg, ticks } from "../charts.js";
import { at, data, uniform } from "../data.js";
import { chapter } from "../frame.js";

/** One panel per network, all with the same loss scale. */
function drawCurves(container, curves) {
  const highest = Math.ceil(uniform * 2) / 2;
  const low = Math.floor(extent(Object.values(curves).flatMap(({ loss }) => loss))[0] * 2) / 2;
  const y = [Math.min(low, highest - 0.5), highest];
  for (const [name, { step, loss }] of Object.entries(curves)) {
    const panel = container.appendChild(element("div", { class: "chart" }));
    const [first, last] = [loss[0], loss[loss.length - 1]];
    chart(panel, {
      title: `Learning curve of ${name}`,
      description: `Training loss in nats per token falls from ${number(first, 2)} at step ${step[0]} to ${number(last, 2)} at step ${step.at(-1)}.`,
      height: (width) => Math.min(210, Math.max(150, width * 0.66)),
      rest: `${number(last, 3)} at step ${step.at(-1)}`,
      draw: (width, height) => {
        const x = [0, step.at(-1)];
        const { toX, toY, drawn, left, right } = axes(width, height, x, y, {
          xTicks: ticks(x, width < 200 ? 2 : 3),
          yTicks: ticks(y, 4),
          title: name,
          bottom: 26,
          left: 28,
        });
        const points = step
          .map((at, i) => [toX(at), toY(Math.min(loss[i] ?? 0, highest)), `${number(loss[i], 3)} at step ${at}`])
          .filter((_, i) => loss[i] !== null);
        const shapes = [
          ...drawn,
          svg("line", { class: "uniform", x1: left, x2: right, y1: toY(uniform), y2: toY(uniform) }),
          svg("path", { class: "line", d: path(points) }),
        ];
        return { shapes, points };
      },
    });
  }
  numbers(container.parentElement, "Learning curves", ["network", "step", "loss, nats per token"], () =>
    Object.entries(curves).flatMap(([name, { step, loss }]) =>
      step.map((x, i) => [name, x, number(loss[i], 3)]).filter((_, i) => i % 20 === 0 || i === step.length - 1),
    ),
  );
}

function drawFirst(container, { edges, shares, of }) {
  const y = [0, Math.ceil(extent(Object.values(shares).flat())[1] * 10) / 10];
  for (const [name, share] of Object.entries(shares)) {
    const panel = container.appendChild(element("div", { class: "chart" }));
    const saturated = `${(100 * of[name].saturated).toFixed(0)} % beyond ±0.99`;
    const loss = `initial loss ${number(of[name].initial_loss, 2)}`;
    chart(panel, {
      title: `tanh activations before training: ${name}`,
      description: `${saturated}; ${loss} nats per token, where ln V is ${number(uniform, 2)}.`,
      height: 210,
      draw: (width, height) => {
        const { toX, toY, drawn } = axes(width, height, [-1, 1], y, {
          xTicks: [-1, -0.5, 0, 0.5, 1],
          yTicks: ticks(y, 4),
          yLabel: "share of activations",
          bottom: 26,
        });
        const points = [];
        for (const [i, value] of share.entries()) {
          const [from, to] = [toX(edges[i]), toX(edges[i + 1])];
          const box = { x: from + 0.5, width: Math.max(1, to - from - 1), y: toY(value), height: toY(0) - toY(value) };
          drawn.push(svg("rect", { class: "bar", ...box }));
          const range = `${number(edges[i], 2)} to ${number(edges[i + 1], 2)}`;
          points.push([(from + to) / 2, toY(value), `${(100 * value).toFixed(1)} % of the activations are ${range}`]);
        }
        const middle = toX(0);
        const say = (y, text, kind = "") => svg("text", { class: kind, x: middle, y, "text-anchor": "middle" }, text);
        return { shapes: [...drawn, say(44, name, "strong"), say(61, saturated), say(78, loss)], points };
      },
    });
  }
  numbers(container.parentElement, "Activations", ["from", "to", ...Object.keys(shares)], () =>
    edges.slice(1).map((to, i) => [edges[i], to, ...Object.values(shares).map((share) => number(share[i], 3))]),
  );
}

chapter("training", () => {
  drawCurves(at("curves-chart"), data.curves);
  drawFirst(at("first-chart"), data.first);
});
