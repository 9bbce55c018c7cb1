//! The loop over one variable: its bounds and stride, with the unknowns inside eliminated.

use super::plan::{Level, Planner, narrow};
use super::space::Sort;
use crate::loops::{For, Int, Order};
use iverson_affine::{Bounds, Budget, Constraint, Linear, System, Var, bounds, project};
use iverson_spec::ir::{Atom, VarId};

impl Planner<'_, '_> {
    /// Adds a loop over a variable.
    pub(super) fn loop_over(&mut self, var: VarId) {
        let Some(own) = self.space.number(&Atom::Var(var)) else {
            unreachable!("every open variable has a range")
        };
        let Some(candidates) = self.candidates(own) else {
            self.never = true;
            return;
        };
        let kept = self.without_implied(candidates);
        let system = System::from_iter(kept.iter().cloned());
        let Some(Bounds { lower, upper, congruences }) = bounds(&system, own) else {
            unreachable!("coefficients are within 64 bits")
        };
        if lower.is_empty() || upper.is_empty() {
            // Only where what holds already is contradictory are all bounds implied by it.
            self.never = true;
            return;
        }
        let mut congruences = congruences.into_iter();
        let first = congruences.next();
        let stride = first.and_then(|(k, form)| self.stride(own, k, &form));
        let id = self.lower.out.add_int(self.lower.symbols.var(var).name.clone());
        let round_up = |(form, d): &(Linear, i128)| {
            self.value(form).offset(narrow(*d) - 1).divided(narrow(*d))
        };
        let past = |(form, d): &(Linear, i128)| self.value(form).divided(narrow(*d)).offset(1);
        let header = For {
            var: id,
            lower: lower.iter().map(round_up).collect(),
            upper: upper.iter().map(past).collect(),
            stride,
            order: self.order(var),
            body: Vec::new(),
        };
        self.plan.levels.push(Level::Loop(header));
        self.bind(var, Int::Var(id));
        for constraint in kept {
            let later = matches!(&constraint, Constraint::Divides(k, form)
                if congruences.as_slice().contains(&(*k, form.clone())));
            if later {
                self.constraints.push((constraint, false));
            } else {
                self.enforced.push(constraint);
            }
        }
    }

    fn order(&self, var: VarId) -> Order {
        if self.is_axis(var) {
            Order::Parallel
        } else if self.lower.descending.contains(&var) {
            Order::Descending
        } else {
            Order::Ascending
        }
    }

    /// The constraints on a variable that are known to hold or not once it has a
    /// value, given that values of the other unknowns exist; `None` if there are none.
    fn candidates(&self, own: Var) -> Option<Vec<Constraint>> {
        let (system, inside) = self.component(own);
        let inside: Vec<Var> = inside.into_iter().filter(|symbol| *symbol != own).collect();
        let direct = |constraint: &&Constraint| {
            constraint.linear().mentions(own)
                && inside.iter().all(|symbol| !constraint.linear().mentions(*symbol))
        };
        let mut found: Vec<Constraint> = system.iter().filter(direct).cloned().collect();
        if inside.is_empty() {
            return Some(found);
        }
        let whole = System::from_iter(system.iter().cloned());
        if let Some(projection) = project(&whole, &inside, Budget::default()) {
            for constraint in projection.system.constraints() {
                if *constraint == Constraint::never() {
                    return None;
                }
                if constraint.linear().mentions(own) && !found.contains(constraint) {
                    found.push(constraint.clone());
                }
            }
        }
        Some(found)
    }

    /// The constraints not settled that are linked to a symbol by unknown ones, and those symbols.
    fn component(&self, own: Var) -> (Vec<Constraint>, Vec<Var>) {
        let facts = self.space.facts.iter().filter(|(of, _)| !self.is_known(*of));
        let mut waiting: Vec<&Constraint> = self
            .constraints
            .iter()
            .filter(|(_, done)| !done)
            .map(|(constraint, _)| constraint)
            .chain(facts.map(|(_, fact)| fact))
            .collect();
        let (mut system, mut symbols) = (Vec::new(), vec![own]);
        loop {
            let linked = |c: &&Constraint| symbols.iter().any(|s| c.linear().mentions(*s));
            let (near, far): (Vec<_>, Vec<_>) = waiting.into_iter().partition(linked);
            if near.is_empty() {
                return (system, symbols);
            }
            for constraint in near {
                for symbol in self.unknown(constraint.linear()) {
                    if !symbols.contains(&symbol) {
                        symbols.push(symbol);
                    }
                }
                system.push(constraint.clone());
            }
            waiting = far;
        }
    }

    /// The constraints without those that the others and what holds imply. Short
    /// ones without data stay where two imply each other.
    fn without_implied(&mut self, mut candidates: Vec<Constraint>) -> Vec<Constraint> {
        let weight = |constraint: &Constraint| {
            let terms = constraint.linear().terms();
            let data = terms.iter().filter(|(s, _)| self.space.symbol(*s).sort == Sort::Data);
            (data.count(), terms.len())
        };
        candidates.sort_by_key(weight);
        if candidates.len() <= 2 {
            return candidates;
        }
        for at in (0..candidates.len()).rev() {
            let goal = candidates.remove(at);
            let mark = self.enforced.clone();
            self.enforced.extend(candidates.iter().cloned());
            let implied = self.holds(&goal);
            self.enforced = mark;
            if !implied {
                candidates.insert(at, goal);
            }
        }
        candidates
    }

    /// `k | a·v + rest` as `v ≡ residue (mod modulus)`; `None` if every `v` will do.
    fn stride(&mut self, own: Var, k: i128, form: &Linear) -> Option<(i64, Int)> {
        let a = form.coefficient(own);
        let rest = form.substitute(own, &Linear::constant(0));
        let rest = rest.unwrap_or_else(|| unreachable!("coefficients are within 64 bits"));
        let common = gcd(a.unsigned_abs(), k.unsigned_abs()) as i128;
        let whole = Constraint::Divides(common, rest.clone());
        if common != 1 && !self.holds(&whole) {
            let cond = self.condition(&whole);
            self.plan.levels.push(Level::If(cond));
            self.enforced.push(whole);
        }
        let modulus = k / common;
        if modulus == 1 {
            return None;
        }
        let inverse = inverse((a / common).rem_euclid(modulus), modulus);
        let quotient = self.value(&rest).divided(narrow(common));
        let residue = quotient.times(narrow(-inverse)).remainder(narrow(modulus));
        Some((narrow(modulus), residue))
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The `x` in `0..modulus` with `a·x ≡ 1`; `a` and the modulus have no common divisor.
fn inverse(a: i128, modulus: i128) -> i128 {
    let (mut r, mut next_r, mut x, mut next_x) = (modulus, a, 0, 1);
    while next_r != 0 {
        let q = r / next_r;
        (r, next_r) = (next_r, r - q * next_r);
        (x, next_x) = (next_x, x - q * next_x);
    }
    x.rem_euclid(modulus)
}
