//! What a point of a term costs in each direction.

use iverson_ad::Use;
use iverson_spec::ir::{Expr, Index, TensorId};
use iverson_spec::ssa::{Stmt, Term};
use iverson_spec::work::{Count, Flops, PointCost, Tried};

/// What a point of a term costs in each direction.
#[derive(Clone, Debug)]
pub(crate) struct Price {
    /// Of its value.
    pub(crate) primal: PointCost,
    reverse: PointCost,
    updates: u64,
    products: u64,
}

impl Price {
    /// Of a term that sends something back at each of these uses.
    ///
    /// In the reverse direction the cotangent of the entry is loaded, each case of
    /// each partial is evaluated (its guard counts as part of it, whether it holds or
    /// not) and multiplied, and each use is updated.
    pub(crate) fn new(primal: PointCost, stmt: &Stmt, term: &Term, uses: &[Use]) -> Self {
        if uses.is_empty() {
            return Self::without_uses(primal);
        }
        let cases = uses.iter().flat_map(Use::partial);
        let mut read: Vec<Expr> =
            cases.map(|case| case.value.clone().guarded(case.guard.clone())).collect();
        let products = read.len() as u64;
        // an access like no other: the cotangent of the entry
        let axes = stmt.axes.iter().map(|v| Index::var(*v)).collect();
        read.push(Expr::Access(TensorId(u32::MAX), axes));
        let reverse = PointCost::of(&term.guard, &read);
        Self { primal, reverse, updates: uses.len() as u64, products }
    }

    /// Of what sends nothing back.
    pub(crate) fn without_uses(primal: PointCost) -> Self {
        Self { primal, reverse: PointCost::default(), updates: 0, products: 0 }
    }

    /// What the reverse direction costs, given how often its points were tried.
    pub(crate) fn reverse(&self, tried: Tried) -> Count {
        self.reverse.count(tried) + self.update(tried.held)
    }

    /// What it costs where everything is done at each of so many points.
    pub(crate) fn reverse_everywhere(&self, points: u64) -> Count {
        self.reverse.everywhere(points) + self.update(points)
    }

    fn update(&self, held: u64) -> Count {
        let updates = self.updates * held;
        let flops = Flops { add: updates, mul: self.products * held, ..Flops::default() };
        Count { accesses: updates, bytes: 16 * updates, flops, ..Count::default() }
    }
}
