//! Derivative clauses: what they say at the arguments of a call, as cases.
//!
//! A clause may hold conditionals and calls of other functions. A body of Tensor
//! SSA may not, so a conditional becomes two cases under opposite guards, and what
//! a call computes is put in its place. A clause with a reduction is refused.
//!
//! Each case is a term of its own, which visits its points again. So a clause of many
//! cases becomes a function of the program instead ([`derive`]), with a derivative clause
//! that is found by the rules; then its partial is one term.

use crate::AdError;
use crate::partials::{Case, always, mul, partials};
use iverson_spec::function::{Fun, UserFunId};
use iverson_spec::ir::{
    Block, Def, Element, Expr, Guard, Symbols, Tensor, TensorId, UserFun, Value,
};
use iverson_spec::ssa::{Rhs, TensorSsa};
use iverson_spec::traverse::{Rewrite, Visit, rebuild_expr, walk_expr};
use iverson_spec::verify::stmts;
use rustc_hash::{FxHashMap, FxHashSet};

/// The functions that stand for partials of functions, by function and place.
pub(crate) type Derived = FxHashMap<(UserFunId, usize), UserFunId>;

/// Cases in both arguments of a function together that cost no more than a term for each
/// argument: `abs` has two, `max` one in each argument.
const CASES: usize = 2;

/// Adds a function for each partial of many cases of the functions that active statements
/// apply. One that has no derivative itself stays as its cases.
pub(crate) fn derive(
    symbols: &mut Symbols,
    program: &TensorSsa,
    active: &FxHashSet<TensorId>,
) -> Derived {
    let mut applied = Applied(Vec::new());
    for stmt in stmts(&program.body).into_iter().filter(|stmt| active.contains(&stmt.tensor)) {
        match &stmt.rhs {
            Rhs::Sum(terms) => terms.iter().for_each(|term| applied.expr(&term.body)),
            Rhs::Fold(_, term) => applied.expr(&term.body),
            Rhs::Arg(..) | Rhs::Index(_) => {}
        }
    }
    let mut derived = Derived::default();
    for id in applied.0 {
        let params = symbols.function(id).params.clone();
        let args: Vec<Expr> = params.iter().map(|p| Expr::Access(*p, Vec::new())).collect();
        for place in 0..args.len() {
            let cases = partial(symbols, id, &args, place).map_or(0, |cases| cases.len());
            if cases > 1 && cases * args.len() > CASES {
                let added = add_partial(symbols, id, place);
                derived.extend(added.map(|added| ((id, place), added)));
            }
        }
    }
    derived
}

/// The users' functions that are applied, each once.
struct Applied(Vec<UserFunId>);

impl Visit for Applied {
    fn expr(&mut self, e: &Expr) {
        if let Expr::Apply(Fun::User(id), _) = e
            && !self.0.contains(id)
        {
            self.0.push(*id);
        }
        walk_expr(self, e);
    }
}

/// Adds `∂f/∂x` as a function; `None` if it has no derivative of its own.
fn add_partial(symbols: &mut Symbols, id: UserFunId, place: usize) -> Option<UserFunId> {
    let function = symbols.function(id).clone();
    let row = |param: &TensorId| symbols.tensor(*param).name.clone();
    let names: Vec<String> = function.params.iter().map(row).collect();
    let name = format!("d_{}_d_{}", function.name, names[place]);
    let real = |name| Tensor { name, element: Element::Real, shape: Vec::new() };
    let params: Vec<TensorId> =
        names.into_iter().map(|name| symbols.add_tensor(real(name))).collect();
    let entries = params.iter().map(|p| Expr::Access(*p, Vec::new()));
    let mut inline = Inline { known: function.params.iter().copied().zip(entries).collect() };
    let value = inline.expr(function.partials.get(place)?)?;
    let partials = params.iter().map(|x| derivative(symbols, &value, *x));
    let partials = partials.collect::<Result<Vec<Expr>, AdError>>().ok()?;
    symbols.functions.push(UserFun { name, params, result: function.result, value, partials });
    Some(UserFunId(symbols.functions.len() as u32 - 1))
}

/// `∂e/∂x` for a scalar expression without definitions.
fn derivative(symbols: &Symbols, e: &Expr, x: TensorId) -> Result<Expr, AdError> {
    match e {
        Expr::Const(_) | Expr::Pi | Expr::Real(_) => Ok(Expr::integer(0)),
        Expr::Access(tensor, _) => Ok(Expr::integer(i64::from(*tensor == x))),
        Expr::Apply(f, args) => {
            let mut summands = Vec::new();
            for (place, arg) in args.iter().enumerate() {
                let inner = derivative(symbols, arg, x)?;
                if inner == Expr::integer(0) {
                    continue;
                }
                for case in partials(symbols, &Derived::default(), *f, args, place)? {
                    summands.push(mul(case.value, inner.clone()).guarded(case.guard));
                }
            }
            Ok(match summands.len() {
                0 => Expr::integer(0),
                1 => summands.remove(0),
                _ => Expr::Apply(Fun::Add, summands),
            })
        }
        Expr::Guarded(guard, body) => {
            let body = derivative(symbols, body, x)?;
            Ok(if body == Expr::integer(0) { body } else { body.guarded(guard.clone()) })
        }
        Expr::If(guard, sides) => {
            let sides = (derivative(symbols, &sides.0, x)?, derivative(symbols, &sides.1, x)?);
            let is_zero = sides.0 == sides.1 && sides.0 == Expr::integer(0);
            let choice = || Expr::If(guard.clone(), Box::new(sides));
            Ok(if is_zero { Expr::integer(0) } else { choice() })
        }
        Expr::Reduce(_) | Expr::Let(..) => {
            unreachable!(
                "ad: definitions are put in place, and a clause with reductions is refused"
            )
        }
    }
}

/// Puts values in the place of what stands for them; `None` for what is no formula.
struct Inline {
    known: FxHashMap<TensorId, Expr>,
}

impl Rewrite for Inline {
    fn expr(&mut self, e: &Expr) -> Option<Expr> {
        match e {
            Expr::Access(tensor, _) => self.known.get(tensor).cloned(),
            Expr::Let(blocks, body) => {
                for block in blocks {
                    let (tensor, value) = scalar(block)?;
                    let value = self.expr(value)?;
                    self.known.insert(tensor, value);
                }
                self.expr(body)
            }
            Expr::Reduce(_) => None,
            Expr::Const(_)
            | Expr::Pi
            | Expr::Real(_)
            | Expr::Apply(..)
            | Expr::Guarded(..)
            | Expr::If(..) => rebuild_expr(self, e),
        }
    }
}

/// The definition of a real scalar.
fn scalar(block: &Block<Def>) -> Option<(TensorId, &Expr)> {
    match block {
        Block::Stmt(Def { tensor, axes, value: Value::Real(e) }) if axes.is_empty() => {
            Some((*tensor, e))
        }
        Block::Stmt(_) | Block::Rec(_) | Block::Requires(_) => None,
    }
}

/// `∂f/∂x` at `args`, where `x` is the parameter at `place`.
pub(crate) fn partial(
    symbols: &Symbols,
    id: UserFunId,
    args: &[Expr],
    place: usize,
) -> Option<Vec<Case>> {
    let function = symbols.function(id);
    let values = args.iter().map(|arg| always(arg.clone()));
    let mut clause = Clause { known: function.params.iter().copied().zip(values).collect() };
    let mut cases = clause.cases(function.partials.get(place)?)?;
    cases.retain(|case| case.value != Expr::integer(0));
    Some(cases)
}

/// A clause being read.
struct Clause {
    /// The values of the parameters and of what was defined so far.
    known: FxHashMap<TensorId, Vec<Case>>,
}

impl Clause {
    /// The values of `e` with the guards under which it has them; one of them holds.
    fn cases(&mut self, e: &Expr) -> Option<Vec<Case>> {
        match e {
            Expr::Const(_) | Expr::Pi | Expr::Real(_) => self.expr(e).map(always),
            Expr::Access(tensor, _) => self.known.get(tensor).cloned(),
            Expr::Apply(f, args) => {
                let mut rows = vec![(Guard::truth(), Vec::new())];
                for arg in args {
                    let cases = self.cases(arg)?;
                    rows = rows.iter().flat_map(|row| extended(row, &cases)).collect();
                }
                let case = |(guard, args)| Case { guard, value: Expr::Apply(*f, args) };
                Some(rows.into_iter().map(case).collect())
            }
            Expr::Guarded(guard, body) => self.choice(guard, body, &Expr::integer(0)),
            Expr::If(guard, sides) => self.choice(guard, &sides.0, &sides.1),
            Expr::Let(blocks, body) => {
                blocks.iter().try_for_each(|block| self.define(block))?;
                self.cases(body)
            }
            Expr::Reduce(_) => None,
        }
    }

    fn choice(&mut self, guard: &Guard, yes: &Expr, no: &Expr) -> Option<Vec<Case>> {
        let guard = self.guard(guard)?;
        let under = |guard: Guard, cases: Vec<Case>| {
            cases.into_iter().map(move |c| Case { guard: guard.clone().and(c.guard), ..c })
        };
        let yes = under(guard.clone(), self.cases(yes)?);
        let no = under(guard.negate(), self.cases(no)?);
        Some(yes.chain(no).collect())
    }

    fn define(&mut self, block: &Block<Def>) -> Option<()> {
        let (tensor, value) = scalar(block)?;
        let cases = self.cases(value)?;
        self.known.insert(tensor, cases);
        Some(())
    }
}

/// The arguments so far with one more, in each of its cases.
fn extended(row: &(Guard, Vec<Expr>), cases: &[Case]) -> Vec<(Guard, Vec<Expr>)> {
    let extend = |case: &Case| {
        let args = row.1.iter().chain([&case.value]).cloned().collect();
        (row.0.clone().and(case.guard.clone()), args)
    };
    cases.iter().map(extend).collect()
}

/// Puts known values in the place of what stands for them, where they have one case.
impl Rewrite for Clause {
    fn expr(&mut self, e: &Expr) -> Option<Expr> {
        match e {
            Expr::Access(tensor, _) => match self.known.get(tensor)?.as_slice() {
                [Case { guard, value }] if guard.is_truth() => Some(value.clone()),
                _ => None,
            },
            Expr::Const(_) | Expr::Pi | Expr::Real(_) | Expr::Apply(..) => rebuild_expr(self, e),
            Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => None,
        }
    }
}
