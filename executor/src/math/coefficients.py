"""Writes coefficients.rs: `python3 coefficients.py > coefficients.rs` (needs mpmath).

Each polynomial has the least largest error on its interval (Remez' exchange, in 400 bits);
each coefficient is then rounded once. The error printed beside it is the largest found on
2000 points, of the exact polynomial with rounded coefficients, as a share of the weight.
"""
from mpmath import mp, mpf, pi, log, exp, sin, cos, atan, atanh, asin, erf, erfc, sqrt, floor
from mpmath import matrix, lu_solve, bernoulli, nstr, loggamma, digamma
import struct

mp.prec = 400


def remez(f, weight, a, b, n):
    """The polynomial with n coefficients of least largest weighted error on [a, b]."""
    xs = [(a + b) / 2 - (b - a) / 2 * cos(pi * k / n) for k in range(n + 1)]
    grid = [(a + b) / 2 - (b - a) / 2 * cos(pi * k / (24 * n)) for k in range(24 * n + 1)]
    values = [(x, f(x), weight(x)) for x in grid]
    for _ in range(8):
        system = matrix(n + 1, n + 1)
        for row, x in enumerate(xs):
            for column in range(n):
                system[row, column] = x**column * weight(x)
            system[row, n] = (-1) ** row
        found = lu_solve(system, matrix([f(x) * weight(x) for x in xs]))
        errors = [(sum(found[j] * x**j for j in range(n)) - y) * w for x, y, w in values]
        xs = alternation(grid, errors, n + 1)
    return [float(found[j]) for j in range(n)]


def alternation(grid, errors, count):
    """`count` points of the grid where the error is extreme, with alternating signs."""
    runs = []
    for x, e in zip(grid, errors):
        if runs and (runs[-1][1] > 0) == (e > 0):
            runs[-1] = max(runs[-1], (x, e), key=lambda run: abs(run[1]))
        else:
            runs.append((x, e))
    while len(runs) > count:
        runs.pop(0 if abs(runs[0][1]) < abs(runs[-1][1]) else -1)
    return [x for x, _ in runs]


def error(f, weight, a, b, coefficients):
    worst = mpf(0)
    for k in range(2001):
        x = mpf(a) + (mpf(b) - mpf(a)) * (k + mpf(1) / 3) / 2001
        value = sum(mpf(c) * x**j for j, c in enumerate(coefficients))
        worst = max(worst, abs((value - f(x)) * weight(x)))
    return worst


def real(x):
    """A literal that clippy takes for no constant of the standard library."""
    text = repr(float(x))
    return text.replace("e-0", "e-").replace("e+", "e")


def array(name, doc, values, kind="f64", show=real):
    print(f"/// {doc}")
    print(f"pub(super) const {name}: [{kind}; {len(values)}] = [")
    for value in values:
        print(f"    {show(value)},")
    print("];\n")


def polynomial(name, doc, f, weight, a, b, n, fit_weight=None):
    coefficients = remez(f, fit_weight or weight, mpf(a), mpf(b), n)
    worst = error(f, weight, a, b, coefficients)
    array(name, f"{doc} Error 2^{nstr(log(worst, 2), 4)}.", coefficients)


def bits(x):
    word = struct.unpack("<Q", struct.pack("<d", float(x)))[0]
    return "0x" + "_".join(f"{word:016x}"[k : k + 4] for k in range(0, 16, 4))


def parts(name, doc, value, widths):
    """`value` as a sum of doubles; all but the last have that many significant bits."""
    rest = value
    for number, width in enumerate(widths, 1):
        if width < 53:
            unit = mpf(2) ** (floor(log(abs(rest), 2)) + 1 - width)
            part = floor(rest / unit) * unit
        else:
            part = mpf(float(rest))
        rest -= part
        print(f"/// {doc}, part {number} of {len(widths)}: {width} bits.")
        print(f"pub(super) const {name}_{number}: f64 = f64::from_bits({bits(part)});")
    print()


print("""//! The coefficients of the kernels, written by `coefficients.py`: change them there.
//!
//! A polynomial in `t` lists its coefficients from the constant upwards. The error is that of the
//! polynomial as a share of the function that it serves, before rounding of the arithmetic.
""")
parts("LN2", "log 2", log(2), [32, 53])
parts("HALF_PI", "π / 2", pi / 2, [33, 33, 53])
parts("HALF_PI_LONG", "π / 2", pi / 2, [53, 53])
parts("PI", "π", pi, [53, 53])
z = mpf("0.3470")
polynomial("EXP", "`(exp r - 1 - r - r² / 2) / r³` in `r`, |r| ≤ 0.347.",
           lambda r: (exp(r) - 1 - r - r * r / 2) / r**3 if abs(r) > 1e-30 else mpf(1) / 6,
           lambda r: abs(r) ** 3, -z, z, 10, lambda r: 1)
z = mpf("0.1717") ** 2
atanh_rest = lambda t: 2 * (atanh(sqrt(t)) / sqrt(t) - 1) / t
polynomial("LOG", "`(log((1 + s) / (1 - s)) - 2 s) / s³` in `s²`, |s| ≤ 0.1717.",
           atanh_rest, lambda t: t / 2, mpf(2) ** -60, z, 8)
long_rest = lambda t: 2 * (atanh(sqrt(t)) / sqrt(t) - 1 - t / 3) / t**2
polynomial("LOG_LONG", "`(log((1 + s) / (1 - s)) - 2 s - 2 s³ / 3) / s⁵` in `s²`, |s| ≤ 0.1717.",
           long_rest, lambda t: t**2 / 2, mpf(2) ** -40, z, 10)
parts("TWO_THIRDS", "2 / 3", mpf(2) / 3, [53, 53])
z = mpf("0.7860") ** 2
polynomial("SIN", "`(sin r - r) / r³` in `r²`, |r| ≤ 0.786.",
           lambda t: (sin(sqrt(t)) / sqrt(t) - 1) / t, lambda t: t, mpf(2) ** -60, z, 6)
polynomial("COS", "`(cos r - 1 + r² / 2) / r⁴` in `r²`, |r| ≤ 0.786.",
           lambda t: (cos(sqrt(t)) - 1 + t / 2) / t**2, lambda t: t * t, mpf(2) ** -60, z, 6)
z = mpf("0.4143") ** 2
polynomial("ATAN", "`(atan z - z) / z³` in `z²`, |z| ≤ 0.4143.",
           lambda t: (atan(sqrt(t)) / sqrt(t) - 1) / t, lambda t: t, mpf(2) ** -60, z, 12)
polynomial("ASIN", "`(asin z - z) / z³` in `z²`, |z| ≤ 1 / 2.",
           lambda t: (asin(sqrt(t)) / sqrt(t) - 1) / t, lambda t: t, mpf(2) ** -60, mpf("0.2501"), 14)
polynomial("ERF", "`erf x / x - 1` in `x²`, |x| ≤ 0.85.",
           lambda t: erf(sqrt(t)) / sqrt(t) - 1, lambda t: 1, mpf(2) ** -60, mpf("0.7226"), 13)
erfc_scaled = lambda t: erfc(8 / t - 4) * exp((8 / t - 4) ** 2) if t else mpf(0)
a, b = 8 / (mpf("6.05") + 4), 8 / (mpf("0.84") + 4)
middle = mpf("1.2244")
polynomial("ERFC", "`erfc x · exp x²` in `t = 8 / (x + 4) - 1.2244`, 0.84 ≤ x ≤ 6.05.",
           lambda u: erfc_scaled(u + middle), lambda u: exp(-(8 / (u + middle) - 4) ** 2), a - middle, b - middle, 17)
polynomial("LGAMMA_NEAR", "`lgamma(2 + u) / u` in u, |u| ≤ 1 / 2.",
           lambda u: loggamma(2 + u) / u if abs(u) > 1e-30 else digamma(mpf(2)), lambda u: 2, -mpf("0.5"), mpf("0.5"), 20)
array("LGAMMA", "`B₂ₖ / (2k (2k - 1))`: lgamma far out, in `1 / x²`.",
      [bernoulli(2 * k) / (2 * k * (2 * k - 1)) for k in range(1, 10)])
array("DIGAMMA", "`B₂ₖ / 2k`: digamma far out, in `1 / x²`.", [bernoulli(2 * k) / (2 * k) for k in range(1, 10)])
array("TRIGAMMA", "`B₂ₖ`: trigamma far out, in `1 / x²`.", [bernoulli(2 * k) for k in range(1, 10)])
mp.prec = 1500
digits = int(floor(2 / pi * mpf(2) ** 1248))
words = [0, 0] + [(digits >> (1248 - 32 * (k + 1))) & 0xFFFFFFFF for k in range(39)]
array("TWO_OVER_PI", "The binary digits of 2 / π behind 64 zeros, the first word being the highest.",
      words, "u32", lambda w: f"0x{w >> 16:04x}_{w & 0xFFFF:04x}")
