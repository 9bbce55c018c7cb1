//! What derivatives cost, in exact counts.

use crate::generate::{Flavour, check_all, failure};
use crate::subject::*;
use iverson::interpreter::{Model, Rational, WorkReport, eval_ssa};
use iverson::pipeline::load;
use iverson::random::fill;
use iverson::simplify::simplify;
use iverson::spec::ast::{Cmp, Reduction};
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::function::Fun;
use iverson::spec::ir::{Atom, Expr, Guard, Index, Param, TensorId, VarId};
use iverson::spec::ssa::{Rhs, Stmt};
use iverson::spec::traverse::{FreeVars, Reads, Visit, walk_expr};
use iverson::spec::verify::stmts;
use iverson::spec::{TensorSsa, Typed, normalize, unelaborate};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The most that a gradient may cost over its program, both counted with the program.
const WORK: f64 = 4.0;
/// The most that it may cost besides for each row or point of the boxes of folds that pass over
/// them.
const PASSED: f64 = 10.0;
/// The same in floating-point operations, for sums.
const FLOPS: f64 = 5.0;
/// The same where an exponent is active: both partials of `a^b` are powers, and one has a
/// logarithm too.
const POWER_FLOPS: f64 = 6.0;

/// The largest ratio seen, with what has it.
#[derive(Default)]
struct Worst {
    ratio: f64,
    text: String,
    programs: u32,
}

impl Worst {
    fn see(&mut self, of: u64, to: f64, text: impl Fn() -> String) {
        let ratio = of as f64 / to.max(1.0);
        self.programs += 1;
        if ratio > self.ratio {
            self.ratio = ratio;
            self.text = text();
        }
    }
}

fn report(program: &TensorSsa, inputs: &Values<Rational>) -> Option<WorkReport> {
    eval_ssa(program, inputs, Limits::default()).ok().map(|(_, report)| report)
}

/// What programs are told apart by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Sums of products and smooth functions.
    Sums,
    /// With functions whose partial is by cases.
    Kinks,
    /// With `max`, `min`, `prod`.
    Folds,
    /// With folds for which the bound is relative to their rows: see [`Passes`].
    Rows,
    /// The same, to their box.
    Boxes,
}

const KINDS: [Kind; 5] = [Kind::Sums, Kind::Kinks, Kind::Folds, Kind::Rows, Kind::Boxes];

impl Kind {
    fn of(program: &TensorSsa) -> Self {
        let all = stmts(&program.body);
        let passes = all.iter().map(|stmt| Passes::of(stmt)).max().unwrap_or(Passes::Points);
        if passes == Passes::Box {
            Self::Boxes
        } else if passes == Passes::Rows {
            Self::Rows
        } else if all.iter().any(|stmt| matches!(stmt.rhs, Rhs::Fold(..))) {
            Self::Folds
        } else if has_kinks(program) {
            Self::Kinks
        } else {
            Self::Sums
        }
    }
}

/// What the derivative of a statement passes over beside points of the statement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Passes {
    /// Nothing.
    Points,
    /// The values of all variables but the last one, of all but the last two, ..: a `prod` of
    /// several variables; a `max` of two with `where` on them, or of more.
    Rows,
    /// All values of the variables: a `prod` with a `where` that leaves no segment of its
    /// last one.
    Box,
}

impl Passes {
    fn of(stmt: &Stmt) -> Self {
        let Rhs::Fold(op, term) = &stmt.rhs else { return Self::Points };
        let Some(last) = term.binders.last() else { return Self::Points };
        let restricts = FreeVars::of_guard(&term.guard).iter().any(|v| term.binders.contains(v));
        match (op, term.binders.len()) {
            (Reduction::Prod, _) if !leaves_a_segment(&term.guard, *last) => Self::Box,
            (_, 1) => Self::Points,
            (Reduction::Max | Reduction::Min, 2) if !restricts => Self::Points,
            _ => Self::Rows,
        }
    }
}

/// Whether the values of a variable at which a guard holds are a segment, by its text: it
/// is compared linearly, and not by `!=`.
fn leaves_a_segment(guard: &Guard, v: VarId) -> bool {
    let is_linear = |index: &Index| {
        index.terms().iter().all(|(atom, _)| matches!(atom, Atom::Size(_) | Atom::Var(_)))
    };
    let is_compared = |p: &Guard| matches!(p, Guard::Compare(cmp, a, b) if *cmp != Cmp::Ne && is_linear(a) && is_linear(b));
    let conjuncts = guard.clone().conjuncts();
    conjuncts.iter().all(|p| is_compared(p) || !FreeVars::of_guard(p).contains(&v))
}

/// Whether a function occurs whose partial is by cases.
fn has_kinks(program: &TensorSsa) -> bool {
    applies(program, |f, _| matches!(f, Fun::Abs | Fun::Min | Fun::Max | Fun::User(_)))
        || has_powers(program)
}

/// Whether an exponent is no constant.
fn has_powers(program: &TensorSsa) -> bool {
    applies(program, |f, args| f == Fun::Pow && !matches!(args[1], Expr::Const(_)))
}

/// Whether some term applies a function like this.
fn applies(program: &TensorSsa, wanted: impl Fn(Fun, &[Expr]) -> bool) -> bool {
    struct Applies<F>(F, bool);
    impl<F: Fn(Fun, &[Expr]) -> bool> Visit for Applies<F> {
        fn expr(&mut self, e: &Expr) {
            if let Expr::Apply(f, args) = e {
                self.1 |= (self.0)(*f, args);
            }
            walk_expr(self, e);
        }
    }
    let mut applies = Applies(wanted, false);
    for stmt in stmts(&program.body) {
        if let Rhs::Sum(terms) = &stmt.rhs {
            terms.iter().for_each(|term| applies.expr(&term.body));
        }
    }
    applies.1
}

/// The entries of real results that are inputs or read by definitions. Their cotangents
/// are given at the call and added to what is sent back: a point and an access for each,
/// whatever the program does with them.
fn shared<S>(program: &TensorSsa, results: &Values<S>) -> u64 {
    let mut read = Reads::default();
    for stmt in stmts(&program.body) {
        match &stmt.rhs {
            Rhs::Sum(terms) => terms.iter().for_each(|term| read.expr(&term.body)),
            Rhs::Fold(_, term) => read.expr(&term.body),
            Rhs::Arg(..) | Rhs::Index(_) => {}
        }
    }
    let is_shared =
        |t: &TensorId| program.params.contains(&Param::Tensor(*t)) || read.tensors.contains(t);
    let name = |t: TensorId| program.symbols.tensor(t).name.as_str();
    let shared = program.results.iter().copied().filter(is_shared).map(name);
    let entries = |name: &str| match results.get(name) {
        Some(Value::Real(dense)) => dense.data.len() as u64,
        Some(Value::Size(_) | Value::Index(_) | Value::Relation(_)) | None => 0,
    };
    shared.map(entries).sum()
}

/// The value of an index of sizes.
fn of_sizes<S>(program: &TensorSsa, inputs: &Values<S>, index: &Index) -> i64 {
    let of = |index: &Index| of_sizes(program, inputs, index);
    let atom = |(atom, c): &(Atom, i64)| {
        c * match atom {
            Atom::Size(id) => match inputs.get(&program.symbols.sizes[id.index()]) {
                Some(Value::Size(n)) => i64::try_from(*n).expect("sizes of tests are small"),
                _ => unreachable!("every size is given"),
            },
            Atom::Div(inner, k) => of(inner).div_euclid(*k),
            Atom::Mod(inner, k) => of(inner).rem_euclid(*k),
            Atom::Var(_) | Atom::Read(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => {
                unreachable!("ranges mention sizes alone")
            }
        }
    };
    index.terms().iter().map(atom).sum::<i64>() + index.constant_part()
}

/// What the cost of a gradient is compared with: the work of the program, and what is granted
/// for the rows or boxes of its folds that pass over them.
fn base<S>(program: &TensorSsa, inputs: &Values<S>, primal: &WorkReport) -> f64 {
    let range = |v: &VarId| {
        let value = of_sizes(program, inputs, &program.symbols.var(*v).range);
        u64::try_from(value).unwrap_or(0)
    };
    let passed = |stmt: &Stmt| {
        let Rhs::Fold(_, term) = &stmt.rhs else { return 0 };
        let entries: u64 = stmt.axes.iter().map(range).product();
        let of_first = |k: usize| entries * term.binders[..k].iter().map(range).product::<u64>();
        let count = term.binders.len();
        match Passes::of(stmt) {
            Passes::Points => 0,
            Passes::Rows => (1..count).map(of_first).sum(),
            Passes::Box => entries.max((1..=count).map(of_first).sum()),
        }
    };
    let passed: u64 = stmts(&program.body).into_iter().map(passed).sum();
    primal.work(Model::Sparse) as f64 + PASSED / WORK * passed as f64
}

#[test]
fn gradients_are_cheap() {
    let kinds = KINDS.map(|_| RefCell::new(Worst::default()));
    let [flops, forward] = std::array::from_fn(|_| RefCell::new(Worst::default()));
    check_all(Flavour::Rational, 1000, |case| {
        let subject = Subject::new(case)?;
        let (vjp, jvp) = (subject.vjp()?, subject.jvp()?);
        let Ok(results) = run(&subject.ssa, &case.inputs) else { return Ok(()) };
        let mut directions = Directions::new(case);
        let bars = directions.at(&results, &real_results(&subject.ssa));
        let inputs = with(&case.inputs, &added_params(&vjp, &subject.ssa), &bars);
        let dots = directions.at(&case.inputs, &subject.wrt);
        let moving = with(&case.inputs, &added_params(&jvp, &subject.ssa), &dots);
        let primal = report(&subject.ssa, &case.inputs).ok_or_else(|| failure("no report"))?;
        let (Some(reverse), Some(tangent)) = (report(&vjp, &inputs), report(&jvp, &moving)) else {
            return Ok(());
        };
        let shared = shared(&subject.ssa, &results);
        let work = reverse.work(Model::Sparse).saturating_sub(2 * shared);
        let text = || format!("{}{reverse}", unelaborate::ssa(&vjp));
        let kind = Kind::of(&subject.ssa);
        kinds[kind as usize].borrow_mut().see(
            work,
            base(&subject.ssa, &case.inputs, &primal),
            text,
        );
        let ops = |r: &WorkReport| r.total(Model::Sparse).flops.total();
        if kind == Kind::Sums || kind == Kind::Kinks {
            flops.borrow_mut().see(ops(&reverse).saturating_sub(shared), ops(&primal) as f64, text);
        }
        if !matches!(kind, Kind::Rows | Kind::Boxes) {
            let [of, to] = [&tangent, &primal].map(|r| r.work(Model::Sparse));
            let text = || format!("{}{tangent}", unelaborate::ssa(&jvp));
            forward.borrow_mut().see(of, to as f64, text);
        }
        Ok(())
    });
    let kinds = KINDS.into_iter().zip(kinds);
    let kinds = kinds.map(|(kind, worst)| (format!("{kind:?}"), worst, WORK));
    let others = [("flops".to_owned(), flops, FLOPS), ("forward".to_owned(), forward, WORK)];
    for (what, worst, most) in kinds.chain(others) {
        let Worst { ratio, text, programs } = worst.into_inner();
        println!("{what}: at most {ratio:.3} over {programs} programs");
        assert!(programs > 0 && ratio <= most, "{what}: {ratio} over {most}\n{text}");
    }
}

/// Every example, with all sizes equal, at several sizes.
#[test]
fn gradients_of_examples_are_cheap() {
    let seen = cheap_at_every_size(&functions("examples"), WORK);
    assert!(seen.len() > 100, "{} examples and sizes", seen.len());
}

/// Programs at which the bound is near.
#[test]
fn gradients_of_hard_programs_are_cheap() {
    let all = functions("tests/cases/cost");
    let seen = cheap_at_every_size(&all, WORK);
    let of = |name: &str| match name.split_once('_') {
        Some(("boxes", _)) => Kind::Boxes,
        Some(("rows", _)) => Kind::Rows,
        _ => Kind::Folds,
    };
    for kind in [Kind::Folds, Kind::Rows, Kind::Boxes] {
        let of_kind = seen.iter().filter(|((name, _), _)| of(name) == kind);
        println!("{kind:?}: the largest is {:?}", of_kind.max_by(|a, b| a.1.total_cmp(b.1)));
    }
    for (name, typed) in &all {
        let kind = Kind::of(&normalize(typed));
        let is_flat = !matches!(kind, Kind::Rows | Kind::Boxes) && of(name) == Kind::Folds;
        assert!(is_flat || kind == of(name), "{name} is held to the bound of {kind:?}");
        assert!(seen.keys().any(|(seen, _)| seen == name), "{name} runs at some size");
    }
}

/// A user's function of K arguments costs K + 2, and no smaller whole number will do.
#[test]
fn gradients_of_functions_of_many_arguments_cost_their_number_and_two() {
    for k in 2..=5 {
        let list =
            |of: &dyn Fn(usize) -> String, by: &str| (1..=k).map(of).collect::<Vec<_>>().join(by);
        let arguments = list(&|i| format!("a{i}: real"), ", ");
        let product = list(&|i| format!("a{i}"), " * ");
        let partials = list(&|i| format!("a{i}: sin({product})"), ", ");
        let inputs = list(&|i| format!("a{i}: real[n]"), ", ");
        let entries = list(&|i| format!("a{i}[i]"), ", ");
        let text = format!(
            "fn f({arguments}) -> (y: real) {{ y = {product} }} derivative {{ {partials} }}
             fn many(n: size, {inputs}) -> (y: real[n]) {{ y[i: n] = f({entries}) }}"
        );
        let loaded = load(&text).unwrap_or_else(|_| panic!("is wrong: {text}"));
        let many = loaded.function(Some("many")).unwrap_or_else(|none| panic!("{none}"));
        let seen = cheap_at_every_size(&[("many".to_owned(), many.clone())], k as f64 + 2.0);
        let exact = k as f64 + 2.0 - 1.0 / (k as f64 + 1.0);
        let ratio = seen[&("many".to_owned(), 8)];
        assert!((ratio - exact).abs() < 1e-9, "{ratio} for {k} arguments, not {exact}");
    }
}

/// The cost of the gradient of each program over the program, at all sizes equal to some.
fn cheap_at_every_size(programs: &[(String, Typed)], most: f64) -> BTreeMap<(String, u64), f64> {
    let mut seen = BTreeMap::new();
    for (name, typed) in programs {
        let ssa = normalize(typed);
        let wrt = real_params(&ssa);
        let gradient = reverse(&ssa, &wrt).unwrap_or_else(|error| panic!("{name}: {error}"));
        let simple = simplify(&gradient);
        for n in [0, 1, 2, 3, 5, 8] {
            let sizes = ssa.symbols.sizes.iter().map(|size| (size.clone(), Value::Size(n)));
            let Ok(inputs) = fill(typed, &sizes.collect(), 7, Limits::default()) else { continue };
            let Ok((results, primal)) = eval_ssa::<f64>(&ssa, &inputs, Limits::default()) else {
                continue;
            };
            let ones = |y: &String| {
                let shape = real(&results, y).shape.clone();
                let data = vec![1.0; shape.iter().product()];
                Dense { shape, data }
            };
            let bars: Vec<Dense<f64>> = real_results(&ssa).iter().map(ones).collect();
            let inputs = with(&inputs, &added_params(&gradient, &ssa), &bars);
            let run = |program| {
                eval_ssa(program, &inputs, Limits::default())
                    .unwrap_or_else(|error| panic!("{name} at {n}: {error}"))
            };
            let ((_, reverse), (_, less)) = (run(&gradient), run(&simple));
            let (shared, kind) = (shared(&ssa, &results), Kind::of(&ssa));
            let of = reverse.work(Model::Sparse).saturating_sub(2 * shared);
            let to = base(&ssa, &inputs, &primal);
            let called = format!("{name} at {n}: {of} over {to}\n{reverse}\n{primal}");
            assert!(of as f64 <= most * to, "{called}");
            assert!(less.work(Model::Sparse) <= reverse.work(Model::Sparse), "{called}\n{less}");
            seen.insert((name.clone(), n), of as f64 / to.max(1.0));
            let [of, to] = [&reverse, &primal].map(|r| r.total(Model::Sparse).flops.total());
            // what the partials that a user gives compute is up to the user
            let is_flat = (kind == Kind::Sums || kind == Kind::Kinks) && most <= WORK;
            let of = of.saturating_sub(shared) as f64;
            let most = if has_powers(&ssa) { POWER_FLOPS } else { FLOPS };
            assert!(!is_flat || of <= most * to as f64, "{name} at {n}: {of} flops over {to}");
        }
    }
    seen
}

/// The functions of the files in a folder.
pub(crate) fn functions(folder: &str) -> Vec<(String, Typed)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{error}"))
        .map(|entry| entry.unwrap_or_else(|error| panic!("{error}")).path())
        .filter(|path| path.extension().is_some_and(|e| e == "iv"))
        .collect();
    files.sort();
    let of_file = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{error}"));
        let loaded = load(&text).unwrap_or_else(|_| panic!("{} is wrong", path.display()));
        loaded.checked.functions.into_iter().collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}
