//! Ties: points at which a derivative jumps.
//!
//! They are found by a program. For each place of the normal form that decides by
//! reals, a statement is added that computes how near the decision is:
//!
//! ```text
//! [.. x < y ..], max(x, y), min(x, y)   min(binders where it is evaluated) |x - y|
//! abs(x)                                min(..) |x|
//! floor(x)                              min(..) the distance of x to the next integer
//! max, min, argmax, argmin over points  min(points that are not the best) |e - best|,
//!                                       and how many points are the best
//! ```

use crate::input::Place;
use crate::work::printed_names;
use iverson_interpreter::{EvalError, eval_ssa};
use iverson_spec::ast::{Cmp, Reduction};
use iverson_spec::call::{Dense, Limits, Value, Values};
use iverson_spec::function::Fun;
use iverson_spec::ir::{
    Atom, Block, Element, Expr, Guard, Index, Param, Rec, Symbols, Tensor, TensorId, VarId,
};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term, negate};
use iverson_spec::traverse::{Reads, Visit};
use iverson_spec::verify::{assert_valid, stmts};
use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// How near a tie must be to be told: an absolute distance of the two sides.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Nearness(pub f64);

impl Default for Nearness {
    /// 2⁻²⁶: half of the digits of `f64` at 1, about the step of a finite difference.
    fn default() -> Self {
        Self(2.0_f64.powi(-26))
    }
}

/// What decides by reals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KinkKind {
    /// `[x < y]` and its kin
    Comparison,
    /// `abs(x)` at 0
    Abs,
    /// `max(x, y)`, or `max` over points
    Max,
    /// `min(x, y)`, or `min` over points
    Min,
    /// `argmax`
    Argmax,
    /// `argmin`
    Argmin,
    /// `floor(x)` at an integer
    Floor,
}

impl fmt::Display for KinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Comparison => "a comparison",
            Self::Abs => "`abs`",
            Self::Max => "`max`",
            Self::Min => "`min`",
            Self::Argmax => "`argmax`",
            Self::Argmin => "`argmin`",
            Self::Floor => "`floor`",
        })
    }
}

/// A tie near the point.
#[derive(Clone, PartialEq, Debug)]
pub struct Kink {
    /// What decides.
    pub kind: KinkKind,
    /// The entry whose definition decides; tensors are named as in the printed
    /// normal form.
    pub place: Place,
    /// The distance to the tie, as computed in `f64`; 0 at a tie.
    pub gap: f64,
}

impl fmt::Display for Kink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, place, gap } = self;
        match *gap == 0.0 {
            true => write!(f, "{kind} in {place} is at a tie"),
            false => write!(f, "{kind} in {place} is {gap:.1e} from a tie"),
        }
    }
}

/// A program that computes how near its decisions are.
pub(super) struct Watch {
    program: TensorSsa,
    sites: Vec<Site>,
}

/// A place that decides by reals.
struct Site {
    kind: KinkKind,
    /// What its tensor is called in the printed normal form.
    tensor: String,
    /// The result with the distances.
    gap: String,
    /// The result with the number of best points.
    best: Option<String>,
}

impl Watch {
    /// Watches the decisions of `program` that depend on the tensors `active`.
    pub(super) fn new(program: &TensorSsa, active: &BTreeSet<TensorId>) -> Self {
        let statements = stmts(&program.body);
        let named = statements.iter().map(|stmt| stmt.tensor).zip(printed_names(program));
        let mut builder = Builder {
            symbols: program.symbols.clone(),
            active: dependents(&statements, active),
            names: named.collect(),
            sites: Vec::new(),
            results: Vec::new(),
        };
        let body = builder.blocks(&program.body);
        let program = TensorSsa {
            name: program.name.clone(),
            symbols: builder.symbols,
            params: program.params.clone(),
            body,
            results: builder.results,
        };
        if cfg!(debug_assertions) {
            assert_valid("watching kinks", &program);
        }
        Self { program, sites: builder.sites }
    }

    /// The decisions at most `nearness` from a tie, nearest first.
    pub(super) fn kinks(
        &self,
        inputs: &Values<f64>,
        nearness: Nearness,
        limits: Limits,
    ) -> Result<Vec<Kink>, EvalError> {
        if self.sites.is_empty() {
            return Ok(Vec::new());
        }
        let (results, _) = eval_ssa(&self.program, inputs, limits)?;
        let mut kinks: Vec<Kink> =
            self.sites.iter().flat_map(|site| site.kinks(&results, nearness)).collect();
        kinks.sort_by(|a, b| a.gap.total_cmp(&b.gap));
        Ok(kinks)
    }
}

impl Site {
    fn kinks(&self, results: &Values<f64>, Nearness(nearness): Nearness) -> Vec<Kink> {
        let gaps = real(results, &self.gap);
        let best = self.best.as_ref().map(|best| real(results, best));
        let gap = |flat: usize| match best {
            Some(best) if best.data[flat] > 1.0 => 0.0,
            Some(_) | None => gaps.data[flat],
        };
        let near = (0..gaps.data.len()).filter(|flat| gap(*flat) <= nearness);
        let kink = |flat| Kink {
            kind: self.kind,
            place: Place::entry(&self.tensor, &gaps.shape, flat),
            gap: gap(flat),
        };
        near.map(kink).collect()
    }
}

fn real<'v>(results: &'v Values<f64>, name: &str) -> &'v Dense<f64> {
    match results.get(name) {
        Some(Value::Real(dense)) => dense,
        Some(Value::Size(_) | Value::Index(_) | Value::Relation(_)) | None => {
            unreachable!("distances are real results of the program that watches")
        }
    }
}

/// The real parameters of these names; all of them without names.
pub(super) fn parameters(program: &TensorSsa, wrt: Option<&[&str]>) -> BTreeSet<TensorId> {
    let tensor = |param: &Param| match param {
        Param::Tensor(t) => Some(*t),
        Param::Size(_) | Param::Relation(_) => None,
    };
    let row = |t: &TensorId| program.symbols.tensor(*t);
    let chosen = |t: &TensorId| wrt.is_none_or(|wrt| wrt.contains(&row(t).name.as_str()));
    let params = program.params.iter().filter_map(tensor);
    params.filter(|t| row(t).element == Element::Real && chosen(t)).collect()
}

/// The tensors that depend on one of `from`, by whatever way, and those themselves.
fn dependents(statements: &[&Stmt], from: &BTreeSet<TensorId>) -> BTreeSet<TensorId> {
    let reads: Vec<(TensorId, Vec<TensorId>)> =
        statements.iter().map(|stmt| (stmt.tensor, reads(stmt))).collect();
    let mut found = from.clone();
    loop {
        let before = found.len();
        for (defined, read) in &reads {
            if read.iter().any(|t| found.contains(t)) {
                found.insert(*defined);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

fn reads(stmt: &Stmt) -> Vec<TensorId> {
    let mut reads = Reads::default();
    match &stmt.rhs {
        Rhs::Index(index) => reads.index(index),
        Rhs::Sum(_) | Rhs::Fold(..) | Rhs::Arg(..) => {}
    }
    for term in terms(stmt) {
        reads.guard(&term.guard);
        reads.expr(&term.body);
    }
    reads.tensors
}

fn terms(stmt: &Stmt) -> &[Term] {
    match &stmt.rhs {
        Rhs::Sum(terms) => terms,
        Rhs::Fold(_, term) | Rhs::Arg(_, term) => std::slice::from_ref(term),
        Rhs::Index(_) => &[],
    }
}

struct Builder {
    symbols: Symbols,
    /// What depends on the inputs of interest.
    active: BTreeSet<TensorId>,
    /// What defined tensors are called in the printed normal form.
    names: HashMap<TensorId, String>,
    sites: Vec<Site>,
    /// The tensors with distances.
    results: Vec<TensorId>,
}

/// The points of a statement at which something is evaluated.
struct Points<'s> {
    stmt: &'s Stmt,
    binders: &'s [VarId],
    out: Vec<Block<Stmt>>,
}

impl Builder {
    fn blocks(&mut self, blocks: &[Block<Stmt>]) -> Vec<Block<Stmt>> {
        let mut out = Vec::new();
        for block in blocks {
            match block {
                Block::Stmt(stmt) => {
                    out.push(block.clone());
                    out.extend(self.watch(stmt));
                }
                Block::Rec(rec) => {
                    let body = self.blocks(&rec.body);
                    out.push(Block::Rec(Rec { vars: rec.vars.clone(), body }));
                }
                Block::Requires(_) => out.push(block.clone()),
            }
        }
        out
    }

    /// The statements that compute how near the decisions of `stmt` are.
    fn watch(&mut self, stmt: &Stmt) -> Vec<Block<Stmt>> {
        let mut points = Points { stmt, binders: &[], out: Vec::new() };
        if let Rhs::Index(index) = &stmt.rhs {
            self.index(index, &Guard::truth(), &mut points);
        }
        for term in terms(stmt) {
            points.binders = &term.binders;
            self.guard(&term.guard, &Guard::truth(), &mut points);
            self.expr(&term.body, &term.guard, &mut points);
        }
        match &stmt.rhs {
            Rhs::Fold(op @ (Reduction::Max | Reduction::Min), term) | Rhs::Arg(op, term) => {
                self.best(*op, term, &mut points)
            }
            Rhs::Fold(..) | Rhs::Sum(_) | Rhs::Index(_) => {}
        }
        points.out
    }

    /// The decisions inside a guard that is evaluated where `before` holds.
    fn guard(&mut self, guard: &Guard, before: &Guard, points: &mut Points<'_>) {
        match guard {
            Guard::Compare(_, a, b) => {
                self.index(a, before, points);
                self.index(b, before, points);
            }
            Guard::Real(_, sides) => {
                self.expr(&sides.0, before, points);
                self.expr(&sides.1, before, points);
                let gap = difference(&sides.0, &sides.1);
                self.gap(KinkKind::Comparison, gap, before, points);
            }
            Guard::Member(_, indices) => {
                indices.iter().for_each(|index| self.index(index, before, points));
            }
            Guard::Not(p) => self.guard(p, before, points),
            Guard::All(all) => {
                let mut before = before.clone();
                for p in all {
                    self.guard(p, &before, points);
                    before = before.and(p.clone());
                }
            }
            Guard::Any(any) => {
                let mut before = before.clone();
                for p in any {
                    self.guard(p, &before, points);
                    before = before.and(p.clone().negate());
                }
            }
        }
    }

    /// The decisions inside an index expression.
    fn index(&mut self, index: &Index, before: &Guard, points: &mut Points<'_>) {
        for (atom, _) in index.terms() {
            match atom {
                Atom::Size(_) | Atom::Var(_) => {}
                Atom::Read(_, at) => at.iter().for_each(|at| self.index(at, before, points)),
                Atom::Div(inner, _) | Atom::Mod(inner, _) => self.index(inner, before, points),
                Atom::Floor(e) => {
                    self.expr(e, before, points);
                    self.gap(KinkKind::Floor, to_integer(e), before, points);
                }
                Atom::If(choice) => {
                    let (guard, yes, no) = &**choice;
                    self.guard(guard, before, points);
                    self.index(yes, &before.clone().and(guard.clone()), points);
                    self.index(no, &before.clone().and(guard.clone().negate()), points);
                }
                Atom::Arg(_) => unreachable!("indices hold no `argmax` (invariant 9)"),
            }
        }
    }

    /// The decisions inside a body.
    fn expr(&mut self, e: &Expr, before: &Guard, points: &mut Points<'_>) {
        match e {
            Expr::Const(_) | Expr::Pi => {}
            Expr::Real(index) => self.index(index, before, points),
            Expr::Access(_, at) => at.iter().for_each(|at| self.index(at, before, points)),
            Expr::Apply(fun, args) => {
                args.iter().for_each(|arg| self.expr(arg, before, points));
                match (fun, args.as_slice()) {
                    (Fun::Abs, [x]) => self.gap(KinkKind::Abs, x.clone(), before, points),
                    (Fun::Max, [x, y]) => {
                        self.gap(KinkKind::Max, difference(x, y), before, points);
                    }
                    (Fun::Min, [x, y]) => {
                        self.gap(KinkKind::Min, difference(x, y), before, points);
                    }
                    _ => {}
                }
            }
            Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => {
                unreachable!("a body of Tensor SSA holds no compound expression (invariant 9)")
            }
        }
    }

    /// The distance of the best point of a search to the next one.
    fn best(&mut self, op: Reduction, term: &Term, points: &mut Points<'_>) {
        let (kind, fold) = match op {
            Reduction::Max => (KinkKind::Max, Reduction::Max),
            Reduction::Argmax => (KinkKind::Argmax, Reduction::Max),
            Reduction::Argmin => (KinkKind::Argmin, Reduction::Min),
            Reduction::Min | Reduction::Sum | Reduction::Prod => (KinkKind::Min, Reduction::Min),
        };
        if !self.is_active(&term.body) {
            return;
        }
        let value = match &points.stmt.rhs {
            Rhs::Arg(..) => self.define(points, "best", Rhs::Fold(fold, term.clone())),
            Rhs::Fold(..) | Rhs::Sum(_) | Rhs::Index(_) => points.stmt.tensor,
        };
        let value = Expr::Access(value, points.stmt.axes.iter().map(|v| Index::var(*v)).collect());
        let with = |cmp, body| {
            let sides = Box::new((term.body.clone(), value.clone()));
            let guard = term.guard.clone().and(Guard::Real(cmp, sides));
            Term { binders: term.binders.clone(), guard, body }
        };
        let count = Rhs::Sum(vec![with(Cmp::Eq, Expr::integer(1))]);
        let count = self.define(points, "count", count);
        let gap = magnitude(difference(&term.body, &value));
        let gap = self.define(points, "gap", Rhs::Fold(Reduction::Min, with(Cmp::Ne, gap)));
        self.site(kind, points, gap, Some(count));
    }

    /// The least `|e|` over the points where `guard` holds.
    fn gap(&mut self, kind: KinkKind, e: Expr, guard: &Guard, points: &mut Points<'_>) {
        if !self.is_active(&e) {
            return;
        }
        let (binders, guard) = (points.binders.to_vec(), guard.clone());
        let term = Term { binders, guard, body: magnitude(e) };
        let gap = self.define(points, "gap", Rhs::Fold(Reduction::Min, term));
        self.site(kind, points, gap, None);
    }

    fn is_active(&self, e: &Expr) -> bool {
        let mut reads = Reads::default();
        reads.expr(e);
        reads.tensors.iter().any(|t| self.active.contains(t))
    }

    /// Adds `name[axes of the statement] = rhs`.
    fn define(&mut self, points: &mut Points<'_>, name: &str, rhs: Rhs) -> TensorId {
        let shape = self.symbols.tensor(points.stmt.tensor).shape.clone();
        // no parameter and no other result has such a name
        let name = format!("{name} {}", self.symbols.tensors.len());
        let tensor = self.symbols.add_tensor(Tensor { name, element: Element::Real, shape });
        points.out.push(Block::Stmt(Stmt { tensor, axes: points.stmt.axes.clone(), rhs }));
        tensor
    }

    fn site(&mut self, kind: KinkKind, points: &Points<'_>, gap: TensorId, best: Option<TensorId>) {
        let name = |t: TensorId| self.symbols.tensor(t).name.clone();
        let tensor = self.names.get(&points.stmt.tensor).cloned().unwrap_or_default();
        self.sites.push(Site { kind, tensor, gap: name(gap), best: best.map(name) });
        self.results.extend([gap].into_iter().chain(best));
    }
}

/// `a - b`
fn difference(a: &Expr, b: &Expr) -> Expr {
    Expr::Apply(Fun::Add, vec![a.clone(), negate(b.clone())])
}

/// `|e|`
fn magnitude(e: Expr) -> Expr {
    Expr::Apply(Fun::Abs, vec![e])
}

/// The distance of `e` to the next integer on either side.
fn to_integer(e: &Expr) -> Expr {
    let below = Expr::Real(Index::atom(Atom::Floor(Box::new(e.clone()))));
    let above = Expr::Apply(Fun::Add, vec![below.clone(), Expr::integer(1)]);
    Expr::Apply(Fun::Min, vec![difference(e, &below), difference(&above, e)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::load;
    use iverson_spec::normalize;

    /// The kinks of a program with one real vector `x`.
    #[track_caller]
    fn check(body: &str, x: &[f64], want: &[&str]) {
        let text = format!("fn f(n: size, x: real[n]) -> (y: real) {{ {body} }}");
        let loaded = load(&text).expect("a program");
        let program = normalize(loaded.function(None).expect("a function"));
        let watch = Watch::new(&program, &parameters(&program, None));
        let inputs = Values::from_iter([("x".to_owned(), Value::vector(x.to_vec()))]);
        let kinks = watch.kinks(&inputs, Nearness(1e-3), Limits::default()).expect("kinks");
        let found: Vec<String> = kinks.iter().map(ToString::to_string).collect();
        assert_eq!(found, want);
    }

    #[test]
    fn each_kind_of_decision_is_watched() {
        check("y = sum(i: n) abs(x[i])", &[1.0, -1e-4], &["`abs` in `y` is 1.0e-4 from a tie"]);
        check("y = max(i: n) x[i]", &[1.0, 2.0, 2.0], &["`max` in `y` is at a tie"]);
        check("y = max(i: n) x[i]", &[2.0, 1.9999, 1.0], &["`max` in `y` is 1.0e-4 from a tie"]);
        check("y = sum(i: n) [x[i] > 1] * x[i]", &[1.0], &["a comparison in `y` is at a tie"]);
        check(
            "y = sum(i: n) [floor(x[i]) > 2] * x[i]",
            &[3.0001],
            &["`floor` in `y` is 1.0e-4 from a tie"],
        );
    }

    #[test]
    fn what_a_guard_excludes_is_no_tie() {
        check("y = sum(i: n) [i > 0] * abs(x[i])", &[0.0, 3.0], &[]);
        check("y = sum(i: n where i > 0 and x[i] > 0) x[i]", &[0.0, 3.0], &[]);
    }

    #[test]
    fn constants_do_not_count() {
        check("y = sum(i: n) x[i] * abs(real(i))", &[1.0], &[]);
    }
}
