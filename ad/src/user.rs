//! Derivative clauses: what they say at the arguments of a call, as cases.
//!
//! A clause may hold conditionals and calls of other functions. A body of Tensor
//! SSA may not, so a conditional becomes two cases under opposite guards, and what
//! a call computes is put in its place. A clause with a reduction is refused.

use crate::partials::{Case, always};
use iverson_spec::function::UserFunId;
use iverson_spec::ir::{Block, Def, Expr, Guard, Symbols, TensorId, Value};
use iverson_spec::traverse::{Rewrite, rebuild_expr};
use rustc_hash::FxHashMap;

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
        match block {
            Block::Stmt(Def { tensor, axes, value: Value::Real(e) }) if axes.is_empty() => {
                let cases = self.cases(e)?;
                self.known.insert(*tensor, cases);
                Some(())
            }
            Block::Stmt(_) | Block::Rec(_) | Block::Requires(_) => None,
        }
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
