"""The programs of programs.rs in PyTorch and JAX: `python peers.py torch nbody`.

Prints one line of JSON: milliseconds of the result and of its derivative, the best of several on one
core in float64, and the entries of the derivative in the first input, each with a weight, summed.
Programs are written as one writes them there: whole arrays, compiled by `jax.jit`; cotangents are ones.
"""

import json
import os
import sys
import time

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import numpy as np

ENOUGH = 0.5


def numbers(*shape):
    k = np.arange(int(np.prod(shape)), dtype=np.int64)
    return ((k * 7919 % 10_007) / 5003.5 - 1.0).reshape(shape)


def mask(n):
    at = np.arange(n * n)
    return ((at // n // 7 + at % n // 5) % 11 != 0).reshape(n, n)


def best(call):
    """Milliseconds; the first calls, which may compile, are not counted."""
    call()
    call()
    begin, least = time.perf_counter(), float("inf")
    while time.perf_counter() - begin < ENOUGH:
        start = time.perf_counter()
        call()
        least = min(least, time.perf_counter() - start)
    return 1e3 * least


# Each program: the array module of the peer, then the inputs differentiated in, then the others.
# `p` has what the two do differently.


def nbody(p, x, m, v, epsilon):
    i, j = p.pairs
    d = x[i] - x[j]
    square = (d * d).sum(-1) + epsilon**2
    potential = (m[i] * m[j] / p.sqrt(square)).sum()
    return (m * (v * v).sum(-1)).sum() / 2 - potential


def logsumexp(p, x):
    return p.logsumexp(x)


def laplacian(p, u, inside):
    flow = 0
    for axis in (0, 1):
        for step in (1, -1):
            other, there = p.shift(u, step, axis), p.shift(inside, step, axis)
            flow = flow + there * (other - u)
    return ((inside * flow) ** 2).sum()


def arap(p, place, angle, rest, target, mask, pulled, weight):
    energy = weight * (pulled[..., None] * (place - target) ** 2).sum()
    c, s = p.cos(angle), p.sin(angle)

    def strain(c, s, r, b):
        turned = p.stack([c * r[..., 0] - s * r[..., 1], s * r[..., 0] + c * r[..., 1]])
        return ((b - turned) ** 2).sum(-1)

    for here, there in (
        ((slice(0, -1), slice(None)), (slice(1, None), slice(None))),
        ((slice(None), slice(0, -1)), (slice(None), slice(1, None))),
    ):
        r, b = rest[here] - rest[there], place[here] - place[there]
        both = mask[here] * mask[there]
        energy = energy + (both * (strain(c[here], s[here], r, b) + strain(c[there], s[there], r, b))).sum()
    return energy


def quadratic_form(p, x, A):
    y = A @ x
    return x @ y + (y + A.T @ x).sum()


def quadratic_hessian(p, x, A):
    return x @ (A @ x)


def factorization(p, U, V, A, weight):
    return ((A - U @ V.T) ** 2).sum() + weight * ((U**2).sum() + (V**2).sum())


def convolve_image(p, x, c):
    return p.convolve(x, c).sum()


def rnn(p, W, x):
    return p.rnn(W, x)


def spmv(p, a, x, row, col):
    return p.sums(a * x[col], row, 200_000).sum()


def embedding(p, table, word):
    row = table[word]
    return row.sum() + row.mean(0).sum()


def scalar_reads(p, x):
    return p.scalar_reads(x)


def inputs(name):
    """Those differentiated in, then the others."""
    if name == "nbody":
        return [numbers(2000, 3)], [np.ones(2000), np.full((2000, 3), 0.5), 0.1]
    if name == "logsumexp":
        return [numbers(2_000_000)], []
    if name == "laplacian":
        return [numbers(1000, 1000)], [mask(1000).astype(float)]
    if name == "arap":
        m, rest = mask(300).astype(float), numbers(300, 300, 2)
        return [rest, numbers(300, 300)], [rest, rest, m, m, 0.5]
    if name == "quadratic_form":
        return [numbers(2000)], [numbers(2000, 2000)]
    if name == "quadratic_hessian":
        return [numbers(500)], [numbers(500, 500)]
    if name == "factorization":
        return [numbers(1000, 20), numbers(1000, 20)], [numbers(1000, 1000), 0.1]
    if name == "convolve_image":
        return [numbers(1000, 1000), numbers(5, 5)], []
    if name == "rnn":
        return [numbers(128, 128) * (3 / 128) ** 0.5, numbers(500, 128)], []
    if name == "spmv":
        e = np.arange(2_000_000)
        row, col = e // 10, (e // 10 * 31 + e % 10 * 977) % 200_000
        return [numbers(2_000_000), numbers(200_000)], [row, col]
    if name == "embedding":
        s = np.arange(10_000)
        return [numbers(100_000, 64)], [s * s % 100_000]
    if name == "scalar_reads":
        return [numbers(10_000)], []
    raise SystemExit(f"there is no program `{name}`")


class Torch:
    def __init__(self):
        import torch

        self.torch = torch
        torch.set_num_threads(1)
        self.sqrt, self.cos, self.sin = torch.sqrt, torch.cos, torch.sin
        self.pairs = tuple(torch.triu_indices(2000, 2000, 1))

    def logsumexp(self, x):
        return self.torch.logsumexp(x, 0)

    def stack(self, parts):
        return self.torch.stack(parts, -1)

    def shift(self, a, step, axis):
        """The neighbour of each entry, 0 beyond the border."""
        rolled = self.torch.roll(a, step, axis).clone()
        edge = 0 if step == 1 else a.shape[axis] - 1
        rolled[(slice(None),) * axis + (edge,)] = 0
        return rolled

    def convolve(self, x, c):
        return self.torch.nn.functional.conv2d(x[None, None], c[None, None], padding=2)

    def rnn(self, W, x):
        s = self.torch.tanh(x[0])
        for t in range(1, x.shape[0]):
            s = self.torch.tanh(x[t] + W @ s)
        return (s * s).sum()

    def sums(self, values, at, n):
        return self.torch.zeros(n, dtype=self.torch.float64).index_add(0, at, values)

    def scalar_reads(self, x):
        s = self.torch.zeros((), dtype=self.torch.float64)
        for t in range(x.shape[0]):
            s = s + x[t] ** 3
        return s

    def measure(self, name):
        torch, f = self.torch, globals()[name]
        active, still = inputs(name)
        as_tensor = lambda a: torch.from_numpy(a) if isinstance(a, np.ndarray) else a
        active, still = [as_tensor(a) for a in active], [as_tensor(a) for a in still]
        with torch.no_grad():
            result = best(lambda: f(self, *active, *still))
        if name == "quadratic_hessian":
            hessian = torch.func.hessian(lambda x: f(self, x, *still))
            return result, best(lambda: hessian(*active)), hessian(*active).numpy()
        wanted = [a.requires_grad_() for a in active]
        gradient = lambda: torch.autograd.grad(f(self, *wanted, *still), wanted)
        return result, best(gradient), gradient()[0].numpy()


class Jax:
    def __init__(self):
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        self.jax, self.jnp = jax, jnp
        self.sqrt, self.cos, self.sin = jnp.sqrt, jnp.cos, jnp.sin
        self.pairs = tuple(map(jnp.asarray, np.triu_indices(2000, 1)))

    def logsumexp(self, x):
        return self.jax.scipy.special.logsumexp(x)

    def stack(self, parts):
        return self.jnp.stack(parts, -1)

    def shift(self, a, step, axis):
        rolled = self.jnp.roll(a, step, axis)
        edge = 0 if step == 1 else a.shape[axis] - 1
        return rolled.at[(slice(None),) * axis + (edge,)].set(0)

    def convolve(self, x, c):
        return self.jax.lax.conv_general_dilated(x[None, None], c[None, None], (1, 1), "SAME")

    def rnn(self, W, x):
        step = lambda s, row: (self.jnp.tanh(row + W @ s), None)
        s, _ = self.jax.lax.scan(step, self.jnp.tanh(x[0]), x[1:])
        return (s * s).sum()

    def sums(self, values, at, n):
        return self.jax.ops.segment_sum(values, at, n)

    def scalar_reads(self, x):
        zero = self.jnp.zeros((), x.dtype)
        return self.jax.lax.scan(lambda s, entry: (s + entry**3, None), zero, x)[0]

    def measure(self, name):
        jax, f = self.jax, globals()[name]
        active, still = inputs(name)
        as_array = lambda a: self.jnp.asarray(a) if isinstance(a, np.ndarray) else a
        active, still = [as_array(a) for a in active], [as_array(a) for a in still]
        whole = lambda *all: f(self, *all)
        primal = jax.jit(whole)
        result = best(lambda: jax.block_until_ready(primal(*active, *still)))
        if name == "quadratic_hessian":
            derive = jax.jit(jax.hessian(whole))
            call = lambda: (None, [jax.block_until_ready(derive(*active, *still))])
        else:
            derive = jax.jit(jax.value_and_grad(whole, tuple(range(len(active)))))
            call = lambda: jax.block_until_ready(derive(*active, *still))
        return result, best(call), np.asarray(call()[1][0])


def main():
    peer, name = sys.argv[1:]
    result, derivative, found = {"torch": Torch, "jax": Jax}[peer]().measure(name)
    weighted = float((found.ravel() * numbers(found.size)).sum())
    print(json.dumps({"result": result, "derivative": derivative, "sum": weighted}))


main()
