//! A program as C functions that an engine calls one after the other: one for each piece at top level.
//!
//! A function runs the piece, for a loop a part of its range; so threads share it. If there are pieces inside, its
//! argument `iv_only` says which of them is run: all of it where that is its own number, else that one alone, in the steps
//! around that the variables say. So a step is compiled once, whether it is run as a whole or piece by piece.

use super::Precision;
use super::expressions::Expressions;
use super::lookups::Lookups;
use super::mentions::Mentions;
use super::names::{Names, map};
use super::pieces::{Piece, What, pieces};
use super::scopes::{Scopes, Variable};
use super::statements::{Leave, Statements};
use super::streams::stored_alone;
use super::text::preamble;
use super::tiles::Ends;
use super::units::{Units, set_by};
use crate::loops::{BufferId, Cond, Element, For, LoopProgram, Node, Order, RelId};
use std::fmt::Write;

/// The C text of an engine.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Staged {
    pub(super) source: String,
    pub(super) pieces: Vec<Piece>,
}

/// The stages of a program, as C.
///
/// `past` is whether large results go past the cache.
pub(super) fn staged(program: &LoopProgram, precision: Precision, past: bool) -> Staged {
    let names = Names::new(program);
    let lookups = Lookups::of(program);
    let mut expressions = Expressions::new(program, &names, precision, &lookups);
    expressions.fetches = true;
    if past {
        expressions.streams = stored_alone(program);
    }
    let pieces = pieces(program);
    let units = Units::of(program, &pieces);
    let mut functions = String::new();
    for piece in pieces.iter().filter(|piece| !matches!(piece.what, What::Clear(_))) {
        let mine = Mentions::of(program, &piece.nodes());
        let shared = units.shared(&mine, piece);
        functions += &Stage { piece, mine, shared, expressions: &expressions }.print();
    }
    if functions.contains("iv_copies") {
        functions.insert_str(0, COPIES);
    }
    let all = Mentions::of(program, &program.body);
    let source = format!("{}\n{functions}", preamble(program, &all, precision, &functions));
    Staged { source, pieces }
}

/// Where blocks of rows have their copies: a library that is loaded has such memory from the first time on that a thread needs it.
const COPIES: &str =
    "static _Thread_local _Alignas(64) real iv_copies[IV_GROUP * IV_DEPTH * IV_WIDE];\n\n";

/// The function of a piece at top level.
struct Stage<'p> {
    piece: &'p Piece,
    mine: Mentions,
    /// The variables that are kept between calls.
    shared: Vec<Variable>,
    expressions: &'p Expressions<'p>,
}

impl Stage<'_> {
    fn print(&self) -> String {
        let mut body = String::new();
        for variable in &self.shared {
            let (name, cell) = (self.name(*variable), cell(*variable));
            let kind = if matches!(variable, Variable::Int(_)) { "int64_t" } else { "real" };
            let _ = writeln!(body, "    {kind} {name} = {cell};");
        }
        self.piece(self.piece, None, 1, &mut body);
        self.leave(self.piece, &mut body);
        let large = body.contains(LARGE);
        if large {
            body += "    iv_fence();\n";
        }
        let number = self.piece.number;
        let (cursors, arguments) = (self.expressions.cursors(), self.arguments(large));
        let parameters = self.parameters(large);
        let mut text = format!(
            "static int64_t stage_{number}({parameters}) {{\n{cursors}    int64_t status = 0;\n{body}    return status;\n}}\n\n\
             int64_t iv_run_{number}({FRAME}, int64_t begin, int64_t end, int64_t iv_only) {{\n"
        );
        if self.piece.inside.is_empty() {
            text += "    (void)iv_only;\n";
        }
        let _ = write!(text, "    return stage_{number}({arguments});\n}}\n\n");
        self.ranges(self.piece, &mut text);
        text
    }

    fn name(&self, variable: Variable) -> &str {
        match variable {
            Variable::Int(var) => self.expressions.names.int(var),
            Variable::Real(var) => self.expressions.names.real(var),
        }
    }

    /// Prints a piece that stands in another one, or none.
    fn piece(&self, piece: &Piece, around: Option<&Piece>, depth: usize, out: &mut String) {
        let number = piece.number;
        let Some(around) = around else { return self.body(piece, depth, out) };
        let all = around.number;
        let mine = match piece.last() {
            last if last == number => format!("iv_only == {number}"),
            last => format!("(iv_only >= {number} && iv_only <= {last})"),
        };
        line(out, depth, &format!("if (iv_only <= {all} || {mine}) {{"));
        self.body(piece, depth + 1, out);
        line(out, depth, "}");
    }

    fn body(&self, piece: &Piece, depth: usize, out: &mut String) {
        match &piece.what {
            What::Clear(_) => {}
            What::Nodes(nodes) => self.leaf(nodes, out, depth, |statements| {
                statements.nodes(nodes, depth);
            }),
            What::If(cond, _) => {
                // who runs it alone has asked for the condition
                let (number, cond) = (piece.number, self.expressions.cond(cond));
                line(out, depth, &format!("if (iv_only >= {number} || ({cond})) {{"));
                self.inside(piece, depth + 1, out);
                line(out, depth, "}");
            }
            What::Loop(header, _) if piece.inside.is_empty() => {
                let ends = if piece.number == self.piece.number {
                    Ends { first: "begin", end: "end" }
                } else {
                    self.own_ends(piece, header, None, depth, out);
                    Ends { first: "iv_begin", end: "iv_end" }
                };
                let node = [Node::For(Box::new(header.clone()))];
                self.leaf(&node, out, depth, |statements| part(statements, header, ends, depth));
            }
            What::Loop(header, _) => {
                let var = self.expressions.names.int(header.var);
                line(out, depth, "{");
                self.own_ends(piece, header, Some(var), depth + 1, out);
                let step = header.step();
                let head = if header.order == Order::Descending {
                    format!(
                        "{var} = iv_last(iv_begin, iv_end, {step}); {var} >= iv_begin; {var} -= {step}"
                    )
                } else {
                    format!("{var} = iv_begin; {var} < iv_end; {var} += {step}")
                };
                line(out, depth + 1, &format!("for (int64_t {head}) {{"));
                self.inside(piece, depth + 2, out);
                line(out, depth + 1, "}");
                line(out, depth, "}");
            }
        }
    }

    fn inside(&self, piece: &Piece, depth: usize, out: &mut String) {
        piece.inside.iter().for_each(|inner| self.piece(inner, Some(piece), depth, out));
    }

    /// Declares the ends of a loop: those that are given where it is run alone, and its own where it is run with what is
    /// around. Where a piece inside it is run alone, that is in the step at which the variable of the loop is, if there are
    /// such pieces.
    fn own_ends(
        &self,
        piece: &Piece,
        header: &For,
        step: Option<&str>,
        depth: usize,
        out: &mut String,
    ) {
        let (number, outermost) = (piece.number, piece.number == self.piece.number);
        let choose = |given: &str, own: &str, one: &str| match step {
            None => format!("iv_only == {number} ? {given} : {own}"),
            Some(_) if outermost => format!("iv_only == {number} ? {given} : {one}"),
            Some(_) => {
                format!("iv_only == {number} ? {given} : iv_only < {number} ? {own} : {one}")
            }
        };
        let ((first, upper), var) = (self.expressions.ends(header), step.unwrap_or_default());
        let begin = choose("begin", &first, var);
        let end = choose("end", &upper, &format!("{var} + 1"));
        line(out, depth, &format!("const int64_t iv_begin = {begin};"));
        line(out, depth, &format!("const int64_t iv_end = {end};"));
    }

    /// Prints nodes that are run together, with variables of their own.
    fn leaf(
        &self,
        nodes: &[Node],
        out: &mut String,
        depth: usize,
        print: impl FnOnce(&mut Statements<'_>),
    ) {
        let scopes = Scopes::of(self.expressions.program, nodes, &self.shared);
        let mut statements = Statements {
            expressions: self.expressions,
            scopes: &scopes,
            leave: Leave::Return,
            out: String::new(),
            next: 0,
            plain: false,
            fused: false,
            selects: false,
        };
        statements.head(depth);
        print(&mut statements);
        *out += &statements.out;
    }

    /// Keeps the variables that a piece, or one inside it, has changed.
    fn leave(&self, piece: &Piece, out: &mut String) {
        let left = set_by(self.expressions.program, piece);
        let mut kept = self.shared.iter().filter(|variable| left.contains(variable)).peekable();
        if self.piece.inside.is_empty() {
            kept.for_each(|v| line(out, 1, &format!("{} = {};", cell(*v), self.name(*v))));
        } else if kept.peek().is_some() {
            line(out, 1, &format!("if (iv_only == {}) {{", piece.number));
            kept.for_each(|v| line(out, 2, &format!("{} = {};", cell(*v), self.name(*v))));
            line(out, 1, "}");
        }
        piece.inside.iter().for_each(|inner| self.leave(inner, out));
    }

    /// Functions that tell the ranges of the loops, and whether the conditions hold: as the range of one step, or none.
    fn ranges(&self, piece: &Piece, out: &mut String) {
        let e = self.expressions;
        let mut mentions = Mentions::default();
        let ends = match &piece.what {
            What::Nodes(_) | What::Clear(_) => None,
            What::Loop(header, _) => {
                mentions.header(e.program, header);
                Some(e.ends(header))
            }
            What::If(cond, _) => {
                mentions.node(e.program, &Node::If(Cond::clone(cond), Vec::new()));
                Some(("0".to_owned(), e.cond(cond)))
            }
        };
        if let Some(ends) = ends {
            *out += &self.range(piece.number, &mentions, ends);
        }
        piece.inside.iter().for_each(|inner| self.ranges(inner, out));
    }

    fn range(
        &self,
        number: usize,
        mentions: &Mentions,
        (first, upper): (String, String),
    ) -> String {
        let e = self.expressions;
        let mut out = format!(
            "int64_t iv_range_{number}({FRAME}, int64_t *range) {{\n    int64_t status = 0;\n"
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

    fn parameters(&self, large: bool) -> String {
        let (names, mine) = (self.expressions.names, &self.mine);
        let fixed =
            ["int64_t *restrict ints", "real *restrict reals", "int64_t begin", "int64_t end"];
        let only = (!self.piece.inside.is_empty()).then_some("int64_t iv_only");
        let sizes = mine.sizes.iter().map(|size| format!("int64_t {}", names.size(*size)));
        let large = large.then(|| format!("int64_t {LARGE}"));
        let buffers = mine.buffers.iter().map(|buffer| {
            let constant = if mine.written.contains(buffer) { "" } else { "const " };
            format!("{constant}{} *restrict {}", self.element(*buffer), names.buffer(*buffer))
        });
        let boxes = mine.boxes(self.expressions.program);
        let boxes = boxes.map(|relation| format!("const uint8_t *restrict {}", map(relation)));
        let fixed = fixed.into_iter().chain(only).map(str::to_owned);
        let all: Vec<String> =
            sizes.chain(large).chain(buffers).chain(boxes).chain(fixed).collect();
        all.join(", ")
    }

    fn arguments(&self, large: bool) -> String {
        let mine = &self.mine;
        let sizes = mine.sizes.iter().map(|size| format!("sizes[{}]", size.index()));
        let large = large.then(|| format!("sizes[{}]", self.expressions.program.sizes.len()));
        let buffers = mine.buffers.iter().map(|buffer| format!("buffers[{}]", buffer.index()));
        let boxes = mine.boxes(self.expressions.program);
        let boxes = boxes.map(|relation| format!("buffers[{}]", self.map_at(relation)));
        let only = (!self.piece.inside.is_empty()).then_some("iv_only");
        let fixed = ["ints", "reals", "begin", "end"].into_iter().chain(only).map(str::to_owned);
        sizes.chain(large).chain(buffers).chain(boxes).chain(fixed).collect::<Vec<_>>().join(", ")
    }
}

/// The loop over a part of its range.
fn part(statements: &mut Statements<'_>, header: &For, ends: Ends<'_>, depth: usize) {
    let mut header = header.clone();
    let step = header.step();
    header.stride = None;
    let var = statements.expressions.names.int(header.var);
    // the loop is node 0 of the walk
    statements.next = 1;
    let plain = |statements: &mut Statements<'_>, depth: usize| {
        let Ends { first, end } = ends;
        let searched = step == 1 && statements.search(&header, first, end, depth);
        if searched || step == 1 && statements.by_strips(&header, ends, depth) {
            return;
        }
        let mark = statements.mark(&header);
        let head = format!("for (int64_t {var} = {first}; {var} < {end}; {var} += {step}) {{");
        statements.marked(mark.as_deref(), &head, &header.body, depth);
    };
    if step > 1 || !statements.tiles(&header, ends, depth, plain) {
        statements.with_maps(&header, depth, plain);
    }
}

fn line(out: &mut String, depth: usize, text: &str) {
    let _ = writeln!(out, "{}{text}", "    ".repeat(depth));
}

/// Whether the results are large: what is behind the sizes.
const LARGE: &str = "iv_large";

/// What every function of the engine is given: sizes, buffers and maps of relations, variables.
const FRAME: &str = "const int64_t *sizes, void *const *buffers, int64_t *ints, real *reals";

/// Where a shared variable is kept.
fn cell(variable: Variable) -> String {
    match variable {
        Variable::Int(v) => format!("ints[{}]", v.index()),
        Variable::Real(v) => format!("reals[{}]", v.index()),
    }
}
