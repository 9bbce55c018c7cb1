//! Powers with small integer exponents as products.
//!
//! | Power | Product | Error in units of the last place |
//! |---|---|---|
//! | `x^1`, `x^-1` | `x`, `1 / x` | that of the operation, at most 0.5 |
//! | `x^2` | `x * x` | 0.5 |
//! | `x^3`, `x^4` | `x * x * x`, `x * x * x * x` | 2, 3 |
//! | `x^-2`, `x^-3`, `x^-4` | that of `q = 1 / x` | 3, 5, 7 |
//!
//! Signed zeros, infinities and NaN come out as those of the power. `1 / (x * x)` would not do: it is
//! 0 where `x * x` overflows and `x^-2` does not vanish. Two powers stay: `x^0` is 1
//! but NaN at NaN; `x^0.5` is 0 at -0 and infinite at minus infinity, where `sqrt` is -0 and NaN.
//!
//! A base that is more than an entry or a variable is computed once, in a variable ahead of the node. Under a
//! condition within an expression nothing may be computed ahead: there short bases are repeated, and the powers
//! of others stay.

use crate::loops::walk::{Rewrite, rebuild_node, rebuild_real};
use crate::loops::{Int, LoopProgram, Node, Real, RealId};
use iverson_spec::function::Fun;

/// Exponents up to this, in absolute value, become products.
const GREATEST: i64 = 4;

/// Writes the powers of a program as products, where the table has them.
///
/// * **Cost**: linear in the program.
pub(super) fn expand(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    let mut powers = Powers { names: &mut program.reals, ahead: Vec::new(), certain: false };
    program.body = powers.nodes(&body);
}

struct Powers<'p> {
    /// Of the real variables.
    names: &'p mut Vec<String>,
    /// What is done before the current node.
    ahead: Vec<Node>,
    /// Whether the current expression is evaluated whatever holds.
    certain: bool,
}

impl Powers<'_> {
    /// The value of a node.
    fn value(&mut self, e: &Real) -> Real {
        self.certain = true;
        let value = self.real(e);
        self.certain = false;
        value
    }

    /// `base^n`, if it is a product; `n` is not 0.
    fn power(&mut self, base: &Real, n: i64) -> Option<Real> {
        let inverse = |x: Real| Real::Apply(Fun::Div, vec![Real::Const(1.0), x]);
        match n {
            1 => Some(base.clone()),
            -1 => Some(inverse(base.clone())),
            _ => {
                let factor = if n < 0 { inverse(base.clone()) } else { base.clone() };
                let factor = self.repeatable(factor)?;
                Some(Real::Apply(Fun::Mul, vec![factor; n.unsigned_abs() as usize]))
            }
        }
    }

    /// An expression of the same value that costs little when it is written more than once.
    fn repeatable(&mut self, e: Real) -> Option<Real> {
        if is_atom(&e) || !self.certain && is_short(&e) {
            return Some(e);
        }
        self.certain.then(|| {
            let var = RealId(self.names.len() as u32);
            self.names.push("base".to_owned());
            self.ahead.push(Node::Set(var, e));
            Real::Var(var)
        })
    }
}

impl Rewrite for Powers<'_> {
    fn int(&mut self, e: &Int) -> Int {
        e.clone()
    }

    fn real(&mut self, e: &Real) -> Real {
        match e {
            Real::Apply(Fun::Pow, args) => {
                let base = self.real(&args[0]);
                let product = exponent(&args[1]).and_then(|n| self.power(&base, n));
                product.unwrap_or_else(|| {
                    let exponent = self.real(&args[1]);
                    Real::Apply(Fun::Pow, vec![base, exponent])
                })
            }
            Real::Select(_) => {
                let certain = std::mem::replace(&mut self.certain, false);
                let rebuilt = rebuild_real(self, e);
                self.certain = certain;
                rebuilt
            }
            Real::Const(_) | Real::Int(_) | Real::Var(_) | Real::Load(..) | Real::Apply(..) => {
                rebuild_real(self, e)
            }
        }
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        let rebuilt = match node {
            Node::Set(var, e) => Node::Set(*var, self.value(e)),
            Node::Join(var, fold, e) => Node::Join(*var, *fold, self.value(e)),
            Node::Store(place, e) => Node::Store(place.clone(), self.value(e)),
            Node::Accumulate(place, fold, e) => {
                Node::Accumulate(place.clone(), *fold, self.value(e))
            }
            Node::Note(_)
            | Node::For(_)
            | Node::If(..)
            | Node::SetInt(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => rebuild_node(self, node),
        };
        let mut nodes = std::mem::take(&mut self.ahead);
        nodes.push(rebuilt);
        nodes
    }
}

/// The exponent, if a power with it is a product.
fn exponent(e: &Real) -> Option<i64> {
    let n = match e {
        Real::Const(x) if x.fract() == 0.0 && x.abs() <= GREATEST as f64 => *x as i64,
        Real::Int(Int::Const(n)) => *n,
        Real::Apply(Fun::Neg, args) => exponent(&args[0])?.checked_neg()?,
        Real::Const(_) | Real::Int(_) | Real::Var(_) | Real::Load(..) | Real::Apply(..) => {
            return None;
        }
        Real::Select(_) => return None,
    };
    (n != 0 && (-GREATEST..=GREATEST).contains(&n)).then_some(n)
}

/// A number, a variable, or an entry whose place takes no look-up.
fn is_atom(e: &Real) -> bool {
    match e {
        Real::Const(_) | Real::Var(_) => true,
        Real::Int(e) => e.is_polynomial(),
        Real::Load(_, indices) => indices.iter().all(Int::is_polynomial),
        Real::Apply(..) | Real::Select(_) => false,
    }
}

/// A sum of at most two atoms.
fn is_short(e: &Real) -> bool {
    match e {
        Real::Apply(Fun::Neg, args) => is_atom(&args[0]),
        Real::Apply(Fun::Add, args) => args.len() <= 2 && args.iter().all(is_term),
        Real::Const(_) | Real::Int(_) | Real::Var(_) | Real::Load(..) => is_atom(e),
        Real::Apply(..) | Real::Select(_) => false,
    }
}

/// An atom or its negative.
fn is_term(e: &Real) -> bool {
    is_atom(e) || matches!(e, Real::Apply(Fun::Neg, args) if is_atom(&args[0]))
}
