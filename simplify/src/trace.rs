//! Which law fired where.

use crate::context::Place;
use iverson_spec::ir::{Expr, Index, Symbols, TensorId, Value};
use iverson_spec::print;
use iverson_spec::ssa::{Rhs, Stmt, Term};
use iverson_spec::unelaborate::Names;
use std::fmt;

/// One application of a law.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Firing {
    /// The name of the rule.
    pub rule: &'static str,
    /// The entry whose statement it changed, `t[i]`.
    pub entry: String,
    /// What stood there.
    pub before: String,
    /// What stands there now.
    pub after: String,
}

impl fmt::Display for Firing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, entry, before, after } = self;
        writeln!(f, "{rule} in `{entry}`")?;
        writeln!(f, "      {before}")?;
        writeln!(f, "   => {after}")
    }
}

/// The firings of a run, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trace {
    /// The firings; empty if none was asked for.
    pub firings: Vec<Firing>,
    kept: bool,
}

impl Trace {
    /// A trace that keeps what it is told.
    pub(crate) fn kept() -> Self {
        Self { firings: Vec::new(), kept: true }
    }

    /// Notes a change of terms.
    pub(crate) fn terms(
        &mut self,
        symbols: &Symbols,
        rule: &'static str,
        place: Place<'_>,
        before: &[Term],
        after: &[Term],
    ) {
        if self.kept {
            let names = Names::within(symbols, place.axes);
            let (before, after) = (text(&names, before), text(&names, after));
            self.push(&names, rule, place, before, after);
        }
    }

    /// Notes a change that is best said in words.
    pub(crate) fn words(
        &mut self,
        symbols: &Symbols,
        rule: &'static str,
        place: Place<'_>,
        words: impl FnOnce() -> (String, String),
    ) {
        if self.kept {
            let (before, after) = words();
            self.push(&Names::within(symbols, place.axes), rule, place, before, after);
        }
    }

    fn push(
        &mut self,
        names: &Names<'_>,
        rule: &'static str,
        place: Place<'_>,
        before: String,
        after: String,
    ) {
        let axes = place.axes.iter().map(|v| Index::var(*v)).collect();
        let entry = print::expr(&names.expr(&Expr::Access(place.tensor, axes)));
        self.firings.push(Firing { rule, entry, before, after });
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.firings.iter().try_for_each(|firing| write!(f, "{firing}"))
    }
}

/// The sum of the terms, as text.
fn text(names: &Names<'_>, terms: &[Term]) -> String {
    let sum = Stmt { tensor: TensorId(0), axes: Vec::new(), rhs: Rhs::Sum(terms.to_vec()) };
    match sum.to_def().value {
        Value::Real(e) => print::expr(&names.expr(&e)),
        Value::Index(i) => print::expr(&names.index(&i)),
    }
}
