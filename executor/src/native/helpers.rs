//! The small functions that printed C may call; a text gets those that it mentions.

use std::collections::BTreeSet;

/// The name and the definition of a helper.
struct Helper {
    name: &'static str,
    text: &'static str,
}

/// Later ones may call earlier ones.
const HELPERS: [Helper; 12] = [
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
               if ((uint64_t)count > SIZE_MAX / each) return NULL;\n    \
               return malloc(count > 0 ? (size_t)count * each : 1);\n}\n",
    },
];

/// The helpers that a text mentions, those for relations of `arities` among them.
pub(super) fn helpers(text: &str, arities: &BTreeSet<usize>) -> String {
    let used = HELPERS.iter().filter(|helper| text.contains(helper.name));
    let fixed = used.map(|helper| helper.text.to_owned());
    let members = arities.iter().map(|arity| member(*arity));
    fixed.chain(members).collect::<Vec<_>>().join("\n")
}

/// The search for a tuple among sorted ones.
fn member(arity: usize) -> String {
    let list = |text: &dyn Fn(usize) -> String| (0..arity).map(text).collect::<Vec<_>>().join(", ");
    let columns = list(&|k| format!("const int64_t *c{k}"));
    let wanted = list(&|k| format!("int64_t w{k}"));
    let steps: String = (0..arity)
        .map(|k| {
            format!(
                "    low = iv_partition(c{k}, low, high, w{k});\n    \
                 high = iv_partition(c{k}, low, high, w{k} + 1);\n"
            )
        })
        .collect();
    let parameters =
        [columns, wanted].iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>();
    let parameters =
        std::iter::once("int64_t count".to_owned()).chain(parameters).collect::<Vec<_>>();
    format!(
        "/* Whether (w0, ..) is among count sorted tuples. */\n\
         static int iv_member_{arity}({}) {{\n    int64_t low = 0, high = count;\n{steps}    return low < high;\n}}\n",
        parameters.join(", ")
    )
}

/// What [`member`] calls.
pub(super) const PARTITION: &str = "\
/* The first place from low to high whose entry is not below the one wanted. */
static int64_t iv_partition(const int64_t *column, int64_t low, int64_t high, int64_t wanted) {
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (column[middle] < wanted) low = middle + 1;
        else high = middle;
    }
    return low;
}
";
