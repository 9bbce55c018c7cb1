#!/bin/sh
# Whether the theorems depend on their definitions: each mutation changes a constant, a
# guard or an order in a definition, and the build must stop. (A proof script that breaks
# does not refute the mutated statement; it shows that the proof uses what was changed.)
#
#     make && sh mutations.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -a "$here" "$copy/sound"
make -C "$copy/sound" >/dev/null 2>&1 || { echo "the proofs do not build without a mutation"; exit 1; }

missed=0
while IFS='@' read -r file substitution words; do
    case $file in ''|'#'*) continue ;; esac
    rm -rf "$copy/mutant"
    cp -a "$copy/sound" "$copy/mutant"
    cd "$copy/mutant"
    perl -0pi -e "$substitution" "theories/$file"
    if cmp -s "theories/$file" "../sound/theories/$file"; then
        echo "does not apply to $file: $words"
        exit 1
    fi
    if make >log 2>&1; then
        echo "MISSED  $words"
        missed=1
    else
        echo "stopped $words: $(grep -o 'theories/[A-Za-z]*\.v", line [0-9]*' log | head -1 | tr -d '"')"
    fi
    cd "$copy"
done <<'MUTATIONS'
Derivative.v@s/ && \(k == amap q\.1 ij\.1 ij\.2\)\)\n    \(fun _ ij => test/)\n    (fun _ ij => test/@the adjoint's guard k = phi is dropped
Derivative.v@s/backward p\x27 \+\+ adjoint1 t/adjoint1 t ++ backward p\x27/@the backward pass runs in the order of the program
Cost.v@s/scost \(adjoint deriv p\) <= K\.\+2 \* scost p/scost (adjoint deriv p) <= K.+1 * scost p/@the constant is K + 1
Syntax.v@s/\[seq \(q\.1, f :: q\.2\) \| q <- partials fs\x27\]/[seq (q.1, q.2) | q <- partials fs\x27]/@the product rule forgets the other factor
Semantics.v@s/\\sum_\(j : dom t \| holds t i j\)/\\sum_(j : dom t | guard t i j)/@a term counts where its test fails
Recurrence.v@s/\(N \+ \(N - n\.\+1\)\)/(N + n)/@the adjoint of a recurrence keeps its order
Loops.v@s/\brev\b/id/@the steps of an adjoint loop are not reversed
Primitives.v@s/Times \(Cst \(minus_one O\)\) \(Times \(Times/Times (Cst (of_nat O 1)) (Times (Times/@the derivative of 1 / x has the wrong sign
Maximum.v@s/if le \(e n\) \(e \(argmax k\)\) then argmax k else n else/if le (e (argmax k)) (e n) then n else argmax k else/@the last of equal maxima wins
Interp.v@s/cvisits s i j && \(bval \(ctest s\) i j && all \(inside sh i j\) \(cargs \(cfacs s\)\)\)/cvisits s i j \&\& bval (ctest s) i j/@the interpreter reads out of bounds
InterpAdjoint.v@s/\(BAnd \(bsubst i j \(cguard s\)\) \(BEq EI \(isubst i j \(cmap q\.1\)\)\)\)/(bsubst i j (cguard s))/@the executable adjoint drops k = phi
InterpAdjoint.v@s/cbackward sh p\x27 \+\+ cadjoint1 sh s/cadjoint1 sh s ++ cbackward sh p\x27/@the executable backward pass runs forwards
Interp.v@s/then \(ctests s \(Zn i\) \(Zn j\)\)\.\+1 \+ b else b\)\n/then ctests s (Zn i) (Zn j) + b else b)\n/@visiting a point is free in the executable cost
Rewrite.v@s/⟦\(0 <= a\) && \(a < n%:Z\)⟧ \* e a\./⟦a < n%:Z⟧ * e a./@sifting forgets that an index is not negative
MUTATIONS
[ "$missed" = 0 ] || { echo "a mutation went unnoticed"; exit 1; }
