//! The pieces that a program is cut into: what the engine runs one after the other, and what threads share.
//!
//! A loop whose iterations are independent, sums apart, is a piece, run in parts. A loop that takes its steps in order, as
//! a recurrence does, is a piece too if such loops stand in it, and so is a condition around some: it is run as a whole, or
//! piece by piece, each step, where these have much work. What stands between them is a piece.

use crate::block::{Sharing, shared_by_threads};
use crate::fuse::clears::clears;
use crate::fuse::tuples::Tuples;
use crate::loops::{BufferId, Cond, For, IntId, LoopProgram, Node};
use crate::tile::{rows, strip};

/// A piece of a program.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Piece {
    /// Its number, in the order of the text; those inside follow.
    pub(super) number: usize,
    pub(super) what: What,
    /// What it is cut into, if it can be run piece by piece.
    pub(super) inside: Vec<Self>,
}

/// What a piece is.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum What {
    /// Run once.
    Nodes(Vec<Node>),
    /// Run in parts if that is given, else in order.
    Loop(For, Option<Parts>),
    /// Run where a condition holds.
    If(Cond, Vec<Node>),
    /// No code: the engine clears a buffer.
    Clear(BufferId),
}

/// How a loop is cut into parts.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Parts {
    /// How its iterations are independent.
    pub(super) sharing: Sharing,
    /// A part has at least so many iterations.
    pub(super) least: i64,
    /// Whether they are rows that each take as long: what others share is packed for each part.
    pub(super) even: bool,
}

/// The least part of a loop without loops inside.
const LITTLE: i64 = 8192;

/// The least part of a loop in tiles: whole tiles, on any machine.
const TILED: i64 = 512;

/// The least part of a loop with rows.
const ROWS: i64 = 32;

/// How a loop is cut, if its iterations are independent, sums apart, and may be more than one part has.
fn parts(program: &LoopProgram, header: &For, tuples: &Tuples) -> Option<Parts> {
    let nested = header.body.iter().any(Node::has_loop);
    if !nested && header.most_steps().is_some_and(|steps| steps <= LITTLE) {
        return None;
    }
    let sharing = shared_by_threads(header, tuples)?;
    let rows = rows(program, header);
    let least = match &rows {
        Some(_) => ROWS,
        None if strip(program, header).is_some() => TILED,
        None if nested => 1,
        None => LITTLE,
    };
    let even = rows.is_some_and(|rows| rows.is_even());
    Some(Parts { sharing, least, even })
}

/// Cuts a program into pieces.
pub(super) fn pieces(program: &LoopProgram) -> Vec<Piece> {
    let mut cutter = Cutter { program, tuples: Tuples::of(program), next: 0 };
    let mut pieces = Vec::new();
    let mut run = Vec::new();
    let clears = clears(program);
    for (at, node) in program.body.iter().enumerate() {
        if let Some(buffer) = clears.get(&at) {
            pieces.extend(cutter.nodes(&mut run));
            pieces.push(cutter.piece(What::Clear(*buffer)));
        } else {
            cutter.node(node, &mut run, &mut pieces);
        }
    }
    pieces.extend(cutter.nodes(&mut run));
    pieces
}

struct Cutter<'p> {
    program: &'p LoopProgram,
    tuples: Tuples,
    next: usize,
}

impl Cutter<'_> {
    fn piece(&mut self, what: What) -> Piece {
        self.next += 1;
        Piece { number: self.next - 1, what, inside: Vec::new() }
    }

    /// The nodes that have been gathered, if there are some.
    fn nodes(&mut self, run: &mut Vec<Node>) -> Option<Piece> {
        (!run.is_empty()).then(|| self.piece(What::Nodes(std::mem::take(run))))
    }

    /// Adds the piece that a node is, or gathers the node.
    fn node(&mut self, node: &Node, run: &mut Vec<Node>, pieces: &mut Vec<Piece>) {
        let (what, nodes) = match node {
            Node::For(header) => {
                let parts = parts(self.program, header, &self.tuples);
                // a loop with a key is cut or not as the data are, and adds in the same way in both cases
                let whole = parts
                    .as_ref()
                    .is_some_and(|parts| parts.sharing.is_plain() || parts.sharing.key.is_some());
                let nodes: &[Node] = if whole { &[] } else { &header.body };
                if parts.is_none() && !self.has_parts(nodes) {
                    return run.push(node.clone());
                }
                (What::Loop((**header).clone(), parts), nodes)
            }
            Node::If(cond, body) if self.has_parts(body) => {
                (What::If(cond.clone(), body.clone()), body.as_slice())
            }
            Node::Note(_)
            | Node::If(..)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => return run.push(node.clone()),
        };
        pieces.extend(self.nodes(run));
        let mut piece = self.piece(what);
        if self.has_parts(nodes) {
            let mut run = Vec::new();
            nodes.iter().for_each(|node| self.node(node, &mut run, &mut piece.inside));
            piece.inside.extend(self.nodes(&mut run));
        }
        pieces.push(piece);
    }

    /// Whether one of some nodes is a loop in parts, or one stands in it.
    fn has_parts(&self, nodes: &[Node]) -> bool {
        nodes.iter().any(|node| {
            let own = |header: &For| parts(self.program, header, &self.tuples).is_some();
            matches!(node, Node::For(header) if own(header)) || self.has_parts(node.inside())
        })
    }
}

impl Piece {
    /// The number of the last piece in it; its own, if there is none.
    pub(super) fn last(&self) -> usize {
        self.inside.last().map_or(self.number, Self::last)
    }

    /// What it runs.
    pub(super) fn nodes(&self) -> Vec<Node> {
        match &self.what {
            What::Nodes(nodes) => nodes.clone(),
            What::Loop(header, _) => vec![Node::For(Box::new(header.clone()))],
            What::If(cond, body) => vec![Node::If(cond.clone(), body.clone())],
            What::Clear(_) => Vec::new(),
        }
    }

    /// The variables of the loops in parts inside.
    pub(super) fn in_parts(&self) -> Vec<IntId> {
        let mut vars = Vec::new();
        for piece in &self.inside {
            match &piece.what {
                What::Loop(header, Some(_)) => vars.push(header.var),
                What::Loop(_, None) | What::Nodes(_) | What::If(..) | What::Clear(_) => {}
            }
            vars.extend(piece.in_parts());
        }
        vars
    }
}
