"""What NumPy, opt_einsum and JAX do at the places that COMPARE.md names: `python jax_facts.py`."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import opt_einsum
from jax import export, lax
from jax.experimental import checkify

jax.config.update("jax_enable_x64", True)


def raised(f):
    try:
        return f()
    except Exception as error:  # the kind of error is the fact
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def grad(f, *inputs):
    found = jax.grad(f, tuple(range(len(inputs))))(*[jnp.asarray(x, float) for x in inputs])
    return found[0].tolist() if len(found) == 1 else [g.tolist() for g in found]


def show(name, value):
    print(f"{name:44} {value}")


print("numpy", np.__version__, "opt_einsum", opt_einsum.__version__, "jax", jax.__version__)
show("numpy x[[0, 3]], 3 entries", raised(lambda: np.array([10.0, 20.0, 30.0])[np.array([0, 3])]))
show("numpy einsum 'i,i' of 2 and 3 entries", raised(lambda: np.einsum("i,i", np.ones(2), np.ones(3))))
show("opt_einsum of the same", raised(lambda: opt_einsum.contract("i,i", np.ones(2), np.ones(3))))

x = jnp.array([10.0, 20.0, 30.0])
i = jnp.array([0, 3])
show("x[[0, 3]], 3 entries", x[i])
show("take(x, [0, 3])", jnp.take(x, i))
show("x.at[[0, 3]].get(mode='fill')", x.at[i].get(mode="fill"))
show("x.at[[0, 3]].add(1)", x.at[i].add(1.0))
show("x[-4]", x[jnp.array(-4)])
show("gradient of sum x[[0, 3]]", grad(lambda x: x[i].sum(), x))
show("the same, mode='clip'", grad(lambda x: x.at[i].get(mode="clip").sum(), x))
error, _ = checkify.checkify(lambda x: x[i], errors=checkify.index_checks)(x)
show("checkify", str(error.get()).splitlines()[0])

show("abs at 0", grad(jnp.abs, 0.0))
show("maximum(x, y) at (1, 1)", grad(jnp.maximum, 1.0, 1.0))
show("max of (1, 1, 0)", grad(jnp.max, [1.0, 1.0, 0.0]))
show("relu at 0", grad(jax.nn.relu, 0.0))
show("maximum(x, 0) at 0", grad(lambda x: jnp.maximum(x, 0.0), 0.0))
show("sqrt at 0", grad(jnp.sqrt, 0.0))
show("norm at (0, 0)", grad(jnp.linalg.norm, [0.0, 0.0]))
show("sqrt(x * x) at 0", grad(lambda x: jnp.sqrt(x * x), 0.0))
show("x ** 0 at 0", grad(lambda x: x**0, 0.0))
show("x ** 0.0 at 0", grad(lambda x: x**0.0, 0.0))
show("x ** 1.0 at 0", grad(lambda x: x**1.0, 0.0))
show("x ** c at (0, 0): d/dx, d/dc", grad(lambda x, c: x**c, 0.0, 0.0))
show("x ** c at (0, 2): d/dx, d/dc", grad(lambda x, c: x**c, 0.0, 2.0))
show("where(x > 0, 1 / x, 0) at 0", grad(lambda x: jnp.where(x > 0, 1 / x, 0.0), 0.0))
show("the same, x replaced inside", grad(lambda x: jnp.where(x > 0, 1 / jnp.where(x > 0, x, 1.0), 0.0), 0.0))


def cond(x):
    return lax.cond(x > 0, lambda x: 1 / x, lambda x: 0.0, x)


show("cond(x > 0, ..) at 0", grad(cond, 0.0))
show("vmap(cond) at (0, 0)", grad(lambda x: jax.vmap(cond)(x).sum(), [0.0, 0.0]))
show("vmap(cond) at (0, 1)", grad(lambda x: jax.vmap(cond)(x).sum(), [0.0, 1.0]))
show("the same in jit", jax.jit(jax.grad(lambda x: jax.vmap(cond)(x).sum()))(jnp.array([0.0, 1.0])))
def doubled_until_100(x):
    return lax.while_loop(lambda x: x < 100, lambda x: 2 * x, x)


show("reverse mode through while_loop", raised(lambda: grad(doubled_until_100, 3.0)))
show("forward mode through while_loop", jax.jvp(doubled_until_100, (3.0,), (1.0,))[1])
show("prod of (2, 0, 3)", grad(jnp.prod, [2.0, 0.0, 3.0]))
show("prod of (0, 0, 3)", grad(jnp.prod, [0.0, 0.0, 3.0]))
show("cumprod sum of (2, 0, 3)", grad(lambda x: jnp.cumprod(x).sum(), [2.0, 0.0, 3.0]))

jacobian = jax.jacobian(lambda x: x[1:] - x[:-1])(jnp.zeros(1000))
show("Jacobian of 999 differences", f"{jacobian.shape}, {jacobian.nbytes} bytes, {int((jacobian != 0).sum())} nonzero")


def read(x, i):
    return x[i]


print(jax.make_jaxpr(jax.grad(read))(jnp.zeros(1000), 3))


def measured(n):
    """The gradient of one entry of n, compiled: its output and seconds."""
    f = jax.jit(jax.grad(read)).lower(jnp.zeros(n), 3).compile()
    x, best = jnp.zeros(n), float("inf")
    for _ in range(5):
        start = time.perf_counter()
        f(x, 3).block_until_ready()
        best = min(best, time.perf_counter() - start)
    return f"{best * 1e6:10.0f} us, {f.memory_analysis().output_size_in_bytes} bytes of output"


for n in [1_000, 1_000_000, 10_000_000]:
    show(f"gradient of x[3], n = {n}", measured(n))


def one_after(n):
    """A use of the gradient that needs one entry: does the compiler leave out the zeros?"""
    f = jax.jit(lambda x, i, k: jax.grad(read)(x, i)[k]).lower(jnp.zeros(n), 3, 3).compile()
    x, best = jnp.zeros(n), float("inf")
    for _ in range(5):
        start = time.perf_counter()
        f(x, 3, 3).block_until_ready()
        best = min(best, time.perf_counter() - start)
    stats = f.memory_analysis()
    return f"{best * 1e6:10.0f} us, {stats.output_size_in_bytes} bytes of output, {stats.temp_size_in_bytes} of temporaries"


for n in [1_000, 1_000_000, 10_000_000]:
    show(f"one entry of that gradient, n = {n}", one_after(n))


def reads(n, k):
    """The gradient of a sum of k entries, read one by one, compiled."""
    f = jax.jit(jax.grad(lambda x, at: sum(x[at[j]] for j in range(k))))
    x, at = jnp.zeros(n), jnp.arange(k)
    f(x, at).block_until_ready()
    start = time.perf_counter()
    f(x, at).block_until_ready()
    return f"{(time.perf_counter() - start) * 1e3:10.2f} ms"


def gathered(n, k):
    """The same entries, read by one gather."""
    f = jax.jit(jax.grad(lambda x, at: x[at].sum()))
    x, at = jnp.zeros(n), jnp.arange(k)
    f(x, at).block_until_ready()
    start = time.perf_counter()
    f(x, at).block_until_ready()
    return f"{(time.perf_counter() - start) * 1e3:10.2f} ms"


for n in [1_000, 1_000_000]:
    show(f"gradient of 100 reads, n = {n}", reads(n, 100))
    show("the same as one gather", gathered(n, 100))

(n,) = export.symbolic_shape("n")
spec = jax.ShapeDtypeStruct((n,), jnp.float64)
doubled = export.export(jax.jit(lambda x: jnp.concatenate([x, x])))(spec)
show("exported with a symbolic size", f"{doubled.in_avals} -> {doubled.out_avals}")
show("called with 7 entries", doubled.call(jnp.zeros(7)).shape)
show("called with 0 entries", raised(lambda: doubled.call(jnp.zeros(0)).shape))
show("x[1:] - x[:-1] with it", raised(lambda: export.export(jax.jit(lambda x: x[1:] - x[:-1]))(spec).out_avals))
show("x[0:16] with it", raised(lambda: export.export(jax.jit(lambda x: x[0:16]))(spec).out_avals))
show("x[2] with it", raised(lambda: export.export(jax.jit(lambda x: x[2]))(spec).out_avals))
