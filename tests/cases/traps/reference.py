"""Writes NAME.case.json beside NAME.iv: values and gradients by formulas of calculus.

Exact in fractions where the functions allow it. Run it in this folder:
python3 reference.py
"""
import json
import math
from fractions import Fraction as F

CASES = {}


def text(x):
    """A number as JSON: integers and floats as numbers, fractions as text."""
    if isinstance(x, list):
        return [text(e) for e in x]
    if isinstance(x, F):
        return int(x) if x.denominator == 1 else f"{x.numerator}/{x.denominator}"
    return x


def case(name, inputs, value, gradient, cotangent=None, scalar="rational"):
    entry = {"scalar": scalar, "inputs": inputs, "cotangent": cotangent or {},
             "value": value, "gradient": gradient}
    entry = {k: {n: text(x) for n, x in v.items()} if isinstance(v, dict) else v
             for k, v in entry.items()}
    CASES.setdefault(name, []).append(entry)


def fractions(*xs):
    return [F(x) for x in xs]


def dot(a, b):
    return sum((x * y for x, y in zip(a, b)), F(0))


x, y = fractions(1, -2, 3, 0), fractions(2, "1/2", -1, 3)
case("cubes_and_squares", {"x": x, "y": y},
     {"q": sum(a**3 * b**2 for a, b in zip(x, y))},
     {"x": [3 * a**2 * b**2 for a, b in zip(x, y)], "y": [2 * a**3 * b for a, b in zip(x, y)]})

e, ct = fractions(1, 2, 5), fractions(1, 0, -3)
s = sum(e)
case("shares", {"e": e}, {"y": [a / s for a in e]},
     {"e": [c / s - dot(ct, e) / s**2 for c in ct]}, {"y": ct})

x = [0.5, -1.25, 2.0]
r = 0.1 + sum(a * a for a in x)
case("inverse_norm", {"x": x}, {"y": r**-0.5}, {"x": [-a * r**-1.5 for a in x]}, scalar="f64")

x = fractions(4, 5, 1)
case("overlapping_or", {"x": x, "M": {"coords": [[0], [1], [2]]}}, {"y": F(10)}, {"x": fractions(1, 1, 1)})
x = fractions(4, 5, 1, 7)
case("overlapping_or", {"x": x, "M": {"coords": [[0], [3]]}}, {"y": F(16)}, {"x": fractions(1, 1, 0, 1)})

for n in (3, 4):
    A = [[0.1 * (i + 2 * j) for j in range(n)] for i in range(n)]
    x = [0.5 + j for j in range(n)]
    rows = [3] if n > 3 else []
    case("cosine_of_nothing", {"n": n, "A": A, "x": x},
         {"y": math.fsum(math.cos(A[i][j]) * x[j] for i in rows for j in range(n))},
         {"A": [[-math.sin(A[i][j]) * x[j] if i in rows else 0.0 for j in range(n)]
                for i in range(n)],
          "x": [math.fsum(math.cos(A[i][j]) for i in rows) for j in range(n)]}, scalar="f64")

x, M, ct = [0.0, 2.0, 0.0, -0.5], [1, 3], [1.0, 1.0, 2.0, -3.0]
case("guarded_reciprocal", {"x": x, "M": {"coords": [[i] for i in M]}},
     {"z": [math.cos(1 / a + 1) if i in M else 0.0 for i, a in enumerate(x)]},
     {"x": [c * math.sin(1 / a + 1) / a**2 if i in M else 0.0
            for i, (a, c) in enumerate(zip(x, ct))]}, {"z": ct}, scalar="f64")

for n, m in ((2, 4), (4, 2), (3, 3), (0, 2), (2, 0)):
    x, ct = [F(5 + j) for j in range(m)], [F(1 - 2 * i) for i in range(n)]
    case("mismatched_ranges", {"n": n, "m": m, "x": x},
         {"z": [x[i] if i < m else F(0) for i in range(n)]},
         {"x": [ct[j] if j < n else F(0) for j in range(m)]}, {"z": ct})

for n in (0, 1, 4, 5):
    x, ct = [F(3 + j) for j in range(n)], [F(1 + i) for i in range(n)]
    case("stride_two", {"n": n, "x": x},
         {"y": [x[2 * i] if 2 * i < n else F(0) for i in range(n)]},
         {"x": [ct[k // 2] if k % 2 == 0 else F(0) for k in range(n)]}, {"y": ct})

for name, best in (("least", min), ("greatest", max)):
    for x in (fractions(2, 1, 1, 3), fractions(3, 1, 3, 2), fractions(4)):
        first = x.index(best(x))
        case(name, {"n": len(x) - 1, "x": x}, {"y": best(x)},
             {"x": [F(int(i == first)) for i in range(len(x))]})

a, b = fractions(1, 2, 3), fractions(2, 2, 1)
c, d = fractions(1, 10, 100), fractions(1000, 10000, 100000)
case("ties", {"a": a, "b": b}, {"lo": fractions(1, 2, 1), "hi": fractions(2, 2, 3)},
     {"a": [c[0], c[1] + d[1], d[2]], "b": [d[0], F(0), c[2]]}, {"lo": c, "hi": d})

A, B = [fractions(1, 2), fractions(-1, 3)], [fractions(0, 1), fractions(4, "1/2")]
x = fractions(2, -3)
y = [dot(row, x) for row in A]
w = [B[0][j] + B[1][j] for j in range(2)]
case("two_matrices", {"A": A, "B": B, "x": x}, {"q": dot(w, y)},
     {"A": [[w[i] * x[j] for j in range(2)] for i in range(2)],
      "B": [[y[j] for j in range(2)] for i in range(2)],
      "x": [w[0] * A[0][j] + w[1] * A[1][j] for j in range(2)]})

L, x = [fractions(1, 9, 9), fractions(2, -1, 9), fractions(0, 1, 3)], fractions(1, 2, -1)
y = [sum(L[i][j] * x[j] for j in range(i + 1)) for i in range(3)]
case("triangular_norm", {"L": L, "x": x}, {"q": dot(y, y)},
     {"L": [[2 * y[i] * x[j] if j <= i else F(0) for j in range(3)] for i in range(3)],
      "x": [sum(2 * y[i] * L[i][j] for i in range(j, 3)) for j in range(3)]})

x = fractions(1, -4, "3/2")
case("square_of_sum", {"x": x}, {"q": sum(x)**2}, {"x": [2 * sum(x)] * 3})

X, U, V = [fractions(1, 2, 0), fractions(3, -1, 1)], [fractions(1), fractions(2)], \
    [fractions(1), fractions(0), fractions(-1)]
R = [[X[i][j] - U[i][0] * V[j][0] for j in range(3)] for i in range(2)]
case("factors", {"X": X, "U": U, "V": V}, {"q": sum(e * e for row in R for e in row)},
     {"X": [[2 * e for e in row] for row in R],
      "U": [[sum(-2 * R[i][j] * V[j][0] for j in range(3))] for i in range(2)],
      "V": [[sum(-2 * R[i][j] * U[i][0] for i in range(2))] for j in range(3)]})

for x in (fractions(2, 0, 3), fractions(0, 2, 0), fractions(2, 3, 5), []):
    others = [math.prod(x[:i] + x[i + 1:], start=F(1)) for i in range(len(x))]
    case("product_with_zeros", {"n": len(x), "x": x}, {"p": math.prod(x, start=F(1))},
         {"x": others})

w, x = [0.0, 2.0, 3.0], [0.0, 0.5, -1.0]
case("zero_times_infinity", {"w": w, "x": x}, {"y": 2 * math.log(0.5)},
     {"w": [0.0, math.log(0.5), 0.0], "x": [0.0, 4.0, 0.0]}, scalar="f64")

x = fractions(0, 3)
ones, tens = fractions(1, 1), fractions(10, 10)
case("power_of_zero", {"x": x}, {"a": ones, "b": x, "c": [v * v for v in x]},
     {"x": [10 + 2 * v for v in x]}, {"a": ones, "b": tens, "c": ones})

x, ct = [-3.0, 2.0], [1.0, 5.0]
case("root_of_square", {"x": x}, {"y": [3.0, 2.0]}, {"x": [-1.0, 5.0]}, {"y": ct}, scalar="f64")

x, p, ct = fractions(2, 3, 5), [1, 1, 0, 1], fractions(1, 10, 100, 1000)
bar = [sum(2 * x[m] * c for c, q in zip(ct, p) if q == m) for m in range(3)]
case("duplicate_indices", {"x": x, "p": p}, {"y": [x[q]**2 for q in p]},
     {"x": [F(b) for b in bar]}, {"y": ct})

for name, cases in CASES.items():
    with open(f"{name}.case.json", "w") as file:
        file.write("[\n" + ",\n".join("  " + json.dumps(c) for c in cases) + "\n]\n")
