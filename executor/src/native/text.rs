//! A file of C: what comes before the functions.

use super::Precision;
use super::helpers::helpers;
use super::mentions::Mentions;
use crate::loops::LoopProgram;
use crate::math;
use iverson_spec::function::Fun;
use std::collections::BTreeSet;

/// Empty unless a compiler is told to use it: then loops may run in vector registers, sums regrouped.
const PRAGMA: &str = "\
#ifdef IV_SIMD
#define IV_PRAGMA(text) _Pragma(#text)
#else
#define IV_PRAGMA(text)
#endif
";

/// How many registers a tile takes: rows, the entries of a row, and the entries of a strip without rows.
const TILES: &str = "\
/* Tiles: the rows of one, the entries of a row, and those of one without rows. */
#if defined(__AVX512F__)
#define IV_ROWS 8
#define IV_LANES (128 / (int64_t)sizeof(real))
#elif defined(__AVX2__)
#define IV_ROWS 4
#define IV_LANES (64 / (int64_t)sizeof(real))
#else
#define IV_ROWS 4
#define IV_LANES (32 / (int64_t)sizeof(real))
#endif
#define IV_STRIP (4 * IV_LANES)
";

/// The entries of a line of the cache.
const LINES: &str = "\
/* The entries of a line of the cache. */
#define IV_LINE (64 / (int64_t)sizeof(real))
";

/// What is fetched ahead.
const AHEAD: &str = "\
/* How many steps ahead entries are fetched, and what fetches one. */
#define IV_AHEAD (32 * IV_LINE)
#ifdef __GNUC__
#define iv_fetch(entry) __builtin_prefetch(entry)
#else
#define iv_fetch(entry) ((void)(entry))
#endif
";

/// What goes past the cache: how many steps go together.
const STREAMS: &str = "\
/* Results past the cache: how many steps go together, and what stores a line. */
#define IV_STREAM (8 * IV_LINE)
#ifdef __AVX512F__
#include <immintrin.h>
#define iv_line(to, from) _mm512_stream_si512((__m512i *)(to), _mm512_loadu_si512(from))
#define iv_fence() _mm_sfence()
#else
#define iv_line(to, from) memcpy(to, from, 64)
#define iv_fence() ((void)0)
#endif
";

/// How large blocks of rows are, and what they pack.
const BLOCKS: &str = "\
/* Blocks of rows. IV_BLOCK: the most rows in one, so that what they read of 512 steps is half a second cache of 1 MB. IV_HIGH: the
   most where sums are kept in a result. IV_WIDE: the entries of a row in a tile. IV_DEPTH: the steps of a loop in a pass, 96 KB of
   copies for a strip. IV_GROUP: how many strips have copies at once. There are blocks where a loop has IV_DEEP steps and reads
   IV_MUCH entries. */
#ifndef IV_BLOCK
#define IV_BLOCK 128
#endif
#define IV_HIGH (8 * IV_BLOCK)
#define IV_WIDE (3 * IV_LANES / 2)
#define IV_DEPTH (96 * 1024 / (int64_t)sizeof(real) / IV_WIDE)
#define IV_GROUP (IV_BLOCK > 128 ? IV_BLOCK / 32 : 4)
#define IV_DEEP 16
#define IV_MUCH (256 * 1024 / (int64_t)sizeof(real))
";

/// Includes, types, helpers and elementary functions that `functions`, a text, rests on.
pub(super) fn preamble(
    program: &LoopProgram,
    mentions: &Mentions,
    precision: Precision,
    functions: &str,
) -> String {
    let arities: BTreeSet<usize> =
        mentions.relations.iter().map(|r| program.relations[r.index()].coordinates.len()).collect();
    let mut parts = vec![format!("typedef {} real;\n", precision.c())];
    if functions.contains("IV_PRAGMA(") {
        parts.push(PRAGMA.to_owned());
    }
    let tiles = ["IV_ROWS", "IV_LANES", "IV_STRIP"];
    if tiles.iter().any(|word| functions.contains(word)) {
        parts.push(TILES.to_owned());
    }
    if functions.contains("IV_LINE") || functions.contains("IV_STREAM") {
        parts.push(LINES.to_owned());
    }
    if functions.contains("IV_AHEAD") {
        parts.push(AHEAD.to_owned());
    }
    if functions.contains("IV_STREAM") {
        parts.push(STREAMS.to_owned());
    }
    if functions.contains("iv_height") {
        parts.push(BLOCKS.to_owned());
    }
    parts.push(helpers(functions, &arities));
    parts.push(elementary(mentions, precision));
    parts.retain(|part| !part.is_empty());
    let body = parts.join("\n");
    let needs =
        |words: &[&str]| words.iter().any(|word| body.contains(word) || functions.contains(word));
    let mut includes = String::new();
    if needs(&["NAN", "INFINITY", "fabs", "sqrt", "floor("]) {
        includes += "#include <math.h>\n";
    }
    includes += "#include <stdint.h>\n";
    if needs(&["malloc(", "calloc(", "free("]) {
        includes += "#include <stdlib.h>\n";
    }
    if needs(&["memcpy(", "memset("]) {
        includes += "#include <string.h>\n";
    }
    format!("{includes}\n{body}\n")
}

/// The functions that C has an operation or two for.
pub(super) const PLAIN: [Fun; 4] = [Fun::Abs, Fun::Sqrt, Fun::Min, Fun::Max];

/// The elementary functions in use; with `float`, those that round the ones in `double`.
fn elementary(mentions: &Mentions, precision: Precision) -> String {
    let used: BTreeSet<Fun> =
        mentions.functions.iter().copied().filter(|fun| !PLAIN.contains(fun)).collect();
    let mut text = math::definitions(&used);
    if precision == Precision::F32 {
        for fun in used {
            let Some(name) = math::name(fun) else { continue };
            text += &match math::unary(math::Mode::Fast, fun) {
                Some(_) => format!(
                    "\nstatic inline float {name}f(float x) {{ return (float){name}(x); }}\n"
                ),
                None => format!(
                    "\nstatic inline float {name}f(float x, float y) {{ return (float){name}(x, y); }}\n"
                ),
            };
        }
    }
    text
}
