//! Loops that are taken a tile at a time: several iterations go through an inner loop together, and what
//! each of them sums, or searches for, stays in a register.
//!
//! In `for any j { r = 0; for k { r += a[k] * b[k, j] }; y[j] = r }` a *strip* of iterations `j` takes each step
//! of `k` at once, on neighbours of `b`; `if p { r = .. }` in the place of the sum is a search. Where a loop over `i` stands around and `b` does not depend on it,
//! several *rows* `i` share what is read: a tile of a matrix product.

use crate::block::shared;
use crate::fuse::tuples::Tuples;
use crate::loops::walk::{Visit, walk_node};
use crate::loops::{BufferId, Fold, For, Int, IntId, LoopProgram, Node, Order, RealId};
use crate::native::{Mentions, Variable};
use rustc_hash::FxHashSet;

/// A loop whose steps each go through the same inner loops, so that several of them can go together.
pub(crate) struct Strip {
    /// The whole loop.
    pub(crate) header: For,
    pub(crate) parts: Vec<Part>,
    /// The variables that steps have of their own.
    pub(crate) own: Vec<Variable>,
    /// How many values the inner loops keep for each step, sums and what searches found, and how many one of them does.
    all: usize,
    pub(crate) kept: usize,
    /// The indices of the entries that the inner loops read side by side.
    moving: Vec<Vec<Int>>,
}

/// A part of a step.
pub(crate) enum Part {
    /// Nodes without loops; whether steps that were done before may do them again.
    Run(Vec<Node>, bool),
    /// A loop that is the same for every step.
    Loop(For, Vec<Self>),
}

/// A loop around strips, whose steps are taken several at a time.
pub(crate) struct Rows {
    pub(crate) header: For,
    pub(crate) items: Vec<Item>,
    /// The variables that steps have of their own, outside of their strips.
    pub(crate) own: Vec<Variable>,
}

/// A node in the body of such a loop.
pub(crate) enum Item {
    /// Nodes that are done step by step.
    Nodes(Vec<Node>),
    /// A loop that is taken with all steps at once.
    Strip(Strip),
}

/// How many values tiles keep in all for each entry: those with rows, and strips alone.
pub(crate) fn kept(program: &LoopProgram, nodes: &[Node]) -> (usize, usize) {
    let of = |node: &Node| {
        let Node::For(header) = node else { return kept(program, node.inside()) };
        if let Some(rows) = rows(program, header) {
            (rows.kept(), 0)
        } else if let Some(strip) = strip(program, header) {
            (0, strip.all)
        } else {
            kept(program, &header.body)
        }
    };
    nodes.iter().map(of).fold((0, 0), |(rows, strips), (r, s)| (rows + r, strips + s))
}

/// The strip that a loop is, if it is one.
///
/// Its iterations are independent, sums apart; the inner loops have the same bounds for all of them, write
/// nothing, and read entries that stand still or side by side from one iteration to the next.
pub(crate) fn strip(program: &LoopProgram, header: &For) -> Option<Strip> {
    if !is_regular(program, header) {
        return None;
    }
    let set = Changing::of(&header.body);
    let mut varying = set.ints_set.clone();
    varying.push(header.var);
    let parts = parts(&header.body, &varying, &set.reals)?;
    let mut inner = Inner {
        var: header.var,
        varying: &varying,
        inside: false,
        conditions: 0,
        writes: false,
        joined: FxHashSet::default(),
        found: FxHashSet::default(),
        scattered: false,
        moving: Vec::new(),
    };
    let (mut all, mut kept) = (0, 0);
    for part in &parts {
        inner.parts(std::slice::from_ref(part));
        let joined = std::mem::take(&mut inner.joined);
        if !joined.iter().all(|var| set.reals.contains(var)) {
            return None;
        }
        let found = std::mem::take(&mut inner.found);
        let values = joined.len() + found.len();
        all += values;
        kept = kept.max(values);
    }
    let Inner { writes, scattered, moving, .. } = inner;
    let good = kept > 0 && !writes && !scattered && !moving.is_empty();
    let ints = set.ints_set.into_iter().map(Variable::Int);
    let mut own: Vec<Variable> = ints.chain(set.reals.into_iter().map(Variable::Real)).collect();
    own.sort_unstable();
    own.dedup();
    good.then(|| Strip { header: header.clone(), parts, own, all, kept, moving })
}

/// The rows that a loop has, if strips stand in it that read the same entries in each of its steps.
pub(crate) fn rows(program: &LoopProgram, header: &For) -> Option<Rows> {
    if is_short(header) || !is_regular(program, header) {
        return None;
    }
    let mut changing = Changing::of_list(&header.body);
    changing.ints.push(header.var);
    let fits = |node: &Node| {
        let Node::For(inner) = node else { return None };
        let strip = strip(program, inner)?;
        let whole = strip.is_the_same(&changing.ints)
            && strip.moving.iter().any(|indices| !mentions_any(indices, &changing.ints))
            && strip.kept <= MOST_KEPT;
        whole.then_some(strip)
    };
    let mut items = Vec::new();
    let mut alone = Vec::new();
    for node in &header.body {
        let strip = fits(node);
        alone.push(strip.is_none());
        match (strip, items.last_mut()) {
            (Some(strip), _) => items.push(Item::Strip(strip)),
            (None, Some(Item::Nodes(nodes))) => nodes.push(node.clone()),
            (None, Some(Item::Strip(_)) | None) => items.push(Item::Nodes(vec![node.clone()])),
        }
    }
    let strips = items.iter().any(|item| matches!(item, Item::Strip(_)));
    let own = changing.ints.iter().filter(|var| **var != header.var).map(|v| Variable::Int(*v));
    let mut own: Vec<Variable> =
        own.chain(changing.reals.iter().map(|v| Variable::Real(*v))).collect();
    own.sort_unstable();
    own.dedup();
    let nodes: Vec<(&Node, bool)> = header.body.iter().zip(alone).collect();
    (strips && apart(program, &nodes, &changing)).then(|| Rows {
        header: header.bare(),
        items,
        own,
    })
}

/// Whether a loop has fewer steps than rows go together, whatever the sizes are.
fn is_short(header: &For) -> bool {
    header.constants().is_some_and(|(start, end)| end - start < LEAST_ROWS)
}

/// So many rows go together at least, if one value is kept for each entry.
const LEAST_ROWS: i64 = 4;

/// At most so many values are kept for each entry of a tile with rows.
const MOST_KEPT: usize = 4;

/// The sums that leave a loop, if its iterations are independent but for them.
pub(crate) fn sums(header: &For) -> Option<Vec<(RealId, Fold)>> {
    let sharing = shared(header, &Tuples::default())?;
    sharing.is_plain().then_some(sharing.sums)
}

/// Whether iterations are independent, sums apart, and nothing in them ends the run or looks up tuples.
fn is_regular(program: &LoopProgram, header: &For) -> bool {
    let independent = header.order == Order::Parallel || sums(header).is_some();
    let mentions = Mentions::of(program, &header.body);
    let plain = !mentions.checks && !mentions.floors && mentions.relations.is_empty();
    independent && plain && header.stride.is_none()
}

/// Whether no variable that a node sets in a loop inside is mentioned by another node. Nodes that are done row by row
/// may do so with the variables that each row has, those of the list.
fn apart(program: &LoopProgram, nodes: &[(&Node, bool)], list: &Changing) -> bool {
    let mentions: Vec<Mentions> =
        nodes.iter().map(|(node, _)| Mentions::of(program, std::slice::from_ref(*node))).collect();
    nodes.iter().enumerate().all(|(at, (node, alone))| {
        let Node::For(header) = node else { return true };
        let sums = sums(header).unwrap_or_default();
        let mut set = Changing::of(std::slice::from_ref(*node));
        if *alone {
            set.ints.retain(|var| !list.ints.contains(var));
            set.reals.retain(|var| !list.reals.contains(var));
        }
        let other = |found: &dyn Fn(&Mentions) -> bool| {
            mentions.iter().enumerate().any(|(place, other)| place != at && found(other))
        };
        let free = |var: &RealId| sums.iter().any(|(sum, _)| sum == var);
        set.ints.iter().all(|v| !other(&|m| m.ints_set.contains(v) || m.ints_read.contains(v)))
            && set
                .reals
                .iter()
                .filter(|v| !free(v))
                .all(|v| !other(&|m| m.reals_set.contains(v) || m.reals_read.contains(v)))
    })
}

/// The parts of a step: runs of nodes, and loops that do not depend on `varying`. In front of a loop what
/// only sets variables stands by itself: the loop needs it for all steps.
fn parts(nodes: &[Node], varying: &[IntId], own: &[RealId]) -> Option<Vec<Part>> {
    let mut found = Vec::new();
    let last = nodes.iter().rposition(|node| matches!(node, Node::For(_)));
    for (at, node) in nodes.iter().enumerate() {
        let again = last.is_some_and(|last| at < last) && is_repeatable(node, own);
        match (node, found.last_mut()) {
            (Node::For(header), _) => {
                let fixed = header.stride.is_none() && is_the_same(header, varying);
                let inside = fixed.then(|| inner_parts(&header.body, varying))??;
                found.push(Part::Loop(header.bare(), inside));
            }
            (node, _) if node.inside().iter().any(Node::has_loop) => return None,
            (node, Some(Part::Run(run, before))) if *before == again => run.push(node.clone()),
            (node, _) => found.push(Part::Run(vec![node.clone()], again)),
        }
    }
    Some(found)
}

/// The parts of a step of an inner loop, which all steps around take together.
fn inner_parts(nodes: &[Node], varying: &[IntId]) -> Option<Vec<Part>> {
    let mut found = parts(nodes, varying, &[])?;
    let all = |part: &mut Part| {
        if let Part::Run(_, again) = part {
            *again = true;
        }
    };
    found.iter_mut().for_each(all);
    Some(found)
}

/// Whether a node only sets variables of its step.
fn is_repeatable(node: &Node, own: &[RealId]) -> bool {
    match node {
        Node::Note(_) | Node::Visit(_) | Node::Set(..) | Node::SetInt(..) => true,
        Node::Join(var, ..) => own.contains(var),
        Node::If(_, body) => body.iter().all(|node| is_repeatable(node, own)),
        Node::For(_)
        | Node::Store(..)
        | Node::Accumulate(..)
        | Node::StoreInt(..)
        | Node::AddInt(..)
        | Node::Check(..) => false,
    }
}

/// Whether the bounds of a loop are the same while `vars` change.
fn is_the_same(header: &For, vars: &[IntId]) -> bool {
    let (lower, upper) = (&header.lower, &header.upper);
    let arithmetic = lower.iter().chain(upper).all(is_arithmetic);
    arithmetic && !mentions_any(lower, vars) && !mentions_any(upper, vars)
}

/// Whether an end is computed from sizes and variables.
pub(crate) fn is_arithmetic(e: &Int) -> bool {
    match e {
        Int::Const(_) | Int::Size(_) | Int::Var(_) => true,
        Int::Sum(terms, _) => terms.iter().all(|(_, e)| is_arithmetic(e)),
        Int::Product(factors) => factors.iter().all(is_arithmetic),
        Int::Div(e, _) | Int::Mod(e, _) => is_arithmetic(e),
        Int::Select(parts) => {
            let mut data = Data(false);
            data.cond(&parts.0);
            !data.0 && is_arithmetic(&parts.1) && is_arithmetic(&parts.2)
        }
        Int::Load(..) | Int::DivBy(_) | Int::Floor(_) => false,
    }
}

struct Data(bool);

impl Visit for Data {
    fn load(&mut self, _: BufferId, _: &[Int]) {
        self.0 = true;
    }

    fn real_var(&mut self, _: RealId) {
        self.0 = true;
    }
}

/// Whether an index is a variable and what stands still while `varying` change.
pub(crate) fn follows(e: &Int, var: IntId, varying: &[IntId]) -> bool {
    let Int::Sum(terms, _) = e else { return *e == Int::Var(var) };
    let mut moving =
        terms.iter().filter(|(_, term)| mentions_any(std::slice::from_ref(term), varying));
    moving.next() == Some(&(1, Int::Var(var))) && moving.next().is_none()
}

/// Whether one of `vars` is mentioned.
pub(crate) fn mentions_any(indices: &[Int], vars: &[IntId]) -> bool {
    struct Any<'v>(&'v [IntId], bool);
    impl Visit for Any<'_> {
        fn int_var(&mut self, var: IntId) {
            self.1 |= self.0.contains(&var);
        }
    }
    let mut any = Any(vars, false);
    indices.iter().for_each(|e| any.int(e));
    any.1
}

impl Rows {
    /// The integers that change from one row to the next.
    pub(crate) fn changing(&self) -> Vec<IntId> {
        with_own(&self.own, self.header.var)
    }

    /// Whether each step takes as long as any other one.
    pub(crate) fn is_even(&self) -> bool {
        self.items.iter().all(|item| match item {
            Item::Nodes(nodes) => !nodes.iter().any(Node::has_loop),
            Item::Strip(_) => true,
        })
    }

    fn kept(&self) -> usize {
        let kept = |item: &Item| if let Item::Strip(strip) = item { strip.all } else { 0 };
        self.items.iter().map(kept).sum()
    }

    /// Whether the loop over a variable is a strip here.
    pub(crate) fn has(&self, var: IntId) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Strip(strip) if strip.header.var == var))
    }
}

/// A variable, and the integers among others.
fn with_own(own: &[Variable], var: IntId) -> Vec<IntId> {
    let ints = own.iter().filter_map(|variable| match variable {
        Variable::Int(var) => Some(*var),
        Variable::Real(_) => None,
    });
    ints.chain([var]).collect()
}

impl Strip {
    /// The integers that change from one step to the next.
    pub(crate) fn varying(&self) -> Vec<IntId> {
        with_own(&self.own, self.header.var)
    }

    /// Whether all bounds are the same while `vars` change.
    fn is_the_same(&self, vars: &[IntId]) -> bool {
        fn fixed(parts: &[Part], vars: &[IntId]) -> bool {
            parts.iter().all(|part| match part {
                Part::Run(..) => true,
                Part::Loop(header, parts) => is_the_same(header, vars) && fixed(parts, vars),
            })
        }
        is_the_same(&self.header, vars) && fixed(&self.parts, vars)
    }
}

/// The variables that nodes set.
#[derive(Default)]
struct Changing {
    /// Loop variables among them.
    ints: Vec<IntId>,
    /// Those that other nodes than loops set.
    ints_set: Vec<IntId>,
    reals: Vec<RealId>,
}

impl Changing {
    /// At any depth.
    fn of(nodes: &[Node]) -> Self {
        let mut changing = Self::default();
        nodes.iter().for_each(|node| changing.node(node));
        changing
    }

    /// By the nodes of a list, and under conditions there, not in loops.
    fn of_list(nodes: &[Node]) -> Self {
        let mut changing = Self::default();
        nodes
            .iter()
            .filter(|node| !matches!(node, Node::For(_)))
            .for_each(|node| changing.node(node));
        changing
    }
}

impl Visit for Changing {
    fn node(&mut self, node: &Node) {
        match node {
            Node::For(header) => self.ints.push(header.var),
            Node::SetInt(var, _) => {
                self.ints.push(*var);
                self.ints_set.push(*var);
            }
            Node::Set(var, _) => self.reals.push(*var),
            Node::Note(_)
            | Node::If(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => {}
        }
        walk_node(self, node);
    }
}

/// What the inner loops of a strip do.
struct Inner<'v> {
    var: IntId,
    varying: &'v [IntId],
    /// Whether the walk is in an inner loop.
    inside: bool,
    /// How many conditions the walk is under, there.
    conditions: usize,
    writes: bool,
    joined: FxHashSet<RealId>,
    /// What is set under conditions, as searches do.
    found: FxHashSet<Variable>,
    /// Whether an entry is read that neither stands still nor lies beside the one before.
    scattered: bool,
    /// The indices of entries side by side.
    moving: Vec<Vec<Int>>,
}

impl Inner<'_> {
    fn parts(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Run(nodes, _) if self.inside => nodes.iter().for_each(|node| self.node(node)),
                Part::Run(..) => {}
                Part::Loop(_, parts) => {
                    let outside = std::mem::replace(&mut self.inside, true);
                    self.parts(parts);
                    self.inside = outside;
                }
            }
        }
    }
}

impl Visit for Inner<'_> {
    fn load(&mut self, _: BufferId, indices: &[Int]) {
        if !mentions_any(indices, self.varying) {
            return;
        }
        let Some((last, others)) = indices.split_last() else { return };
        let beside = follows(last, self.var, self.varying);
        if beside && !mentions_any(others, self.varying) {
            self.moving.push(indices.to_vec());
        } else {
            self.scattered = true;
        }
    }

    fn enter(&mut self, node: &Node) {
        match node {
            Node::Join(var, ..) => {
                self.joined.insert(*var);
            }
            Node::Set(var, _) if self.conditions > 0 => {
                self.found.insert(Variable::Real(*var));
            }
            Node::SetInt(var, _) if self.conditions > 0 => {
                self.found.insert(Variable::Int(*var));
            }
            Node::If(..) => self.conditions += 1,
            Node::Store(..) | Node::Accumulate(..) | Node::StoreInt(..) | Node::AddInt(..) => {
                self.writes = true;
            }
            Node::Note(_)
            | Node::For(_)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Visit(_)
            | Node::Check(..) => {}
        }
    }

    fn leave(&mut self, node: &Node) {
        if matches!(node, Node::If(..)) {
            self.conditions -= 1;
        }
    }
}
