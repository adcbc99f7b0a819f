"""makemore's models and training step, rewritten as plainly as makemore writes them: the reference for `models.py`.

Batches are B names padded to T positions; the targets of the padding are -1. Sizes are the defaults of its script.

Shapes: B names, T positions, V vocabulary, C embedding, A heads.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, RandomSampler

V, T, C, LAYERS, HEADS = 27, 16, 64, 4, 4  # hidden layers have C units too


class Bigram(nn.Module):
    def __init__(self):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(V, V))

    def forward(self, X):
        return self.logits[X]  # (B, T, V)


class MLP(nn.Module):
    """Each position sees the T characters up to it. A token of its own stands for positions before the name."""

    def __init__(self):
        super().__init__()
        self.C = nn.Embedding(V + 1, C)
        self.mlp = nn.Sequential(nn.Linear(T * C, C), nn.Tanh(), nn.Linear(C, V))

    def forward(self, X):
        seen = []
        for _ in range(T):
            seen.append(self.C(X))  # (B, T, C)
            X = X.roll(1, 1)
            X[:, 0] = V
        return self.mlp(torch.cat(seen, -1))


class RNNCell(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(2 * C, C)

    def forward(self, x, h):
        return torch.tanh(self.gate(torch.cat([x, h], 1)))  # (B, C)


class GRUCell(nn.Module):
    """Cho et al. 2014: the reset gate acts before the product."""

    def __init__(self):
        super().__init__()
        self.z, self.r, self.candidate = nn.Linear(2 * C, C), nn.Linear(2 * C, C), nn.Linear(2 * C, C)

    def forward(self, x, h):
        xh = torch.cat([x, h], 1)  # (B, 2C)
        z, r = torch.sigmoid(self.z(xh)), torch.sigmoid(self.r(xh))  # (B, C)
        candidate = torch.tanh(self.candidate(torch.cat([x, r * h], 1)))
        return (1 - z) * h + z * candidate


class Recurrent(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.C, self.cell, self.head = nn.Embedding(V, C), cell(), nn.Linear(C, V)
        self.start = nn.Parameter(torch.zeros(1, C))

    def forward(self, X):
        x, h, states = self.C(X), self.start.expand(len(X), -1), []  # (B, T, C), (B, C)
        for t in range(X.shape[1]):
            h = self.cell(x[:, t], h)
            states.append(h)
        return self.head(torch.stack(states, 1))


class LSTM(nn.Module):
    """PyTorch's: makemore has none."""

    def __init__(self):
        super().__init__()
        self.C, self.lstm, self.head = nn.Embedding(V, C), nn.LSTM(C, C, batch_first=True), nn.Linear(C, V)

    def forward(self, X):
        return self.head(self.lstm(self.C(X))[0])


class Positioned(nn.Module):
    """Embeddings of characters and positions, then the given layers."""

    def __init__(self, *layers):
        super().__init__()
        self.C, self.P, self.layers = nn.Embedding(V, C), nn.Embedding(T, C), nn.Sequential(*layers)

    def forward(self, X):
        return self.layers(self.C(X) + self.P(torch.arange(X.shape[1]).unsqueeze(0)))


class Block(nn.Module):
    """A module that mixes positions, then an MLP, each with a residual connection."""

    def __init__(self, mix, mlp):
        super().__init__()
        self.mix, self.mlp = mix, mlp

    def forward(self, x):
        x = x + self.mix(x)
        return x + self.mlp(x)


class Average(nn.Module):
    """The causal bag of words: attention with equal scores."""

    def __init__(self):
        super().__init__()
        self.register_buffer("past", torch.tril(torch.ones(T, T)).view(1, T, T))

    def forward(self, x):
        B, size, _ = x.shape
        weights = torch.zeros(B, size, size).masked_fill(self.past[:, :size, :size] == 0, -math.inf)
        return F.softmax(weights, dim=-1) @ x  # (B, T, C)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(C, 3 * C), nn.Linear(C, C)
        self.register_buffer("past", torch.tril(torch.ones(T, T)).view(1, 1, T, T))

    def forward(self, x):
        B, size, _ = x.shape
        q, k, v = (
            part.view(B, size, HEADS, -1).transpose(1, 2) for part in self.qkv(x).split(C, dim=2)
        )  # (B, A, T, -)
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(k.shape[-1])  # (B, A, T, T)
        scores = scores.masked_fill(self.past[:, :, :size, :size] == 0, -math.inf)
        return self.out((F.softmax(scores, dim=-1) @ v).transpose(1, 2).contiguous().view(B, size, C))


class GELU(nn.Module):
    """The tanh approximation, written out."""

    def forward(self, x):
        return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))


def bow():
    return Positioned(Block(Average(), nn.Sequential(nn.Linear(C, C), nn.Tanh(), nn.Linear(C, C))), nn.Linear(C, V))


def transformer():
    def block():
        attention = nn.Sequential(nn.LayerNorm(C), Attention())
        mlp = nn.Sequential(nn.LayerNorm(C), nn.Linear(C, 4 * C), GELU(), nn.Linear(4 * C, C))
        return Block(attention, mlp)

    return Positioned(*(block() for _ in range(LAYERS)), nn.LayerNorm(C), nn.Linear(C, V, bias=False))


MODELS = {
    "bigram": Bigram,
    "mlp": MLP,
    "rnn": lambda: Recurrent(RNNCell),
    "gru": lambda: Recurrent(GRUCell),
    "lstm": LSTM,
    "bow": bow,
    "transformer": transformer,
}


class Names(Dataset):
    def __init__(self, names):
        self.names = names

    def __len__(self):
        return len(self.names)

    def __getitem__(self, place):
        """The boundary token and the ids of the name, (T,), and the token after each, (T,), -1 after the end."""
        ids = torch.tensor([ord(character) - ord("a") + 1 for character in self.names[place]])
        x, y = torch.zeros(T, dtype=torch.long), torch.full((T,), -1)
        x[1 : len(ids) + 1] = ids
        y[: len(ids)] = ids
        y[len(ids)] = 0
        return x, y


def loader(names, size):
    """Batches as the script loads them, but without its four worker processes, which cost more than they save."""
    dataset = Names(names)
    sampler = RandomSampler(dataset, replacement=True, num_samples=int(1e10))
    return iter(DataLoader(dataset, sampler=sampler, batch_size=size))


def ready(names, size):
    """The same batches from tensors that already hold all names."""
    X, Y = next(iter(DataLoader(Names(names), batch_size=len(names))))  # (N, T)
    while True:
        drawn = torch.randint(len(X), (size,))
        yield X[drawn], Y[drawn]


def train(model, optimizer, batches, steps):
    for _ in range(steps):
        X, Y = next(batches)
        logits = model(X)  # (B, T, V)
        loss = F.cross_entropy(logits.view(-1, V), Y.view(-1), ignore_index=-1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def optimizer_of(model):
    return torch.optim.AdamW(model.parameters(), lr=5e-4, weight_decay=0.01, betas=(0.9, 0.99), eps=1e-8)
