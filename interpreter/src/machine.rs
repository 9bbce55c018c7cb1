//! The machine: one value for each variable, one table of entries for each
//! tensor, and a function for each construct that says what it means.
//!
//! * An entry is `None` until it is computed; reading it then is an error, which
//!   is what makes recurrences well-founded. The maximum of no points has no value
//!   in scalars without infinities: an error only where the entry is needed.
//! * Every binder has a variable of its own, so assigning it needs no scope.

use crate::error::{EvalError, Fault, Place};
use crate::scalar::{Scalar, ScalarError};
use crate::work::Tally;
use iverson_spec::ast::{Cmp, Direction, Reduction};
use iverson_spec::call::{
    Bound, Defines, Dense, Limits, Relation, Value as Argument, Values, bind, definitions, entries,
    extent_value, shape,
};
use iverson_spec::function::{Fun, UserFunId};
use iverson_spec::ir::{
    ArgReduce, Atom, Block, Def, Element, Expr, Guard, Index, Param, Program, Rec, Reduce,
    Requires, Symbols, TensorId, Value, VarId,
};
use iverson_spec::print;
use iverson_spec::ssa::{Rhs, Stmt, Term};
use iverson_spec::unelaborate::Names;
use std::cmp::Ordering;

/// A result of a step.
pub(crate) type Eval<T> = Result<T, EvalError>;

/// An entry of a tensor.
#[derive(Clone)]
pub(crate) enum Entry<S> {
    Real(S),
    Index(i64),
    /// It has no value; the error is that of whoever needs it.
    Void(Box<EvalError>),
}

/// A tensor whose entries may not all be computed.
#[derive(Clone)]
struct Table<S> {
    shape: Vec<usize>,
    entries: Vec<Option<Entry<S>>>,
}

/// The state of an evaluation of a program that lives for `'p`.
pub(crate) struct Machine<'p, S> {
    symbols: &'p Symbols,
    /// Every `requires` of the program, in order.
    clauses: Vec<&'p Requires>,
    pub(crate) bound: Bound,
    vars: Vec<i64>,
    tables: Vec<Table<S>>,
    relations: Vec<Option<&'p Relation>>,
    /// Counts of Tensor SSA; empty in a typed program.
    pub(crate) tally: Tally<'p>,
}

/// A statement: how an entry of its tensor is computed once its axes are set.
pub(crate) trait Statement: Defines {
    fn axes(&self) -> &[VarId];
    fn entry<'p, S: Scalar>(&'p self, machine: &mut Machine<'p, S>) -> Eval<Entry<S>>;
}

impl Statement for Def {
    fn axes(&self) -> &[VarId] {
        &self.axes
    }

    fn entry<'p, S: Scalar>(&'p self, machine: &mut Machine<'p, S>) -> Eval<Entry<S>> {
        match &self.value {
            Value::Real(value) => machine.real(value).map(Entry::Real),
            Value::Index(value) => machine.index(value).map(Entry::Index),
        }
    }
}

impl Statement for Stmt {
    fn axes(&self) -> &[VarId] {
        &self.axes
    }

    fn entry<'p, S: Scalar>(&'p self, machine: &mut Machine<'p, S>) -> Eval<Entry<S>> {
        let point = |term: &'p Term, which: usize| {
            move |m: &mut Machine<'p, S>| m.term_point(self.tensor, which, term)
        };
        match &self.rhs {
            Rhs::Sum(terms) => {
                let mut sum: Option<S> = None;
                for (which, term) in terms.iter().enumerate() {
                    let part =
                        machine.fold(Reduction::Sum, &term.binders, &mut point(term, which))?;
                    sum = Some(sum.map_or(Ok(part.clone()), |s| S::binary(Fun::Add, &s, &part))?);
                }
                Ok(Entry::Real(sum.unwrap_or_else(|| S::integer(0))))
            }
            Rhs::Fold(op, term) => {
                machine.fold(*op, &term.binders, &mut point(term, 0)).map(Entry::Real)
            }
            Rhs::Arg(op, term) => {
                machine.arg(*op, term.binders[0], &mut point(term, 0)).map(Entry::Index)
            }
            Rhs::Index(value) => {
                machine.tally.hit(self.tensor, 0);
                machine.index(value).map(Entry::Index)
            }
        }
    }
}

impl<'p, S: Scalar> Machine<'p, S> {
    /// A machine with the arguments in place.
    pub(crate) fn new<T: Defines>(
        program: &'p Program<T>,
        inputs: &'p Values<S>,
        limits: Limits,
    ) -> Eval<Self> {
        let symbols = &program.symbols;
        let nothing = Table { shape: Vec::new(), entries: Vec::new() };
        let mut machine = Self {
            symbols,
            clauses: Vec::new(),
            bound: bind(program, inputs, limits)?,
            vars: vec![0; symbols.vars.len()],
            tables: vec![nothing; symbols.tensors.len()],
            relations: vec![None; symbols.relations.len()],
            tally: Tally::default(),
        };
        collect_clauses(&program.body, &mut machine.clauses);
        for param in &program.params {
            match *param {
                Param::Size(_) => {}
                Param::Tensor(tensor) => {
                    let table = match &inputs[&symbols.tensor(tensor).name] {
                        Argument::Real(dense) => table(dense, |x| Entry::Real(x.clone())),
                        Argument::Index(dense) => table(dense, |x| Entry::Index(*x)),
                        Argument::Size(_) | Argument::Relation(_) => {
                            unreachable!("`bind` has checked the sorts of arguments")
                        }
                    };
                    machine.tables[tensor.index()] = table;
                }
                Param::Relation(relation) => {
                    let argument = &inputs[&symbols.relation(relation).name];
                    let Argument::Relation(value) = argument else {
                        unreachable!("`bind` has checked the sorts of arguments")
                    };
                    machine.relations[relation.index()] = Some(value);
                }
            }
        }
        Ok(machine)
    }

    /// The results by name.
    pub(crate) fn results(&self, results: &[TensorId]) -> Eval<Values<S>> {
        let result = |id: &TensorId| {
            let (tensor, table) = (self.symbols.tensor(*id), &self.tables[id.index()]);
            let mut reals = Vec::new();
            let mut indices = Vec::new();
            for place in 0..table.entries.len() {
                match self.entry_at(*id, place)? {
                    Entry::Real(x) => reals.push(x.clone()),
                    Entry::Index(i) => indices.push(*i),
                    Entry::Void(_) => unreachable!("`entry_at` gives values"),
                }
            }
            let shape = table.shape.clone();
            let value = match &tensor.element {
                Element::Real => Argument::Real(Dense { shape, data: reals }),
                Element::Index(_) => Argument::Index(Dense { shape, data: indices }),
            };
            Ok((tensor.name.clone(), value))
        };
        results.iter().map(result).collect()
    }

    // Blocks.

    /// Computes blocks whose statements have `depth` leading axes that are already set.
    pub(crate) fn blocks<T: Statement>(
        &mut self,
        blocks: &'p [Block<T>],
        depth: usize,
    ) -> Eval<()> {
        if depth == 0 {
            self.clear(blocks)?;
        }
        for block in blocks {
            match block {
                Block::Stmt(stmt) => self.statement(stmt, depth)?,
                Block::Rec(rec) => self.recurrence(rec, 0, depth)?,
                Block::Requires(requires) => self.requires(requires)?,
            }
        }
        Ok(())
    }

    /// Gives the tensors that the blocks define their shape, and no entries.
    fn clear<T: Statement>(&mut self, blocks: &[Block<T>]) -> Eval<()> {
        let mut defined = Vec::new();
        definitions(blocks, &mut defined);
        for tensor in defined {
            let shape = shape(self.symbols, tensor, &self.bound.sizes)?;
            let size = entries(&shape).ok_or(Fault::IndexOverflow)?;
            self.tables[tensor.index()] = Table { shape, entries: vec![None; size] };
        }
        Ok(())
    }

    /// Computes the entries of a statement over its axes from `depth` on.
    fn statement<T: Statement>(&mut self, stmt: &'p T, depth: usize) -> Eval<()> {
        let tensor = stmt.defines();
        self.points(&stmt.axes()[depth..], &mut |m| {
            let entry = stmt.entry(m).and_then(|entry| m.in_sort(tensor, entry));
            let entry = match entry.map_err(|error| m.locate(error, tensor, stmt.axes())) {
                Err(error) if error.is_void() => Entry::Void(Box::new(error)),
                entry => entry?,
            };
            let shape = &m.tables[tensor.index()].shape;
            let place =
                stmt.axes().iter().zip(shape).fold(0, |place, (axis, extent)| {
                    place * extent + m.vars[axis.index()] as usize
                });
            m.tables[tensor.index()].entries[place] = Some(entry);
            Ok(())
        })
    }

    /// Checks that an index is in the range of its tensor.
    fn in_sort(&self, tensor: TensorId, entry: Entry<S>) -> Eval<Entry<S>> {
        let (Entry::Index(value), Element::Index(bound)) =
            (&entry, &self.symbols.tensor(tensor).element)
        else {
            return Ok(entry);
        };
        let bound = extent_value(bound, &self.bound.sizes).ok_or(Fault::IndexOverflow)?;
        if (0..bound).contains(value) {
            return Ok(entry);
        }
        Err(Fault::IndexOutOfRange { value: *value, bound }.into())
    }

    /// Says at which entry an error happened, if nothing inside it has.
    fn locate(&self, mut error: EvalError, tensor: TensorId, axes: &[VarId]) -> EvalError {
        let position = || axes.iter().map(|axis| self.vars[axis.index()]).collect();
        let tensor = || self.symbols.tensor(tensor).name.clone();
        error.place.get_or_insert_with(|| {
            Box::new(Place::Entry { tensor: tensor(), position: position() })
        });
        error
    }

    /// Runs the variables of a recurrence from `level` on, each in its direction.
    fn recurrence<T: Statement>(
        &mut self,
        rec: &'p Rec<T>,
        level: usize,
        depth: usize,
    ) -> Eval<()> {
        let Some(&(var, direction)) = rec.vars.get(level) else {
            return self.blocks(&rec.body, depth + level);
        };
        let range = self.range(var)?;
        for step in 0..range {
            self.vars[var.index()] = match direction {
                Direction::Ascending => step,
                Direction::Descending => range - 1 - step,
            };
            self.recurrence(rec, level + 1, depth)?;
        }
        Ok(())
    }

    fn requires(&mut self, requires: &'p Requires) -> Eval<()> {
        self.points(&requires.binders, &mut |m| match m.guard(&requires.condition) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let text = print::expr(&Names::plain(m.symbols).guard(&requires.condition));
                Err(m.locate_requires(Fault::Violated { condition: text }.into(), requires))
            }
            Err(error) => Err(m.locate_requires(error, requires)),
        })
    }

    fn locate_requires(&self, mut error: EvalError, requires: &Requires) -> EvalError {
        error.place.get_or_insert_with(|| {
            let before = self.clauses.iter().take_while(|clause| !std::ptr::eq(**clause, requires));
            let named = |var: &VarId| (self.symbols.var(*var).name.clone(), self.vars[var.index()]);
            let point = requires.binders.iter().map(named).collect();
            Box::new(Place::Requires { clause: before.count() + 1, point })
        });
        error
    }

    // Points and reductions.

    /// Calls `visit` with the variables set to every point of their ranges, in lexicographic order.
    fn points(
        &mut self,
        vars: &'p [VarId],
        visit: &mut dyn FnMut(&mut Self) -> Eval<()>,
    ) -> Eval<()> {
        let Some((var, rest)) = vars.split_first() else {
            return visit(self);
        };
        for value in 0..self.range(*var)? {
            self.vars[var.index()] = value;
            self.points(rest, visit)?;
        }
        Ok(())
    }

    fn range(&self, var: VarId) -> Eval<i64> {
        let range = extent_value(&self.symbols.var(var).range, &self.bound.sizes);
        Ok(range.ok_or(Fault::IndexOverflow)?)
    }

    /// `sum`, `prod`, `max` or `min` of the values that `point` gives, from the first on.
    fn fold(
        &mut self,
        op: Reduction,
        binders: &'p [VarId],
        point: &mut dyn FnMut(&mut Self) -> Eval<Option<S>>,
    ) -> Eval<S> {
        let mut total: Option<S> = None;
        self.points(binders, &mut |m| {
            if let Some(value) = point(m)? {
                total = Some(match &total {
                    None => value,
                    Some(total) => S::binary(step(op), total, &value)?,
                });
            }
            Ok(())
        })?;
        Ok(total.map_or_else(|| empty(op), Ok)?)
    }

    /// The first place of the greatest (or least) of the values that `point`
    /// gives; the range if there are none.
    fn arg(
        &mut self,
        op: Reduction,
        var: VarId,
        point: &mut dyn FnMut(&mut Self) -> Eval<Option<S>>,
    ) -> Eval<i64> {
        let better = if op == Reduction::Argmax { Ordering::Greater } else { Ordering::Less };
        let range = self.range(var)?;
        let mut best: Option<(i64, S)> = None;
        for place in 0..range {
            self.vars[var.index()] = place;
            let Some(value) = point(self)? else { continue };
            let replaces = match &best {
                None => true,
                Some((_, best)) => value.compare(best)? == Some(better),
            };
            if replaces {
                best = Some((place, value));
            }
        }
        Ok(best.map_or(range, |(place, _)| place))
    }

    /// The value of a term at a point, if its guard holds; counts the visit.
    fn term_point(&mut self, tensor: TensorId, which: usize, term: &'p Term) -> Eval<Option<S>> {
        if self.guard(&term.guard)? {
            self.tally.hit(tensor, which);
            return self.real(&term.body).map(Some);
        }
        if self.enumerated(tensor, which) {
            let passed = self.passed(tensor, which)?;
            self.tally.visit(tensor, which, passed);
        } else {
            self.tally.skip(tensor, which);
        }
        Ok(None)
    }

    /// Whether an enumeration visits a point where the guard does not hold: some
    /// conjunct is a test, and all others hold. What cannot be evaluated does not hold.
    fn enumerated(&mut self, tensor: TensorId, which: usize) -> bool {
        if !self.tally.has_tests(tensor, which) {
            return false;
        }
        let mut place = 0;
        while let Some(conjunct) = self.tally.enumerable(tensor, which, place) {
            if !self.guard(conjunct).unwrap_or(false) {
                return false;
            }
            place += 1;
        }
        true
    }

    /// How many tests hold there before one that does not.
    fn passed(&mut self, tensor: TensorId, which: usize) -> Eval<usize> {
        let mut passed = 0;
        while let Some(test) = self.tally.test(tensor, which, passed) {
            if !self.guard(test)? {
                break;
            }
            passed += 1;
        }
        Ok(passed)
    }

    // Expressions.

    /// The value of a real expression.
    pub(crate) fn real(&mut self, expr: &'p Expr) -> Eval<S> {
        match expr {
            Expr::Const(number) => Ok(S::constant(number)),
            Expr::Pi => Ok(S::pi()?),
            Expr::Real(index) => Ok(S::integer(self.index(index)?)),
            Expr::Access(tensor, indices) => match self.read(*tensor, indices)? {
                Entry::Real(x) => Ok(x.clone()),
                Entry::Index(_) | Entry::Void(_) => {
                    unreachable!("a checked program reads reals as reals")
                }
            },
            Expr::Apply(Fun::User(function), args) => self.user(*function, args),
            Expr::Apply(fun, args) => self.apply(*fun, args),
            Expr::Guarded(guard, body) => {
                if self.guard(guard)? {
                    self.real(body)
                } else {
                    Ok(S::integer(0))
                }
            }
            Expr::If(guard, branches) => {
                let holds = self.guard(guard)?;
                self.real(if holds { &branches.0 } else { &branches.1 })
            }
            Expr::Reduce(reduce) => self.reduce(reduce),
            Expr::Let(blocks, body) => {
                self.blocks(blocks, 0)?;
                self.real(body)
            }
        }
    }

    /// A function of one or two arguments, or of many from left to right.
    fn apply(&mut self, fun: Fun, args: &'p [Expr]) -> Eval<S> {
        let mut value = self.real(&args[0])?;
        if let [_] = args {
            return Ok(S::unary(fun, &value)?);
        }
        for arg in &args[1..] {
            value = S::binary(fun, &value, &self.real(arg)?)?;
        }
        Ok(value)
    }

    /// A user's function: its value, and by its partial derivatives the chain rule.
    fn user(&mut self, function: UserFunId, args: &'p [Expr]) -> Eval<S> {
        let function = self.symbols.function(function);
        let args: Vec<S> = args.iter().map(|arg| self.real(arg)).collect::<Eval<_>>()?;
        self.set(&function.params, args.iter().map(S::frozen));
        let value = self.real(&function.value)?;
        let mut partials = Vec::new();
        if S::DIFFERENTIATES {
            for partial in &function.partials {
                self.set(&function.params, args.iter().map(S::detached));
                partials.push(self.real(partial)?);
            }
        }
        Ok(S::chain(value, &partials, &args)?)
    }

    fn set(&mut self, params: &[TensorId], values: impl Iterator<Item = S>) {
        for (param, value) in params.iter().zip(values) {
            let entries = vec![Some(Entry::Real(value))];
            self.tables[param.index()] = Table { shape: Vec::new(), entries };
        }
    }

    /// A reduction. In a sum, `[p] * e` means the same as `where p`: such points are left out.
    fn reduce(&mut self, reduce: &'p Reduce) -> Eval<S> {
        self.fold(reduce.op, &reduce.binders, &mut |m| {
            if !m.guard(&reduce.guard)? {
                return Ok(None);
            }
            let mut body = &reduce.body;
            while let (Reduction::Sum, Expr::Guarded(guard, inner)) = (reduce.op, body) {
                if !m.guard(guard)? {
                    return Ok(None);
                }
                body = &**inner;
            }
            m.real(body).map(Some)
        })
    }

    /// Whether a proposition holds.
    fn guard(&mut self, guard: &'p Guard) -> Eval<bool> {
        match guard {
            Guard::Compare(cmp, a, b) => {
                let order = self.index(a)?.cmp(&self.index(b)?);
                Ok(holds(*cmp, Some(order)))
            }
            Guard::Real(cmp, sides) => {
                let (a, b) = (self.real(&sides.0)?, self.real(&sides.1)?);
                Ok(holds(*cmp, a.compare(&b)?))
            }
            Guard::Member(relation, indices) => {
                let tuple: Vec<i64> =
                    indices.iter().map(|index| self.index(index)).collect::<Eval<_>>()?;
                let relation = self.relations[relation.index()];
                Ok(relation.is_some_and(|relation| relation.contains(&tuple)))
            }
            Guard::Not(inner) => Ok(!self.guard(inner)?),
            Guard::All(all) => {
                for conjunct in all {
                    if !self.guard(conjunct)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Guard::Any(any) => {
                for disjunct in any {
                    if self.guard(disjunct)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// The value of an index expression.
    pub(crate) fn index(&mut self, index: &'p Index) -> Eval<i64> {
        let mut sum = i128::from(index.constant_part());
        for (atom, coefficient) in index.terms() {
            let product = i128::from(self.atom(atom)?) * i128::from(*coefficient);
            sum = sum.checked_add(product).ok_or(Fault::IndexOverflow)?;
        }
        Ok(i64::try_from(sum).map_err(|_| Fault::IndexOverflow)?)
    }

    fn atom(&mut self, atom: &'p Atom) -> Eval<i64> {
        match atom {
            Atom::Size(size) => Ok(self.bound.sizes[size.index()]),
            Atom::Var(var) => Ok(self.vars[var.index()]),
            Atom::Read(tensor, indices) => match self.read(*tensor, indices)? {
                Entry::Index(i) => Ok(*i),
                Entry::Real(_) | Entry::Void(_) => {
                    unreachable!("a checked program reads indices as indices")
                }
            },
            Atom::Div(index, by) => Ok(self.index(index)?.div_euclid(*by)),
            Atom::Mod(index, by) => Ok(self.index(index)?.rem_euclid(*by)),
            Atom::Floor(expr) => Ok(self.real(expr)?.floor()?),
            Atom::If(choice) => {
                let (guard, yes, no) = &**choice;
                let holds = self.guard(guard)?;
                self.index(if holds { yes } else { no })
            }
            Atom::Arg(arg) => {
                let ArgReduce { op, var, guard, body } = &**arg;
                self.arg(*op, *var, &mut |m| {
                    if m.guard(guard)? { m.real(body).map(Some) } else { Ok(None) }
                })
            }
        }
    }

    // Reading.

    fn read(&mut self, tensor: TensorId, indices: &'p [Index]) -> Eval<&Entry<S>> {
        let mut place = 0;
        for (axis, index) in indices.iter().enumerate() {
            let at = self.index(index)?;
            let extent = self.tables[tensor.index()].shape[axis];
            if !(0..extent as i64).contains(&at) {
                return Err(self.unguarded(tensor, indices)?);
            }
            place = place * extent + at as usize;
        }
        self.entry_at(tensor, place)
    }

    /// The entry, which must have been computed and have a value.
    fn entry_at(&self, tensor: TensorId, place: usize) -> Eval<&Entry<S>> {
        let table = &self.tables[tensor.index()];
        match table.entries.get(place).and_then(Option::as_ref) {
            Some(Entry::Void(error)) => Err((**error).clone()),
            Some(entry) => Ok(entry),
            None => {
                let dense = Dense { shape: table.shape.clone(), data: Vec::<()>::new() };
                let position = dense.position(place).into_iter().map(|at| at as i64).collect();
                let tensor = self.symbols.tensor(tensor).name.clone();
                Err(Fault::NotYetDefined { tensor, position }.into())
            }
        }
    }

    fn unguarded(&mut self, tensor: TensorId, indices: &'p [Index]) -> Eval<EvalError> {
        let position = indices.iter().map(|index| self.index(index)).collect::<Eval<_>>()?;
        let shape = self.tables[tensor.index()].shape.clone();
        let tensor = self.symbols.tensor(tensor).name.clone();
        Ok(Fault::UnguardedAccess { tensor, position, shape }.into())
    }
}

/// Appends every `requires` of the blocks, in order.
fn collect_clauses<'p, T>(blocks: &'p [Block<T>], clauses: &mut Vec<&'p Requires>) {
    for block in blocks {
        match block {
            Block::Stmt(_) => {}
            Block::Rec(rec) => collect_clauses(&rec.body, clauses),
            Block::Requires(requires) => clauses.push(requires),
        }
    }
}

fn table<T, S>(dense: &Dense<T>, entry: impl Fn(&T) -> Entry<S>) -> Table<S> {
    let entries = dense.data.iter().map(|x| Some(entry(x))).collect();
    Table { shape: dense.shape.clone(), entries }
}

/// Whether a comparison holds of numbers in this order; unordered ones are only unequal.
fn holds(cmp: Cmp, order: Option<Ordering>) -> bool {
    match cmp {
        Cmp::Eq => order == Some(Ordering::Equal),
        Cmp::Ne => order != Some(Ordering::Equal),
        Cmp::Lt => order == Some(Ordering::Less),
        Cmp::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Cmp::Gt => order == Some(Ordering::Greater),
        Cmp::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// The function that a reduction repeats.
fn step(op: Reduction) -> Fun {
    match op {
        Reduction::Sum => Fun::Add,
        Reduction::Prod => Fun::Mul,
        Reduction::Max => Fun::Max,
        Reduction::Min => Fun::Min,
        Reduction::Argmax | Reduction::Argmin => unreachable!("argmax and argmin are indices"),
    }
}

/// The value of a reduction of no points.
fn empty<S: Scalar>(op: Reduction) -> Result<S, ScalarError> {
    match op {
        Reduction::Sum => Ok(S::integer(0)),
        Reduction::Prod => Ok(S::integer(1)),
        Reduction::Max => S::infinity(true),
        Reduction::Min => S::infinity(false),
        Reduction::Argmax | Reduction::Argmin => unreachable!("argmax and argmin are indices"),
    }
}
