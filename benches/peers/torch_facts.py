"""What PyTorch does at the places that COMPARE.md names: `python torch_facts.py`."""

import time

import torch


def raised(f):
    try:
        return f()
    except Exception as error:  # the kind of error is the fact
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def grad(f, *inputs):
    inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    found = torch.autograd.grad(f(*inputs), inputs)
    return found[0].tolist() if len(found) == 1 else [g.tolist() for g in found]


def show(name, value):
    print(f"{name:44} {value}")


print("torch", torch.__version__)
x = torch.tensor([10.0, 20.0, 30.0])
i = torch.tensor([0, 3])
show("x[[0, 3]], 3 entries", raised(lambda: x[i]))
show("x[3]", raised(lambda: x[3]))
show("index_add at 3", raised(lambda: x.index_add(0, i, torch.ones(2))))
show("scatter_add at 3", raised(lambda: x.scatter_add(0, i, torch.ones(2))))
show("gather at 3", raised(lambda: x.gather(0, i)))

show("abs at 0", grad(torch.abs, 0.0))
show("maximum(x, y) at (1, 1)", grad(torch.maximum, 1.0, 1.0))
show("amax of (1, 1, 0)", grad(lambda x: x.amax(), [1.0, 1.0, 0.0]))
show("max() of (1, 1, 0)", grad(lambda x: x.max(), [1.0, 1.0, 0.0]))
show("max(dim=0).values of (1, 1, 0)", grad(lambda x: x.max(dim=0).values, [1.0, 1.0, 0.0]))
show("relu at 0", grad(torch.relu, 0.0))
show("clamp(x, min=0) at 0", grad(lambda x: x.clamp(min=0), 0.0))
show("sqrt at 0", grad(torch.sqrt, 0.0))
show("norm at (0, 0)", grad(torch.linalg.vector_norm, [0.0, 0.0]))
show("sqrt(x * x) at 0", grad(lambda x: torch.sqrt(x * x), 0.0))
show("x ** 0 at 0", grad(lambda x: x**0, 0.0))
show("x ** 1.0 at 0", grad(lambda x: x**1.0, 0.0))
show("pow(x, c) at (0, 0): d/dx, d/dc", grad(torch.pow, 0.0, 0.0))
show("pow(x, c) at (0, 2): d/dx, d/dc", grad(torch.pow, 0.0, 2.0))
show("where(x > 0, 1 / x, 0) at 0", grad(lambda x: torch.where(x > 0, 1 / x, 0.0), 0.0))
show("the same, x replaced inside", grad(lambda x: torch.where(x > 0, 1 / torch.where(x > 0, x, 1.0), 0.0), 0.0))
show("if x > 0 at 0", grad(lambda x: 1 / x if x > 0 else x * 0, 0.0))
show("prod of (2, 0, 3)", grad(torch.prod, [2.0, 0.0, 3.0]))
show("prod of (0, 0, 3)", grad(torch.prod, [0.0, 0.0, 3.0]))
show("cumprod sum of (2, 0, 3)", grad(lambda x: x.cumprod(0).sum(), [2.0, 0.0, 3.0]))

jacobian = torch.func.jacrev(lambda x: x[1:] - x[:-1])(torch.zeros(1000))
show("Jacobian of 999 differences", f"{tuple(jacobian.shape)}, {jacobian.layout}, {int((jacobian != 0).sum())} nonzero")


def read(n):
    """The gradient of one entry of n: its seconds and its size."""
    x = torch.zeros(n, dtype=torch.float64, requires_grad=True)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        (g,) = torch.autograd.grad(x[3], x)
        best = min(best, time.perf_counter() - start)
    return f"{best * 1e6:10.0f} us, gradient {tuple(g.shape)}, {g.layout}, {g.untyped_storage().nbytes()} bytes"


for n in [1_000, 1_000_000, 10_000_000]:
    show(f"gradient of x[3], n = {n}", read(n))


def reads(n, k):
    """The gradient of a sum of k entries, read one by one."""
    x = torch.zeros(n, dtype=torch.float64, requires_grad=True)
    start = time.perf_counter()
    torch.autograd.grad(sum(x[j] for j in range(k)), x)
    return f"{(time.perf_counter() - start) * 1e3:10.1f} ms"


def gathered(n, k):
    """The same entries, read by one gather."""
    x = torch.zeros(n, dtype=torch.float64, requires_grad=True)
    start = time.perf_counter()
    torch.autograd.grad(x[torch.arange(k)].sum(), x)
    return f"{(time.perf_counter() - start) * 1e3:10.1f} ms"


reads(1_000, 100)
gathered(1_000, 100)
for n in [1_000, 1_000_000]:
    show(f"gradient of 100 reads, n = {n}", reads(n, 100))
    show("the same as one gather", gathered(n, 100))
rows = torch.nn.Embedding(1_000_000, 4, sparse=True)
rows(torch.tensor([3])).sum().backward()
show("Embedding(sparse=True), 1 row of 10^6", f"{rows.weight.grad.layout}, {rows.weight.grad._nnz()} row stored")

compiled = torch.export.export(
    type("Double", (torch.nn.Module,), {"forward": lambda self, x: torch.cat([x, x])})(),
    (torch.zeros(5),),
    dynamic_shapes=({0: torch.export.Dim("n")},),
)
show("exported with a symbolic size", [tuple(v.meta["val"].shape) for v in compiled.graph.nodes if v.op != "output"])
show("called with 7 entries", tuple(compiled.module()(torch.zeros(7)).shape))
