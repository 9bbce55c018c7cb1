//! Random programs of the calculus, each with its derivative in a direction, also simplified.

use crate::export::export;
use crate::generate::program::{Case, cases};
use crate::generate::{Flavour, run};
use crate::subject::{Directions, Subject, added_params, real_params, real_results, reverse, with};
use dashu_ratio::RBig;
use iverson::interpreter::{EvalError, Rational, WorkReport, eval_ssa};
use iverson::spec::call::{Bound, Limits, Value, Values, bind, definitions, entries, extent_value};
use iverson::spec::function::Fun;
use iverson::spec::ir::{Block, Element, Expr, Param, TensorId, VarId};
use iverson::spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson::spec::traverse::{Visit, walk_expr};
use iverson::spec::verify::stmts;
use iverson_simplify::simplify;
use proptest::strategy::{Strategy, ValueTree as _};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A program that both sides evaluate.
pub(crate) struct Side {
    pub(crate) program: TensorSsa,
    /// What the extracted code is asked.
    pub(crate) question: String,
    /// Every definition as Rust computes it, and the work; or why it has no value.
    evaluated: Result<(Values<Rational>, WorkReport), EvalError>,
}

/// A program, its adjoint, and the adjoint simplified.
pub(crate) struct Subjects {
    pub(crate) case: Case,
    pub(crate) primal: Side,
    pub(crate) adjoint: Side,
    pub(crate) simplified: Side,
}

/// At most this many points are tried by the extracted code for one program: it tries
/// every point of every box, and does so for each step of a recurrence.
const POINTS: usize = 100_000;

/// A program that the generator does not make: quotients and remainders of negative indices.
const NEGATIVE: &str = "fn main(n: size, x: real[n]) -> (y: real[n], z: real) {
    y[i: n] = sum(j: n) [(i - j) / 2 = -1 and (j - i) % 3 != 0] * x[j]
    z = sum(i: n, j: n) [(2 * i - 3 * j) / 4 < (i - 4) % 3 - 1] * x[i] * x[j]
}
";

fn negative() -> Case {
    let halves =
        [1, -2, 3, 0, 5, -1].map(|n: i64| Rational(RBig::from_parts_signed(n.into(), 2.into())));
    let inputs = [("n", Value::Size(6)), ("x", Value::vector(halves.to_vec()))];
    let inputs = inputs.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    Case { text: NEGATIVE.to_owned(), inputs, constructs: BTreeSet::new() }
}

/// A fixed program and random ones of the calculus, `count` together, and why others are not.
pub(crate) fn subjects(count: usize) -> (Vec<Subjects>, BTreeMap<&'static str, usize>) {
    let mut runner = run::runner(1);
    let strategy = cases(Flavour::Rational);
    let mut outside = BTreeMap::new();
    let mut found = vec![derived(&negative()).expect("it is of the calculus")];
    while found.len() < count {
        let tree = strategy.new_tree(&mut runner).expect("the strategy rejects nothing");
        match derived(&tree.current()) {
            Ok(subjects) => found.push(subjects),
            Err(reason) => *outside.entry(reason).or_insert(0) += 1,
        }
    }
    (found, outside)
}

fn derived(case: &Case) -> Result<Subjects, &'static str> {
    let subject = Subject::new(case).expect("a generated program is well typed");
    let program = renamed(subject.ssa);
    let wrt = real_params(&program);
    let derivative = reverse(&program, &wrt).map_err(|_| "no derivative")?;
    let bound = bind(&program, &case.inputs, Limits::default()).map_err(|_| "refused call")?;
    if points(&program, &bound) > POINTS {
        return Err("many points");
    }
    let (results, _) =
        eval_ssa(&program, &case.inputs, Limits::default()).map_err(|_| "no value")?;
    let names = real_results(&program);
    let seeds = Directions::new(case).at(&results, &names);
    let ids =
        program.results.iter().filter(|t| program.symbols.tensor(**t).element == Element::Real);
    let given: Vec<(TensorId, Vec<Rational>)> =
        ids.copied().zip(seeds.iter().map(|seed| seed.data.clone())).collect();
    let inputs = with(&case.inputs, &added_params(&derivative, &program), &seeds);
    let primal = side(program, &case.inputs, Some(&given))?;
    if primal.evaluated.is_err() {
        return Err("no value");
    }
    let adjoint = side(derivative, &inputs, None)?;
    let simplified = side(simplify(&adjoint.program), &inputs, None)?;
    Ok(Subjects { case: case.clone(), primal, adjoint, simplified })
}

fn side(
    program: TensorSsa,
    inputs: &Values<Rational>,
    seeds: Option<&[(TensorId, Vec<Rational>)]>,
) -> Result<Side, &'static str> {
    let program = told_apart(program);
    let question = export(&program, inputs, seeds)?;
    let mut whole = program.clone();
    whole.results.clear();
    definitions(&program.body, &mut whole.results);
    let evaluated = eval_ssa(&whole, inputs, Limits::default());
    Ok(Side { program, question, evaluated })
}

/// The program with a name of its own for each definition, so that names find them.
fn renamed(mut program: TensorSsa) -> TensorSsa {
    let mut defined = Vec::new();
    definitions(&program.body, &mut defined);
    for tensor in defined {
        program.symbols.tensors[tensor.index()].name = format!("t{}", tensor.0);
    }
    program
}

/// The program with a name for each tensor: values are compared by name.
fn told_apart(mut program: TensorSsa) -> TensorSsa {
    let mut known = BTreeSet::new();
    for (at, tensor) in program.symbols.tensors.iter_mut().enumerate() {
        if !known.insert(tensor.name.clone()) {
            tensor.name = format!("{}_{at}", tensor.name);
        }
    }
    program
}

/// The points that the extracted code tries for the program and its adjoint.
fn points(program: &TensorSsa, bound: &Bound) -> usize {
    let size = |tensor: TensorId| {
        bound.shapes[tensor.index()].as_deref().and_then(entries).unwrap_or(0).max(1)
    };
    let range = |var| {
        let extent = &program.symbols.var(var).range;
        extent_value(extent, &bound.sizes).unwrap_or(0).max(1) as usize
    };
    let stmt = |stmt: &Stmt| -> usize {
        let terms = match &stmt.rhs {
            Rhs::Sum(terms) => terms.as_slice(),
            Rhs::Fold(_, term) | Rhs::Arg(_, term) => std::slice::from_ref(term),
            Rhs::Index(_) => &[],
        };
        let term = |term: &Term| {
            let over: usize = term.binders.iter().map(|v| range(*v)).product();
            let mut read = Accessed(Vec::new());
            read.expr(&term.body);
            over * (1 + read.0.into_iter().map(size).sum::<usize>())
        };
        size(stmt.tensor) * (1 + terms.iter().map(term).sum::<usize>())
    };
    fn total(
        blocks: &[Block<Stmt>],
        stmt: &dyn Fn(&Stmt) -> usize,
        range: &dyn Fn(VarId) -> usize,
    ) -> usize {
        let block = |block: &Block<Stmt>| match block {
            Block::Stmt(s) => stmt(s),
            Block::Rec(rec) => {
                let steps: usize = rec.vars.iter().map(|(v, _)| range(*v)).product();
                steps * total(&rec.body, stmt, range)
            }
            Block::Requires(_) => 0,
        };
        blocks.iter().map(block).sum()
    }
    total(&program.body, &stmt, &range)
}

/// Whether no access occurs twice and no function has a kink or a constant case.
fn plain<'e>(e: &'e Expr, seen: &mut Vec<&'e Expr>) -> bool {
    match e {
        Expr::Const(_) | Expr::Pi | Expr::Real(_) => true,
        Expr::Access(..) => {
            let is_new = !seen.contains(&e);
            seen.push(e);
            is_new
        }
        Expr::Apply(Fun::Neg | Fun::Add | Fun::Mul | Fun::Div, args) => {
            args.iter().all(|arg| plain(arg, seen))
        }
        Expr::Apply(..) | Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => {
            false
        }
    }
}

struct Accessed(Vec<TensorId>);

impl Visit for Accessed {
    fn expr(&mut self, e: &Expr) {
        if let Expr::Access(tensor, _) = e {
            self.0.push(*tensor);
        }
        walk_expr(self, e);
    }
}

impl Side {
    /// Every definition, and the work.
    ///
    /// # Errors
    /// A message, where some entry has no value.
    pub(crate) fn evaluated(&self) -> Result<&(Values<Rational>, WorkReport), String> {
        self.evaluated.as_ref().map_err(|error| format!("Rust has no value: {error}"))
    }

    /// The entries of a definition as Rust computes them.
    ///
    /// # Errors
    /// A message, where some entry has no value.
    pub(crate) fn entries(&self, tensor: TensorId) -> Result<Vec<String>, String> {
        let (values, _) = self.evaluated()?;
        Ok(match &values[&self.program.symbols.tensor(tensor).name] {
            Value::Real(dense) => dense.data.iter().map(|x| x.0.to_string()).collect(),
            Value::Index(dense) => dense.data.iter().map(ToString::to_string).collect(),
            Value::Size(_) | Value::Relation(_) => unreachable!("definitions are tensors"),
        })
    }

    /// Whether every access in the statements of these tensors has one partial derivative.
    pub(crate) fn is_plain(&self, mut tensors: impl Iterator<Item = TensorId>) -> bool {
        let all = stmts(&self.program.body);
        let of = |tensor| all.iter().find(|stmt| stmt.tensor == tensor);
        tensors.all(|tensor| match of(tensor).map(|stmt| &stmt.rhs) {
            Some(Rhs::Sum(terms)) => terms.iter().all(|term| plain(&term.body, &mut Vec::new())),
            Some(Rhs::Fold(..) | Rhs::Arg(..) | Rhs::Index(_)) | None => false,
        })
    }

    /// The definitions in order.
    pub(crate) fn defined(&self) -> Vec<TensorId> {
        let mut defined = Vec::new();
        definitions(&self.program.body, &mut defined);
        defined
    }
}

impl Subjects {
    /// What the extracted code is asked.
    pub(crate) fn questions(&self) -> [String; 3] {
        [&self.primal, &self.adjoint, &self.simplified].map(|side| side.question.clone())
    }

    /// The cotangents that the adjoint defines, by primal tensor.
    pub(crate) fn bars(&self) -> HashMap<TensorId, TensorId> {
        let symbols = &self.primal.program.symbols;
        let mut known = self.primal.defined();
        known.extend(self.primal.program.params.iter().filter_map(|param| match param {
            Param::Tensor(tensor) => Some(*tensor),
            Param::Size(_) | Param::Relation(_) => None,
        }));
        let is_added = |t: &TensorId| t.index() >= symbols.tensors.len();
        let added = self.adjoint.defined().into_iter().filter(is_added);
        // a derivative adds what a maximum is found with, too
        let cotangent = |bar: TensorId| {
            let name = &self.adjoint.program.symbols.tensor(bar).name;
            let of = name.strip_suffix("_bar")?;
            Some((*known.iter().find(|t| symbols.tensor(**t).name == of)?, bar))
        };
        added.filter_map(cotangent).collect()
    }
}
