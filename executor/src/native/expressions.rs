//! Integers, reals and conditions in C.
//!
//! Places are row-major. Reals are rounded after every operation, in the order of the loop program; functions
//! of `float` are those of `double`, rounded once.

use super::Precision;
use super::lookups::Lookups;
use super::names::{self, Names};
use crate::loops::{BufferId, CmpOp, Cond, Fold, For, Int, LoopProgram, Place, Real, RelId};
use crate::math;
use iverson_spec::function::Fun;
use rustc_hash::FxHashSet;
use std::cell::{Cell, RefCell};

/// Prints expressions of one program.
pub(super) struct Expressions<'p> {
    pub(super) program: &'p LoopProgram,
    pub(super) names: &'p Names,
    pub(super) precision: Precision,
    /// What is known of lookups.
    pub(super) lookups: &'p Lookups,
    /// The entries that are read elsewhere than where they are: in C.
    pub(super) packed: Vec<(Place, String)>,
    /// Whether the relations that are asked have maps, where the text that is being printed runs; `None` where both may be.
    mapped: Cell<Option<bool>>,
    /// What tuples the function that is being printed searches for; each kind has a cursor.
    searches: RefCell<Vec<String>>,
    /// Whether loops may fetch what they read ahead.
    pub(super) fetches: bool,
    /// The results that may go past the cache.
    pub(super) streams: FxHashSet<BufferId>,
    /// Those whose strip is stored to, in the text that is being printed, and at which place of it.
    strips: RefCell<(Vec<BufferId>, String)>,
}

impl<'p> Expressions<'p> {
    pub(super) fn new(
        program: &'p LoopProgram,
        names: &'p Names,
        precision: Precision,
        lookups: &'p Lookups,
    ) -> Self {
        let (mapped, searches) = (Cell::new(None), RefCell::default());
        let (streams, strips) = (FxHashSet::default(), RefCell::default());
        Self {
            program,
            names,
            precision,
            lookups,
            packed: Vec::new(),
            mapped,
            searches,
            fetches: false,
            streams,
            strips,
        }
    }

    /// Prints what stores to a place of the strips of some results, not to their entries.
    pub(super) fn in_strips(&self, results: Vec<BufferId>, place: String, print: impl FnOnce()) {
        let before = self.strips.replace((results, place));
        print();
        self.strips.replace(before);
    }

    /// Prints what runs where the relations that are asked have maps, or where not all do.
    pub(super) fn where_mapped(&self, mapped: bool, print: impl FnOnce()) {
        let before = self.mapped.replace(Some(mapped));
        print();
        self.mapped.set(before);
    }

    /// Whether one of them is being printed.
    pub(super) fn knows_maps(&self) -> bool {
        self.mapped.get().is_some()
    }

    /// The declarations of the cursors of a function that has been printed.
    pub(super) fn cursors(&self) -> String {
        let count = self.searches.take().len();
        (0..count).map(|at| format!("    int64_t iv_at_{at} = 0;\n")).collect()
    }

    /// The cursor of a kind of search, as an argument.
    fn cursor(&self, lookup: &str) -> String {
        let mut searches = self.searches.borrow_mut();
        let at = searches.iter().position(|known| known == lookup).unwrap_or_else(|| {
            searches.push(lookup.to_owned());
            searches.len() - 1
        });
        format!("&iv_at_{at}")
    }

    // Integers.

    pub(super) fn int(&self, e: &Int) -> String {
        match e {
            Int::Const(n) if *n == i64::MIN => "INT64_MIN".to_owned(),
            Int::Const(n) => n.to_string(),
            Int::Size(size) => self.names.size(*size).to_owned(),
            Int::Var(var) => self.names.int(*var).to_owned(),
            Int::Load(buffer, indices) => self.entry(*buffer, indices),
            Int::Sum(terms, constant) => self.sum(terms, *constant),
            Int::Product(factors) => {
                factors.iter().map(|e| self.factor(e)).collect::<Vec<_>>().join(" * ")
            }
            Int::Div(e, k) => format!("iv_div({}, {k})", self.int(e)),
            // the last bits: also of what is below 0
            Int::Mod(e, k) if k.count_ones() == 1 => format!("({} & {})", self.factor(e), k - 1),
            Int::Mod(e, k) => format!("iv_mod({}, {k})", self.int(e)),
            Int::DivBy(sides) => {
                format!("iv_div_by({}, {})", self.int(&sides.0), self.int(&sides.1))
            }
            Int::Floor(e) => format!("iv_floor((double)({}), &status)", self.real(e)),
            Int::Select(parts) => format!(
                "({} ? {} : {})",
                self.cond(&parts.0),
                self.int(&parts.1),
                self.int(&parts.2)
            ),
        }
    }

    fn sum(&self, terms: &[(i64, Int)], constant: i64) -> String {
        let mut text = String::new();
        let mut add = |negative: bool, part: String| {
            text.push_str(match (text.is_empty(), negative) {
                (true, false) => "",
                (true, true) => "-",
                (false, false) => " + ",
                (false, true) => " - ",
            });
            text.push_str(&part);
        };
        for (factor, term) in terms {
            let (size, term) = (factor.unsigned_abs(), self.factor(term));
            add(*factor < 0, if size == 1 { term } else { format!("{size} * {term}") });
        }
        if constant != 0 || terms.is_empty() {
            add(constant < 0, constant.unsigned_abs().to_string());
        }
        text
    }

    /// As an operand of a product.
    pub(super) fn factor(&self, e: &Int) -> String {
        let text = self.int(e);
        match e {
            Int::Const(n) if *n < 0 => format!("({text})"),
            Int::Sum(..) | Int::Product(_) => format!("({text})"),
            Int::Const(_)
            | Int::Size(_)
            | Int::Var(_)
            | Int::Load(..)
            | Int::Div(..)
            | Int::Mod(..)
            | Int::DivBy(_)
            | Int::Floor(_)
            | Int::Select(_) => text,
        }
    }

    pub(super) fn entry(&self, buffer: BufferId, indices: &[Int]) -> String {
        let place = self.row_major(&self.program.buffer(buffer).extents, indices);
        format!("{}[{place}]", self.names.buffer(buffer))
    }

    /// The place of an entry.
    fn row_major(&self, extents: &[Int], indices: &[Int]) -> String {
        let mut place = String::new();
        for (axis, (index, extent)) in indices.iter().zip(extents).enumerate() {
            let index = self.int(index);
            place = match axis {
                0 => index,
                1 => format!("{} * {} + {index}", summand(&place), self.factor(extent)),
                _ => format!("({place}) * {} + {index}", self.factor(extent)),
            };
        }
        if place.is_empty() { "0".to_owned() } else { place }
    }

    pub(super) fn place(&self, place: &Place) -> String {
        let strips = self.strips.borrow();
        if strips.0.contains(&place.buffer) {
            return format!("{}[{}]", self.strip(place.buffer), strips.1);
        }
        self.entry(place.buffer, &place.indices)
    }

    /// What is kept of a result before it goes past the cache.
    pub(super) fn strip(&self, result: BufferId) -> String {
        format!("iv_s_{}", self.names.buffer(result))
    }

    /// The greatest or the least of some integers, as `iv_max` or `iv_min`.
    pub(super) fn extreme(&self, name: &str, ends: &[Int]) -> String {
        let mut texts = ends.iter().map(|e| self.int(e));
        let first = texts.next().unwrap_or_default();
        texts.fold(first, |text, next| format!("{name}({text}, {next})"))
    }

    /// The first value of a loop's variable, upwards, and what all are below.
    pub(super) fn ends(&self, header: &For) -> (String, String) {
        let lower = self.extreme("iv_max", &header.lower);
        let first = match &header.stride {
            None => lower,
            Some((modulus, residue)) => {
                format!("iv_first({lower}, {}, {modulus})", self.int(residue))
            }
        };
        (first, self.extreme("iv_min", &header.upper))
    }

    // Reals.

    pub(super) fn real(&self, e: &Real) -> String {
        match e {
            Real::Const(x) => self.constant(*x),
            Real::Int(e) => format!("(real)({})", self.int(e)),
            Real::Var(var) => self.names.real(*var).to_owned(),
            Real::Load(buffer, indices) => {
                let is_it =
                    |(p, _): &&(Place, String)| p.buffer == *buffer && p.indices == *indices;
                let packed = self.packed.iter().find(is_it);
                packed.map_or_else(|| self.entry(*buffer, indices), |(_, text)| text.clone())
            }
            Real::Apply(fun, args) => self.apply(*fun, args),
            Real::Select(parts) => format!(
                "({} ? {} : {})",
                self.cond(&parts.0),
                self.real(&parts.1),
                self.real(&parts.2)
            ),
        }
    }

    /// A number of the precision, in the shortest text that reads back as it.
    pub(super) fn constant(&self, x: f64) -> String {
        let x = if self.precision == Precision::F32 { f64::from(x as f32) } else { x };
        if x.is_nan() {
            return "(real)NAN".to_owned();
        }
        if x.is_infinite() {
            return if x > 0.0 { "(real)INFINITY" } else { "(-(real)INFINITY)" }.to_owned();
        }
        let text = match self.precision {
            Precision::F64 => format!("{x:?}"),
            Precision::F32 => format!("{:?}f", x as f32),
        };
        if x.is_sign_negative() { format!("({text})") } else { text }
    }

    fn apply(&self, fun: Fun, args: &[Real]) -> String {
        let symbol = match fun {
            Fun::Neg => return format!("-{}", self.operand(&args[0])),
            Fun::Add => return self.addition(args),
            Fun::Mul => " * ",
            Fun::Div => " / ",
            Fun::Pow
            | Fun::Exp
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
            | Fun::Trigamma
            | Fun::User(_) => return self.call(fun, args),
        };
        args.iter().map(|arg| self.operand(arg)).collect::<Vec<_>>().join(symbol)
    }

    /// A sum; an operand `-x` is subtracted, which gives the same bits.
    fn addition(&self, args: &[Real]) -> String {
        let mut text = self.operand(&args[0]);
        for arg in &args[1..] {
            text += &match arg {
                Real::Apply(Fun::Neg, inner) => format!(" - {}", self.operand(&inner[0])),
                Real::Const(_)
                | Real::Int(_)
                | Real::Var(_)
                | Real::Load(..)
                | Real::Apply(..)
                | Real::Select(_) => format!(" + {}", self.operand(arg)),
            };
        }
        text
    }

    fn call(&self, fun: Fun, args: &[Real]) -> String {
        let Some(name) = function(fun, self.precision) else {
            unreachable!(
                "loop programs have no functions of the user (invariant 6 of loop programs)"
            )
        };
        let mut texts = args.iter().map(|arg| self.real(arg));
        let first = texts.next().unwrap_or_default();
        if args.len() == 1 {
            return format!("{name}({first})");
        }
        texts.fold(first, |text, next| format!("{name}({text}, {next})"))
    }

    /// As an operand of an operator.
    pub(super) fn operand(&self, e: &Real) -> String {
        let text = self.real(e);
        match e {
            Real::Apply(Fun::Neg | Fun::Add | Fun::Mul | Fun::Div, _) => format!("({text})"),
            Real::Const(_)
            | Real::Int(_)
            | Real::Var(_)
            | Real::Load(..)
            | Real::Apply(..)
            | Real::Select(_) => text,
        }
    }

    // Conditions.

    pub(super) fn cond(&self, cond: &Cond) -> String {
        match cond {
            Cond::Int(cmp, a, b) => format!("{} {} {}", self.int(a), symbol(*cmp), self.int(b)),
            Cond::Real(cmp, sides) => {
                format!("{} {} {}", self.real(&sides.0), symbol(*cmp), self.real(&sides.1))
            }
            Cond::Member(relation, indices) => {
                let table = self.table(*relation);
                if indices.is_empty() {
                    return format!("iv_member_0({table})");
                }
                if self.mapped.get() == Some(true) {
                    return self.mapped(*relation, indices);
                }
                let wanted = indices.iter().map(|e| self.int(e)).collect::<Vec<_>>().join(", ");
                let cursor = self.cursor(&format!("{table}, {wanted}"));
                let map = names::map(*relation);
                format!("iv_member_{}({map}, {table}, {wanted}, {cursor})", indices.len())
            }
            Cond::Not(inner) => format!("!({})", self.cond(inner)),
            Cond::All(parts) if parts.is_empty() => "1".to_owned(),
            Cond::Any(parts) if parts.is_empty() => "0".to_owned(),
            Cond::All(parts) => self.parts(parts, " && "),
            Cond::Any(parts) => self.parts(parts, " || "),
        }
    }

    /// Whether the map has a tuple: its byte, and tests of what is not known to be in the box.
    fn mapped(&self, relation: RelId, indices: &[Int]) -> String {
        let extents = &self.program.relations[relation.index()].extents;
        let mut parts = Vec::new();
        let known = self.lookups.known(relation, indices);
        for ((index, extent), known) in indices.iter().zip(extents).zip(known) {
            if !known.natural {
                parts.push(format!("{} >= 0", self.int(index)));
            }
            if !known.below {
                parts.push(format!("{} < {}", self.int(index), self.int(extent)));
            }
        }
        parts.push(format!("{}[{}]", names::map(relation), self.row_major(extents, indices)));
        if parts.len() == 1 { parts.concat() } else { format!("({})", parts.join(" && ")) }
    }

    /// A relation as arguments: the number of tuples, the extents of the box, the columns.
    pub(super) fn table(&self, relation: RelId) -> String {
        let table = &self.program.relations[relation.index()];
        let extents = table.extents.iter().map(|e| self.int(e));
        let columns = table.coordinates.iter().map(|b| self.names.buffer(*b).to_owned());
        let count = std::iter::once(self.names.size(table.count).to_owned());
        count.chain(extents).chain(columns).collect::<Vec<_>>().join(", ")
    }

    /// A condition all of whose parts are evaluated: they read no memory and cannot fail.
    pub(super) fn without_branches(&self, cond: &Cond) -> String {
        let all = |parts: &[Cond], word: &str| {
            let parts = parts.iter().map(|part| format!("({})", self.without_branches(part)));
            parts.collect::<Vec<_>>().join(word)
        };
        match cond {
            Cond::All(parts) if !parts.is_empty() => all(parts, " & "),
            Cond::Any(parts) if !parts.is_empty() => all(parts, " | "),
            Cond::All(_)
            | Cond::Any(_)
            | Cond::Int(..)
            | Cond::Real(..)
            | Cond::Member(..)
            | Cond::Not(_) => self.cond(cond),
        }
    }

    fn parts(&self, parts: &[Cond], word: &str) -> String {
        let part = |cond: &Cond| match cond {
            Cond::All(_) | Cond::Any(_) => format!("({})", self.cond(cond)),
            Cond::Int(..) | Cond::Real(..) | Cond::Member(..) | Cond::Not(_) => self.cond(cond),
        };
        parts.iter().map(part).collect::<Vec<_>>().join(word)
    }

    /// The statement that adds a product to `total`, rounded once where the machine does both at once.
    pub(super) fn fused(&self, total: &str, fold: Fold, e: &Real) -> Option<String> {
        let (Fold::Sum, Real::Apply(Fun::Mul, factors)) = (fold, e) else { return None };
        let (last, others) = factors.split_last()?;
        let others = others.iter().map(|e| self.operand(e)).collect::<Vec<_>>().join(" * ");
        Some(format!("{total} = iv_fma({others}, {}, {total});", self.real(last)))
    }

    /// The statement that joins a value to `total`.
    pub(super) fn join(&self, total: &str, fold: Fold, e: &Real) -> String {
        match fold {
            Fold::Sum => match e {
                Real::Apply(Fun::Neg, inner) => format!("{total} -= {};", self.real(&inner[0])),
                Real::Const(_)
                | Real::Int(_)
                | Real::Var(_)
                | Real::Load(..)
                | Real::Apply(..)
                | Real::Select(_) => format!("{total} += {};", self.real(e)),
            },
            Fold::Prod => format!("{total} *= {};", self.real(e)),
            Fold::Max => format!("{total} = iv_greater({total}, {});", self.real(e)),
            Fold::Min => format!("{total} = iv_less({total}, {});", self.real(e)),
        }
    }
}

/// A function in C for reals of a precision, if it is one.
fn function(fun: Fun, precision: Precision) -> Option<String> {
    match (fun, precision) {
        (Fun::Abs, Precision::F64) => Some("fabs".to_owned()),
        (Fun::Abs, Precision::F32) => Some("fabsf".to_owned()),
        (Fun::Sqrt, Precision::F64) => Some("sqrt".to_owned()),
        (Fun::Sqrt, Precision::F32) => Some("sqrtf".to_owned()),
        (Fun::Max, _) => Some("iv_greater".to_owned()),
        (Fun::Min, _) => Some("iv_less".to_owned()),
        (_, Precision::F64) => math::name(fun),
        (_, Precision::F32) => math::name(fun).map(|name| format!("{name}f")),
    }
}

/// In brackets where it is a sum.
fn summand(place: &str) -> String {
    if place.contains(' ') { format!("({place})") } else { place.to_owned() }
}

fn symbol(cmp: CmpOp) -> &'static str {
    match cmp {
        CmpOp::Eq => "==",
        CmpOp::Ne => "!=",
        CmpOp::Lt => "<",
        CmpOp::Le => "<=",
        CmpOp::Gt => ">",
        CmpOp::Ge => ">=",
    }
}
