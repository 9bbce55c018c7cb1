//! The small functions that printed C may call; a text gets those that it mentions.

use crate::members::MOST;
use std::collections::BTreeSet;

/// The name and the definition of a helper.
struct Helper {
    name: &'static str,
    text: &'static str,
}

/// Later ones may call earlier ones.
const HELPERS: [Helper; 16] = [
    Helper {
        name: "iv_max(",
        text: "static inline int64_t iv_max(int64_t a, int64_t b) { return a > b ? a : b; }\n",
    },
    Helper {
        name: "iv_min(",
        text: "static inline int64_t iv_min(int64_t a, int64_t b) { return a < b ? a : b; }\n",
    },
    Helper {
        name: "iv_greater(",
        text: "/* The larger; the first at a tie. */\n\
               static inline real iv_greater(real a, real b) { return b > a ? b : a; }\n",
    },
    Helper {
        name: "iv_less(",
        text: "/* The smaller; the first at a tie. */\n\
               static inline real iv_less(real a, real b) { return b < a ? b : a; }\n",
    },
    Helper {
        name: "iv_fma(",
        text: "/* a * b + c, rounded once where one instruction does both. */\n\
               #if defined(IV_SIMD) && defined(__FMA__)\n\
               #define iv_fma(a, b, c) ((real)(sizeof(real) == 4 ? __builtin_fmaf((float)(a), (float)(b), (float)(c)) : __builtin_fma(a, b, c)))\n\
               #else\n\
               #define iv_fma(a, b, c) ((a) * (b) + (c))\n\
               #endif\n",
    },
    Helper {
        name: "iv_stream(",
        text: "/* The lines that end in the IV_STREAM results at y, past the cache; those before y stand in front of the strip.\n   \
               What is behind the last line is kept for the next strip. */\n\
               static inline void iv_stream(real *y, real *strip, int first) {\n    \
               const int64_t back = (int64_t)((uintptr_t)y % 64 / sizeof(real));\n    \
               int64_t k = 0;\n    \
               if (first && back > 0) {\n        \
               for (; k < IV_LINE - back; k++) y[k] = strip[IV_LINE + k];\n        \
               k = IV_LINE;\n    }\n    \
               for (; k < IV_STREAM; k += IV_LINE) iv_line(y - back + k, strip + IV_LINE - back + k);\n    \
               memcpy(strip, strip + IV_STREAM, 64);\n}\n",
    },
    Helper {
        name: "iv_streamed(",
        text: "/* What the last strip, which ends at y, has behind its last line. */\n\
               static inline void iv_streamed(real *y, const real *strip) {\n    \
               const int64_t back = (int64_t)((uintptr_t)y % 64 / sizeof(real));\n    \
               for (int64_t k = 0; k < back; k++) y[k - back] = strip[IV_LINE - back + k];\n}\n",
    },
    Helper {
        name: "iv_div(",
        text: "/* a / b rounded down, for b > 0. */\n\
               static inline int64_t iv_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }\n",
    },
    Helper {
        name: "iv_div_by(",
        text: "/* a / b rounded down; b counts as 1 at least. */\n\
               static inline int64_t iv_div_by(int64_t a, int64_t b) {\n    \
               const int64_t c = b > 1 ? b : 1;\n    return a / c - (a % c < 0);\n}\n",
    },
    Helper {
        name: "iv_mod(",
        text: "/* The remainder of a by b in 0 .. b, for b > 0. */\n\
               static inline int64_t iv_mod(int64_t a, int64_t b) { return (a % b + b) % b; }\n",
    },
    Helper {
        name: "iv_first(",
        text: "/* The least number from lower on that is residue modulo step. */\n\
               static inline int64_t iv_first(int64_t lower, int64_t residue, int64_t step) {\n    \
               return lower + ((residue - lower) % step + step) % step;\n}\n",
    },
    Helper {
        name: "iv_last(",
        text: "/* The greatest of first, first + step, .. below upper; below first if there is none. */\n\
               static inline int64_t iv_last(int64_t first, int64_t upper, int64_t step) {\n    \
               return upper <= first ? first - step : first + (upper - 1 - first) / step * step;\n}\n",
    },
    Helper {
        name: "iv_floor(",
        text: "/* The greatest integer not above x; NaN and numbers beyond 64 bits set the status. */\n\
               static inline int64_t iv_floor(double x, int64_t *status) {\n    \
               const double down = floor(x);\n    \
               if (down >= -0x1p63 && down < 0x1p63) return (int64_t)down;\n    \
               *status = -1;\n    return 0;\n}\n",
    },
    Helper {
        name: "iv_times(",
        text: "/* a * b, or INT64_MAX where that is more; 0 where a or b is not positive. */\n\
               static int64_t iv_times(int64_t a, int64_t b) {\n    \
               if (a <= 0 || b <= 0) return 0;\n    return a > INT64_MAX / b ? INT64_MAX : a * b;\n}\n",
    },
    Helper {
        name: "iv_allocate(",
        text: "/* Memory for count things; NULL if there is none. */\n\
               static void *iv_allocate(int64_t count, size_t each) {\n    \
               if ((uint64_t)count > PTRDIFF_MAX / each) return NULL;\n    \
               return malloc(count > 0 ? (size_t)count * each : 1);\n}\n",
    },
    Helper {
        name: "iv_room(",
        text: "/* Memory for the copies of blocks, allocated once, from a line on; NULL if there is none: they read the originals then. */\n\
               static real *iv_room(void **memory) {\n    \
               if (!*memory) *memory = malloc(IV_GROUP * IV_DEPTH * IV_WIDE * sizeof(real) + 64);\n    \
               return *memory ? (real *)(((uintptr_t)*memory + 63) / 64 * 64) : NULL;\n}\n",
    },
];

/// The helpers that a text mentions, those for relations of `arities` among them.
pub(super) fn helpers(text: &str, arities: &BTreeSet<usize>) -> String {
    let members: String = arities.iter().map(|arity| relation(*arity, text)).collect();
    let used = HELPERS.iter().filter(|h| text.contains(h.name) || members.contains(h.name));
    let fixed = used.map(|helper| helper.text.to_owned());
    let members = (!members.is_empty()).then(|| members.clone());
    fixed.chain(members).collect::<Vec<_>>().join("\n")
}

/// The helpers for relations of an arity that a text mentions.
fn relation(arity: usize, text: &str) -> String {
    if arity == 0 {
        return "/* Whether () is among count tuples. */\n\
                static inline int iv_member_0(int64_t count) { return count > 0; }\n"
            .to_owned();
    }
    let places = Places { arity };
    let made = text.contains(&format!("iv_map_{arity}("));
    let map = if made { places.map() } else { String::new() };
    map + &places.search() + &places.member()
}

/// The places of a relation: `n0` is an extent, `c0` a column, `w0` an index.
struct Places {
    arity: usize,
}

impl Places {
    fn list(&self, text: impl Fn(usize) -> String) -> String {
        (0..self.arity).map(text).collect::<Vec<_>>().join(", ")
    }

    fn extents(&self) -> String {
        self.list(|k| format!("int64_t n{k}"))
    }

    fn columns(&self) -> String {
        self.list(|k| format!("const int64_t *c{k}"))
    }

    fn wanted(&self) -> String {
        self.list(|k| format!("int64_t w{k}"))
    }

    /// The place of a point in the box, row-major.
    fn place(&self, index: impl Fn(usize) -> String) -> String {
        (1..self.arity).fold(index(0), |place, k| {
            let place = if k == 1 { place } else { format!("({place})") };
            format!("{place} * n{k} + {}", index(k))
        })
    }

    /// What makes the map of a box, where it is not too large.
    fn map(&self) -> String {
        let (arity, extents, columns) = (self.arity, self.extents(), self.columns());
        let points = (1..arity).fold("n0".to_owned(), |all, k| format!("iv_times({all}, n{k})"));
        let place = self.place(|k| format!("c{k}[e]"));
        format!(
            "/* A byte for each point of a box of n0 .., 1 for count tuples; NULL where the box has more than\n   \
             {MOST} points for each, or there is no memory: then tuples are searched for. */\n\
             static uint8_t *iv_map_{arity}(int64_t count, {extents}, {columns}) {{\n    \
             const int64_t points = {points};\n    \
             if (points <= 0 || (points - 1) / {MOST} >= count) return NULL;\n    \
             uint8_t *map = calloc((size_t)points, 1);\n    \
             if (!map) return NULL;\n    \
             for (int64_t e = 0; e < count; e++) map[{place}] = 1;\n    \
             return map;\n}}\n\n"
        )
    }

    /// Whether a tuple is in a relation.
    fn member(&self) -> String {
        let (arity, extents, columns) = (self.arity, self.extents(), self.columns());
        let (wanted, place) = (self.wanted(), self.place(|k| format!("w{k}")));
        let outside: Vec<String> =
            (0..arity).map(|k| format!("w{k} < 0 || w{k} >= n{k}")).collect();
        let outside = outside.join(" || ");
        let (names, values) = (self.list(|k| format!("c{k}")), self.list(|k| format!("w{k}")));
        format!(
            "/* Whether (w0, ..) is among count sorted tuples in a box of n0 ..: by its map, where it has one. */\n\
             static inline int iv_member_{arity}(const uint8_t *map, int64_t count, {extents}, {columns},\n        \
             {wanted}, int64_t *at) {{\n    \
             if (!map) return iv_search_{arity}(count, {names}, {values}, at);\n    \
             if ({outside}) return 0;\n    \
             return map[{place}];\n}}\n"
        )
    }

    /// The search for a tuple among sorted ones, from where the last search ended: loops look tuples up in
    /// order, so that most often it is the next one, or near.
    fn search(&self) -> String {
        let arity = self.arity;
        let (columns, wanted) = (self.columns(), self.wanted());
        let (names, values) = (self.list(|k| format!("c{k}")), self.list(|k| format!("w{k}")));
        let below =
            (1..arity).rev().fold(format!("c{last}[e] < w{last}", last = arity - 1), |rest, k| {
                let k = k - 1;
                format!("c{k}[e] < w{k} || (c{k}[e] == w{k} && ({rest}))")
            });
        let equal = |at: &str| {
            (0..arity).map(|k| format!("c{k}[{at}] == w{k}")).collect::<Vec<_>>().join(" && ")
        };
        let (is_next, is_high) = (equal("next"), equal("high"));
        format!(
            "/* Whether tuple e comes before (w0, ..). */\n\
             static inline int iv_before_{arity}({columns}, {wanted}, int64_t e) {{\n    return {below};\n}}\n\n\
             /* Whether (w0, ..) is among count sorted tuples; the search begins at *at. */\n\
             static inline int iv_search_{arity}(int64_t count, {columns}, {wanted}, int64_t *at) {{\n    \
             const int64_t next = *at + 1;\n    \
             if (next < count && {is_next}) {{\n        \
             *at = next;\n        return 1;\n    }}\n    \
             int64_t low = -1, high = count, step = 1;\n    \
             if (*at < count && iv_before_{arity}({names}, {values}, *at)) {{\n        \
             low = *at;\n        \
             while (low + step < count && iv_before_{arity}({names}, {values}, low + step)) {{\n            \
             low += step;\n            step *= 2;\n        }}\n        \
             if (low + step < count) high = low + step;\n    \
             }} else {{\n        \
             high = *at;\n        \
             while (high - step >= 0 && !iv_before_{arity}({names}, {values}, high - step)) {{\n            \
             high -= step;\n            step *= 2;\n        }}\n        \
             if (high - step >= 0) low = high - step;\n    \
             }}\n    \
             while (high - low > 1) {{\n        \
             const int64_t middle = low + (high - low) / 2;\n        \
             if (iv_before_{arity}({names}, {values}, middle)) low = middle;\n        \
             else high = middle;\n    }}\n    \
             *at = high;\n    \
             return high < count && {is_high};\n}}\n\n"
        )
    }
}
