"""Export networks to ONNX, for programs without this package or torch. Requires the package `onnx`.

All graphs have the same interface. The input is `tokens`, (N, T) int64: prefixes of names, each starting with the
boundary token 0. The output is `log_probs`, (N, T, V) float32: the natural logarithms of the probabilities of the token
after each input token. Outputs depend only on earlier tokens, so shorter names can be padded on the right with any
token.

There is one function per family. Each corresponds to the `forward` of its network, on padded rows of tokens instead of
a prefix tree.

Shapes: N names, T positions, K context length, V vocabulary, C embedding or channels, H hidden, G gates, A heads, D = C
/ A.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from makemore.core.files import METADATA, metadata_json
from makemore.core.folding import folded
from makemore.core.model import Arrays, Model, family_of, metadata
from makemore.core.vocab import Vocab

OPSET, IR = 20, 9  # the lowest versions with all operators used here (Gelu is the newest), for older runtimes

Input = str | int | float | list[int]  # the name of a value or weight, or a constant
Config = Mapping[str, Any]


class Graph:
    """A graph under construction. Calling it with an operator and its inputs adds a node and returns its output."""

    def __init__(self, weights: Arrays):
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}

    def __call__(self, operator: str, *inputs: Input, **attributes: Any) -> str:
        return self._node(operator, inputs, 1, attributes)[0]

    def split(self, x: str, sizes: list[int]) -> list[str]:
        """Split the last axis into parts of these sizes."""
        return self._node("Split", (x, sizes), len(sizes), {"axis": -1})

    def linear(self, x: str, name: str) -> str:
        """x @ W + b, like `sequence.Linear`."""
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
        """The positions 0 to T - 1, (T,)."""
        return self("Range", 0, self("Squeeze", self("Shape", "tokens", start=1, end=2)), 1)

    def back(self, x: str, distance: int) -> str:
        """x, (N, T, ...), shifted right by `distance` positions and padded with 0."""
        return self("Slice", self("Pad", x, [distance, 0], "", [1]), [0], [-distance], [1]) if distance else x


def neural_bigram(g: Graph, config: Config) -> str:
    return g("Gather", "W", "tokens")  # (N, T, V)


def mlp(g: Graph, config: Config) -> str:
    window = [g("Unsqueeze", g.back("tokens", distance), [2]) for distance in reversed(range(config["context"]))]
    contexts = g("Concat", *window, axis=2)  # (N, T, K)
    x = g("Reshape", g("Gather", "C", contexts), [0, 0, -1])  # (N, T, K * C)
    h, groups = x, config["context"]
    for i in range(1, config["layers"] + 1):
        groups = groups // config["flatten"] if config["flatten"] else 1
        joined = g("Reshape", h, [0, 0, groups, -1]) if config["flatten"] else h  # (N, T, G, J * H)
        h = g("Tanh", g("Add", g("MatMul", joined, f"W{i}"), f"b{i}"))  # (N, T, H) or (N, T, G, H)
    if config["flatten"]:
        h = g("Reshape", h, [0, 0, -1])  # (N, T, H)
    output = config["layers"] + 1
    logits = g("Add", g("MatMul", h, f"W{output}"), f"b{output}")  # (N, T, V)
    return g("Add", logits, g("MatMul", x, "direct")) if config["direct"] else logits


def recurrent(g: Graph, config: Config) -> str:
    """ONNX has operators for all three cells, with a different order of the gates and transposed weights."""
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
    rows = g("Min", positions, config["positions"] - 1)
    return g("Add", g("Gather", "C", "tokens"), g("Gather", "P", rows))  # (N, T, C)


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
        taps = g("Concat", *(g.back(x, tap * kernel**k) for tap in range(kernel)), axis=2)  # (N, T, kernel * C)
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
        hidden = g("Gelu", g.linear(norm(x, f"{block}.norm2"), f"{block}.hidden"), approximate="tanh")  # (N, T, 4 * C)
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
    """Convert a network to an ONNX file with the metadata of its safetensors file. Equal weights give equal bytes.

    Raises:
        ValueError: the model is not a network of one of the `FAMILIES`.
    """
    family = family_of(model)
    if family not in FAMILIES:
        raise ValueError(f"no ONNX export for the family {family}; available: {', '.join(FAMILIES)}")
    g = Graph(folded(model.arrays()) if family == "mlp" else model.arrays())
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
