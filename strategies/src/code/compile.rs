//! From expressions of the program to code.

use super::{Cases, Int, IntAtom, Real, Reduce, Test};
use crate::data::shape;
use crate::scalar::Scalar;
use iverson_ad::Case;
use iverson_spec::call::{Bound, extent_value};
use iverson_spec::function::{Fun, UserFunId};
use iverson_spec::ir::{Atom, Block, Def, Expr, Guard, Index, Symbols, TensorId, Value, VarId};
use iverson_spec::traverse::{Visit, walk_expr};
use rustc_hash::FxHashMap;

/// A user's function holds what no strategy runs: a recurrence or an `argmax`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Unsupported {
    pub(crate) function: String,
    pub(crate) what: &'static str,
}

type Compiled<T> = Result<T, Unsupported>;

/// What names stand for while expressions are compiled.
pub(crate) struct Compiler<'p, S> {
    symbols: &'p Symbols,
    bound: &'p Bound,
    /// Accesses that do not read the tensor's own buffer: the buffer and the offset.
    pub(crate) operands: FxHashMap<Expr, (usize, Int<S>)>,
    /// The parameters of users' functions by local, and the definitions of their lets.
    params: FxHashMap<TensorId, usize>,
    lets: FxHashMap<TensorId, Def>,
    /// How many locals there are.
    pub(crate) locals: usize,
    function: Option<UserFunId>,
}

impl<'p, S: Scalar> Compiler<'p, S> {
    pub(crate) fn new(symbols: &'p Symbols, bound: &'p Bound) -> Self {
        Self {
            symbols,
            bound,
            operands: FxHashMap::default(),
            params: FxHashMap::default(),
            lets: FxHashMap::default(),
            locals: 0,
            function: None,
        }
    }

    /// The number of values of a variable.
    pub(crate) fn range(&self, var: VarId) -> i64 {
        extent_value(&self.symbols.var(var).range, &self.bound.sizes).unwrap_or_default().max(0)
    }

    /// The extents of a tensor's axes.
    pub(crate) fn shape(&self, tensor: TensorId) -> &'p [usize] {
        shape(self.bound, tensor)
    }

    /// The value of a size.
    pub(crate) fn size(&self, size: iverson_spec::ir::SizeId) -> i64 {
        self.bound.sizes[size.index()]
    }

    /// An index expression.
    pub(crate) fn int(&mut self, index: &Index) -> Compiled<Int<S>> {
        let mut sum = Int::constant(index.constant_part());
        for (atom, coefficient) in index.terms() {
            match atom {
                Atom::Size(size) => sum.constant += coefficient * self.size(*size),
                Atom::Var(var) => sum.vars.push((var.index(), *coefficient)),
                Atom::Read(..)
                | Atom::Div(..)
                | Atom::Mod(..)
                | Atom::Floor(_)
                | Atom::If(_)
                | Atom::Arg(_) => sum.atoms.push((self.atom(atom)?, *coefficient)),
            }
        }
        Ok(sum)
    }

    fn atom(&mut self, atom: &Atom) -> Compiled<IntAtom<S>> {
        Ok(match atom {
            Atom::Read(tensor, indices) => match self.lets.get(tensor).cloned() {
                Some(Def { axes, value: Value::Index(value), .. }) => {
                    IntAtom::Bind(self.bindings(&axes, indices)?, Box::new(self.int(&value)?))
                }
                Some(_) | None => IntAtom::Read(tensor.index(), self.checked(*tensor, indices)?),
            },
            Atom::Div(e, by) => IntAtom::Div(Box::new(self.int(e)?), *by),
            Atom::Mod(e, by) => IntAtom::Mod(Box::new(self.int(e)?), *by),
            Atom::Floor(e) => {
                let mut accesses = Accesses::default();
                accesses.expr(e);
                let mut indices = Vec::new();
                for (tensor, at) in accesses.0 {
                    if !self.params.contains_key(&tensor) && !self.lets.contains_key(&tensor) {
                        indices.extend(self.checked(tensor, &at)?);
                    }
                }
                IntAtom::Floor(indices, Box::new(self.real(e)?))
            }
            Atom::If(parts) => IntAtom::If(Box::new((
                self.test(&parts.0)?,
                self.int(&parts.1)?,
                self.int(&parts.2)?,
            ))),
            Atom::Arg(_) => return Err(self.unsupported("an `argmax` or `argmin`")),
            Atom::Size(_) | Atom::Var(_) => {
                unreachable!("sizes and variables are no atoms of code")
            }
        })
    }

    /// The indices of an access, each with the extent that it is below.
    fn checked(&mut self, tensor: TensorId, indices: &[Index]) -> Compiled<Vec<(Int<S>, i64)>> {
        let extents = self.shape(tensor);
        let axes = indices.iter().zip(extents);
        axes.map(|(index, extent)| Ok((self.int(index)?, *extent as i64))).collect()
    }

    fn bindings(&mut self, axes: &[VarId], indices: &[Index]) -> Compiled<Vec<(usize, Int<S>)>> {
        axes.iter().zip(indices).map(|(v, index)| Ok((v.index(), self.int(index)?))).collect()
    }

    /// The offset of an entry in a row-major buffer.
    pub(crate) fn offset(&mut self, extents: &[usize], indices: &[Index]) -> Compiled<Int<S>> {
        let mut sum = Int::constant(0);
        for (index, extent) in indices.iter().zip(extents) {
            let index = self.int(index)?;
            let extent = *extent as i64;
            sum.constant = sum.constant * extent + index.constant;
            sum.vars.iter_mut().for_each(|(_, c)| *c *= extent);
            sum.atoms.iter_mut().for_each(|(_, c)| *c *= extent);
            for (var, coefficient) in index.vars {
                match sum.vars.iter_mut().find(|(v, _)| *v == var) {
                    Some((_, sum)) => *sum += coefficient,
                    None => sum.vars.push((var, coefficient)),
                }
            }
            sum.atoms.extend(index.atoms);
        }
        Ok(sum)
    }

    /// The offset of the entry at these variables.
    pub(crate) fn entry(&mut self, tensor: TensorId, axes: &[VarId]) -> Compiled<Int<S>> {
        let indices: Vec<Index> = axes.iter().map(|v| Index::var(*v)).collect();
        let extents = self.shape(tensor);
        self.offset(extents, &indices)
    }

    /// A real expression.
    pub(crate) fn real(&mut self, e: &Expr) -> Compiled<Real<S>> {
        Ok(match e {
            Expr::Const(number) => Real::Const(S::constant(number)),
            Expr::Pi => Real::Const(S::pi()),
            Expr::Real(index) => Real::Index(self.int(index)?),
            Expr::Access(tensor, indices) => self.access(e, *tensor, indices)?,
            Expr::Apply(Fun::User(id), args) => self.call(*id, args)?,
            Expr::Apply(fun, args) => {
                let mut args = args.iter().map(|a| self.real(a)).collect::<Compiled<Vec<_>>>()?;
                match (fun, args.len()) {
                    (Fun::Add, _) => Real::Add(args),
                    (Fun::Mul, _) => Real::Mul(args),
                    (_, 1) => Real::Unary(*fun, Box::new(args.remove(0))),
                    _ => Real::Binary(*fun, Box::new((args.remove(0), args.remove(0)))),
                }
            }
            Expr::Guarded(guard, body) => Real::If(Box::new((
                self.test(guard)?,
                self.real(body)?,
                Real::Const(S::integer(0)),
            ))),
            Expr::If(guard, sides) => {
                Real::If(Box::new((self.test(guard)?, self.real(&sides.0)?, self.real(&sides.1)?)))
            }
            Expr::Reduce(reduce) => {
                let range = |v: &VarId| (v.index(), self.range(*v));
                let binders = reduce.binders.iter().map(range).collect();
                let (guard, body) = (self.test(&reduce.guard)?, self.real(&reduce.body)?);
                Real::Reduce(Box::new(Reduce { op: reduce.op, binders, guard, body }))
            }
            Expr::Let(blocks, body) => {
                for block in blocks {
                    match block {
                        Block::Stmt(def) => {
                            self.lets.insert(def.tensor, def.clone());
                        }
                        Block::Rec(_) => return Err(self.unsupported("a recurrence")),
                        Block::Requires(_) => return Err(self.unsupported("a `requires`")),
                    }
                }
                self.real(body)?
            }
        })
    }

    fn access(&mut self, e: &Expr, tensor: TensorId, indices: &[Index]) -> Compiled<Real<S>> {
        if let Some((buffer, offset)) = self.operands.get(e) {
            return Ok(Real::Access(*buffer, offset.clone()));
        }
        if let Some(local) = self.params.get(&tensor) {
            return Ok(Real::Local(*local));
        }
        if let Some(Def { axes, value: Value::Real(value), .. }) = self.lets.get(&tensor).cloned() {
            let bindings = self.bindings(&axes, indices)?;
            return Ok(Real::Bind(bindings, Box::new(self.real(&value)?)));
        }
        let extents = self.shape(tensor);
        Ok(Real::Access(tensor.index(), self.offset(extents, indices)?))
    }

    /// A user's function at its arguments; each call has locals of its own.
    fn call(&mut self, id: UserFunId, args: &[Expr]) -> Compiled<Real<S>> {
        let args = args.iter().map(|a| self.real(a)).collect::<Compiled<Vec<_>>>()?;
        let function = self.symbols.function(id);
        let first = self.locals;
        self.locals += args.len();
        let before = self.params.clone();
        self.params.extend(function.params.iter().enumerate().map(|(k, p)| (*p, first + k)));
        let around = self.function.replace(id);
        let value = self.real(&function.value)?;
        self.function = around;
        self.params = before;
        Ok(Real::Call(first, args, Box::new(value)))
    }

    /// A proposition.
    pub(crate) fn test(&mut self, guard: &Guard) -> Compiled<Test<S>> {
        Ok(match guard {
            Guard::All(parts) => Test::All(self.tests(parts)?),
            Guard::Any(parts) => Test::Any(self.tests(parts)?),
            Guard::Compare(cmp, a, b) => Test::Compare(*cmp, self.int(a)?, self.int(b)?),
            Guard::Real(cmp, sides) => {
                Test::Real(*cmp, Box::new((self.real(&sides.0)?, self.real(&sides.1)?)))
            }
            Guard::Member(relation, indices) => {
                let indices = indices.iter().map(|i| self.int(i)).collect::<Compiled<_>>()?;
                Test::Member(relation.index(), indices)
            }
            Guard::Not(inner) => Test::Not(Box::new(self.test(inner)?)),
        })
    }

    /// The cases of a partial derivative.
    pub(crate) fn cases(&mut self, partial: &[Case]) -> Compiled<Cases<S>> {
        let mut cases = Vec::new();
        for case in partial {
            let always = case.guard.is_truth();
            let guard = if always { None } else { Some(self.test(&case.guard)?) };
            cases.push((guard, self.real(&case.value)?));
        }
        Ok(Cases(cases))
    }

    /// Propositions, in order.
    pub(crate) fn tests(&mut self, parts: &[Guard]) -> Compiled<Vec<Test<S>>> {
        parts.iter().map(|p| self.test(p)).collect()
    }

    fn unsupported(&self, what: &'static str) -> Unsupported {
        let function = self.function.map(|id| self.symbols.function(id).name.clone());
        Unsupported { function: function.unwrap_or_default(), what }
    }
}

/// The accesses of an expression.
#[derive(Default)]
struct Accesses(Vec<(TensorId, Vec<Index>)>);

impl Visit for Accesses {
    fn expr(&mut self, e: &Expr) {
        if let Expr::Access(tensor, indices) = e {
            self.0.push((*tensor, indices.clone()));
        }
        walk_expr(self, e);
    }
}
