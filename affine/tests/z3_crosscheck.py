"""Compares answers of the crate, read from standard input, with those of z3.

Each line is `answer; goal; constraint; constraint; …`. The answer is `empty`,
`point`, `proved` or `disproved`; the goal of the first two is `-`. A constraint
is a list of words: `=` or `>` or `|k`, a constant, then `variable:coefficient`
for each term; `>` means that the form is not negative.

Exit status: 0 if all agree, 1 if one does not, 77 if z3 is not installed.
"""

import sys

try:
    import z3
except ImportError:
    print("skipped: the Python package z3-solver is not installed")
    sys.exit(77)

TIMEOUT_MS = 1000
SATISFIABLE = {"point": True, "disproved": True, "empty": False, "proved": False}


def form(words):
    """The affine form of a constant and terms."""
    total = z3.IntVal(int(words[0]))
    for word in words[1:]:
        name, coefficient = word.split(":")
        total = total + int(coefficient) * z3.Int("x" + name)
    return total


def constraint(text):
    """One constraint as a z3 proposition."""
    kind, *words = text.split()
    if kind == "=":
        return form(words) == 0
    if kind == ">":
        return form(words) >= 0
    divisor = abs(int(kind[1:]))
    return form(words) == 0 if divisor == 0 else form(words) % divisor == 0


def agrees(line):
    """Whether z3 gives the answer of this line; None if it gives none in time."""
    answer, goal, *system = line.split(";")
    solver = z3.SolverFor("QF_LIA")
    solver.set("timeout", TIMEOUT_MS)
    solver.add([constraint(text) for text in system if text.strip()])
    if goal.strip() != "-":
        solver.add(z3.Not(constraint(goal)))
    found = solver.check()
    if found == z3.unknown:
        return None
    return (found == z3.sat) == SATISFIABLE[answer.strip()]


def main():
    lines = [line.strip() for line in sys.stdin if line.strip()]
    results = [agrees(line) for line in lines]
    for line, result in zip(lines, results):
        if result is False:
            print("differs:", line)
    agreed, silent = results.count(True), results.count(None)
    print(f"z3 agrees with {agreed} of {len(lines)} answers and has none for {silent}")
    sys.exit(1 if False in results else 0)


if __name__ == "__main__":
    main()
