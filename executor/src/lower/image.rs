//! Fibres of data: the points at which a key that is computed from data has a given value.
//!
//! For a key `f(p, x)` of parameters `p` and searched variables `x`, an image holds
//! `order`, the points `x` sorted by the cell `(p, f)`, and `offsets`, where each
//! cell starts: a counting sort, in time linear in the points and the cells.
//! It is built once, before the block that needs it.

use super::Lower;
use super::expr::Env;
use super::plan::{Level, Planner, narrow};
use super::space::{Sort, Space};
use crate::loops::{
    Buffer, BufferId, CmpOp, Cond, Element, For, Int, Node, Order, Place, Real, Role,
};
use iverson_affine::{Budget, Constraint, Linear, System, Var, Verdict, prove};
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Atom, Element as Sorted, Expr, Extent, Guard, Index, Symbols, VarId};
use iverson_spec::traverse::{Reads, Substitute, Visit, rebuild_index, walk_atom};

/// A key, and the variables it is a function of.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The value.
    value: Index,
    /// The parameters.
    given: Vec<VarId>,
    /// The variables searched.
    searched: Vec<VarId>,
    /// The key is in `least..past`.
    least: Extent,
    past: Extent,
}

/// A sorted list of points.
#[derive(Clone, Copy)]
pub(super) struct Image {
    offsets: BufferId,
    order: BufferId,
}

/// An equation `key = target` whose unknowns are data and the variables they depend on.
struct Fibre {
    constraint: usize,
    unknown: Linear,
    known: Linear,
    given: Vec<VarId>,
    searched: Vec<VarId>,
}

impl Planner<'_, '_> {
    /// Walks the fibre of an equation between data and a known value, if there is one to walk.
    pub(super) fn walk_fibre(&mut self) -> bool {
        for at in 0..self.constraints.len() {
            if let Some(fibre) = self.fibre(at)
                && self.walk(&fibre).is_some()
            {
                return true;
            }
        }
        false
    }

    fn fibre(&self, constraint: usize) -> Option<Fibre> {
        let (Constraint::Zero(form), false) = &self.constraints[constraint] else { return None };
        let open = self.unknown(form);
        let data = open.iter().filter(|s| self.space.symbol(**s).sort == Sort::Data);
        let mut searched: Option<Vec<VarId>> = None;
        let mut given: Vec<VarId> = Vec::new();
        for symbol in data {
            if !self.may_evaluate(*symbol) {
                return None;
            }
            let vars = &self.space.symbol(*symbol).vars;
            let (mut have, mut want): (Vec<VarId>, Vec<VarId>) =
                vars.iter().copied().partition(|var| self.has_value(*var));
            want.sort_unstable();
            if searched.get_or_insert_with(|| want.clone()) != &want {
                return None;
            }
            have.retain(|var| !given.contains(var));
            given.extend(have);
        }
        let searched = searched?;
        let inside = |symbol: &Var| {
            let vars = self.space.symbol(*symbol).vars.iter();
            vars.into_iter().all(|var| self.has_value(*var) || searched.contains(var))
        };
        if !open.iter().all(inside) {
            return None;
        }
        let is_open = |(symbol, _): &&(Var, i128)| !self.is_known(*symbol);
        let terms = form.terms().iter();
        let (open, known): (Vec<_>, Vec<_>) = terms.partition(is_open);
        let swap = |(symbol, a): &(Var, i128)| (*a, *symbol);
        let unknown = Linear::of(0, open.into_iter().map(swap))?;
        let known = Linear::of(form.constant_part(), known.into_iter().map(swap))?.neg()?;
        Some(Fibre { constraint, unknown, known, given, searched })
    }

    /// Adds the levels that walk a fibre; `None` if no image can be built.
    fn walk(&mut self, fibre: &Fibre) -> Option<()> {
        let terms = fibre.unknown.terms().iter();
        let terms = terms.map(|(symbol, a)| (self.space.atom(*symbol).clone(), narrow(*a)));
        let value = Index::collect(terms, 0)?;
        if !self.lower.is_available(&value) {
            return None;
        }
        let (least, past) =
            self.interval(&fibre.unknown).or_else(|| self.interval(&fibre.known))?;
        let (given, searched) = (fibre.given.clone(), fibre.searched.clone());
        let key = Key { value, given, searched, least, past };
        let image = self.lower.image(&key);
        let env = self.plan.env.clone();
        let target = self.value(&fibre.known);
        let target = self.named("key", target);
        let (least, past) = (self.lower.int(&env, &key.least), self.lower.int(&env, &key.past));
        for within in [
            Cond::Int(CmpOp::Ge, target.clone(), least.clone()),
            Cond::Int(CmpOp::Lt, target.clone(), past.clone()),
        ] {
            if !self.is_within(fibre, &key, &within) {
                self.plan.levels.push(Level::If(within));
            }
        }
        let cell = self.lower.cell(&env, &key, target);
        let cell = self.named("cell", cell);
        let at = self.lower.out.add_int("at");
        self.plan.levels.push(Level::Loop(For {
            var: at,
            lower: vec![Int::Load(image.offsets, vec![cell.clone()])],
            upper: vec![Int::Load(image.offsets, vec![cell.offset(1)])],
            stride: None,
            order: Order::Ascending,
            body: Vec::new(),
        }));
        self.bind_point(&key.searched, Int::Load(image.order, vec![Int::Var(at)]));
        self.constraints[fibre.constraint].1 = true;
        self.enforced.push(Constraint::Zero(fibre.unknown.sub(&fibre.known)?));
        Some(())
    }

    /// Whether the target of a fibre is known to be on one side of the range of its key.
    fn is_within(&mut self, fibre: &Fibre, key: &Key, within: &Cond) -> bool {
        let at_least = matches!(within, Cond::Int(CmpOp::Ge, ..));
        let bound = if at_least { &key.least } else { &key.past };
        // Bounds are in sizes that occur already: the space stays as it is.
        let sizes = bound.terms().iter().all(|(atom, _)| self.space.number(atom).is_some());
        if !sizes {
            return false;
        }
        let Some(bound) = self.space.linear(&self.lower.symbols, bound) else { return false };
        let goal = if at_least {
            Constraint::at_least(&fibre.known, &bound)
        } else {
            Constraint::less(&fibre.known, &bound)
        };
        goal.is_some_and(|goal| self.holds(&goal))
    }

    /// Gives the searched variables their values, from the place of a point in their box.
    fn bind_point(&mut self, searched: &[VarId], place: Int) {
        let mut rest = self.named("point", place);
        for (at, var) in searched.iter().enumerate().rev() {
            let row = self.lower.symbols.var(*var);
            let (name, range) = (row.name.clone(), self.lower.extent(&row.range));
            let value = if at == 0 {
                rest.clone()
            } else {
                let outer = Int::DivBy(Box::new((rest.clone(), range.clone())));
                let outer = self.named("rest", outer);
                let value = rest.minus(outer.clone().product(range));
                rest = outer;
                value
            };
            let value = self.named(&name, value);
            self.bind(*var, value);
            let own = Index::var(*var);
            let range = self.lower.symbols.var(*var).range.clone();
            let zero = Index::constant(0);
            for (cmp, bound) in [(Cmp::Ge, &zero), (Cmp::Lt, &range)] {
                let constraint = self.space.compare(&self.lower.symbols, cmp, &own, bound);
                self.enforced.extend(constraint);
            }
        }
    }

    /// `(least, past)` of a form, from the ranges of its symbols; `None` if one has none.
    fn interval(&self, form: &Linear) -> Option<(Extent, Extent)> {
        let mut least = Index::constant(narrow(form.constant_part()));
        let mut most = least.clone();
        for (symbol, a) in form.terms() {
            let range = range_of(&self.lower.symbols, self.space.atom(*symbol))?;
            let (low, high) = if *a > 0 { range } else { (range.1, range.0) };
            least = least.add(&low.scale(narrow(*a))?)?;
            most = most.add(&high.scale(narrow(*a))?)?;
        }
        Some((least, most.add(&Index::constant(1))?))
    }
}

/// The least and the greatest value of an atom, in sizes.
fn range_of(symbols: &Symbols, atom: &Atom) -> Option<(Extent, Extent)> {
    let below = |bound: &Extent| Some((Index::constant(0), bound.sub(&Index::constant(1))?));
    match atom {
        Atom::Size(_) => Some((Index::atom(atom.clone()), Index::atom(atom.clone()))),
        Atom::Var(var) => below(&symbols.var(*var).range),
        Atom::Read(tensor, _) => match &symbols.tensor(*tensor).element {
            Sorted::Index(bound) => below(bound),
            Sorted::Real => None,
        },
        Atom::Mod(_, k) => below(&Index::constant(*k)),
        Atom::Div(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => None,
    }
}

impl Lower<'_> {
    /// Whether all that an index expression reads is computed before the current block.
    fn is_available(&self, index: &Index) -> bool {
        let mut reads = Reads::default();
        reads.index(index);
        reads.tensors.iter().all(|tensor| self.available.contains(tensor))
    }

    /// The image of a key; built in front of the current block unless there is one already.
    fn image(&mut self, key: &Key) -> Image {
        let canonical = self.canonical(key);
        if let Some(image) = self.images.get(&canonical) {
            return *image;
        }
        let cells = self.cells(key);
        let points = key.given.iter().chain(&key.searched);
        let points = points.map(|var| self.extent(&self.symbols.var(*var).range));
        let points = points.collect::<Vec<_>>().into_iter().fold(Int::Const(1), Int::product);
        let number = self.images.len() + 1;
        let buffer = |name: &str, extent: Int| Buffer {
            name: format!("{name}_{number}"),
            element: Element::Int,
            extents: vec![extent],
            role: Role::Temporary,
        };
        let offsets = self.out.add_buffer(buffer("offsets", cells.clone().offset(2)));
        let order = self.out.add_buffer(buffer("order", points));
        let image = Image { offsets, order };
        let nodes = self.counting_sort(key, image, cells);
        self.prelude.extend(nodes);
        self.images.insert(canonical, image);
        image
    }

    /// The key with variables that stand for all of the same ranges.
    fn canonical(&mut self, key: &Key) -> Key {
        let vars: Vec<VarId> = key.given.iter().chain(&key.searched).copied().collect();
        let mut stand_ins: Vec<VarId> = Vec::new();
        for var in &vars {
            let range = self.symbols.var(*var).range.clone();
            let fits = |s: &&VarId| self.symbols.var(**s).range == range && !stand_ins.contains(*s);
            let found = self.stand_ins.iter().find(fits).copied();
            let stand_in = found.unwrap_or_else(|| {
                let fresh = self.symbols.add_var("s", range);
                self.stand_ins.push(fresh);
                fresh
            });
            stand_ins.push(stand_in);
        }
        let stand_in =
            |var: VarId| vars.iter().position(|v| *v == var).map(|at| Index::var(stand_ins[at]));
        let value = rebuild_index(&mut Substitute(stand_in), &key.value);
        let value = value.unwrap_or_else(|| unreachable!("renaming changes no coefficient"));
        let (given, searched) = stand_ins.split_at(key.given.len());
        Key { value, given: given.to_vec(), searched: searched.to_vec(), ..key.clone() }
    }

    fn width(&self, key: &Key) -> Int {
        self.extent(&key.past).minus(self.extent(&key.least))
    }

    fn cells(&self, key: &Key) -> Int {
        let ranges = key.given.iter().map(|var| self.extent(&self.symbols.var(*var).range));
        ranges.fold(self.width(key), |cells, range| range.product(cells))
    }

    /// The cell of a value of the key, the parameters as in the environment.
    fn cell(&self, env: &Env, key: &Key, value: Int) -> Int {
        let mut cell = Int::Const(0);
        for var in &key.given {
            let range = self.extent(&self.symbols.var(*var).range);
            cell = cell.product(range).plus(env.ints[var].clone());
        }
        let offset = value.minus(self.extent(&key.least));
        cell.product(self.width(key)).plus(offset)
    }

    /// Counts the points of each cell, sums up, and puts each point in its place.
    /// Cell `c` is counted in `offsets[c + 2]`, filled from `offsets[c + 1]`, and
    /// found from `offsets[c]` on.
    fn counting_sort(&mut self, key: &Key, image: Image, cells: Int) -> Vec<Node> {
        let mut nodes = vec![Node::Note("points in the order of a key".to_owned())];
        let at = |c: Int| Place { buffer: image.offsets, indices: vec![c] };
        let clear = self.out.add_int("c");
        let body = vec![Node::StoreInt(at(Int::Var(clear)), Int::Const(0))];
        nodes.push(counted(clear, cells.clone().offset(2), body));
        let count =
            |_: &mut Self, cell: Int, _: Int| vec![Node::AddInt(at(cell.offset(2)), Int::Const(1))];
        nodes.extend(self.for_points(key, &count));
        let sum = self.out.add_int("c");
        let before = Int::Load(image.offsets, vec![Int::Var(sum)]);
        let body = vec![Node::AddInt(at(Int::Var(sum).offset(1)), before)];
        nodes.push(counted(sum, cells.offset(1), body));
        let place = |lower: &mut Self, cell: Int, point: Int| {
            let free = lower.out.add_int("free");
            let next = cell.offset(1);
            let here = Place { buffer: image.order, indices: vec![Int::Var(free)] };
            vec![
                Node::SetInt(free, Int::Load(image.offsets, vec![next.clone()])),
                Node::StoreInt(here, point),
                Node::AddInt(at(next), Int::Const(1)),
            ]
        };
        nodes.extend(self.for_points(key, &place));
        nodes
    }

    /// Loops over the points of a key that have a cell, which `inner` gets with the place of the point.
    fn for_points(
        &mut self,
        key: &Key,
        inner: &dyn Fn(&mut Self, Int, Int) -> Vec<Node>,
    ) -> Vec<Node> {
        let mut env = Env::default();
        let mut loops = Vec::new();
        let mut point = Int::Const(0);
        for var in key.given.iter().chain(&key.searched) {
            let row = self.symbols.var(*var).clone();
            let id = self.out.add_int(row.name);
            let range = self.extent(&row.range);
            env.ints.insert(*var, Int::Var(id));
            if key.searched.contains(var) {
                point = point.product(range.clone()).plus(Int::Var(id));
            }
            loops.push((id, range));
        }
        let readable = self.readable(&env, key);
        let value = self.out.add_int("key");
        let cell = self.out.add_int("cell");
        let within = vec![
            Cond::Int(CmpOp::Ge, Int::Var(value), self.extent(&key.least)),
            Cond::Int(CmpOp::Lt, Int::Var(value), self.extent(&key.past)),
        ];
        let find = self.cell(&env, key, Int::Var(value));
        let mut body = vec![Node::SetInt(cell, find)];
        body.extend(inner(self, Int::Var(cell), point));
        let value_of = Node::SetInt(value, self.int(&env, &key.value));
        let mut nodes = vec![value_of, Node::If(Cond::All(within), body)];
        if !readable.is_empty() {
            nodes = vec![Node::If(Cond::All(readable), nodes)];
        }
        for (id, range) in loops.into_iter().rev() {
            nodes = vec![counted(id, range, nodes)];
        }
        nodes
    }

    /// What must hold for the key to be evaluated: its reads are in bounds, its reals can be rounded down.
    fn readable(&self, env: &Env, key: &Key) -> Vec<Cond> {
        let mut space = Space::new();
        let mut known = System::new();
        for var in key.given.iter().chain(&key.searched) {
            let (own, zero) = (Index::var(*var), Index::constant(0));
            let range = self.symbols.var(*var).range.clone();
            for (cmp, bound) in [(Cmp::Ge, &zero), (Cmp::Lt, &range)] {
                known.extend(space.compare(&self.symbols, cmp, &own, bound));
            }
        }
        let _: Option<Linear> = space.linear(&self.symbols, &key.value);
        known.extend(space.facts.iter().map(|(_, fact)| fact.clone()));
        let mut conditions = Conditions { lower: self, space, known, env, found: Vec::new() };
        conditions.index(&key.value);
        conditions.found
    }
}

/// Collects, inner parts first, what must hold for an index expression to be evaluated.
struct Conditions<'a, 'p> {
    lower: &'a Lower<'p>,
    space: Space,
    known: System,
    env: &'a Env,
    found: Vec<Cond>,
}

impl Conditions<'_, '_> {
    fn entry(&mut self, shape: &[Extent], indices: &[Index]) {
        let zero = Index::constant(0);
        for (index, extent) in indices.iter().zip(shape) {
            for (cmp, bound) in [(Cmp::Ge, &zero), (Cmp::Lt, extent)] {
                let goal = self.space.compare(&self.lower.symbols, cmp, index, bound);
                let holds = goal.is_some_and(|goal| {
                    prove(&self.known, &goal, Budget::default()) == Verdict::Proved
                });
                if !holds {
                    let guard = Guard::Compare(cmp, index.clone(), bound.clone());
                    self.found.push(self.lower.cond(self.env, &guard));
                }
            }
        }
    }
}

impl Visit for Conditions<'_, '_> {
    fn atom(&mut self, atom: &Atom) {
        walk_atom(self, atom);
        if let Atom::Read(tensor, indices) = atom {
            let shape = self.lower.symbols.tensor(*tensor).shape.clone();
            self.entry(&shape, indices);
        }
        if let Atom::Floor(e) = atom {
            const LIMIT: f64 = 9_223_372_036_854_775_808.0;
            let value = self.lower.real(self.env, e);
            let side = |cmp, limit| Cond::Real(cmp, Box::new((value.clone(), Real::Const(limit))));
            self.found.extend([side(CmpOp::Ge, -LIMIT), side(CmpOp::Lt, LIMIT)]);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        iverson_spec::traverse::walk_expr(self, expr);
        if let Expr::Access(tensor, indices) = expr {
            let shape = self.lower.symbols.tensor(*tensor).shape.clone();
            self.entry(&shape, indices);
        }
    }
}

/// `for var in 0..end { body }`
pub(super) fn counted(var: crate::loops::IntId, end: Int, body: Vec<Node>) -> Node {
    Node::For(Box::new(For {
        var,
        lower: vec![Int::Const(0)],
        upper: vec![end],
        stride: None,
        order: Order::Ascending,
        body,
    }))
}
