#!/bin/sh
# Runs what is unsafe in the executor under AddressSanitizer: the memory of a run, kernels, native code.
#
# Usage: sh executor/asan.sh [FILTER]   tests of tests/executor whose name has FILTER; those of lanes if not given
#
# The sanitizer is not stable in Rust; its runtime comes with the stable compiler. Where it cannot be
# used the script says so and ends well. C code is compiled with the sanitizers of $CC or cc, if it has them.
set -eu
cd "$(dirname "$0")/.."
filter=${1:-lanes}
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address -Cforce-frame-pointers=yes"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/asan"

probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
echo 'fn main() {}' > "$probe/main.rs"
if ! rustc $RUSTFLAGS --target "$host" -o "$probe/main" "$probe/main.rs" 2> "$probe/said" || ! "$probe/main"; then
    echo "skipped: AddressSanitizer cannot be used here: $(head -n 1 "$probe/said")"
    exit 0
fi
ASAN_OPTIONS="detect_stack_use_after_return=1:${ASAN_OPTIONS:-}" \
    cargo test --locked --target "$host" --test executor -- "$filter"
