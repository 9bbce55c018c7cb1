"""Expected results of the examples, by numpy and plain Python.

    python3 examples/reference.py

writes every `NAME.case.json` beside this file. Nothing here reads a program of the
language: each result is computed by a formula or library routine of its own.

Real inputs are floats, sizes and indices are integers. `exact` computes in fractions,
`close` in floating point.
"""

import itertools
import json
import math
import random
from fractions import Fraction
from pathlib import Path

import numpy as np

CASES = {}


def array(value):
    """An array of the entries of nested lists, or of {"shape": .., "data": ..}."""
    if isinstance(value, dict):
        return np.array(value["data"]).reshape(value["shape"])
    return np.array(value)


def argument(value, scalar):
    """An input as the references take it."""
    if isinstance(value, dict) and "coords" in value:
        return {tuple(pair) for pair in value["coords"]}
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return Fraction(value) if scalar == "rational" else value
    entries = array(value)
    if entries.dtype.kind == "f" and scalar == "rational":
        exact = np.empty(entries.shape, dtype=object)
        exact[...] = np.vectorize(Fraction, otypes=[object])(entries) if entries.size else 0
        return exact
    return entries


def entry(x, scalar):
    """One entry of a result as JSON has it."""
    if isinstance(x, (int, np.integer)) and not isinstance(x, Fraction):
        return int(x)
    if scalar == "rational":
        return str(Fraction(x))
    x = float(x)
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return x


def result(value, scalar):
    """A result as JSON has it."""
    value = np.asarray(value)
    if 0 in value.shape[:-1]:
        return {"shape": list(value.shape), "data": []}
    if value.ndim == 0:
        return entry(value.item() if value.dtype.kind != "i" else int(value), scalar)
    return [result(part, scalar) for part in value]


def case(example, function, inputs, reference, scalar, ulps):
    outputs = reference(**{name: argument(value, scalar) for name, value in inputs.items()})
    record = {
        "fn": function,
        "scalar": scalar,
        "inputs": inputs,
        "outputs": {name: result(value, scalar) for name, value in outputs.items()},
    }
    if ulps is not None:
        record["ulps"] = ulps
    CASES.setdefault(example, []).append(record)


def exact(example, function, inputs, reference):
    case(example, function, inputs, reference, "rational", None)


def close(example, function, inputs, reference, ulps=None):
    case(example, function, inputs, reference, "f64", ulps)


def reals(seed, *shape, low=-8, high=8, step=4):
    """Nested lists of multiples of 1/step between low/step and high/step."""
    rng = random.Random(seed)
    entries = [rng.randint(low, high) / step for _ in range(math.prod(shape))]
    if 0 in shape[:-1]:
        return {"shape": list(shape), "data": []}
    return np.array(entries, dtype=float).reshape(shape).tolist()


def indices(seed, below, *shape):
    rng = random.Random(seed)
    entries = [rng.randrange(below) for _ in range(math.prod(shape))]
    return np.array(entries, dtype=int).reshape(shape).tolist()


def real(x):
    """An array of reals, also where all of them happen to be whole."""
    x = np.asarray(x)
    if x.dtype == object:
        return x
    out = np.empty(x.shape, dtype=object)
    out[...] = np.vectorize(Fraction, otypes=[object])(x) if x.size else 0
    return out


def total(x):
    """A sum that is a fraction, also of nothing."""
    return sum(np.asarray(x, dtype=object).ravel().tolist(), Fraction(0))


# --- vectors and matrices ---------------------------------------------------------------------

for n in (0, 1, 5):
    exact("dot", "dot", {"x": reals(1, n), "y": reals(2, n)}, lambda x, y: {"s": total(x * y)})

exact("matvec", "matvec", {"A": reals(3, 3, 4), "x": reals(4, 4)}, lambda A, x: {"y": A @ x})
exact("matvec", "matvec", {"A": [[], []], "x": []}, lambda A, x: {"y": real(np.zeros(2))})
exact(
    "matvec",
    "twice",
    {"B": reals(5, 2, 3), "A": reals(6, 3, 4), "x": reals(7, 4)},
    lambda B, A, x: {"z": (B @ A) @ x},
)

for n in (0, 1, 4):
    exact("trace", "trace", {"A": reals(8, n, n)}, lambda A: {"d": np.diag(A), "t": total(np.diag(A))})

for n in (0, 1, 4):
    exact(
        "quadratic_form",
        "quadratic_form",
        {"A": reals(9, n, n), "x": reals(10, n)},
        lambda A, x: {"q": total(A * np.multiply.outer(x, x)), "g": (A + A.T) @ x},
    )


def substitute(L, b):
    x = []
    for row, rhs in zip(L, b):
        x.append((rhs - sum(row[j] * x[j] for j in range(len(x)))) / row[len(x)])
    return np.array(x, dtype=object)


LOWER = [[2.0, 9.0, 9.0], [1.0, 0.5, 9.0], [-1.0, 3.0, 4.0]]
exact("triangular", "energy", {"L": LOWER, "x": reals(11, 3)}, lambda L, x: {"e": total((np.tril(L) @ x) ** 2)})
exact("triangular", "energy", {"n": 0, "L": reals(0, 0, 0), "x": []}, lambda n, L, x: {"e": total([])})
exact("triangular", "substitute", {"L": LOWER, "b": reals(12, 3)}, lambda L, b: {"x": substitute(L, b)})
exact("triangular", "substitute", {"L": [[4.0]], "b": [3.0]}, lambda L, b: {"x": substitute(L, b)})
POSITIVE = [[4.0, 2.0, -1.0], [2.0, 5.0, 0.5], [-1.0, 0.5, 3.0]]
close("triangular", "cholesky", {"A": POSITIVE}, lambda A: {"L": np.linalg.cholesky(A)})
close("triangular", "cholesky", {"A": [[9.0]]}, lambda A: {"L": [[3.0]]})

# --- stencils, images, convolutions -----------------------------------------------------------


def blur(x):
    padded = np.concatenate([real([0]), x, real([0])])
    return (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / Fraction(4)


def blur_image(x):
    out = np.empty_like(x)
    for i, j in np.ndindex(x.shape):
        window = x[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
        out[i, j] = total(window) / window.size
    return out


for n in (0, 1, 2, 6):
    exact("blur", "blur", {"x": reals(13, n)}, lambda x: {"y": blur(x)})
for h, w in ((1, 1), (3, 4), (0, 2)):
    exact("blur", "blur_image", {"x": reals(14, h, w)}, lambda x: {"y": blur_image(x)})


def image_gradient(u, epsilon):
    down, right = np.zeros(u.shape), np.zeros(u.shape)
    down[:-1] = np.diff(u, axis=0)
    right[:, :-1] = np.diff(u, axis=1)
    return {"down": down, "right": right, "v": np.sqrt(down**2 + right**2 + epsilon**2).sum()}


close("image_gradient", "image_gradient", {"u": reals(15, 3, 4), "epsilon": 0.5}, image_gradient)
close("image_gradient", "image_gradient", {"u": reals(16, 1, 1), "epsilon": 0.0}, image_gradient)


def upsample(x):
    y = []
    for k, value in enumerate(x):
        y += [value, (value + x[min(k + 1, len(x) - 1)]) / 2]
    return np.array(y, dtype=object)


for n in (0, 1, 4):
    exact("upsample", "upsample", {"x": reals(17, n)}, lambda x: {"y": upsample(x)})
for n in (1, 7, 8):
    exact(
        "upsample",
        "haar",
        {"n": n, "x": reals(18, n)},
        lambda n, x: {
            "low": real(x[: n // 2 * 2].reshape(-1, 2).sum(axis=1) / 2),
            "high": real((x[: n // 2 * 2 : 2] - x[1 : n // 2 * 2 : 2]) / 2),
        },
    )
exact(
    "upsample",
    "unhaar",
    {"low": reals(19, 3), "high": reals(20, 3)},
    lambda low, high: {"x": np.stack([low + high, low - high], axis=1).ravel()},
)


def convolve(x, c):
    out = real(np.zeros(len(x) + len(c) - 1))
    for shift, tap in enumerate(c):
        out[shift : shift + len(x)] += tap * x
    return out


def convolve_image(a, b, x, c):
    padded = np.pad(x, ((a, a), (b, b)), constant_values=Fraction(0))
    windows = np.lib.stride_tricks.sliding_window_view(padded, c.shape)
    return (windows * c).sum(axis=(2, 3))


exact(
    "convolution",
    "correlate",
    {"x": reals(21, 7), "c": reals(22, 3)},
    lambda x, c: {"y": real([total(x[i : i + 3] * c) for i in range(5)])},
)
exact("convolution", "correlate", {"n": 0, "x": [1.0], "c": [2.0, 3.0]}, lambda n, x, c: {"y": []})
exact("convolution", "convolve", {"x": reals(23, 5), "c": reals(24, 3)}, lambda x, c: {"y": convolve(x, c)})
exact("convolution", "convolve", {"x": [3.0], "c": [0.5]}, lambda x, c: {"y": convolve(x, c)})
for a, b, h, w in ((1, 1, 3, 4), (0, 2, 2, 2), (1, 0, 1, 1)):
    exact(
        "convolution",
        "convolve_image",
        {"a": a, "b": b, "x": reals(25, h, w), "c": reals(26, 2 * a + 1, 2 * b + 1)},
        lambda a, b, x, c: {"y": convolve_image(a, b, x, c)},
    )


def max_pool(x):
    h, w = x.shape[0] // 2, x.shape[1] // 2
    return x[: 2 * h, : 2 * w].reshape(h, 2, w, 2).max(axis=(1, 3))


def dilate(r, x):
    out = np.empty_like(x)
    for i, j in np.ndindex(x.shape):
        out[i, j] = x[max(i - r, 0) : i + r + 1, max(j - r, 0) : j + r + 1].max()
    return out


exact("pooling", "max_pool", {"x": reals(27, 4, 5)}, lambda x: {"y": max_pool(x)})
exact("pooling", "max_pool", {"x": reals(28, 1, 2)}, lambda x: {"y": np.zeros((0, 1))})
for r in (0, 1, 2):
    exact("pooling", "dilate", {"r": r, "x": reals(29, 3, 4)}, lambda r, x: {"y": dilate(r, x)})

NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1))


def laplacian(inside, u):
    energy = Fraction(0)
    for i, j in inside:
        near = [(i + a, j + b) for a, b in NEIGHBOURS if (i + a, j + b) in inside]
        energy += (sum((u[q] for q in near), Fraction(0)) - len(near) * u[i, j]) ** 2
    return {"energy": energy}


RING = {"coords": [[0, 0], [0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1], [2, 2], [2, 3]]}
exact("laplacian", "laplacian", {"inside": RING, "u": reals(30, 3, 4)}, laplacian)
exact("laplacian", "laplacian", {"inside": {"coords": []}, "u": reals(31, 2, 2)}, laplacian)


# `lambda` is a word of Python's
def arap(mask, pulled, rest, place, target, angle, **more):
    energy = 0.0
    for p in sorted(mask):
        turn = np.exp(1j * angle[p])
        for a, b in NEIGHBOURS:
            q = (p[0] + a, p[1] + b)
            if q in mask:
                d, e = rest[p] - rest[q], place[p] - place[q]
                energy += abs(complex(*e) - turn * complex(*d)) ** 2
    pull = sum(((place[p] - target[p]) ** 2).sum() for p in pulled)
    return {"energy": energy + more["lambda"] * pull}


GRID = [[[float(i), float(j)] for j in range(3)] for i in range(3)]
BENT = {
    "mask": {"coords": [[0, 0], [0, 1], [1, 0], [1, 1], [1, 2], [2, 2]]},
    "pulled": {"coords": [[0, 0], [2, 2]]},
    "rest": GRID,
    "place": reals(32, 3, 3, 2),
    "target": reals(33, 3, 3, 2),
    "angle": reals(34, 3, 3),
    "lambda": 0.75,
}
close("arap", "arap", BENT, arap, ulps=512)
close("arap", "arap", {**BENT, "place": GRID, "target": GRID, "angle": [[0.0] * 3] * 3}, arap)


def bilinear(image, y, x):
    h, w = image.shape
    padded = np.pad(image, 2, constant_values=Fraction(0))
    out = []
    for v, u in zip(y, x):
        i, j = math.floor(v), math.floor(u)
        if not (-2 <= i < h + 1 and -2 <= j < w + 1):
            out.append(Fraction(0))
            continue
        s, t = v - i, u - j
        upper = padded[i + 2, j + 2] * (1 - t) + padded[i + 2, j + 3] * t
        lower = padded[i + 3, j + 2] * (1 - t) + padded[i + 3, j + 3] * t
        out.append(upper * (1 - s) + lower * s)
    return {"v": np.array(out, dtype=object)}


LOOKS = {"y": [0.0, 0.5, 1.25, -0.75, 2.0, 1.5, 9.0, -1.0], "x": [0.0, 1.5, 2.75, 0.25, 3.0, 3.5, 0.0, -1.0]}
exact("bilinear", "bilinear", {"image": reals(35, 3, 4), **LOOKS}, bilinear)
exact("bilinear", "bilinear", {"image": [[2.0]], "y": [0.25, -0.5], "x": [0.0, 0.5]}, bilinear)
exact("bilinear", "bilinear", {"image": [[2.0]], "y": [], "x": []}, lambda image, y, x: {"v": []})

# --- polynomials, sums, products --------------------------------------------------------------


def value_at(p, t):
    return {"value": sum((c * t**k for k, c in enumerate(p)), Fraction(0))}


for n in (0, 1, 5):
    exact("polynomial", "horner", {"p": reals(36, n), "t": -0.75}, value_at)
exact("polynomial", "multiply", {"a": reals(37, 4), "b": reals(38, 3)}, lambda a, b: {"c": convolve(a, b)})
exact("polynomial", "multiply", {"a": [2.0], "b": [3.0]}, lambda a, b: {"c": convolve(a, b)})
exact("polynomial", "derive", {"p": reals(39, 5)}, lambda p: {"d": p[1:] * np.arange(1, 5)})

for function, n in itertools.product(("prefix_sums", "triangle_sums"), (0, 1, 6)):
    exact("prefix_sums", function, {"x": reals(40, n)}, lambda x: {"s": np.cumsum(x)})
exact("prefix_sums", "area_sums", {"x": reals(41, 3, 4)}, lambda x: {"s": x.cumsum(axis=0).cumsum(axis=1)})
exact("prefix_sums", "area_sums", {"x": reals(41, 0, 2)}, lambda x: {"s": np.zeros((0, 2))})


def products(x):
    others = [math.prod([*x[:i], *x[i + 1 :]], start=Fraction(1)) for i in range(len(x))]
    return {"whole": math.prod(x, start=Fraction(1)), "first": np.cumprod(x), "others": real(others)}


for x in ([], [3.0], [0.5, -2.0, 1.5, 3.0], [2.0, 0.0, 3.0], [0.0, 5.0, 0.0]):
    exact("products", "products", {"x": x}, products)

# --- data-dependent indices -------------------------------------------------------------------


def weigh(m, x, weight):
    edges = [Fraction(k, m) for k in range(m + 1)]
    pairs = list(zip(x, weight))
    return {"total": real([total([w for v, w in pairs if a <= v < b]) for a, b in zip(edges, edges[1:])])}


for n, m in ((9, 4), (0, 2), (3, 1)):
    exact(
        "histogram",
        "histogram",
        {"m": m, "bin": indices(42, m, n)},
        lambda m, bin: {"count": real(np.bincount(np.array(bin, dtype=int), minlength=m))},
    )
SAMPLES = {"x": reals(43, 8, low=-2, high=9, step=8), "weight": reals(44, 8)}
exact("histogram", "weigh", {"m": 4, **SAMPLES}, weigh)
exact("histogram", "weigh", {"m": 0, "x": [0.5], "weight": [1.0]}, lambda m, x, weight: {"total": []})

exact(
    "embedding",
    "embedding",
    {"table": reals(45, 6, 3), "word": [4, 0, 4, 2]},
    lambda table, word: {"row": table[word], "bag": table[word].sum(axis=0) / Fraction(4)},
)
exact(
    "embedding",
    "embedding",
    {"table": reals(45, 6, 2), "word": []},
    lambda table, word: {"row": np.zeros((0, 2)), "bag": real([0, 0])},
)

for p in ([2, 0, 3, 1], [0], []):
    exact(
        "permutation",
        "permutation",
        {"p": p, "x": reals(46, len(p))},
        lambda p, x: {"y": x[p.astype(int)], "q": p.astype(int)[p.astype(int)], "back": np.argsort(p)},
    )


def kmeans(x, centre):
    apart = ((x[:, None] - centre[None]) ** 2).sum(axis=2)
    nearest = np.array([min(range(len(centre)), key=lambda c: (row[c], c)) for row in apart], dtype=int)
    moved = [x[nearest == c].mean(axis=0) if (nearest == c).any() else centre[c] for c in range(len(centre))]
    return {"nearest": nearest, "cost": total(apart.min(axis=1)) if len(x) else total([]), "moved": np.array(moved)}


exact("kmeans", "kmeans", {"x": reals(47, 7, 2), "centre": reals(48, 3, 2)}, kmeans)
exact("kmeans", "kmeans", {"x": [[1.0], [3.0]], "centre": [[2.0], [2.0]]}, kmeans)
exact("kmeans", "kmeans", {"x": reals(0, 0, 2), "centre": [[1.0, 2.0]]}, kmeans)


def median(x):
    order = sorted(range(len(x)), key=lambda i: x[i])
    return {"rank": real([order.index(i) for i in range(len(x))]), "m": sorted(x)[len(x) // 2]}


for x in ([3.0], [2.0, -1.0, 5.0, 2.0, 0.5], [1.0, 1.0, 1.0]):
    exact("median", "median", {"x": x}, median)

# --- sparse -----------------------------------------------------------------------------------

ROW, COL = [0, 2, 2, 0, 3, 2], [1, 0, 2, 1, 2, 0]


def dense(n, m, row, col, a):
    A = real(np.zeros((n, m)))
    for i, j, value in zip(row, col, a):
        A[i, j] += value
    return A


exact(
    "spmv",
    "spmv",
    {"n": 4, "row": ROW, "col": COL, "a": reals(49, 6), "x": reals(50, 3)},
    lambda n, row, col, a, x: {"y": dense(n, 3, row, col, a) @ x},
)
exact(
    "spmv",
    "spmv",
    {"n": 2, "row": [], "col": [], "a": [], "x": []},
    lambda n, row, col, a, x: {"y": real([0, 0])},
)
exact(
    "sddmm",
    "sddmm",
    {"row": ROW, "col": COL, "a": reals(51, 6), "U": reals(52, 4, 2), "V": reals(53, 3, 2)},
    lambda row, col, a, U, V: {"c": a * (U @ V.T)[row, col]},
)
exact(
    "sddmm",
    "sddmm",
    {"row": [0], "col": [0], "a": [2.0], "U": [[]], "V": [[]]},
    lambda row, col, a, U, V: {"c": real([0])},
)
START = [0, 2, 2, 5, 6]
exact(
    "csr",
    "csr",
    {"start": START, "col": [1, 1, 0, 2, 0, 2], "a": reals(54, 6), "x": reals(55, 3)},
    lambda start, col, a, x: {"y": dense(4, 3, np.repeat(np.arange(4), np.diff(start)), col, a) @ x},
)
exact("csr", "csr", {"start": [0], "col": [], "a": [], "x": [1.0]}, lambda start, col, a, x: {"y": []})


def message_passing(x, S, W, **edges):
    out = x @ S.T
    for v in range(len(x)):
        sources = [u for u, to in zip(edges["from"], edges["to"]) if to == v]
        if sources:
            out[v] += (x[sources] @ W.T).sum(axis=0) / len(sources)
    return {"y": np.maximum(out, Fraction(0))}


LAYER = {"x": reals(56, 4, 2), "S": reals(57, 2, 2), "W": reals(58, 2, 2)}
exact("message_passing", "message_passing", {"from": [0, 1, 3, 3, 2], "to": [1, 2, 2, 1, 0], **LAYER}, message_passing)
exact("message_passing", "message_passing", {"from": [], "to": [], **LAYER}, message_passing)


def tree(parent, x):
    def path(v):
        return [v] if v == 0 else [v, *path(parent[v])]

    paths = [path(v) for v in range(len(x))]
    return {
        "depth": real([len(p) - 1 for p in paths]),
        "total": real([total([x[v] for v, p in enumerate(paths) if u in p]) for u in range(len(x))]),
    }


for parent in ([0, 0, 0, 1, 1, 2, 4], [0], []):
    exact("tree", "tree", {"parent": parent, "x": reals(59, len(parent))}, tree)


def linked_list(next, x):
    def chain(v):
        return [v] if next[v] == len(x) else [v, *chain(next[v])]

    chains = [chain(v) for v in range(len(x))]
    return {
        "rest": real([total(x[c]) for c in chains]),
        "last": np.array([c[-1] for c in chains], dtype=int),
    }


for chain in ([2, 4, 3, 6, 5, 6], [1], []):
    exact("linked_list", "linked_list", {"next": chain, "x": reals(60, len(chain))}, linked_list)

# --- functions, losses ------------------------------------------------------------------------


def logsumexp(x):
    return np.logaddexp.reduce(x) if len(x) else -np.inf


def softmax(x):
    weight = np.exp(x - np.max(x, initial=-np.inf))
    return weight / weight.sum()


close("softmax", "logsumexp", {"x": reals(61, 5)}, lambda x: {"l": logsumexp(x)})
close("softmax", "logsumexp", {"x": [1000.0, 1001.0]}, lambda x: {"l": 1001 + math.log1p(math.exp(-1))})
close("softmax", "logsumexp", {"x": []}, lambda x: {"l": logsumexp(x)})
close("softmax", "softmax", {"x": reals(62, 4)}, lambda x: {"p": softmax(x)})
close("softmax", "softmax", {"x": [-700.0]}, lambda x: {"p": [1.0]})
close(
    "softmax",
    "cross_entropy",
    {"x": reals(63, 3, 4), "label": [2, 0, 3]},
    lambda x, label: {"loss": -sum(np.log(softmax(row)[k]) for row, k in zip(x, label))},
)


def logistic_loss(X, label, w):
    return {"loss": np.logaddexp(0, -label * (X @ w)).sum()}


close("softplus", "softplus", {"x": -1.5}, lambda x: {"y": math.log1p(math.exp(x))})
close("softplus", "softplus", {"x": 800.0}, lambda x: {"y": x})
close(
    "softplus",
    "logistic_loss",
    {"X": reals(64, 4, 3), "label": [1.0, -1.0, -1.0, 1.0], "w": reals(65, 3)},
    logistic_loss,
)
close("softplus", "logistic_loss", {"X": [[]], "label": [1.0], "w": []}, lambda X, label, w: {"loss": math.log(2)})


def attention(Q, K, V):
    score = Q @ K.T / np.sqrt(Q.shape[1])
    return {"y": np.array([softmax(row) @ V for row in score])}


def causal_attention(Q, K, V):
    score = Q @ K.T / np.sqrt(Q.shape[1])
    return {"y": np.array([softmax(row[: i + 1]) @ V[: i + 1] for i, row in enumerate(score)])}


close("attention", "attention", {"Q": reals(66, 2, 3), "K": reals(67, 4, 3), "V": reals(68, 4, 2)}, attention)
close("attention", "attention", {"Q": [[1.0]], "K": [[2.0]], "V": [[3.0]]}, attention)
close("attention", "attention", {"Q": [[1.0], [2.0]], "K": reals(67, 0, 1), "V": reals(68, 0, 2)}, attention)
SEQUENCE = {"Q": reals(69, 3, 2), "K": reals(70, 3, 2), "V": reals(71, 3, 2)}
close("attention", "causal_attention", SEQUENCE, causal_attention)


def nbody(m, x, v, epsilon):
    pairs = itertools.combinations(range(len(m)), 2)
    potential = sum(m[i] * m[j] / math.hypot(*(x[i] - x[j]), epsilon) for i, j in pairs)
    return {"energy": (m * (v**2).sum(axis=1)).sum() / 2 - potential}


for n in (0, 1, 4):
    bodies = {"m": reals(72, n, low=1), "x": reals(73, n, 3), "v": reals(74, n, 3), "epsilon": 0.25}
    close("nbody", "nbody", bodies, nbody)


def factorization(A, U, V, **more):
    return {"loss": total((A - U @ V.T) ** 2) + more["lambda"] * (total(U**2) + total(V**2))}


def completion(row, col, a, U, V):
    return {"loss": total((a - (U @ V.T)[row, col]) ** 2)}


FACTORS = {"U": reals(75, 4, 2), "V": reals(76, 3, 2)}
exact("factorization", "factorization", {"A": reals(77, 4, 3), **FACTORS, "lambda": 0.125}, factorization)
exact("factorization", "factorization", {"A": [[2.0]], "U": [[]], "V": [[]], "lambda": 1.0}, lambda **_: {"loss": 4.0})
exact("factorization", "completion", {"row": ROW, "col": COL, "a": reals(78, 6), **FACTORS}, completion)


def catenary(x, y, l, g, k):
    link = np.hypot(np.diff(x), np.diff(y))
    weight = g * ((y[1:] + y[:-1]) / 2).sum()
    return {"energy": weight + k / 2 * ((link - l) ** 2).sum(), "length": link.sum()}


close("catenary", "catenary", {"x": reals(79, 5), "y": reals(80, 5), "l": 1.0, "g": 9.5, "k": 4.0}, catenary)
close("catenary", "catenary", {"x": [1.0], "y": [2.0], "l": 1.0, "g": 9.5, "k": 4.0}, catenary)

def bundle_adjustment(cam, X, w, camera, point, seen):
    misfit = ((1 - w**2) ** 2).sum()
    for e in range(len(w)):
        turn, place, focus, centre, lens = np.split(cam[camera[e]], [3, 6, 7, 9])
        angle = math.sqrt(turn @ turn + 1e-6)
        a, b, c = turn / angle
        cross = np.array([[0, -c, b], [c, 0, -a], [-b, a, 0]])
        # the exponential of the rotation, whose axis is not quite a unit vector
        outer = np.outer([a, b, c], [a, b, c])
        rotation = math.cos(angle) * np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * outer
        x, y, z = rotation @ (X[point[e]] - place)
        r2 = (x / z) ** 2 + (y / z) ** 2
        there = focus * np.array([x, y]) / z * (1 + lens[0] * r2 + lens[1] * r2**2) + centre
        misfit += ((w[e] * (there - seen[e])) ** 2).sum()
    return {"misfit": misfit}


SEEN = {"camera": [0, 1, 1, 0, 1], "point": [2, 0, 2, 1, 1]}
CAMERAS = {"cam": reals(200, 2, 11, step=8), "X": reals(201, 3, 3, low=6, step=2)}
close("bundle_adjustment", "bundle_adjustment", {**CAMERAS, "w": reals(202, 5), **SEEN, "seen": reals(203, 5, 2)}, bundle_adjustment)
close("bundle_adjustment", "bundle_adjustment", {**CAMERAS, "w": [], "camera": [], "point": [], "seen": {"shape": [0, 2], "data": []}}, bundle_adjustment)

# --- recurrences ------------------------------------------------------------------------------


def rnn(W, x):
    state = np.zeros(x.shape[1])
    for row in x:
        state = np.tanh(row + W @ state)
    return {"loss": state @ state}


close("rnn", "rnn", {"W": reals(81, 3, 3, step=8), "x": reals(82, 4, 3)}, rnn)
close("rnn", "rnn", {"W": reals(81, 2, 2), "x": reals(82, 0, 2)}, lambda W, x: {"loss": 0.0})


def wave(steps, c, start, seen):
    before = now = start
    for _ in range(2, steps + 1):
        edge = np.pad(now, 1, constant_values=0)
        around = edge[:-2, 1:-1] + edge[2:, 1:-1] + edge[1:-1, :-2] + edge[1:-1, 2:] - 4 * now
        before, now = now, 2 * now - before + c * around
    return {"misfit": total((now - seen) ** 2) / 2}


for steps in (0, 1, 4):
    exact("wave", "wave", {"steps": steps, "c": reals(204, 3, 3), "start": reals(205, 3, 3), "seen": reals(206, 3, 3)}, wave)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(W, U, b, x):
    cell = state = np.zeros(b.shape[1])
    states = []
    for row in x:
        into, forget, out, new = b + W @ row + U @ state
        cell = sigmoid(forget) * cell + sigmoid(into) * np.tanh(new)
        state = sigmoid(out) * np.tanh(cell)
        states.append(state)
    return {"s": np.array(states)}


CELL = {"W": reals(83, 4, 2, 3), "U": reals(84, 4, 2, 2), "b": reals(85, 4, 2)}
close("lstm", "lstm", {**CELL, "x": reals(86, 4, 3)}, lstm)
close("lstm", "lstm", {**CELL, "x": reals(86, 1, 3)}, lstm)


def solve(A, b):
    """By elimination, in fractions."""
    n = len(b)
    rows = [[*A[i], b[i]] for i in range(n)]
    for i in range(n):
        for j in range(n):
            if j != i:
                factor = rows[j][i] / rows[i][i]
                rows[j] = [y - factor * x for x, y in zip(rows[i], rows[j])]
    return np.array([rows[i][n] / rows[i][i] for i in range(n)], dtype=object)


def one_cg_step(A, x, r, p):
    """The new guess is where r is orthogonal to p; the new direction is conjugate to p."""
    Ap = A @ p
    new_x = x + (r @ r) / (p @ Ap) * p
    new_r = r - A @ (new_x - x)
    return {"next_x": new_x, "next_r": new_r, "next_p": new_r - (new_r @ Ap) / (p @ Ap) * p}


def solved(A, b):
    return {"x": solve(A, b), "left": Fraction(0)}


# After n steps in exact arithmetic the solution is exact. The residual then is 0.
for n in (1, 2):
    A = np.array(POSITIVE)[:n, :n].tolist()
    exact("conjugate_gradient", "two_steps", {"A": A, "b": reals(87, n, low=1)}, solved)
B3 = reals(88, 3, low=1)
RESIDUAL = {"A": POSITIVE, "x": [0.0] * 3, "r": B3, "p": B3}
exact("conjugate_gradient", "cg_step", RESIDUAL, one_cg_step)
for steps in (3, 5):
    exact(
        "conjugate_gradient",
        "conjugate_gradient",
        {"steps": steps, "A": POSITIVE, "b": B3},
        lambda steps, A, b: {"solution": solve(A, b)},
    )
exact(
    "conjugate_gradient",
    "conjugate_gradient",
    {"steps": 0, "A": POSITIVE, "b": B3},
    lambda steps, A, b: {"solution": real([0, 0, 0])},
)


def jacobi(steps, A, b):
    d = np.diag(A)
    x = b * 0
    for _ in range(steps):
        x = x + (b - A @ x) / d
    return {"solution": x}


def heat(steps, start):
    u = start.copy()
    for _ in range(steps):
        u[1:-1] = (u[:-2] + u[2:]) / Fraction(2)
    return {"u": u}


for steps in (0, 1, 4):
    exact("jacobi", "jacobi", {"steps": steps, "A": POSITIVE, "b": reals(89, 3)}, jacobi)
    exact("jacobi", "heat", {"steps": steps, "start": reals(90, 6)}, heat)
exact("jacobi", "heat", {"steps": 3, "start": [1.0, 2.0]}, heat)

# --- dynamic programming ----------------------------------------------------------------------


def edit_distance(letters, a, b):
    """Wagner and Fischer, and the way back that prefers to insert, then to delete."""
    n, m = len(a), len(b)
    d = {(0, 0): 0}
    back = {(0, 0): (0, 0)}
    for i, j in itertools.product(range(n + 1), range(m + 1)):
        ways = []
        if j > 0:
            ways.append((d[i, j - 1] + 1, 0, (i, j - 1)))
        if i > 0:
            ways.append((d[i - 1, j] + 1, 1, (i - 1, j)))
        if i > 0 and j > 0:
            ways.append((d[i - 1, j - 1] + int(a[i - 1] != b[j - 1]), 2, (i - 1, j - 1)))
        if ways:
            d[i, j], _, back[i, j] = min(ways)
    way = [(n, m)]
    while len(way) <= n + m:
        way.append(back[way[-1]])
    row, col = zip(*way)
    return {"distance": Fraction(d[n, m]), "row": row, "col": col}


def letters(word):
    return [ord(c) - ord("a") for c in word]


for a, b in (("kitten", "sitting"), ("", "ab"), ("abc", "abc"), ("", "")):
    inputs = {"letters": 26, "a": letters(a), "b": letters(b)}
    exact("edit_distance", "edit_distance", inputs, edit_distance)


def viterbi(start, move, emit, seen):
    """Every way through, and the best of them; there are no ties in the inputs."""
    T, states = len(seen), range(len(start))
    score = {
        way: start[way[0]]
        + sum((emit[s, o] for s, o in zip(way, seen)), Fraction(0))
        + sum((move[r, s] for r, s in zip(way, way[1:])), Fraction(0))
        for way in itertools.product(states, repeat=T)
    }
    best = max(score.values())
    (way,) = [way for way in score if score[way] == best]
    return {"best": best, "way": way}


def uneven(seed, *shape):
    return reals(seed, *shape, low=-4000, high=0, step=1024)


HIDDEN = {"start": uneven(91, 3), "move": uneven(92, 3, 3), "emit": uneven(93, 3, 4)}
exact("viterbi", "viterbi", {**HIDDEN, "seen": [0, 3, 1, 2, 2]}, viterbi)
exact("viterbi", "viterbi", {**HIDDEN, "seen": [2]}, viterbi)
exact("viterbi", "viterbi", {"start": [-1.0], "move": [[-2.0]], "emit": [[-0.5]], "seen": [0, 0]}, viterbi)


def main():
    for example, cases in CASES.items():
        lines = ",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in cases)
        path = Path(__file__).parent / f"{example}.case.json"
        path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
