#!/bin/sh
# Whether tests/proofs notices faults of the Rust code: each is put into a copy of the
# repository, and the comparison with the extracted code must fail.
#
#     sh spec/proofs/faults.sh           all of them
#     sh spec/proofs/faults.sh vjp       those whose name has a match of this expression
#
# A fault is a name, a file and a substitution; one that changes nothing is an error.
set -eu
root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git -C "$root" archive HEAD | tar -x -C "$copy"
cp -a "$root/spec/proofs/." "$copy/spec/proofs/"
# Builds of its own, lest a faulty one is taken for the sound one; newer than any build.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}/faults" RUST_BACKTRACE=0
cd "$copy"
find . -name '*.rs' -exec touch {} +
run() { cargo test --locked --quiet --test proofs; }

run >"$copy/log" 2>&1 || { tail -40 "$copy/log"; echo "the comparison fails without a fault"; exit 1; }

missed=0
while IFS='@' read -r name file substitution; do
    case $name in ''|'#'*) continue ;; esac
    printf '%s' "$name" | grep -Eq "${1:-}" || continue
    cp "$file" "$copy/sound"
    perl -0pi -e "$substitution" "$file"
    if cmp -s "$file" "$copy/sound"; then echo "$name: does not apply to $file"; exit 1; fi
    if run >"$copy/log" 2>&1; then
        echo "MISSED  $name"; missed=1
    elif grep -q 'programs differ' "$copy/log"; then
        echo "caught  $name: $(grep -o '[0-9]* of [0-9]* programs differ' "$copy/log" | head -1)"
    else
        tail -40 "$copy/log"; echo "$name: the faulty program does not build"; exit 1
    fi
    cat "$copy/sound" >"$file"
done <<'FAULTS'
# vjp: the first coordinate of the entry that a use reads is not named
vjp-entry@ad/src/reverse.rs@s/(let equal = entry)\.map/$1.skip(1).map/
# vjp: the adjoint of a recurrence runs the same way
vjp-direction@ad/src/reverse.rs@s/Direction::Ascending => Direction::Descending/Direction::Ascending => Direction::Ascending/
# vjp: a result that is read elsewhere forgets its own cotangent
vjp-seed@ad/src/reverse.rs@s/let terms = seed\.map\(given\)\.into_iter\(\)\.collect\(\)/let _ = given; let terms = Vec::new()/
# vjp: the product rule leaves out the last factor instead of the one differentiated
vjp-product@ad/src/partials.rs@s/filter\(\|\(k, _\)\| \*k != place\)/filter(|(k, _)| *k + 1 != args.len() + 0 * place)/
# vjp: the derivative of a quotient in its divisor has the wrong sign
vjp-quotient@ad/src/partials.rs@s/always\(neg\(div\(div\(a, b\.clone\(\)\), b\)\)\)/always(div(div(a, b.clone()), b))/
# work: equal accesses of a body are counted each
work-accesses@spec/src/work.rs@s/matches!\(expr, Expr::Access\(\.\.\)\) && self\.loaded\.insert\(expr\.clone\(\)\)/{ self.loaded.insert(expr.clone()); matches!(expr, Expr::Access(..)) }/
# work: a test costs one, whatever it reads
work-tests@spec/src/work.rs@s/if self\.reading == 0 \{ 1 \} else \{ self\.fresh \}/1/
# work: tests are made after one that failed
work-order@spec/src/work.rs@s/self\.tests\.get\(passed\)\.or\(self\.tests\.last\(\)\)/{ let _ = passed; self.tests.last() }/
# work: what a test has loaded is loaded again
work-loaded@spec/src/work.rs@s/Written \{ loaded: tested\.accesses, \.\.Written::default\(\) \}/{ let _ = tested.accesses; Written::default() }/
# work: the value so far of a fold is free
work-running@spec/src/work.rs@s/vec!\[term_cost\(term, 1, Flops \{ function: 1/vec![term_cost(term, 0, Flops { function: 1/
# work: comparisons of reals are enumerated
work-enumerable@spec/src/work.rs@s/Guard::Real\(\.\.\) => false/Guard::Real(..) => true/
# work: points are visited only where the whole guard holds
work-visited@interpreter/src/machine.rs@s/if self\.enumerated\(tensor, which\)/if false \&\& self.enumerated(tensor, which)/
# the interpreter: quotients round to zero
evaluation-quotient@interpreter/src/machine.rs@s/div_euclid\(\*by\)/wrapping_div(*by)/
# simplifier: a solved index need not be below the range of its variable
simplify-range@simplify/src/solve.rs@s/vec!\[at_least\(&self\.value, 0\), below\(&self\.value, &range\)\]/{ let _ = below(&self.value, &range); vec![at_least(&self.value, 0)] }/
# simplifier: a multiple is solved for without asking whether it divides
simplify-divisibility@simplify/src/solve.rs@s/(below\(&self\.value, &range\)\];\s*if self\.divisor) != 1/$1 == 0/
# simplifier: the coefficients of like terms are subtracted
simplify-like-terms@simplify/src/sums.rs@s/sum\.exact\(\) \+ coefficient\.exact\(\)/sum.exact() - coefficient.exact()/
# simplifier: the parts of a disjunction overlap
simplify-split-or@simplify/src/guards.rs@s/map\(Guard::negate\)\.chain/map(Guard::negate).take(0).chain/
# simplifier: a sum of n equal terms is one of them
simplify-constant-sum@simplify/src/ranges.rs@s/scale\(&Number::integer\(n\)\)/scale(&Number::integer(n.min(1)))/
# the interpreter: the last of equal maxima is found
evaluation-ties@interpreter/src/machine.rs@s/value\.compare\(best\)\? == Some\(better\)/value.compare(best)? != Some(better.reverse())/
FAULTS
[ "$missed" = 0 ] || { echo "a fault went unnoticed"; exit 1; }
