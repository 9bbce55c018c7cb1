//! Compiled expressions: trees over numbered variables and flat buffers, with sizes
//! and strides resolved. Nothing is looked up by name, hashed or allocated when one
//! is evaluated.

mod compile;

pub(crate) use compile::{Compiler, Unsupported};

use crate::data::{Data, UNKNOWN};
use crate::scalar::Scalar;
use iverson_spec::ast::{Cmp, Reduction};
use iverson_spec::function::Fun;
use std::cmp::Ordering;

/// An index expression: `constant + Σ coefficient · variable + Σ coefficient · atom`.
#[derive(Clone, Debug)]
pub(crate) struct Int<S> {
    pub(crate) constant: i64,
    pub(crate) vars: Vec<(usize, i64)>,
    pub(crate) atoms: Vec<(IntAtom<S>, i64)>,
}

/// What an index expression is a linear form in, besides variables.
#[derive(Clone, Debug)]
pub(crate) enum IntAtom<S> {
    /// An entry of an index tensor, with an index and an extent for each axis.
    Read(usize, Vec<(Int<S>, i64)>),
    Div(Box<Int<S>>, i64),
    Mod(Box<Int<S>>, i64),
    /// `floor` of a real whose accesses are at these indices, each below an extent.
    Floor(Vec<(Int<S>, i64)>, Box<Real<S>>),
    If(Box<(Test<S>, Int<S>, Int<S>)>),
    /// `value` where the variables have these values.
    Bind(Vec<(usize, Int<S>)>, Box<Int<S>>),
}

/// A real expression.
#[derive(Clone, Debug)]
pub(crate) enum Real<S> {
    Const(S),
    Index(Int<S>),
    /// An entry of a buffer, by its offset.
    Access(usize, Int<S>),
    /// An argument of a user's function.
    Local(usize),
    Add(Vec<Real<S>>),
    Mul(Vec<Real<S>>),
    Unary(Fun, Box<Real<S>>),
    Binary(Fun, Box<(Real<S>, Real<S>)>),
    /// A user's function: its arguments become the locals from the first one on.
    Call(usize, Vec<Real<S>>, Box<Real<S>>),
    If(Box<(Test<S>, Real<S>, Real<S>)>),
    /// `value` where the variables have these values.
    Bind(Vec<(usize, Int<S>)>, Box<Real<S>>),
    Reduce(Box<Reduce<S>>),
}

/// A reduction inside a user's function.
#[derive(Clone, Debug)]
pub(crate) struct Reduce<S> {
    op: Reduction,
    /// Variables with their ranges.
    binders: Vec<(usize, i64)>,
    guard: Test<S>,
    body: Real<S>,
}

/// A proposition.
#[derive(Clone, Debug)]
pub(crate) enum Test<S> {
    Compare(Cmp, Int<S>, Int<S>),
    Real(Cmp, Box<(Real<S>, Real<S>)>),
    Member(usize, Vec<Int<S>>),
    Not(Box<Test<S>>),
    All(Vec<Test<S>>),
    Any(Vec<Test<S>>),
}

/// A sum of cases `[test] * value`; no test always holds.
#[derive(Clone, Debug)]
pub(crate) struct Cases<S>(Vec<(Option<Test<S>>, Real<S>)>);

/// The values of variables, and the arguments of users' functions being evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Frame<S> {
    pub(crate) vars: Vec<i64>,
    pub(crate) locals: Vec<S>,
}

/// What code reads.
pub(crate) trait Env<S> {
    /// An entry of a real buffer.
    fn real(&self, buffer: usize, at: usize) -> &S;
    /// Index tensors and relations.
    fn data(&self) -> &Data<S>;
}

impl<S> Env<S> for Data<S> {
    #[inline]
    fn real(&self, buffer: usize, at: usize) -> &S {
        &self.reals[buffer][at]
    }

    fn data(&self) -> &Data<S> {
        self
    }
}

impl<S: Scalar> Int<S> {
    /// The constant `n`.
    pub(crate) fn constant(n: i64) -> Self {
        Self { constant: n, vars: Vec::new(), atoms: Vec::new() }
    }

    /// The value; `None` if it reads outside a tensor or what is not computed, or
    /// leaves the 64-bit integers.
    #[inline]
    pub(crate) fn eval<E: Env<S>>(&self, env: &E, frame: &mut Frame<S>) -> Option<i64> {
        let mut sum = self.constant;
        for (var, coefficient) in &self.vars {
            sum = sum.checked_add(frame.vars[*var].checked_mul(*coefficient)?)?;
        }
        for (atom, coefficient) in &self.atoms {
            sum = sum.checked_add(atom.eval(env, frame)?.checked_mul(*coefficient)?)?;
        }
        Some(sum)
    }

    /// The value as an offset into a buffer: of an access that the guards in force protect.
    #[inline]
    pub(crate) fn offset<E: Env<S>>(&self, env: &E, frame: &mut Frame<S>) -> usize {
        let mut sum = self.constant;
        for (var, coefficient) in &self.vars {
            sum += frame.vars[*var] * coefficient;
        }
        for (atom, coefficient) in &self.atoms {
            let Some(value) = atom.eval(env, frame) else {
                unreachable!("nothing is read out of bounds where the guards hold")
            };
            sum += value * coefficient;
        }
        sum as usize
    }
}

impl<S: Scalar> IntAtom<S> {
    fn eval<E: Env<S>>(&self, env: &E, frame: &mut Frame<S>) -> Option<i64> {
        match self {
            Self::Read(tensor, axes) => {
                let mut place = 0;
                for (index, extent) in axes {
                    let at = index.eval(env, frame)?;
                    if !(0..*extent).contains(&at) {
                        return None;
                    }
                    place = place * extent + at;
                }
                let entry = env.data().ints[*tensor][place as usize];
                (entry != UNKNOWN).then_some(entry)
            }
            Self::Div(index, by) => Some(index.eval(env, frame)?.div_euclid(*by)),
            Self::Mod(index, by) => Some(index.eval(env, frame)?.rem_euclid(*by)),
            Self::Floor(indices, real) => {
                for (index, extent) in indices {
                    let at = index.eval(env, frame)?;
                    (0..*extent).contains(&at).then_some(())?;
                }
                real.eval(env, frame).floor()
            }
            Self::If(parts) => {
                let holds = parts.0.eval(env, frame)?;
                if holds { parts.1.eval(env, frame) } else { parts.2.eval(env, frame) }
            }
            Self::Bind(vars, value) => {
                for (var, index) in vars {
                    frame.vars[*var] = index.eval(env, frame)?;
                }
                value.eval(env, frame)
            }
        }
    }
}

impl<S: Scalar> Real<S> {
    /// The value, where the guards that protect it hold.
    pub(crate) fn eval<E: Env<S>>(&self, env: &E, frame: &mut Frame<S>) -> S {
        match self {
            Self::Const(value) => value.clone(),
            Self::Index(index) => index.eval(env, frame).map_or_else(S::undefined, S::integer),
            Self::Access(buffer, offset) => {
                let offset = offset.offset(env, frame);
                env.real(*buffer, offset).clone()
            }
            Self::Local(local) => frame.locals[*local].clone(),
            Self::Add(args) => {
                let first = args[0].eval(env, frame);
                args[1..].iter().fold(first, |sum, arg| sum.plus(&arg.eval(env, frame)))
            }
            Self::Mul(args) => {
                let first = args[0].eval(env, frame);
                args[1..].iter().fold(first, |product, arg| product.times(&arg.eval(env, frame)))
            }
            Self::Unary(fun, arg) => arg.eval(env, frame).unary(*fun),
            Self::Binary(fun, args) => {
                let first = args.0.eval(env, frame);
                first.binary(*fun, &args.1.eval(env, frame))
            }
            Self::Call(first, args, value) => {
                let args: Vec<S> = args.iter().map(|arg| arg.eval(env, frame)).collect();
                for (local, arg) in args.into_iter().enumerate() {
                    frame.locals[first + local] = arg;
                }
                value.eval(env, frame)
            }
            Self::If(parts) => {
                if parts.0.holds(env, frame) {
                    parts.1.eval(env, frame)
                } else {
                    parts.2.eval(env, frame)
                }
            }
            Self::Bind(vars, value) => {
                for (var, index) in vars {
                    frame.vars[*var] = index.offset(env, frame) as i64;
                }
                value.eval(env, frame)
            }
            Self::Reduce(reduce) => reduce.eval(env, frame),
        }
    }
}

impl<S: Scalar> Reduce<S> {
    fn eval<E: Env<S>>(&self, env: &E, frame: &mut Frame<S>) -> S {
        let mut total = None;
        self.points(&self.binders, env, frame, &mut total);
        total.unwrap_or_else(|| match self.op {
            Reduction::Prod => S::integer(1),
            Reduction::Max => S::infinity(true),
            Reduction::Min => S::infinity(false),
            Reduction::Sum | Reduction::Argmax | Reduction::Argmin => S::integer(0),
        })
    }

    fn points<E: Env<S>>(
        &self,
        binders: &[(usize, i64)],
        env: &E,
        frame: &mut Frame<S>,
        total: &mut Option<S>,
    ) {
        if let Some(((var, range), rest)) = binders.split_first() {
            for value in 0..*range {
                frame.vars[*var] = value;
                self.points(rest, env, frame, total);
            }
        } else if self.guard.holds(env, frame) {
            let value = self.body.eval(env, frame);
            *total = Some(match total.take() {
                None => value,
                Some(total) => joined(self.op, &total, &value),
            });
        }
    }
}

/// `total` with one more value of a reduction.
pub(crate) fn joined<S: Scalar>(op: Reduction, total: &S, value: &S) -> S {
    match op {
        Reduction::Sum => total.plus(value),
        Reduction::Prod => total.times(value),
        Reduction::Max | Reduction::Argmax => total.binary(Fun::Max, value),
        Reduction::Min | Reduction::Argmin => total.binary(Fun::Min, value),
    }
}

impl<S: Scalar> Cases<S> {
    /// Whether no case has a test.
    pub(crate) fn always(&self) -> bool {
        self.0.iter().all(|(guard, _)| guard.is_none())
    }

    /// The values of the cases.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Real<S>> {
        self.0.iter().map(|(_, value)| value)
    }

    /// `(Σ [test] value) · factor`; `None` if no case holds.
    #[inline]
    pub(crate) fn times<E: Env<S>>(&self, factor: &S, env: &E, frame: &mut Frame<S>) -> Option<S> {
        let mut sent: Option<S> = None;
        for (guard, value) in &self.0 {
            if guard.as_ref().is_none_or(|g| g.holds(env, frame)) {
                let part = value.eval(env, frame).times(factor);
                sent = Some(match sent {
                    None => part,
                    Some(sum) => sum.plus(&part),
                });
            }
        }
        sent
    }
}

impl<S: Scalar> Test<S> {
    /// Whether it holds. What cannot be evaluated does not.
    #[inline]
    pub(crate) fn holds<E: Env<S>>(&self, env: &E, frame: &mut Frame<S>) -> bool {
        self.eval(env, frame) == Some(true)
    }

    fn eval<E: Env<S>>(&self, env: &E, frame: &mut Frame<S>) -> Option<bool> {
        match self {
            Self::Compare(cmp, a, b) => {
                let order = a.eval(env, frame)?.cmp(&b.eval(env, frame)?);
                Some(agrees(*cmp, Some(order)))
            }
            Self::Real(cmp, sides) => {
                let (a, b) = (sides.0.eval(env, frame), sides.1.eval(env, frame));
                Some(agrees(*cmp, a.order(&b)))
            }
            Self::Member(relation, indices) => {
                let mut tuple = [0; 16];
                for (place, index) in tuple.iter_mut().zip(indices) {
                    *place = index.eval(env, frame)?;
                }
                let members = &env.data().relations[*relation];
                if indices.len() <= tuple.len() {
                    return Some(members.contains(&tuple[..indices.len()]));
                }
                let tuple: Option<Vec<i64>> = indices.iter().map(|i| i.eval(env, frame)).collect();
                Some(members.contains(&tuple?))
            }
            Self::Not(inner) => Some(!inner.eval(env, frame)?),
            Self::All(all) => {
                for conjunct in all {
                    if !conjunct.eval(env, frame)? {
                        return Some(false);
                    }
                }
                Some(true)
            }
            Self::Any(any) => {
                for disjunct in any {
                    if disjunct.eval(env, frame)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
        }
    }
}

/// Whether a comparison holds of numbers in this order; unordered ones are only unequal.
fn agrees(cmp: Cmp, order: Option<Ordering>) -> bool {
    match cmp {
        Cmp::Eq => order == Some(Ordering::Equal),
        Cmp::Ne => order != Some(Ordering::Equal),
        Cmp::Lt => order == Some(Ordering::Less),
        Cmp::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Cmp::Gt => order == Some(Ordering::Greater),
        Cmp::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}
