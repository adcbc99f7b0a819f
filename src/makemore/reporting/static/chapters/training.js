// Learning curves, and the tanh units before training.
import { axes, chart, element, extent, number, numbers, path, short, svg, ticks } from "../charts.js";
import { at, data, uniform } from "../data.js";
import { chapter } from "../frame.js";

/** One panel per network, all with the same loss scale. */
function drawCurves(container, curves, uniform) {
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
      draw: (width, height) => {
        const x = [0, step.at(-1)];
        const { toX, toY, drawn, left, right } = axes(width, height, x, y, {
          xTicks: ticks(x, width < 200 ? 2 : 3),
          yTicks: ticks(y, 4),
          title: name,
          bottom: 26,
          left: 28,
        });
        const points = step.map((x, i) => [x, loss[i]]).filter(([, value]) => value !== null);
        const shown = points.map(([x, value]) => [toX(x), toY(Math.min(value, highest))]);
        const end = shown.at(-1) ?? [0, 0];
        return [
          ...drawn,
          svg("line", { class: "uniform", x1: left, x2: right, y1: toY(uniform), y2: toY(uniform) }),
          svg("path", { class: "line", d: path(shown) }),
          svg("text", { class: "first-text", x: end[0], y: end[1] - 9, "text-anchor": "end" }, number(last, 2)),
        ];
      },
    });
  }
  numbers(container.parentElement, ["network", "step", "loss, nats per token"], () =>
    Object.entries(curves).flatMap(([name, { step, loss }]) =>
      step.map((x, i) => [name, x, number(loss[i], 3)]).filter((_, i) => i % 20 === 0 || i === step.length - 1),
    ),
  );
}

function drawFirst(container, { edges, shares, of }, uniform) {
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
        const bars = share.map((value, i) =>
          svg("rect", {
            class: "bar",
            x: toX(edges[i]) + 0.5,
            width: Math.max(1, toX(edges[i + 1]) - toX(edges[i]) - 1),
            y: toY(value),
            height: toY(0) - toY(value),
          }),
        );
        const middle = toX(0);
        return [
          ...drawn,
          ...bars,
          svg("text", { class: "strong", x: middle, y: 44, "text-anchor": "middle" }, name),
          svg("text", { x: middle, y: 61, "text-anchor": "middle" }, saturated),
          svg("text", { x: middle, y: 78, "text-anchor": "middle" }, loss),
        ];
      },
    });
  }
  numbers(container.parentElement, ["from", "to", ...Object.keys(shares)], () =>
    edges.slice(1).map((to, i) => [edges[i], to, ...Object.values(shares).map((share) => number(share[i], 3))]),
  );
}

chapter("training", () => {
  drawCurves(at("curves-chart"), data.curves, uniform);
  drawFirst(at("first-chart"), data.first, uniform);
});
