"""The tree of the distinct prefixes of some names."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from makemore.nn.prefix_tree import PrefixTree

A, N, V = 1, 2, 3
CPU = torch.device("cpu")


def tree_of(*names: list[int]) -> PrefixTree:
    return PrefixTree(np.array([token for name in names for token in (0, *name)], dtype=np.int32), CPU)


def test_the_example_of_the_docstring() -> None:
    tree = tree_of([A, N, N], [A, N, N, A], [A, V, A], [A, N, N])
    assert tree.tokens.tolist() == [0, A, N, V, N, A, A]
    assert tree.depths.tolist() == [0, 1, 2, 2, 3, 3, 4]
    assert tree.sizes == [1, 1, 2, 2, 1]
    assert tree.parents.tolist() == [0, 0, 0, 0, 0, 1, 0]
    assert tree.nodes.tolist() == [*[0, 1, 2, 4], *[0, 1, 2, 4, 6], *[0, 1, 3, 5], *[0, 1, 2, 4]]
    assert [row[:4] for row in tree.path.tolist()] == [[0, 1, 2, 4], [0, 1, 2, 4], [0, 1, 2, 4], [0, 1, 3, 5]]
    assert tree.path[2, 4] == 6


def test_back_returns_the_row_of_an_ancestor() -> None:
    tree = tree_of([A, N, N, A], [A, V, A])
    x = torch.arange(1.0, 8.0).unsqueeze(1)  # (M, 1): node + 1
    assert tree.back(x, 1).squeeze(1).tolist() == [0, 1, 2, 2, 3, 4, 5]
    assert tree.back(x, 3).squeeze(1).tolist() == [0, 0, 0, 0, 1, 1, 2]


@given(st.lists(st.lists(st.integers(1, 3), max_size=5), min_size=1, max_size=12))
def test_each_prefix_has_one_node(names: list[list[int]]) -> None:
    tree = tree_of(*names)
    prefixes = [(0, *name[:end]) for name in names for end in range(len(name) + 1)]
    node = dict(zip(prefixes, tree.nodes.tolist(), strict=True))
    assert [node[prefix] for prefix in prefixes] == tree.nodes.tolist()
    assert sorted(node.values()) == list(range(len(tree.tokens)))
    first = np.cumsum([0, *tree.sizes])
    for prefix, at in node.items():
        assert (tree.tokens[at], tree.depths[at]) == (prefix[-1], len(prefix) - 1)
        assert len(prefix) == 1 or node[prefix[:-1]] == first[len(prefix) - 2] + tree.parents[at]
    x = torch.arange(len(tree.tokens)).unsqueeze(1)
    assert torch.equal(tree.once(tree.side_by_side(x)), x)
