//! A program as a linear map of tangents, statement by statement, for those who run
//! it backwards themselves. The partials are those that [`crate::vjp`] uses.

use crate::AdError;
use crate::partials::Case;
use crate::program::{Dependence, companion, inputs, name_added, real_results};
use crate::user::Derived;
use crate::uses::{Use, term_uses};
use iverson_spec::ir::{Expr, Param, TensorId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::verify::stmts;
use rustc_hash::{FxHashMap, FxHashSet};

/// `J` of a program at a point of its evaluation, as coefficients of accesses.
#[derive(Clone, Debug)]
pub struct Linearized {
    /// The inputs, what depends on them, and of that only what some result depends on.
    pub live: FxHashSet<TensorId>,
    /// For each live definition, the uses of live tensors by each of its terms. In a
    /// `prod`, `max` or `min` they are those of the term that is folded.
    pub uses: FxHashMap<TensorId, Vec<Vec<Use>>>,
    /// The real results, each with the name that `vjp` gives its cotangent.
    pub cotangents: Vec<(TensorId, String)>,
    /// The inputs, each with the name that `vjp` gives its result.
    pub gradients: Vec<(TensorId, String)>,
}

/// The partials of every live statement of `program` in the tensors that it accesses.
///
/// # Errors
/// As [`crate::vjp`].
pub fn linearize(program: &TensorSsa, wrt: &[&str]) -> Result<Linearized, AdError> {
    let wrt = inputs(program, wrt)?;
    let dependence = Dependence::new(program);
    let mut live = dependence.dependents(&wrt);
    let useful = dependence.sources(&program.results);
    live.retain(|tensor| useful.contains(tensor));
    live.extend(&wrt);
    let mut uses = FxHashMap::default();
    for stmt in stmts(&program.body) {
        if live.contains(&stmt.tensor) {
            let name = &program.symbols.tensor(stmt.tensor).name;
            let found = of_terms(program, stmt, &live).map_err(|error| error.within(name))?;
            uses.insert(stmt.tensor, found);
        }
    }
    let mut named = program.clone();
    let mut add = |tensor: &TensorId, suffix| companion(&mut named.symbols, *tensor, suffix);
    let results = real_results(program);
    let seeds: Vec<TensorId> = results.iter().map(|y| add(y, "_ct")).collect();
    let bars: Vec<TensorId> = wrt.iter().map(|x| add(x, "_bar")).collect();
    named.params.extend(seeds.iter().map(|seed| Param::Tensor(*seed)));
    named.results.extend(&bars);
    name_added(&mut named, program);
    let name = |tensor: TensorId| named.symbols.tensor(tensor).name.clone();
    let pairs = |of: Vec<TensorId>, companions: Vec<TensorId>| {
        of.into_iter().zip(companions.into_iter().map(name)).collect()
    };
    Ok(Linearized { live, uses, cotangents: pairs(results, seeds), gradients: pairs(wrt, bars) })
}

fn of_terms(
    program: &TensorSsa,
    stmt: &Stmt,
    live: &FxHashSet<TensorId>,
) -> Result<Vec<Vec<Use>>, AdError> {
    let terms: &[Term] = match &stmt.rhs {
        Rhs::Sum(terms) => terms,
        Rhs::Fold(_, term) => std::slice::from_ref(term),
        Rhs::Arg(..) | Rhs::Index(_) => &[],
    };
    // a tape evaluates the cases of a partial at a point that it visits once
    let derived = Derived::default();
    let of_term = |term: &Term| {
        let mut found = Vec::new();
        let rules = (&program.symbols, &derived);
        term_uses(rules, term, &Expr::integer(1), live, &mut found)?;
        Ok(found)
    };
    terms.iter().map(of_term).collect()
}

impl Use {
    /// The tensor accessed.
    #[must_use]
    pub fn tensor(&self) -> TensorId {
        self.tensor
    }

    /// The access as an expression.
    #[must_use]
    pub fn access(&self) -> Expr {
        Expr::Access(self.tensor, self.indices.clone())
    }

    /// `∂body/∂access`, the sum of these cases `[p] * e`.
    #[must_use]
    pub fn partial(&self) -> &[Case] {
        &self.partial
    }
}
