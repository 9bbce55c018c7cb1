//! From typed programs and Tensor SSA back to text.
//!
//! A program becomes the syntax tree that elaborates to it; [`crate::print`]
//! writes the tree. Names that repeat are told apart by a number, so the text
//! parses back, and printing what was parsed gives the same text.

mod literal;
mod order;

use crate::ast::{
    self, Axis, Binder, ChainOp, ExprKind, Item, LogicOp, Module, Name, Partial, RecVar, Sign,
    Sort, SortKind, Stmt as AstStmt, Target, UnaryOp,
};
use crate::diagnostic::Span;
use crate::function::Fun;
use crate::ir::{
    Atom, Block, Def, Element, Expr, Extent, Guard, Index, Param, Program, Symbols, TensorId,
    Typed, UserFun, Value, VarId,
};
use crate::number::Number;
use crate::ssa::{Stmt, TensorSsa};
use crate::traverse::Visit;
use literal::{is_integer, say_real};
use order::TextOrder;
use rustc_hash::FxHashSet;

/// The text of a typed program.
#[must_use]
pub fn typed(program: &Typed) -> String {
    crate::print::module(&module(program, Clone::clone))
}

/// The text of a Tensor SSA program.
#[must_use]
pub fn ssa(program: &TensorSsa) -> String {
    crate::print::module(&module(program, Stmt::to_def))
}

/// The syntax tree of a program whose statements `def` turns into definitions.
pub fn module<S>(program: &Program<S>, def: impl Fn(&S) -> Def + Copy) -> Module {
    let mut names = Names::unique(program, def);
    let mut items: Vec<Item> = order::functions(program, def)
        .into_iter()
        .map(|place| Item::Fn(names.user_function(place)))
        .collect();
    items.push(Item::Fn(names.function(program, def)));
    Module { items }
}

/// What ids are called in the text.
pub struct Names<'a> {
    symbols: &'a Symbols,
    tensors: Vec<String>,
    vars: Vec<String>,
    functions: Vec<String>,
    /// Names that no variable may take, then those of the variables in scope.
    taken: FxHashSet<String>,
    scope: Vec<String>,
    /// The open recurrence variables.
    carried: Vec<VarId>,
}

fn expr(kind: ExprKind) -> ast::Expr {
    ast::Expr { kind, span: Span::default() }
}

fn name(text: impl Into<String>) -> Name {
    Name { text: text.into(), span: Span::default() }
}

fn number(n: i64) -> ast::Expr {
    expr(ExprKind::Number(n.to_string()))
}

/// `base`, or `base_1`, `base_2`, .. whichever is not taken.
fn fresh(base: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(base) {
        return base.to_owned();
    }
    let numbered = (1_u64..).map(|n| format!("{base}_{n}"));
    numbered.into_iter().find(|candidate| !taken(candidate)).unwrap_or_default()
}

impl<'a> Names<'a> {
    /// The names as they were written; for messages.
    #[must_use]
    pub fn plain(symbols: &'a Symbols) -> Self {
        Self {
            symbols,
            tensors: symbols.tensors.iter().map(|t| t.name.clone()).collect(),
            vars: symbols.vars.iter().map(|v| v.name.clone()).collect(),
            functions: symbols.functions.iter().map(|f| f.name.clone()).collect(),
            taken: FxHashSet::default(),
            scope: Vec::new(),
            carried: Vec::new(),
        }
    }

    /// Names for what stands in one statement with these axes: they differ for all tensors,
    /// and for the variables in scope. The same symbols always have the same names.
    #[must_use]
    pub fn within(symbols: &'a Symbols, axes: &[VarId]) -> Self {
        let mut names = Self::plain(symbols);
        names.taken.extend(symbols.sizes.iter().cloned());
        names.taken.extend(symbols.relations.iter().map(|r| r.name.clone()));
        let tensors: Vec<TensorId> = (0..symbols.tensors.len() as u32).map(TensorId).collect();
        names.rename(&tensors);
        for axis in axes {
            names.bind(*axis);
        }
        names
    }

    /// Names that differ wherever they could be confused: sizes, relations,
    /// parameters and results keep theirs, and older tensors go before younger ones.
    fn unique<S>(program: &'a Program<S>, def: impl Fn(&S) -> Def + Copy) -> Self {
        let mut names = Self::plain(&program.symbols);
        let symbols = &program.symbols;
        names.taken.extend(symbols.sizes.iter().cloned());
        names.taken.extend(symbols.relations.iter().map(|r| r.name.clone()));
        names.taken.insert(program.name.clone());
        let params = program.params.iter().filter_map(|p| match p {
            Param::Tensor(tensor) => Some(*tensor),
            Param::Size(_) | Param::Relation(_) => None,
        });
        let mut kept: Vec<TensorId> = params.chain(program.results.iter().copied()).collect();
        kept.sort_unstable();
        kept.dedup();
        for tensor in &kept {
            names.taken.insert(symbols.tensor(*tensor).name.clone());
        }
        for (place, function) in symbols.functions.iter().enumerate() {
            names.functions[place] = fresh(&function.name, |n| names.taken.contains(n));
            names.taken.insert(names.functions[place].clone());
        }
        let mut order = TextOrder { tensors: kept, found: Vec::new() };
        order.blocks(&program.body, def);
        order.found.sort_unstable();
        names.rename(&order.found);
        names
    }

    /// Gives each tensor a name that is not taken.
    fn rename(&mut self, tensors: &[TensorId]) {
        for tensor in tensors {
            let chosen = fresh(&self.symbols.tensor(*tensor).name, |n| self.taken.contains(n));
            self.taken.insert(chosen.clone());
            self.tensors[tensor.index()] = chosen;
        }
    }

    /// Brings a variable into scope under a name of its own.
    fn bind(&mut self, var: VarId) -> Binder {
        let base = &self.symbols.var(var).name;
        let taken = |n: &str| self.taken.contains(n) || self.scope.iter().any(|s| s == n);
        let chosen = fresh(base, taken);
        self.scope.push(chosen.clone());
        self.vars[var.index()].clone_from(&chosen);
        let symbols = self.symbols;
        let range = self.index_mut(&symbols.var(var).range);
        Binder { name: name(chosen), range }
    }

    fn scoped<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.scope.len();
        let out = inner(self);
        self.scope.truncate(depth);
        out
    }

    fn function<S>(
        &mut self,
        program: &Program<S>,
        def: impl Fn(&S) -> Def + Copy,
    ) -> ast::Function {
        let params = program.params.iter().map(|p| self.param(*p)).collect();
        let body = self.blocks(&program.body, def);
        let results = program.results.iter().map(|t| self.tensor_param(*t)).collect();
        ast::Function {
            name: name(&program.name),
            params,
            results,
            body,
            derivative: None,
            span: Span::default(),
        }
    }

    fn param(&self, param: Param) -> ast::Param {
        let (text, kind) = match param {
            Param::Size(size) => (self.symbols.sizes[size.index()].clone(), SortKind::Size),
            Param::Tensor(tensor) => return self.tensor_param(tensor),
            Param::Relation(relation) => {
                let row = self.symbols.relation(relation);
                (row.name.clone(), SortKind::Rel(self.extents(&row.extents)))
            }
        };
        ast::Param { name: name(text), sort: Sort { kind, span: Span::default() } }
    }

    fn tensor_param(&self, tensor: TensorId) -> ast::Param {
        let row = self.symbols.tensor(tensor);
        let sort = self.sort(&row.element, &row.shape);
        ast::Param { name: name(&self.tensors[tensor.index()]), sort }
    }

    fn sort(&self, element: &Element, shape: &[Extent]) -> Sort {
        let shape = self.extents(shape);
        let kind = match element {
            Element::Real => SortKind::Real(shape),
            Element::Index(bound) => SortKind::Index(Box::new(self.index(bound)), shape),
        };
        Sort { kind, span: Span::default() }
    }

    /// Extents mention sizes alone, so that no name can be missing.
    fn extents(&self, extents: &[Extent]) -> Vec<ast::Expr> {
        extents.iter().map(|e| self.index(e)).collect()
    }

    fn user_function(&mut self, place: usize) -> ast::Function {
        let symbols = self.symbols;
        let row: &UserFun = &symbols.functions[place];
        let taken = self.taken.clone();
        let mut order = TextOrder { tensors: row.params.clone(), found: row.params.clone() };
        order.expr(&row.value);
        row.partials.iter().for_each(|p| order.expr(p));
        self.rename(&order.found);
        let params: Vec<ast::Param> = row.params.iter().map(|p| self.tensor_param(*p)).collect();
        let result = fresh(&row.result, |n| self.taken.contains(n));
        let partials = row.params.iter().zip(&row.partials).map(|(param, value)| Partial {
            param: name(&self.tensors[param.index()]),
            value: self.expr_mut(value),
        });
        let derivative = partials.collect();
        let target = Target { name: name(&result), axes: Vec::new(), sort: None };
        let real = Sort { kind: SortKind::Real(Vec::new()), span: Span::default() };
        let value = self.expr_mut(&row.value);
        self.taken = taken;
        ast::Function {
            name: name(&self.functions[place]),
            params,
            results: vec![ast::Param { name: name(&result), sort: real }],
            body: vec![AstStmt::Def { targets: vec![target], value }],
            derivative: Some(derivative),
            span: Span::default(),
        }
    }

    fn blocks<S>(&mut self, blocks: &[Block<S>], def: impl Fn(&S) -> Def + Copy) -> Vec<AstStmt> {
        blocks.iter().map(|block| self.scoped(|names| names.block(block, def))).collect()
    }

    fn block<S>(&mut self, block: &Block<S>, def: impl Fn(&S) -> Def + Copy) -> AstStmt {
        match block {
            Block::Stmt(stmt) => self.def(&def(stmt)),
            Block::Rec(rec) => {
                let vars: Vec<RecVar> = rec
                    .vars
                    .iter()
                    .map(|(v, direction)| RecVar { binder: self.bind(*v), direction: *direction })
                    .collect();
                self.carried.extend(rec.vars.iter().map(|(v, _)| *v));
                let body = self.blocks(&rec.body, def);
                self.carried.truncate(self.carried.len() - rec.vars.len());
                AstStmt::Rec { vars, body, span: Span::default() }
            }
            Block::Requires(requires) => AstStmt::Requires {
                binders: requires.binders.iter().map(|v| self.bind(*v)).collect(),
                condition: self.guard_mut(&requires.condition),
                span: Span::default(),
            },
        }
    }

    fn def(&mut self, def: &Def) -> AstStmt {
        let axis = |names: &mut Self, var: &VarId| {
            if names.carried.contains(var) {
                Axis::Carried(name(&names.vars[var.index()]))
            } else {
                Axis::Bind(names.bind(*var))
            }
        };
        let axes = def.axes.iter().map(|v| axis(self, v)).collect();
        let (value, sort) = match &def.value {
            Value::Real(e) => (self.expr_mut(e), None),
            Value::Index(i) => {
                let element = self.symbols.tensor(def.tensor).element.clone();
                (self.index_mut(i), Some(self.sort(&element, &[])))
            }
        };
        let target = Target { name: name(&self.tensors[def.tensor.index()]), axes, sort };
        AstStmt::Def { targets: vec![target], value }
    }

    /// The text form of an index expression under the names in scope.
    #[must_use]
    pub fn index(&self, index: &Index) -> ast::Expr {
        self.copy().index_mut(index)
    }

    /// The text form of a guard under the names in scope.
    #[must_use]
    pub fn guard(&self, guard: &Guard) -> ast::Expr {
        self.copy().guard_mut(guard)
    }

    /// The text form of a real expression under the names in scope.
    #[must_use]
    pub fn expr(&self, e: &Expr) -> ast::Expr {
        self.copy().expr_mut(e)
    }

    fn copy(&self) -> Self {
        Self {
            symbols: self.symbols,
            tensors: self.tensors.clone(),
            vars: self.vars.clone(),
            functions: self.functions.clone(),
            taken: self.taken.clone(),
            scope: self.scope.clone(),
            carried: self.carried.clone(),
        }
    }

    /// Positive terms, then the constant if positive, then the negative ones.
    fn index_mut(&mut self, index: &Index) -> ast::Expr {
        let (positive, negative): (Vec<_>, Vec<_>) =
            index.terms().iter().partition(|(_, c)| *c > 0);
        let constant = index.constant_part();
        let mut items = Vec::new();
        for (atom, c) in self.in_text_order(positive) {
            items.push((Sign::Plus, self.scaled(*c, atom)));
        }
        if constant > 0 || (items.is_empty() && negative.is_empty()) {
            let sign = if constant < 0 { Sign::Minus } else { Sign::Plus };
            items.push((sign, expr(ExprKind::Number(constant.unsigned_abs().to_string()))));
        }
        for (atom, c) in self.in_text_order(negative) {
            let atom = self.scaled(c.saturating_neg(), atom);
            items.push((Sign::Minus, atom));
        }
        if constant < 0 && !index.terms().is_empty() {
            items.push((Sign::Minus, expr(ExprKind::Number(constant.unsigned_abs().to_string()))));
        }
        sum(items)
    }

    /// Sizes, then variables, outer ones first, then the rest by its text: an order
    /// that the ids, which are others once the text is read back, do not change.
    fn in_text_order<'t>(&mut self, mut terms: Vec<&'t (Atom, i64)>) -> Vec<&'t (Atom, i64)> {
        if terms.len() > 1 {
            terms.sort_by_cached_key(|(atom, _)| match atom {
                Atom::Size(size) => (0, size.index(), String::new()),
                Atom::Var(var) => {
                    let name = &self.vars[var.index()];
                    let depth = self.scope.iter().position(|n| n == name);
                    (1, depth.unwrap_or(self.scope.len()), String::new())
                }
                Atom::Read(..)
                | Atom::Div(..)
                | Atom::Mod(..)
                | Atom::Floor(_)
                | Atom::If(_)
                | Atom::Arg(_) => (2, 0, crate::print::expr(&self.atom(atom))),
            });
        }
        terms
    }

    fn scaled(&mut self, coefficient: i64, atom: &Atom) -> ast::Expr {
        let atom = self.atom(atom);
        if coefficient == 1 {
            return atom;
        }
        expr(ExprKind::Chain(vec![(ChainOp::Times, number(coefficient)), (ChainOp::Times, atom)]))
    }

    fn atom(&mut self, atom: &Atom) -> ast::Expr {
        let quotient = |names: &mut Self, op, e: &Index, k: i64| {
            let items = vec![(ChainOp::Times, names.index_mut(e)), (op, number(k))];
            expr(ExprKind::Chain(items))
        };
        match atom {
            Atom::Size(size) => expr(ExprKind::Name(self.symbols.sizes[size.index()].clone())),
            Atom::Var(var) => expr(ExprKind::Name(self.vars[var.index()].clone())),
            Atom::Read(tensor, indices) => self.access(*tensor, indices),
            Atom::Div(e, k) => quotient(self, ChainOp::Over, e, *k),
            Atom::Mod(e, k) => quotient(self, ChainOp::Modulo, e, *k),
            Atom::Floor(e) => {
                let arg = self.expr_mut(e);
                expr(ExprKind::Call(name("floor"), vec![arg]))
            }
            Atom::If(parts) => {
                let p = self.guard_mut(&parts.0);
                let (a, b) = (self.index_mut(&parts.1), self.index_mut(&parts.2));
                expr(ExprKind::If(Box::new(p), Box::new(a), Box::new(b)))
            }
            Atom::Arg(arg) => self.scoped(|names| {
                let binders = vec![names.bind(arg.var)];
                names.reduction(arg.op, binders, &arg.guard, &arg.body)
            }),
        }
    }

    fn access(&mut self, tensor: TensorId, indices: &[Index]) -> ast::Expr {
        let text = self.tensors[tensor.index()].clone();
        if indices.is_empty() {
            return expr(ExprKind::Name(text));
        }
        let indices = indices.iter().map(|i| self.index_mut(i)).collect();
        expr(ExprKind::Access(name(text), indices))
    }

    fn reduction(
        &mut self,
        op: ast::Reduction,
        binders: Vec<Binder>,
        guard: &Guard,
        body: &Expr,
    ) -> ast::Expr {
        let guard = (!guard.is_truth()).then(|| Box::new(self.guard_mut(guard)));
        let body = Box::new(self.expr_mut(body));
        expr(ExprKind::Reduce { op, binders, guard, body })
    }

    fn guard_mut(&mut self, guard: &Guard) -> ast::Expr {
        match guard {
            Guard::Compare(cmp, a, b) => {
                let (a, b) = (self.index_mut(a), self.index_mut(b));
                expr(ExprKind::Compare(Box::new(a), vec![(*cmp, b)]))
            }
            Guard::Real(cmp, sides) => {
                let (mut a, b) = (self.expr_mut(&sides.0), self.expr_mut(&sides.1));
                if is_integer(&a) && is_integer(&b) {
                    say_real(&mut a);
                }
                expr(ExprKind::Compare(Box::new(a), vec![(*cmp, b)]))
            }
            Guard::Member(relation, indices) => {
                let text = self.symbols.relation(*relation).name.clone();
                let indices = indices.iter().map(|i| self.index_mut(i)).collect();
                expr(ExprKind::Call(name(text), indices))
            }
            Guard::Not(p) => {
                let p = self.guard_mut(p);
                expr(ExprKind::Unary(UnaryOp::Not, Box::new(p)))
            }
            Guard::All(ps) => self.logic(LogicOp::And, ps),
            Guard::Any(ps) => self.logic(LogicOp::Or, ps),
        }
    }

    /// The empty conjunction is written `0 = 0`, the empty disjunction `0 = 1`.
    fn logic(&mut self, op: LogicOp, ps: &[Guard]) -> ast::Expr {
        let parts: Vec<ast::Expr> = ps.iter().map(|p| self.guard_mut(p)).collect();
        match (parts.len(), op) {
            (0, op) => {
                let right = number(i64::from(op == LogicOp::Or));
                expr(ExprKind::Compare(Box::new(number(0)), vec![(ast::Cmp::Eq, right)]))
            }
            (1, _) => parts.into_iter().next().unwrap_or_else(|| number(0)),
            _ => expr(ExprKind::Logic(op, parts)),
        }
    }

    fn expr_mut(&mut self, e: &Expr) -> ast::Expr {
        match e {
            Expr::Const(n) => constant(n),
            Expr::Pi => expr(ExprKind::Name("pi".to_owned())),
            Expr::Real(index) => {
                let arg = self.index_mut(index);
                expr(ExprKind::Call(name("real"), vec![arg]))
            }
            Expr::Access(tensor, indices) => self.access(*tensor, indices),
            Expr::Apply(fun, args) => self.apply(*fun, args),
            Expr::Guarded(guard, body) => self.guarded(guard, body),
            Expr::If(guard, sides) => {
                let p = self.guard_mut(guard);
                let (a, b) = (self.expr_mut(&sides.0), self.expr_mut(&sides.1));
                expr(ExprKind::If(Box::new(p), Box::new(a), Box::new(b)))
            }
            Expr::Reduce(reduce) => self.scoped(|names| {
                let binders = reduce.binders.iter().map(|v| names.bind(*v)).collect();
                names.reduction(reduce.op, binders, &reduce.guard, &reduce.body)
            }),
            Expr::Let(blocks, body) => {
                let carried = std::mem::take(&mut self.carried);
                let stmts = self.blocks(blocks, Clone::clone);
                self.carried = carried;
                let body = self.expr_mut(body);
                expr(ExprKind::Let(stmts, Box::new(body)))
            }
        }
    }

    fn apply(&mut self, fun: Fun, args: &[Expr]) -> ast::Expr {
        match (fun, args) {
            (Fun::Neg, [e]) => {
                let e = self.expr_mut(e);
                expr(ExprKind::Unary(UnaryOp::Neg, Box::new(e)))
            }
            (Fun::Add, args) => self.sum_of(args),
            (Fun::Mul | Fun::Div, args) => {
                let items = self.chain_of(fun, args);
                expr(ExprKind::Chain(items))
            }
            (Fun::Pow, [base, exponent]) => {
                let (base, exponent) = (self.expr_mut(base), self.expr_mut(exponent));
                expr(ExprKind::Power(Box::new(base), Box::new(exponent)))
            }
            (fun, args) => {
                let text = if let Fun::User(id) = fun {
                    self.functions[id.0 as usize].clone()
                } else {
                    fun.name().unwrap_or_default().to_owned()
                };
                let args = args.iter().map(|a| self.expr_mut(a)).collect();
                expr(ExprKind::Call(name(text), args))
            }
        }
    }

    fn sum_of(&mut self, args: &[Expr]) -> ast::Expr {
        let mut items = Vec::with_capacity(args.len());
        for (place, arg) in args.iter().enumerate() {
            items.push(if place == 0 {
                (Sign::Plus, self.expr_mut(arg))
            } else if let Expr::Apply(Fun::Neg, inner) = arg {
                (Sign::Minus, self.expr_mut(&inner[0]))
            } else if let Expr::Const(n) = arg
                && n.is_negative()
            {
                (Sign::Minus, constant(&n.negate()))
            } else {
                (Sign::Plus, self.expr_mut(arg))
            });
        }
        expr(ExprKind::Sum(items))
    }

    /// The factors of a product or quotient; a quotient in front is part of the chain.
    fn chain_of(&mut self, fun: Fun, args: &[Expr]) -> Vec<(ChainOp, ast::Expr)> {
        let mut items = Vec::with_capacity(args.len());
        for (place, arg) in args.iter().enumerate() {
            if let Expr::Apply(inner @ (Fun::Mul | Fun::Div), parts) = arg
                && place == 0
                && (fun == Fun::Div || *inner == Fun::Div)
            {
                items = self.chain_of(*inner, parts);
            } else {
                let op = if place > 0 && fun == Fun::Div { ChainOp::Over } else { ChainOp::Times };
                items.push((op, self.factor(arg)));
            }
        }
        items
    }

    /// A factor; a lone indicator is kept from guarding the others.
    fn factor(&mut self, e: &Expr) -> ast::Expr {
        let factor = self.expr_mut(e);
        if !matches!(factor.kind, ExprKind::Bracket(_)) {
            return factor;
        }
        expr(ExprKind::Chain(vec![(ChainOp::Times, number(1)), (ChainOp::Times, factor)]))
    }

    /// `[p] * body`; `[p]` alone for a body of 1.
    fn guarded(&mut self, guard: &Guard, body: &Expr) -> ast::Expr {
        let guard = self.guard_mut(guard);
        let bracket = expr(ExprKind::Bracket(Box::new(guard)));
        if *body == Expr::integer(1) {
            return bracket;
        }
        let mut items = vec![(ChainOp::Times, bracket)];
        if let Expr::Apply(fun @ (Fun::Mul | Fun::Div), args) = body {
            items.extend(self.chain_of(*fun, args));
        } else {
            items.push((ChainOp::Times, self.factor(body)));
        }
        expr(ExprKind::Chain(items))
    }
}

/// A sum whose first item may be negative.
fn sum(mut items: Vec<(Sign, ast::Expr)>) -> ast::Expr {
    if let Some((sign @ Sign::Minus, first)) = items.first_mut() {
        let operand = std::mem::replace(first, number(0));
        *first = expr(ExprKind::Unary(UnaryOp::Neg, Box::new(operand)));
        *sign = Sign::Plus;
    }
    if items.len() == 1 {
        return items.remove(0).1;
    }
    expr(ExprKind::Sum(items))
}

/// A decimal where the number has one, else a quotient of integers.
fn constant(n: &Number) -> ast::Expr {
    if n.is_negative() {
        return expr(ExprKind::Unary(UnaryOp::Neg, Box::new(constant(&n.negate()))));
    }
    if let Some(text) = n.decimal() {
        return expr(ExprKind::Number(text));
    }
    let text = |digits: String| expr(ExprKind::Number(digits));
    let items = vec![
        (ChainOp::Times, text(n.exact().numerator().to_string())),
        (ChainOp::Over, text(n.exact().denominator().to_string())),
    ];
    expr(ExprKind::Chain(items))
}
