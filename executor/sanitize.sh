#!/bin/sh
# Runs what is unsafe in the executor under tools that watch memory: the memory of a run, kernels, native code.
#
#   AddressSanitizer             tests of lanes, in blocks of several sizes and at every level of instructions
#   UndefinedBehaviorSanitizer   native code of generated programs, in the same process
#   both                         emitted C of examples and their derivatives, each a process, every array a piece of its own
#   valgrind                     tests of lanes in 32 bits, at the level that it knows
#
# Usage: sh executor/sanitize.sh
#
# AddressSanitizer is not stable in Rust; its runtime comes with the stable compiler. What cannot be used is
# skipped with a line that says so.
set -eu
cd "$(dirname "$0")/.."
host=$(rustc -vV | sed -n 's/^host: //p')
probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
echo 'fn main() {}' > "$probe/main.rs"
echo 'int main(void) { return 0; }' > "$probe/main.c"

flags="-Zsanitizer=address -Cforce-frame-pointers=yes"
address() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="$flags" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/sanitize" \
        cargo test --locked --target "$host" --test executor -- "$1"
}
if RUSTC_BOOTSTRAP=1 rustc $flags --target "$host" -o "$probe/main" "$probe/main.rs" 2> "$probe/said" &&
    "$probe/main" 2>> "$probe/said"; then
    address lanes
    undefined="-fsanitize=undefined -fno-sanitize-recover=all"
    if ${CC:-cc} $undefined -o "$probe/main" "$probe/main.c" 2> "$probe/said" && "$probe/main"; then
        CC="${CC:-cc} $undefined" address native_code
    else
        echo "skipped: no C compiler with UndefinedBehaviorSanitizer: $(head -n 1 "$probe/said")"
    fi
else
    echo "skipped: AddressSanitizer cannot be used here: $(head -n 1 "$probe/said")"
fi

both="-fsanitize=address,undefined -fno-sanitize-recover=all"
if ${CC:-cc} $both -o "$probe/main" "$probe/main.c" 2> "$probe/said" && "$probe/main" 2>> "$probe/said"; then
    CC="${CC:-cc} $both" cargo test --locked --test native -- emitted_c_gives emitted_c_looks
else
    echo "skipped: no C compiler with AddressSanitizer: $(head -n 1 "$probe/said")"
fi

if command -v valgrind > "$probe/said"; then
    runner=CARGO_TARGET_$(echo "$host" | tr 'a-z-' 'A-Z_')_RUNNER
    env "$runner=valgrind -q --error-exitcode=9" \
        cargo test --locked --test executor -- lanes_of_thirty_two_bits
else
    echo "skipped: valgrind is not installed"
fi
