"""Networks as ONNX graphs, for programs that have neither this package nor torch. Needs the package `onnx`.

All graphs have one interface. In: `tokens`, (N, T) int64, names so far, each beginning with the boundary token 0. Out:
`log_probs`, (N, T, V) float32, the natural logarithms of the probabilities of the token after each of these. What comes
later in a row changes nothing before it, so shorter names are padded at the right with anything.

One function a family, the `forward` of its file once more, on names side by side in place of their prefixes' tree.

Shapes: N names, T positions, K characters of a context, V vocabulary, C embedding or channels, H hidden, G gates, A
heads, D = C / A.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from makemore.core.files import METADATA, metadata_json
from makemore.core.model import Arrays, Model, family_of, metadata
from makemore.core.vocab import Vocab

OPSET, IR = 20, 9  # the lowest that have all operators used here (Gelu came last), for the sake of older runtimes

Input = str | int | float | list[int]  # the name of a value or a weight; or a constant
Config = Mapping[str, Any]


class Graph:
    """A graph as it grows: calling it adds a node, from its operator, inputs and attributes, and gives its output."""

    def __init__(self, weights: Arrays):
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}

    def __call__(self, operator: str, *inputs: Input, **attributes: Any) -> str:
        return self._node(operator, inputs, 1, attributes)[0]

    def split(self, x: str, sizes: list[int]) -> list[str]:
        """Parts of the last axis."""
        return self._node("Split", (x, sizes), len(sizes), {"axis": -1})

    def linear(self, x: str, name: str) -> str:
        """x @ W + b, as `sequence.Linear` has it."""
        return self("Add", self("MatMul", x, f"{name}.W"), f"{name}.b")

    def _node(self, operator: str, inputs: tuple[Input, ...], count: int, attributes: dict[str, Any]) -> list[str]:
        name = f"{operator}_{len(self.nodes)}"
        outputs = [name] if count == 1 else [f"{name}_{k}" for k in range(count)]
        self.nodes.append(helper.make_node(operator, [self._name(x) for x in inputs], outputs, name, **attributes))
        return outputs

    def _name(self, x: Input) -> str:
        if not isinstance(x, str):
            constant = np.asarray(x, dtype=np.float32 if isinstance(x, float) else np.int64)
            return self.initializer(f"constant_{len(self.initializers)}", constant)
        return self.initializer(x, self.weights[x]) if x in self.weights else x

    def initializer(self, name: str, array: NDArray[Any]) -> str:
        self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def positions(self) -> str:
        """0, 1, 2, ..., (T,)."""
        return self("Range", 0, self("Squeeze", self("Shape", "tokens", start=1, end=2)), 1)

    def back(self, x: str, far: int) -> str:
        """What x, (N, T, ...), was so many positions before; 0 where that is before the first."""
        return self("Slice", self("Pad", x, [far, 0], "", [1]), [0], [-far], [1]) if far else x


def neural_bigram(g: Graph, config: Config) -> str:
    return g("Gather", "W", "tokens")  # (N, T, V)


def mlp(g: Graph, config: Config) -> str:
    window = [g("Unsqueeze", g.back("tokens", far), [2]) for far in reversed(range(config["context"]))]
    contexts = g("Concat", *window, axis=2)  # (N, T, K)
    x = g("Reshape", g("Gather", "C", contexts), [0, 0, -1])  # (N, T, K * C)
    h = g("Tanh", g("Add", g("MatMul", x, "W1"), "b1"))  # (N, T, H)
    logits = g("Add", g("MatMul", h, "W2"), "b2")  # (N, T, V)
    return g("Add", logits, g("MatMul", x, "direct")) if config["direct"] else logits


def recurrent(g: Graph, config: Config) -> str:
    """ONNX has our three cells as operators, with the gates in an order of its own and all weights transposed."""
    order = {"rnn": [0], "gru": [1, 0, 2], "lstm": [0, 2, 1, 3]}[config["cell"]]
    attributes = {"linear_before_reset": 1} if config["cell"] == "gru" else {}

    def reordered(weights: NDArray[Any]) -> NDArray[Any]:
        gates = np.split(weights, len(order), axis=-1)
        return np.concatenate([gates[k] for k in order], axis=-1).T[None]

    x = g("Gather", "C", g("Transpose", "tokens"))  # (T, N, C)
    for layer in (f"layers.{k}" for k in range(config["layers"])):
        b = reordered(g.weights[f"{layer}.input.b"])  # (1, G * H)
        W = g.initializer(f"{layer}.W", reordered(g.weights[f"{layer}.input.W"]))  # (1, G * H, C or H)
        R = g.initializer(f"{layer}.R", reordered(g.weights[f"{layer}.U"]))  # (1, G * H, H)
        B = g.initializer(f"{layer}.B", np.concatenate((b, np.zeros_like(b)), axis=1))  # (1, 2 * G * H): of W, of R
        states = g(config["cell"].upper(), x, W, R, B, hidden_size=config["hidden"], **attributes)  # (T, 1, N, H)
        x = g("Squeeze", states, [1])  # (T, N, H)
    return g("Transpose", g.linear(x, "output"), perm=[1, 0, 2])  # (N, T, V)


def embed(g: Graph, positions: str, config: Config) -> str:
    places = g("Min", positions, config["positions"] - 1)
    return g("Add", g("Gather", "C", "tokens"), g("Gather", "P", places))  # (N, T, C)


def bow(g: Graph, config: Config) -> str:
    positions = g.positions()
    x = embed(g, positions, config)  # (N, T, C)
    counts = g("Unsqueeze", g("Cast", g("Add", positions, 1), to=TensorProto.FLOAT), [1])  # (T, 1)
    x = g("Add", x, g("Div", g("CumSum", x, 1), counts))
    x = g("Add", x, g.linear(g("Tanh", g.linear(x, "hidden")), "residual"))
    return g.linear(x, "output")


def wavenet(g: Graph, config: Config) -> str:
    C, H, kernel = config["channels"], config["hidden"], config["kernel"]
    x, skipped = g("Gather", "C", "tokens"), ""  # (N, T, C)
    for k in range(config["layers"]):
        taps = g("Concat", *(g.back(x, far * kernel**k) for far in range(kernel)), axis=2)  # (N, T, kernel * C)
        candidate, gate = g.split(g.linear(taps, f"layers.{k}.taps"), [C, C])
        gated = g("Mul", g("Tanh", candidate), g("Sigmoid", gate))  # (N, T, C)
        residual, skip = g.split(g.linear(gated, f"layers.{k}.output"), [C, H])
        x, skipped = g("Add", x, residual), g("Add", skipped, skip) if skipped else skip
    return g.linear(g("Relu", g.linear(g("Relu", skipped), "hidden")), "output")


def transformer(g: Graph, config: Config) -> str:
    C, A = config["embedding"], config["heads"]
    D = C // A

    def norm(x: str, name: str) -> str:
        return g("LayerNormalization", x, f"{name}.weight", f"{name}.bias")

    positions = g.positions()
    causal = g("GreaterOrEqual", g("Unsqueeze", positions, [1]), positions)  # (T, T)
    x = embed(g, positions, config)  # (N, T, C)
    for block in (f"blocks.{k}" for k in range(config["layers"])):
        parts = g.split(g.linear(norm(x, f"{block}.norm1"), f"{block}.qkv"), [C, C, C])
        q, k, v = (g("Reshape", part, [0, 0, A, D]) for part in parts)  # (N, T, A, D)
        q, v = (g("Transpose", part, perm=[0, 2, 1, 3]) for part in (q, v))  # (N, A, T, D)
        scores = g("Mul", g("MatMul", q, g("Transpose", k, perm=[0, 2, 3, 1])), D**-0.5)  # (N, A, T, T)
        attention = g("Softmax", g("Where", causal, scores, -np.inf), axis=-1)
        heads = g("Transpose", g("MatMul", attention, v), perm=[0, 2, 1, 3])  # (N, T, A, D)
        x = g("Add", x, g.linear(g("Reshape", heads, [0, 0, C]), f"{block}.attended"))
        hidden = g("Gelu", g.linear(norm(x, f"{block}.norm2"), f"{block}.hidden"))  # (N, T, 4 * C)
        x = g("Add", x, g.linear(hidden, f"{block}.output"))
    return g.linear(norm(x, "norm"), "output")


FAMILIES = {
    "neural_bigram": neural_bigram,
    "mlp": mlp,
    "recurrent": recurrent,
    "bow": bow,
    "wavenet": wavenet,
    "transformer": transformer,
}


def export(model: Model, vocab: Vocab) -> bytes:
    """The ONNX file of a network, the same bytes for the same weights; its metadata are those of its safetensors file.

    Raises:
        ValueError: it is no network, or of a family that has no graph here.
    """
    family = family_of(model)
    if family not in FAMILIES:
        raise ValueError(f"expected a network ({', '.join(FAMILIES)}), got a model of the family {family}")
    g = Graph(model.arrays())
    logits = FAMILIES[family](g, model.config())
    g.nodes.append(helper.make_node("LogSoftmax", [logits], ["log_probs"], "log_probs", axis=-1))
    graph = helper.make_graph(
        g.nodes,
        family,
        [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["N", "T"])],
        [helper.make_tensor_value_info("log_probs", TensorProto.FLOAT, ["N", "T", len(vocab)])],
        list(g.initializers.values()),
    )
    opset = [helper.make_opsetid("", OPSET)]
    proto = helper.make_model(graph, producer_name="makemore", ir_version=IR, opset_imports=opset)
    helper.set_model_props(proto, {METADATA: metadata_json(metadata(model, vocab))})
    onnx.checker.check_model(proto, full_check=True)
    return bytes(proto.SerializeToString(deterministic=True))
