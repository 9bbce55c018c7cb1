//! Which variables live from one call of a function to another.
//!
//! A unit is what is always run together: a piece with none inside, and the ends or the condition of one that has some. A
//! variable that each unit sets before it reads it has a place in each; others are kept in memory between calls.

use super::mentions::Mentions;
use super::pieces::{Piece, What};
use super::scopes::{Scopes, Variable};
use crate::block::Sharing;
use crate::loops::walk::{Visit, walk_node};
use crate::loops::{IntId, LoopProgram, Node};
use rustc_hash::FxHashMap;

/// What the units of a program do with a variable.
#[derive(Default)]
struct Row {
    /// How many mention it.
    units: usize,
    /// Whether one of them may need what another one has left.
    open: bool,
    /// Whether a unit may need what it has left itself the last time.
    carried: bool,
}

/// What units do with variables.
pub(super) struct Units<'p> {
    program: &'p LoopProgram,
    rows: FxHashMap<Variable, Row>,
}

impl<'p> Units<'p> {
    pub(super) fn of(program: &'p LoopProgram, pieces: &[Piece]) -> Self {
        let mut units = Self { program, rows: FxHashMap::default() };
        pieces.iter().for_each(|piece| units.piece(piece, false));
        units
    }

    fn piece(&mut self, piece: &Piece, again: bool) {
        match &piece.what {
            _ if piece.inside.is_empty() => self.leaf(piece, again),
            What::Loop(header, _) => {
                let mut mentions = Mentions::default();
                mentions.header(self.program, header);
                self.read(&mentions);
                self.row(Variable::Int(header.var)).carried = true;
            }
            What::If(cond, _) => {
                let node = Node::If(cond.clone(), Vec::new());
                self.read(&Mentions::of(self.program, &[node]));
            }
            What::Nodes(_) | What::Clear(_) => {}
        }
        piece.inside.iter().for_each(|inner| self.piece(inner, true));
    }

    fn row(&mut self, variable: Variable) -> &mut Row {
        self.rows.entry(variable).or_default()
    }

    fn read(&mut self, mentions: &Mentions) {
        for variable in mentioned(mentions) {
            let row = self.row(variable);
            row.units += 1;
            row.open = true;
        }
    }

    fn leaf(&mut self, piece: &Piece, again: bool) {
        let nodes = piece.nodes();
        let scopes = Scopes::of(self.program, &nodes, &[]);
        let (mentions, loops) = (Mentions::of(self.program, &nodes), loop_variables(&nodes));
        let carries = again && matches!(piece.what, What::Nodes(_));
        for variable in mentioned(&mentions) {
            if matches!(variable, Variable::Int(var) if loops.contains(&var)) {
                continue;
            }
            let open = !scopes.is_local(variable);
            let row = self.row(variable);
            row.units += 1;
            row.open |= open;
            row.carried |= open && carries;
        }
    }

    /// The variables of a piece at top level that are kept in memory, in order.
    pub(super) fn shared(&self, mine: &Mentions, piece: &Piece) -> Vec<Variable> {
        let mut all = mentioned(mine);
        all.extend(steps(piece).map(Variable::Int));
        all.sort_unstable();
        all.dedup();
        all.retain(|variable| {
            let row = self.rows.get(variable);
            row.is_some_and(|row| row.open && row.units > 1 || row.carried)
        });
        all
    }
}

/// The variables of the loops with pieces inside.
fn steps(piece: &Piece) -> Box<dyn Iterator<Item = IntId> + '_> {
    let own = match &piece.what {
        What::Loop(header, _) if !piece.inside.is_empty() => Some(header.var),
        What::Loop(..) | What::Nodes(_) | What::If(..) | What::Clear(_) => None,
    };
    Box::new(own.into_iter().chain(piece.inside.iter().flat_map(steps)))
}

/// The variables that a piece may leave changed: of a loop in parts the sums and searches alone.
pub(super) fn set_by(program: &LoopProgram, piece: &Piece) -> Vec<Variable> {
    if let What::Loop(_, Some(parts)) = &piece.what {
        let Sharing { sums, searches, .. } = &parts.sharing;
        let found = searches.iter().flat_map(|search| {
            let ints = search.ints.iter().map(|var| Variable::Int(*var));
            ints.chain([Variable::Real(search.best)])
        });
        return sums.iter().map(|(var, _)| Variable::Real(*var)).chain(found).collect();
    }
    let Mentions { ints_set, reals_set, .. } = Mentions::of(program, &piece.nodes());
    let ints = ints_set.into_iter().map(Variable::Int);
    ints.chain(reals_set.into_iter().map(Variable::Real)).collect()
}

/// Each once.
fn mentioned(mentions: &Mentions) -> Vec<Variable> {
    let ints = mentions.ints_set.union(&mentions.ints_read).map(|var| Variable::Int(*var));
    let reals = mentions.reals_set.union(&mentions.reals_read).map(|var| Variable::Real(*var));
    ints.chain(reals).collect()
}

/// The variables of the loops in nodes.
fn loop_variables(nodes: &[Node]) -> Vec<IntId> {
    struct Loops(Vec<IntId>);
    impl Visit for Loops {
        fn node(&mut self, node: &Node) {
            if let Node::For(header) = node {
                self.0.push(header.var);
            }
            walk_node(self, node);
        }
    }
    let mut loops = Loops(Vec::new());
    nodes.iter().for_each(|node| loops.node(node));
    loops.0
}
