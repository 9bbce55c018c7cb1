//! The elementary functions as C: definitions for those that a program uses.
//!
//! `iv_sin` and its like take and give a double. They are for `-ffp-contract=off`; then they give the
//! bits of the kernels here.

use super::coefficients::{HALF_PI_LONG_1, HALF_PI_LONG_2, TWO_OVER_PI};
use super::far;
use super::kernels::{self, Binary, Unary, with_binary, with_unary};
use super::real::Pair;
use super::trace::{Bits, Term, Trace, hex};
use super::trigonometric::{NEAR, Reduced, cos_of, sin_of, tan_of};
use iverson_spec::function::Fun;
use std::collections::BTreeSet;

/// The name of a function in C, as in `iv_exp`; `None` for operations and functions of a program.
#[must_use]
pub fn name(fun: Fun) -> Option<String> {
    match fun {
        Fun::Neg | Fun::Add | Fun::Mul | Fun::Div | Fun::User(_) => None,
        Fun::Pow => Some("iv_pow".to_owned()),
        Fun::Exp
        | Fun::Expm1
        | Fun::Log
        | Fun::Log1p
        | Fun::Sin
        | Fun::Cos
        | Fun::Tan
        | Fun::Asin
        | Fun::Acos
        | Fun::Atan
        | Fun::Atan2
        | Fun::Sinh
        | Fun::Cosh
        | Fun::Tanh
        | Fun::Sqrt
        | Fun::Abs
        | Fun::Min
        | Fun::Max
        | Fun::Sigmoid
        | Fun::Erf
        | Fun::Lgamma
        | Fun::Digamma
        | Fun::Trigamma => fun.name().map(|name| format!("iv_{name}")),
    }
}

/// What the definitions rest on.
const PRELUDE: &str = "\
static inline uint64_t iv_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double iv_real(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
";

/// The definitions of the functions in C, in order, each once, with what they rest on. The text
/// needs `<math.h>`, `<stdint.h>` and `<string.h>`.
#[must_use]
pub fn definitions(functions: &BTreeSet<Fun>) -> String {
    let texts: Vec<String> = functions.iter().filter_map(|fun| definition(*fun)).collect();
    if texts.is_empty() {
        return String::new();
    }
    let far = [Fun::Sin, Fun::Cos, Fun::Tan].iter().any(|fun| functions.contains(fun));
    let reduction = far.then(reduction);
    let parts = [PRELUDE.to_owned()].into_iter().chain(reduction).chain(texts);
    parts.collect::<Vec<_>>().join("\n")
}

fn reduction() -> String {
    let table: Vec<String> = TWO_OVER_PI
        .chunks(6)
        .map(|row| row.iter().map(|word| format!("{word:#010x}u")).collect::<Vec<_>>().join(", "))
        .collect();
    let table = format!("\n        {}\n    ", table.join(",\n        "));
    far::C
        .replace("DIGITS", &table)
        .replace("HIGH", &hex(HALF_PI_LONG_1))
        .replace("LOW", &hex(HALF_PI_LONG_2))
}

fn definition(fun: Fun) -> Option<String> {
    let name = name(fun)?;
    if fun == Fun::Sin {
        return Some(trigonometric::<kernels::Sin>(&name, |r| sin_of(r)));
    }
    if fun == Fun::Cos {
        return Some(trigonometric::<kernels::Cos>(&name, |r| cos_of(r)));
    }
    if fun == Fun::Tan {
        return Some(trigonometric::<kernels::Tan>(&name, |r| tan_of(r)));
    }
    let one = with_unary!(fun, K => unary::<K>(&name));
    one.or_else(|| with_binary!(fun, K => binary::<K>(&name)))
}

fn unary<K: Unary>(name: &str) -> String {
    let trace = Trace::default();
    let body = trace.print(K::at(trace.parameter("x")));
    format!("static inline double {name}(double x) {{\n{body}}}\n")
}

fn binary<K: Binary>(name: &str) -> String {
    let trace = Trace::default();
    let body = trace.print(K::at(trace.parameter("x"), trace.parameter("y")));
    format!("static inline double {name}(double x, double y) {{\n{body}}}\n")
}

/// Near by the kernel, far by the reduction in integers.
fn trigonometric<K: Unary>(
    name: &str,
    of: impl for<'t> Fn(Reduced<Term<'t>>) -> Term<'t>,
) -> String {
    let trace = Trace::default();
    let quarter = Bits::parameter(&trace, "n");
    let r = Pair { high: trace.parameter("r[0]"), low: trace.parameter("r[1]") };
    let body = trace.print(of(Reduced { quarter, r }));
    let near = unary::<K>(&format!("{name}_near"));
    let limit = hex(NEAR);
    format!(
        "static double {name}_far(double x) {{\n    double r[2];\n    \
         const uint64_t n = iv_reduce_far(x, r);\n{body}}}\n\n{near}\n\
         static inline double {name}(double x) {{\n    \
         return fabs(x) > {limit} && fabs(x) < (double)INFINITY ? {name}_far(x) : {name}_near(x);\n}}\n"
    )
}
