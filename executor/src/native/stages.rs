//! A program as C functions that an engine calls one after the other.
//!
//! A loop at top level whose iterations are independent, sums apart, is a stage of its own, given a part of its
//! range, so that threads share it; the nodes between two of them are one stage.

use super::Precision;
use super::expressions::Expressions;
use super::lookups::Lookups;
use super::mentions::Mentions;
use super::names::{Names, map};
use super::scopes::{Scopes, Variable};
use super::statements::{Leave, Statements};
use super::text::preamble;
use super::tiles::Ends;
use crate::block::{Sharing, shared};
use crate::fuse::clears::cleared;
use crate::fuse::tuples::Tuples;
use crate::loops::{BufferId, Element, For, IntId, LoopProgram, Node, Order, RelId};
use crate::tile::{Tiling, tiling};

/// The C text of an engine.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Staged {
    pub(super) source: String,
    pub(super) stages: Vec<Kind>,
}

/// What a stage is.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Kind {
    /// Run once.
    Sequence,
    /// Run for parts of a range.
    Loop(Parts),
    /// No code: the engine clears a buffer.
    Clear(BufferId),
}

/// How a loop is cut into parts.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Parts {
    /// How far apart its values are; at least 1.
    pub(super) step: i64,
    /// How its iterations are independent.
    pub(super) sharing: Sharing,
    /// A part has at least so many iterations.
    pub(super) least: i64,
    /// The variable of the loop, and where copies may pay what it does: its work says whether they do.
    pub(super) var: IntId,
    pub(super) body: Vec<Node>,
}

/// The least part of a loop without loops inside.
const LITTLE: i64 = 8192;

/// The least part of a loop in tiles: whole tiles, on any machine.
const TILED: i64 = 512;

/// The least part of a loop with rows.
const ROWS: i64 = 32;

/// How a loop is cut, if its iterations are independent, sums apart.
fn parts(program: &LoopProgram, header: &For, tuples: &Tuples) -> Option<Parts> {
    let sharing = match (shared(header, tuples), header.order) {
        (Some(sharing), _) if sharing.is_plain() => sharing,
        (_, Order::Parallel) => Sharing::plain(Vec::new()),
        (sharing, Order::Ascending | Order::Descending) => sharing?,
    };
    let nested = header.body.iter().any(Node::has_loop);
    let step = header.stride.as_ref().map_or(1, |(modulus, _)| *modulus);
    let least = match tiling(program, header) {
        Some(Tiling::Rows) => ROWS,
        Some(Tiling::Strip) => TILED,
        None if nested => 1,
        None => LITTLE,
    };
    let body = if sharing.private.is_empty() { Vec::new() } else { header.body.clone() };
    Some(Parts { step, sharing, least, var: header.var, body })
}

/// The stages of a program, as C.
pub(super) fn staged(program: &LoopProgram, precision: Precision) -> Staged {
    let names = Names::new(program);
    let lookups = Lookups::of(program);
    let expressions = Expressions::new(program, &names, precision, &lookups);
    let tuples = Tuples::of(program);
    let pieces = pieces(program, &tuples);
    let mentions: Vec<Mentions> = pieces.iter().map(|piece| Mentions::of(program, piece)).collect();
    let mut functions = String::new();
    let mut stages = Vec::new();
    for (number, piece) in pieces.iter().enumerate() {
        let first = piece.as_ptr_range().start;
        let at = program.body.iter().position(|node| std::ptr::eq(node, first));
        if let ([_], Some(buffer)) = (*piece, at.and_then(|at| cleared(program, at))) {
            stages.push(Kind::Clear(buffer));
            continue;
        }
        let stage = Stage {
            number,
            piece,
            parts: match *piece {
                [Node::For(header)] => parts(program, header, &tuples),
                _ => None,
            },
            mentions: &mentions,
            expressions: &expressions,
        };
        functions += &stage.print();
        stages.push(stage.kind());
    }
    let all = Mentions::of(program, &program.body);
    let source = format!("{}\n{functions}", preamble(program, &all, precision, &functions));
    Staged { source, stages }
}

/// Runs of nodes; an independent loop stands alone.
fn pieces<'b>(program: &'b LoopProgram, tuples: &Tuples) -> Vec<&'b [Node]> {
    let body = &program.body;
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, node) in body.iter().enumerate() {
        if matches!(node, Node::For(header) if parts(program, header, tuples).is_some()) {
            if start < at {
                pieces.push(&body[start..at]);
            }
            pieces.push(&body[at..=at]);
            start = at + 1;
        }
    }
    if start < body.len() {
        pieces.push(&body[start..]);
    }
    pieces
}

struct Stage<'p> {
    number: usize,
    piece: &'p [Node],
    /// How it is cut, if it is a loop that is.
    parts: Option<Parts>,
    /// Of all stages.
    mentions: &'p [Mentions],
    expressions: &'p Expressions<'p>,
}

impl Stage<'_> {
    fn header(&self) -> Option<&For> {
        match self.piece {
            [Node::For(header)] if self.parts.is_some() => Some(header),
            _ => None,
        }
    }

    fn kind(&self) -> Kind {
        self.parts.clone().map_or(Kind::Sequence, Kind::Loop)
    }

    /// The shared variables that the stage leaves changed.
    fn left(&self, shared: &[Variable]) -> Vec<Variable> {
        let leaves = |variable: &Variable| match (&self.parts, variable) {
            (None, _) => true,
            (Some(parts), Variable::Real(v)) => parts.sharing.sums.iter().any(|(sum, _)| sum == v),
            (Some(_), Variable::Int(_)) => false,
        };
        shared.iter().copied().filter(leaves).collect()
    }

    fn mine(&self) -> &Mentions {
        &self.mentions[self.number]
    }

    /// Variables that live before or after the stage.
    fn shared(&self) -> Vec<Variable> {
        let others = self.mentions.iter().enumerate().filter(|(at, _)| *at != self.number);
        let mut shared = Vec::new();
        for (_, other) in others {
            let ints = other.ints_set.iter().chain(&other.ints_read).map(|v| Variable::Int(*v));
            let reals = other.reals_set.iter().chain(&other.reals_read).map(|v| Variable::Real(*v));
            shared.extend(ints.chain(reals).filter(|variable| self.mentions_of(*variable)));
        }
        shared.sort_unstable();
        shared.dedup();
        shared
    }

    fn mentions_of(&self, variable: Variable) -> bool {
        let mine = self.mine();
        match variable {
            Variable::Int(v) => mine.ints_set.contains(&v) || mine.ints_read.contains(&v),
            Variable::Real(v) => mine.reals_set.contains(&v) || mine.reals_read.contains(&v),
        }
    }

    fn print(&self) -> String {
        let shared = self.shared();
        let scopes = Scopes::of(self.expressions.program, self.piece, &shared);
        let mut statements = Statements {
            expressions: self.expressions,
            scopes: &scopes,
            leave: Leave::Return,
            out: String::new(),
            next: 0,
            plain: false,
            fused: false,
        };
        statements.line(1, "int64_t status = 0;");
        for variable in &shared {
            let (name, cell) = (statements.name(*variable), cell(*variable));
            let kind = if matches!(variable, Variable::Int(_)) { "int64_t" } else { "real" };
            statements.line(1, &format!("{kind} {name} = {cell};"));
        }
        statements.head(1);
        match self.header() {
            Some(header) => self.part(&mut statements, header),
            None => statements.nodes(self.piece, 1),
        }
        for variable in self.left(&shared) {
            let (name, cell) = (statements.name(variable), cell(variable));
            statements.line(1, &format!("{cell} = {name};"));
        }
        statements.line(1, "return status;");
        let (number, parameters) = (self.number, self.parameters());
        let (body, cursors) = (statements.out, self.expressions.cursors());
        let arguments = self.arguments();
        let mut text = format!(
            "static int64_t stage_{number}({parameters}) {{\n{cursors}{body}}}\n\n\
             int64_t iv_run_{number}({FRAME}, int64_t begin, int64_t end) {{\n    return stage_{number}({arguments});\n}}\n\n"
        );
        if let Some(header) = self.header() {
            text += &self.range(header);
        }
        text
    }

    /// The loop over a part of its range.
    fn part(&self, statements: &mut Statements<'_>, header: &For) {
        let mut header = header.clone();
        let step = header.stride.take().map_or(1, |(modulus, _)| modulus);
        let var = self.expressions.names.int(header.var);
        // the loop is node 0 of the walk
        statements.next = 1;
        let ends = Ends { first: "begin", end: "end" };
        let plain = |statements: &mut Statements<'_>, depth: usize| {
            if let Some(mark) = statements.mark(&header) {
                statements.line(depth, &mark);
            }
            let head = format!("for (int64_t {var} = begin; {var} < end; {var} += {step}) {{");
            statements.line(depth, &head);
            statements.nodes(&header.body, depth + 1);
            statements.line(depth, "}");
        };
        if step > 1 || !statements.tiles(&header, ends, 1, plain) {
            statements.with_maps(&header, 1, plain);
        }
    }

    /// A function that tells the range of the loop.
    fn range(&self, header: &For) -> String {
        let e = self.expressions;
        let lower = e.extreme("iv_max", &header.lower);
        let upper = e.extreme("iv_min", &header.upper);
        let first = match &header.stride {
            None => lower,
            Some((modulus, residue)) => format!("iv_first({lower}, {}, {modulus})", e.int(residue)),
        };
        let mut mentions = Mentions::default();
        mentions.header(e.program, header);
        let mut out = format!(
            "int64_t iv_range_{}({FRAME}, int64_t *range) {{\n    int64_t status = 0;\n",
            self.number
        );
        for size in &mentions.sizes {
            out +=
                &format!("    const int64_t {} = sizes[{}];\n", e.names.size(*size), size.index());
        }
        for var in &mentions.ints_read {
            out += &format!("    const int64_t {} = ints[{}];\n", e.names.int(*var), var.index());
        }
        for var in &mentions.reals_read {
            out += &format!("    const real {} = reals[{}];\n", e.names.real(*var), var.index());
        }
        for buffer in &mentions.buffers {
            let (kind, name) = (self.element(*buffer), e.names.buffer(*buffer));
            out += &format!("    const {kind} *{name} = buffers[{}];\n", buffer.index());
        }
        for relation in mentions.boxes(e.program) {
            let (map, at) = (map(relation), self.map_at(relation));
            out += &format!("    const uint8_t *{map} = buffers[{at}];\n");
        }
        out + &e.cursors()
            + &format!(
                "    range[0] = {first};\n    range[1] = {upper};\n    return status;\n}}\n\n"
            )
    }

    /// Where the map of a relation is given: after the buffers.
    fn map_at(&self, relation: RelId) -> usize {
        self.expressions.program.buffers.len() + relation.index()
    }

    fn element(&self, buffer: BufferId) -> &'static str {
        match self.expressions.program.buffer(buffer).element {
            Element::Real => "real",
            Element::Int => "int64_t",
        }
    }

    fn parameters(&self) -> String {
        let names = self.expressions.names;
        let mine = self.mine();
        let fixed =
            ["int64_t *restrict ints", "real *restrict reals", "int64_t begin", "int64_t end"];
        let sizes = mine.sizes.iter().map(|size| format!("int64_t {}", names.size(*size)));
        let buffers = mine.buffers.iter().map(|buffer| {
            let constant = if mine.written.contains(buffer) { "" } else { "const " };
            format!("{constant}{} *restrict {}", self.element(*buffer), names.buffer(*buffer))
        });
        let boxes = mine.boxes(self.expressions.program);
        let boxes = boxes.map(|relation| format!("const uint8_t *restrict {}", map(relation)));
        let fixed = fixed.map(str::to_owned);
        let all: Vec<String> = sizes.chain(buffers).chain(boxes).chain(fixed).collect();
        all.join(", ")
    }

    fn arguments(&self) -> String {
        let mine = self.mine();
        let sizes = mine.sizes.iter().map(|size| format!("sizes[{}]", size.index()));
        let buffers = mine.buffers.iter().map(|buffer| format!("buffers[{}]", buffer.index()));
        let boxes = mine.boxes(self.expressions.program);
        let boxes = boxes.map(|relation| format!("buffers[{}]", self.map_at(relation)));
        let fixed = ["ints", "reals", "begin", "end"].map(str::to_owned);
        sizes.chain(buffers).chain(boxes).chain(fixed).collect::<Vec<_>>().join(", ")
    }
}

/// What every function of the engine is given: sizes, buffers and maps of relations, variables.
const FRAME: &str = "const int64_t *sizes, void *const *buffers, int64_t *ints, real *reals";

/// Where a shared variable is kept.
fn cell(variable: Variable) -> String {
    match variable {
        Variable::Int(v) => format!("ints[{}]", v.index()),
        Variable::Real(v) => format!("reals[{}]", v.index()),
    }
}
