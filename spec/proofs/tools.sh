#!/bin/sh
# Whether the proofs can be built and the extracted code compiled; says what is missing.
packages="coq libcoq-mathcomp-algebra libzarith-ocaml-dev make"
missing() { echo "no $1 here; Debian has it in: $packages"; exit 1; }
command -v make >/dev/null || missing make
command -v coqc >/dev/null || missing coqc
[ -d "$(coqc -where)/user-contrib/mathcomp/algebra" ] || missing "mathcomp algebra"
command -v ocamlfind >/dev/null || missing ocamlfind
[ -e "$(ocamlfind query zarith 2>/dev/null)/zarith.cmxa" ] || missing "zarith for ocamlopt"
