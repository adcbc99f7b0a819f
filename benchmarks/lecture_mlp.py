"""The second lecture's MLP as its notebook writes it: the reference for `mlp.py`. It uses nothing of this project.

    python benchmarks/lecture_mlp.py STEPS [TRAIN]

It prints the seconds of each part as JSON. TRAIN is the file of the train names, by default that of the pipeline. One
thing differs from the notebook: the batches are drawn from the generator that drew the weights.
"""

import json
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

IMPORTED = time.process_time()  # since the process began


def build_dataset(words, stoi, block_size=3):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w + ".":
            ix = stoi[ch]
            X.append(context)
            Y.append(ix)
            context = context[1:] + [ix]  # noqa: RUF005  as the lecture writes it
    return torch.tensor(X), torch.tensor(Y)


def train(Xtr, Ytr, steps, seed=2147483647):
    g = torch.Generator().manual_seed(seed)
    C = torch.randn((27, 10), generator=g)
    W1 = torch.randn((30, 200), generator=g)
    b1 = torch.randn(200, generator=g)
    W2 = torch.randn((200, 27), generator=g)
    b2 = torch.randn(27, generator=g)
    parameters = [C, W1, b1, W2, b2]
    for p in parameters:
        p.requires_grad = True
    lossi = []
    stepi = []
    for i in range(steps):
        # minibatch construct
        ix = torch.randint(0, Xtr.shape[0], (32,), generator=g)
        # forward pass
        emb = C[Xtr[ix]]  # (32, 3, 10)
        h = torch.tanh(emb.view(-1, 30) @ W1 + b1)  # (32, 200)
        logits = h @ W2 + b2  # (32, 27)
        loss = F.cross_entropy(logits, Ytr[ix])
        # backward pass
        for p in parameters:
            p.grad = None
        loss.backward()
        # update
        lr = 0.1 if i < 100000 else 0.01
        for p in parameters:
            p.data += -lr * p.grad
        # track stats
        stepi.append(i)
        lossi.append(loss.log10().item())
    return parameters, lossi


def main() -> None:
    torch.set_num_threads(1)
    words = Path(sys.argv[2] if len(sys.argv) > 2 else "data/splits/train.txt").read_text().splitlines()
    stoi = {s: i + 1 for i, s in enumerate(sorted(set("".join(words))))} | {".": 0}
    X, Y = build_dataset(words, stoi)
    prepared = time.process_time()
    train(X, Y, int(sys.argv[1]))
    trained = time.process_time()
    print(json.dumps({"import": IMPORTED, "prepare": prepared - IMPORTED, "train": trained - prepared}))


if __name__ == "__main__":
    main()
