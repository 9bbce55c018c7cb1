//! From Tensor SSA to loops (spec chapter 7).
//!
//! * [`sent`]: what is 0 but at places of data goes to what reads it
//! * [`cases`]: a guard as disjoint cases
//! * [`moved`]: places of data as variables
//! * [`space`], [`plan`], [`ranges`], [`image`]: the loops around the points of a case
//! * [`search`], [`joined`], [`valued`]: searches, one or two at once, with the value found
//! * [`later`]: sums over earlier steps of a recurrence, added by those; [`along`]: sums over the steps of one that has run
//! * [`preference`]: which variable should be the innermost
//! * [`statement`]: what is done at a point, and where it goes; [`scatter`]: where data say that, for several terms at once
//! * [`mod@expr`], expressions
//! * [`powers`]: powers as products

mod along;
mod cases;
mod expr;
mod image;
mod joined;
mod later;
mod moved;
mod plan;
mod powers;
mod preference;
mod ranges;
mod scatter;
mod search;
mod sent;
mod sides;
mod space;
mod statement;
mod valued;

use crate::loops::{
    Buffer, BufferId, Check, Cond, Element, For, Int, LoopProgram, Node, Order, Place, Real,
    RelationTable, Role,
};
use expr::Env;
use image::{Image, Key, counted};
use iverson_spec::ast::Direction;
use iverson_spec::call::definitions;
use iverson_spec::ir::{
    Atom, Block, Element as Sorted, Extent, Index, Param, Rec, RelId, Requires, SizeId, Symbols,
    Tensor, TensorId, VarId,
};
use iverson_spec::print;
use iverson_spec::searches;
use iverson_spec::ssa::{Stmt, TensorSsa};
use iverson_spec::unelaborate::Names;
use joined::Joined;
pub(crate) use preference::UNROLLED;
use rustc_hash::{FxHashMap, FxHashSet};
pub use sent::send;
use valued::Value;

/// The loops that compute a program, one statement after the other, unfused.
///
/// * **Meaning**: that of `program`, up to the order in which sums are added.
/// * **Cost**: the points visited are the sparse count of chapter 3 for the program after [`send`] (the chapter
///   on loops lists the exceptions); each image of an index map is built once.
///
/// # Errors
/// The name of a user's function that is more than one formula.
pub fn lower(program: &TensorSsa) -> Result<LoopProgram, String> {
    for function in &program.symbols.functions {
        if !expr::is_formula(&function.value) {
            return Err(function.name.clone());
        }
    }
    let mut requires = Vec::new();
    let sent = send(program);
    collect_requires(&sent.body, &mut requires);
    let Joined { program, inner } = joined::join(&sent, &requires);
    let mut lower = Lower::new(&program, requires, inner);
    lower.blocks(&program.body);
    lower.return_params();
    powers::expand(&mut lower.out);
    Ok(lower.out)
}

/// The state of a lowering.
struct Lower<'p> {
    program: &'p TensorSsa,
    /// Those of the program, with the sizes, coordinates and entries of relations.
    symbols: Symbols,
    out: LoopProgram,
    /// By tensor.
    buffers: Vec<Option<BufferId>>,
    /// By relation: the tensors of its coordinates.
    coordinates: Vec<Vec<TensorId>>,
    /// Parameters, and what earlier blocks define.
    available: FxHashSet<TensorId>,
    /// What must be done before the current block.
    prelude: Vec<Node>,
    images: FxHashMap<Key, Image>,
    stand_ins: Vec<VarId>,
    /// What the current step of a recurrence does at its end.
    later: Vec<Node>,
    /// The recurrence variables around the current block, with their directions.
    steps: Vec<(VarId, Direction)>,
    /// By tensor that an enclosing recurrence defines: the number of its recurrence variables.
    recurrent: FxHashMap<TensorId, usize>,
    /// Those of them that have been computed at the current step.
    computed: FxHashSet<TensorId>,
    /// By tensor that a recurrence over one variable defines: how many nodes are before it, and its direction.
    recurrences: FxHashMap<TensorId, (usize, Direction)>,
    /// Binders that take the steps of a recurrence that descends.
    descending: FxHashSet<VarId>,
    /// By the outer one of two searches that are joined: the inner one.
    joined: FxHashMap<TensorId, Stmt>,
    /// By search: the value that it keeps.
    values: FxHashMap<TensorId, Value>,
    /// The program's conditions, and what searches find.
    requires: Vec<Requires>,
    /// What searches find.
    found: Vec<Requires>,
    clauses: usize,
}

impl<'p> Lower<'p> {
    fn new(
        program: &'p TensorSsa,
        mut requires: Vec<Requires>,
        joined: FxHashMap<TensorId, Stmt>,
    ) -> Self {
        let out = LoopProgram {
            name: program.name.clone(),
            sizes: program.symbols.sizes.clone(),
            relations: Vec::new(),
            buffers: Vec::new(),
            ints: Vec::new(),
            reals: Vec::new(),
            checks: Vec::new(),
            statements: program.symbols.tensors.iter().map(|t| t.name.clone()).collect(),
            body: Vec::new(),
        };
        let found = searches::found(&program.symbols, &program.body);
        requires.extend(found.iter().cloned());
        let mut lower = Self {
            program,
            symbols: program.symbols.clone(),
            out,
            buffers: vec![None; program.symbols.tensors.len()],
            coordinates: Vec::new(),
            available: FxHashSet::default(),
            prelude: Vec::new(),
            images: FxHashMap::default(),
            stand_ins: Vec::new(),
            later: Vec::new(),
            steps: Vec::new(),
            recurrent: FxHashMap::default(),
            computed: FxHashSet::default(),
            recurrences: FxHashMap::default(),
            descending: FxHashSet::default(),
            joined,
            values: valued::values(program),
            requires,
            found,
            clauses: 0,
        };
        for param in &program.params {
            if let Param::Tensor(tensor) = param {
                lower.add_buffer(*tensor, Role::Input);
                lower.available.insert(*tensor);
            }
        }
        lower.add_relations();
        let mut defined = Vec::new();
        definitions(&program.body, &mut defined);
        let mut inner: Vec<TensorId> = lower.joined.values().map(|inner| inner.tensor).collect();
        inner.sort_unstable();
        defined.extend(inner);
        for tensor in defined {
            let result = program.results.contains(&tensor);
            lower.add_buffer(tensor, if result { Role::Output } else { Role::Temporary });
        }
        lower
    }

    fn add_buffer(&mut self, tensor: TensorId, role: Role) -> BufferId {
        let row = self.symbols.tensor(tensor);
        let element = match row.element {
            Sorted::Real => Element::Real,
            Sorted::Index(_) => Element::Int,
        };
        let extents = row.shape.iter().map(|extent| self.extent(extent)).collect();
        let name = row.name.clone();
        let id = self.out.add_buffer(Buffer { name, element, extents, role });
        self.buffers[tensor.index()] = Some(id);
        id
    }

    /// A relation is as many tuples as a size says, and a tensor of coordinates for each place.
    fn add_relations(&mut self) {
        for relation in self.symbols.relations.clone() {
            let count = SizeId(self.symbols.sizes.len() as u32);
            let name = format!("entries of {}", relation.name);
            self.symbols.sizes.push(name.clone());
            self.out.sizes.push(name);
            let mut tensors = Vec::new();
            for (place, extent) in relation.extents.iter().enumerate() {
                let tensor = self.symbols.add_tensor(Tensor {
                    name: format!("{}.{place}", relation.name),
                    element: Sorted::Index(extent.clone()),
                    shape: vec![Index::size(count)],
                });
                self.buffers.push(None);
                self.add_buffer(tensor, Role::Input);
                self.available.insert(tensor);
                tensors.push(tensor);
            }
            let coordinates = tensors.iter().map(|tensor| self.buffer(*tensor)).collect();
            let extents = relation.extents.iter().map(|extent| self.extent(extent)).collect();
            let name = relation.name;
            self.out.relations.push(RelationTable { name, count, coordinates, extents });
            self.coordinates.push(tensors);
        }
    }

    fn buffer(&self, tensor: TensorId) -> BufferId {
        self.buffers[tensor.index()]
            .unwrap_or_else(|| unreachable!("every tensor that is read is a parameter or defined"))
    }

    /// An extent or a range.
    fn extent(&self, extent: &Extent) -> Int {
        self.int(&Env::default(), extent)
    }

    /// A variable for an entry of a relation.
    fn entry_var(&mut self, relation: RelId) -> VarId {
        let count = self.out.relations[relation.index()].count;
        self.symbols.add_var("e", Index::size(count))
    }

    /// A coordinate of an entry of a relation.
    fn coordinate(&self, relation: RelId, place: usize, entry: VarId) -> Index {
        let tensor = self.coordinates[relation.index()][place];
        Index::atom(Atom::Read(tensor, vec![Index::var(entry)]))
    }

    // Blocks.

    fn blocks(&mut self, blocks: &'p [Block<Stmt>]) {
        for block in blocks {
            let nodes = self.block(block, &Env::default());
            let prelude = std::mem::take(&mut self.prelude);
            self.out.body.extend(prelude);
            self.out.body.extend(nodes);
            let mut defined = Vec::new();
            definitions(std::slice::from_ref(block), &mut defined);
            let joined = defined.iter().filter_map(|outer| self.joined.get(outer));
            let joined: Vec<TensorId> = joined.map(|inner| inner.tensor).collect();
            self.available.extend(defined.into_iter().chain(joined));
        }
    }

    fn block(&mut self, block: &'p Block<Stmt>, env: &Env) -> Vec<Node> {
        match block {
            Block::Stmt(stmt) => {
                let Some(stmt) = self.done_at(stmt) else { return Vec::new() };
                let nodes = self.statement(&stmt, env);
                self.computed.insert(stmt.tensor);
                nodes
            }
            Block::Rec(rec) => self.recurrence(rec, env),
            Block::Requires(requires) => self.requires(requires, env),
        }
    }

    /// What is done where a statement stands: that, or the search behind it that keeps its value; nothing if it is done elsewhere.
    fn done_at(&self, stmt: &Stmt) -> Option<Stmt> {
        if self.values.get(&stmt.tensor).is_some_and(|value| value.behind.is_some()) {
            return None;
        }
        match self.values.values().find(|value| value.stmt.tensor == stmt.tensor) {
            Some(value) => value.behind.clone(),
            None => Some(stmt.clone()),
        }
    }

    fn recurrence(&mut self, rec: &'p Rec<Stmt>, env: &Env) -> Vec<Node> {
        let depth = self.steps.len();
        let mut inner = env.clone();
        let mut loops = Vec::new();
        for (var, direction) in &rec.vars {
            let row = self.symbols.var(*var).clone();
            let id = self.out.add_int(row.name);
            inner.ints.insert(*var, Int::Var(id));
            self.steps.push((*var, *direction));
            loops.push((id, self.extent(&row.range), *direction));
        }
        let mut defined = Vec::new();
        definitions(&rec.body, &mut defined);
        for tensor in &defined {
            self.recurrent.insert(*tensor, self.steps.len());
            self.computed.remove(tensor);
        }
        if let ([(_, direction)], 0) = (rec.vars.as_slice(), depth) {
            let number = self.out.body.len();
            self.recurrences.extend(defined.iter().map(|tensor| (*tensor, (number, *direction))));
        }
        let mut nodes: Vec<Node> = rec.body.iter().flat_map(|b| self.block(b, &inner)).collect();
        if depth == 0 {
            nodes.append(&mut self.later);
        }
        for (var, end, direction) in loops.into_iter().rev() {
            let order = match direction {
                Direction::Ascending => Order::Ascending,
                Direction::Descending => Order::Descending,
            };
            let (lower, upper) = (vec![Int::Const(0)], vec![end]);
            let header = For { var, lower, upper, stride: None, order, body: nodes };
            nodes = vec![Node::For(Box::new(header))];
        }
        self.steps.truncate(depth);
        nodes
    }

    /// The check of a clause, unless what searches find implies it.
    fn requires(&mut self, requires: &Requires, env: &Env) -> Vec<Node> {
        self.clauses += 1;
        if self.is_found(&requires.binders, &[], &requires.condition) {
            return Vec::new();
        }
        let mut inner = env.clone();
        let mut loops = Vec::new();
        let mut point = Vec::new();
        for var in &requires.binders {
            let row = self.symbols.var(*var).clone();
            let id = self.out.add_int(row.name.clone());
            inner.ints.insert(*var, Int::Var(id));
            loops.push((id, self.extent(&row.range)));
            point.push((row.name, id));
        }
        let names = Names::plain(&self.program.symbols);
        let condition = print::expr(&names.guard(&requires.condition));
        let cond = self.cond(&inner, &requires.condition);
        let check = self.check(Check::Requires { clause: self.clauses, condition, point }, cond);
        loops.into_iter().rev().fold(vec![check], |body, (id, end)| vec![counted(id, end, body)])
    }

    fn check(&mut self, check: Check, cond: Cond) -> Node {
        self.out.checks.push(check);
        Node::Check(crate::loops::CheckId(self.out.checks.len() as u32 - 1), cond)
    }

    /// Copies parameters that are results.
    fn return_params(&mut self) {
        for tensor in self.program.results.clone() {
            let from = self.buffer(tensor);
            if self.out.buffer(from).role != Role::Input {
                continue;
            }
            let mut copy = self.out.buffer(from).clone();
            copy.role = Role::Output;
            let extents = copy.extents.clone();
            let element = copy.element;
            let to = self.out.add_buffer(copy);
            let vars: Vec<_> = extents.iter().map(|_| self.out.add_int("i")).collect();
            let indices: Vec<Int> = vars.iter().map(|var| Int::Var(*var)).collect();
            let place = Place { buffer: to, indices: indices.clone() };
            let store = match element {
                Element::Real => Node::Store(place, Real::Load(from, indices)),
                Element::Int => Node::StoreInt(place, Int::Load(from, indices)),
            };
            let nest = vars.into_iter().zip(extents).rev();
            let nodes = nest.fold(vec![store], |body, (var, end)| vec![counted(var, end, body)]);
            self.out.body.extend(nodes);
        }
    }
}

fn collect_requires(blocks: &[Block<Stmt>], found: &mut Vec<Requires>) {
    for block in blocks {
        match block {
            Block::Stmt(_) => {}
            Block::Rec(rec) => collect_requires(&rec.body, found),
            Block::Requires(requires) => found.push(requires.clone()),
        }
    }
}
