#!/bin/sh
# No proof is missing and no theorem rests on an axiom.
set -eu
cd "$(dirname "$0")"
# 1. forbidden words outside comments (nested comments are removed first)
awk '
  FNR == 1 { depth = 0 }
  { out = ""
    for (i = 1; i <= length($0); i++) {
      two = substr($0, i, 2)
      if (two == "(*") { depth++; i++ }
      else if (two == "*)" && depth > 0) { depth--; i++ }
      else if (depth == 0) out = out substr($0, i, 1)
    }
    if (out ~ /(^|[^A-Za-z0-9_])(Admitted|Axioms?|Parameters?|Conjecture|Hypothesis_|admit|Abort|give_up)([^A-Za-z0-9_]|$)/ &&
        out !~ /^From TL Require Import/) {
      printf "%s:%d: %s\n", FILENAME, FNR, $0; bad = 1 }
  }
  END { exit bad }' theories/*.v
# 2. every Print Assumptions of Axioms.v says that the theorem is closed
wanted=$(grep -c '^Print Assumptions' theories/Axioms.v)
closed=$(coqc -R theories TL -w none theories/Axioms.v | grep -c '^Closed under the global context$')
[ "$wanted" = "$closed" ] || { echo "closed theorems: $closed of $wanted"; exit 1; }
# 3. every rule of the simplifier has its lemma and its law in rules.txt
table=../../simplify/src/rules.rs
if [ -f "$table" ]; then
  rust=$(mktemp) && proved=$(mktemp)
  awk -F'"' '/^ *rule\(".*",/ { print $2 "\t" $8 "\t" $4 }' "$table" | sort >"$rust"
  awk -F'   *' '!/^#/ && NF { print $1 "\t" $2 "\t" $4 }' rules.txt | sort >"$proved"
  [ -s "$rust" ] || { echo "no rules found in $table"; exit 1; }
  missing=$(comm -23 "$rust" "$proved")
  rm -f "$rust" "$proved"
  [ -z "$missing" ] || { echo "rules of the simplifier that rules.txt does not have so:"; echo "$missing"; exit 1; }
fi
# 4. every rule of rules.txt names a lemma that Axioms.v lists
if [ -f rules.txt ]; then
  grep -v '^#' rules.txt | while read -r rule lemma _; do
    [ -z "$rule" ] || grep -q "^Print Assumptions $lemma\.$" theories/Axioms.v ||
      { echo "rule $rule: no theorem $lemma in Axioms.v"; exit 1; }
  done
fi
echo "$closed theorems, no axiom, nothing admitted"
