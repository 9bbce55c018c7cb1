//! Nodes in C.
//!
//! A loop whose iterations do not depend on each other, or only by sums and the like that are kept in
//! variables, is marked for the vectoriser. The mark lets a compiler regroup such a sum; it is empty unless
//! `IV_SIMD` is defined, and then the order of a sum is the compiler's, fixed for each machine.

use super::expressions::Expressions;
use super::mentions::Mentions;
use super::names::map;
use super::scopes::{Scopes, Variable};
use super::tiles::Ends;
use crate::loops::{Check, Cond, Fold, For, Int, Node, Order, Real, RealId};
use crate::tile::sums;
use std::fmt::Write;

/// How a failed check leaves the function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leave {
    /// `return code;`
    Return,
    /// `status = code; goto done;`
    Goto,
}

/// Prints the nodes of one function.
pub(super) struct Statements<'p> {
    pub(super) expressions: &'p Expressions<'p>,
    pub(super) scopes: &'p Scopes,
    pub(super) leave: Leave,
    pub(super) out: String,
    /// The number of the node to come, as [`Scopes`] counts.
    pub(super) next: usize,
    /// Whether loops are printed as they are, not in tiles.
    pub(super) plain: bool,
    /// Whether products that are added to a sum need not be rounded.
    pub(super) fused: bool,
    /// Whether variables are set under conditions without branches.
    pub(super) selects: bool,
}

impl Statements<'_> {
    /// Declares what belongs to the head of the function.
    pub(super) fn head(&mut self, depth: usize) {
        for variable in &self.scopes.head {
            let (kind, name) = (self.kind(*variable), self.name(*variable));
            self.line(depth, &format!("{kind} {name} = 0;"));
            if self.scopes.is_idle(*variable) {
                self.line(depth, &format!("(void){name};"));
            }
        }
    }

    pub(super) fn nodes(&mut self, nodes: &[Node], depth: usize) {
        for node in nodes {
            let number = self.next;
            self.next += 1;
            self.node(node, number, depth);
        }
    }

    fn node(&mut self, node: &Node, number: usize, depth: usize) {
        match node {
            Node::Note(text) => self.line(depth, &comment(text)),
            Node::Visit(_) => {}
            Node::For(header) => self.run_loop(header, depth),
            Node::If(cond, body) => self.condition(cond, body, depth),
            Node::SetInt(var, e) => {
                let value = self.expressions.int(e);
                self.set(Variable::Int(*var), number, &value, depth);
            }
            Node::Set(var, e) => {
                let value = self.expressions.real(e);
                self.set(Variable::Real(*var), number, &value, depth);
            }
            Node::Join(var, fold, e) => {
                let total = self.name(Variable::Real(*var));
                let text = self.joined(&total, *fold, e);
                self.line(depth, &text);
            }
            Node::Store(place, e) => {
                let text =
                    format!("{} = {};", self.expressions.place(place), self.expressions.real(e));
                self.line(depth, &text);
            }
            Node::Accumulate(place, fold, e) => {
                let place = self.expressions.place(place);
                self.line(depth, &self.expressions.join(&place, *fold, e));
            }
            Node::StoreInt(place, e) => {
                let text =
                    format!("{} = {};", self.expressions.place(place), self.expressions.int(e));
                self.line(depth, &text);
            }
            Node::AddInt(place, e) => {
                let text =
                    format!("{} += {};", self.expressions.place(place), self.expressions.int(e));
                self.line(depth, &text);
            }
            Node::Check(check, cond) => {
                let code = check.index() + 1;
                let leave = match self.leave {
                    Leave::Return => format!("return {code};"),
                    Leave::Goto => format!("{{ status = {code}; goto done; }}"),
                };
                let text = format!("if (!({})) {leave}", self.expressions.cond(cond));
                self.line(depth, &text);
            }
        }
    }

    fn condition(&mut self, cond: &Cond, body: &[Node], depth: usize) {
        if self.selects && self.are_selects(body) {
            self.next += body.len();
            self.line(depth, "{");
            self.select(cond, body, depth + 1);
        } else if self.selects && Self::are_light_joins(cond, body) {
            self.next += body.len();
            self.line(depth, "{");
            self.join_where(cond, body, depth + 1);
        } else {
            self.line(depth, &format!("if ({}) {{", self.expressions.cond(cond)));
            self.nodes(body, depth + 1);
        }
        self.line(depth, "}");
    }

    /// The statement that joins a value to `total`.
    pub(super) fn joined(&self, total: &str, fold: Fold, e: &Real) -> String {
        let fused = if self.fused { self.expressions.fused(total, fold, e) } else { None };
        fused.unwrap_or_else(|| self.expressions.join(total, fold, e))
    }

    fn set(&mut self, variable: Variable, number: usize, value: &str, depth: usize) {
        let name = self.name(variable);
        if self.scopes.declares(number, variable) {
            let kind = self.kind(variable);
            self.line(depth, &format!("{kind} {name} = {value};"));
            if self.scopes.is_idle(variable) {
                self.line(depth, &format!("(void){name};"));
            }
        } else {
            self.line(depth, &format!("{name} = {value};"));
        }
    }

    // Loops.

    fn run_loop(&mut self, header: &For, depth: usize) {
        let mark = self.out.len();
        let first = self.expressions.extreme("iv_max", &header.lower);
        let end = self.expressions.extreme("iv_min", &header.upper);
        self.line(depth, "{");
        self.line(depth + 1, &format!("const int64_t iv_begin = {first};"));
        self.line(depth + 1, &format!("const int64_t iv_end = {end};"));
        let ends = Ends { first: "iv_begin", end: "iv_end" };
        if self.tiles(header, ends, depth + 1, |this, depth| this.plain_loop(header, depth)) {
            return self.line(depth, "}");
        }
        self.out.truncate(mark);
        self.with_maps(header, depth, |this, depth| this.plain_loop(header, depth));
    }

    /// Prints a loop; twice if it looks tuples up: for where all relations that it asks have maps, and for where not.
    pub(super) fn with_maps(
        &mut self,
        header: &For,
        depth: usize,
        print: impl Fn(&mut Self, usize),
    ) {
        let (expressions, first) = (self.expressions, self.next);
        let mentions = Mentions::of(expressions.program, &header.body);
        let maps: Vec<String> = mentions.boxes(expressions.program).map(map).collect();
        if maps.is_empty() || expressions.knows_maps() {
            return print(self, depth);
        }
        self.line(depth, &format!("if ({}) {{", maps.join(" && ")));
        expressions.where_mapped(true, || print(self, depth + 1));
        self.line(depth, "} else {");
        self.next = first;
        expressions.where_mapped(false, || print(self, depth + 1));
        self.line(depth, "}");
    }

    /// A loop, step by step.
    fn plain_loop(&mut self, header: &For, depth: usize) {
        if self.with_scalars(header, depth) {
            return;
        }
        let ends = self.ends(header);
        let inner = self.open_block(&ends, depth);
        let both = Ends { first: &ends.first, end: &ends.bound };
        if !self.search(header, &ends.first, &ends.bound, inner)
            && !self.by_strips(header, both, inner)
        {
            let (mark, head) = (self.mark(header), self.head_of(header, &ends));
            self.marked(mark.as_deref(), &head, &header.body, inner);
        }
        if ends.end.is_some() {
            self.line(depth, "}");
        }
    }

    /// Prints a loop whose sums are entries of arrays, if it has a mark where they are scalars meanwhile: compilers take
    /// such an entry in a mark for the first one of the array.
    fn with_scalars(&mut self, header: &For, depth: usize) -> bool {
        let Expressions { program, names, precision, lookups, .. } = self.expressions;
        let mut joins = Vec::new();
        if !header.body.iter().all(|node| is_straight(node, &mut joins)) {
            return false;
        }
        joins.sort_unstable_by_key(|(var, _)| *var);
        joins.dedup_by_key(|(var, _)| *var);
        let of = |(var, fold): &(RealId, Fold)| Scalar::of(*var, *fold, names.real(*var));
        let scalars: Vec<Scalar> = joins.iter().filter_map(of).collect();
        if scalars.is_empty() {
            return false;
        }
        let given: Vec<(Variable, String)> =
            scalars.iter().map(|s| (Variable::Real(s.var), s.name.clone())).collect();
        let names = names.kept(&given);
        let expressions = Expressions::new(program, &names, *precision, lookups);
        let mut inner = Statements { expressions: &expressions, out: String::new(), ..*self };
        if inner.mark(header).is_none() {
            return false;
        }
        inner.line(depth, "{");
        scalars.iter().for_each(|scalar| inner.line(depth + 1, &scalar.taken()));
        inner.plain_loop(header, depth + 1);
        scalars.iter().for_each(|scalar| inner.line(depth + 1, &scalar.given_back()));
        inner.line(depth, "}");
        let Statements { out, next, .. } = inner;
        (self.next, self.out) = (next, std::mem::take(&mut self.out) + &out);
        true
    }

    /// A loop with this first line, and the mark for the vectoriser in front of it.
    pub(super) fn marked(&mut self, mark: Option<&str>, head: &str, body: &[Node], depth: usize) {
        if let Some(mark) = mark {
            self.line(depth, mark);
        }
        self.line(depth, head);
        self.nodes(body, depth + 1);
        self.line(depth, "}");
    }

    /// The head of a loop; what is in it stands at the depth that is returned.
    pub(super) fn open_loop(&mut self, header: &For, depth: usize) -> usize {
        let ends = self.ends(header);
        let inner = self.open_block(&ends, depth);
        let head = self.head_of(header, &ends);
        self.line(inner, &head);
        inner + 1
    }

    /// Ends a loop whose inside stands at a depth.
    pub(super) fn close_loop(&mut self, header: &For, inner: usize) {
        self.line(inner - 1, "}");
        if self.ends(header).end.is_some() {
            self.line(inner - 2, "}");
        }
    }

    fn ends(&self, header: &For) -> LoopEnds {
        let (first, upper) = self.expressions.ends(header);
        let (bound, plain) = match header.order != Order::Descending {
            true => (upper.clone(), is_plain(&header.upper)),
            false => (first.clone(), is_plain(&header.lower) && header.stride.is_none()),
        };
        let (bound, end) = if plain { (bound, None) } else { ("iv_end".to_owned(), Some(bound)) };
        LoopEnds { first, upper, bound, end }
    }

    /// A bound that takes work is computed once, in a block around the loop.
    fn open_block(&mut self, ends: &LoopEnds, depth: usize) -> usize {
        let Some(end) = &ends.end else { return depth };
        self.line(depth, "{");
        self.line(depth + 1, &format!("const int64_t iv_end = {end};"));
        depth + 1
    }

    /// The first line of a loop.
    fn head_of(&self, header: &For, ends: &LoopEnds) -> String {
        let LoopEnds { first, upper, bound, .. } = ends;
        let var = self.expressions.names.int(header.var);
        let step = header.step();
        let by = |sign: char| {
            if step == 1 { format!("{var}{sign}{sign}") } else { format!("{var} {sign}= {step}") }
        };
        if header.order != Order::Descending {
            format!("for (int64_t {var} = {first}; {var} < {bound}; {}) {{", by('+'))
        } else if step == 1 {
            format!("for (int64_t {var} = {upper} - 1; {var} >= {bound}; {}) {{", by('-'))
        } else {
            format!(
                "for (int64_t {var} = iv_last({bound}, {upper}, {step}); {var} >= {bound}; {}) {{",
                by('-')
            )
        }
    }

    /// The mark for the vectoriser, where a loop may have one.
    pub(super) fn mark(&self, header: &For) -> Option<String> {
        let mut joins = Vec::new();
        let mentions = Mentions::of(self.expressions.program, &header.body);
        let simple = header.body.iter().all(|node| is_straight(node, &mut joins));
        // a lookup moves a cursor
        if !simple || mentions.checks || mentions.floors || !mentions.relations.is_empty() {
            return None;
        }
        let declared = self.declared(header);
        joins.retain(|(var, _)| !declared.contains(&Variable::Real(*var)));
        let writes = !mentions.written.is_empty();
        let independent = match header.order {
            Order::Parallel => true,
            Order::Ascending => !joins.is_empty() && (!writes || sums(header).is_some()),
            Order::Descending => false,
        };
        let ints = mentions.ints_set.iter().map(|var| Variable::Int(*var));
        let joined = |var: &RealId| joins.iter().any(|(joined, _)| joined == var);
        let reals =
            mentions.reals_set.iter().filter(|var| !joined(var)).map(|var| Variable::Real(*var));
        let local = ints.chain(reals).all(|variable| declared.contains(&variable));
        let reduced = joins.iter().all(|(var, fold)| {
            !mentions.reals_read.contains(var) && joins.iter().all(|(v, f)| v != var || f == fold)
        });
        if !independent || !local || !reduced {
            return None;
        }
        // they may be scalars meanwhile
        if joins.iter().any(|(var, _)| self.expressions.names.real(*var).contains('[')) {
            return None;
        }
        let mut clauses = String::new();
        for (place, (var, fold)) in joins.iter().enumerate() {
            if !joins[..place].contains(&(*var, *fold)) {
                let _ = write!(
                    clauses,
                    " reduction({}:{})",
                    operator(*fold),
                    self.expressions.names.real(*var)
                );
            }
        }
        Some(format!("IV_PRAGMA(omp simd{clauses})"))
    }

    /// The variables that are declared within a loop: each step has its own.
    pub(super) fn declared(&self, header: &For) -> Vec<Variable> {
        let mut declared = Vec::new();
        let mut number = self.next;
        collect(&header.body, &mut number, &mut |node, variable| {
            if self.scopes.declares(node, variable) {
                declared.push(variable);
            }
        });
        declared
    }

    // Text.

    pub(super) fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.out, "{}{text}", "    ".repeat(depth));
    }

    pub(super) fn kind(&self, variable: Variable) -> &'static str {
        match variable {
            Variable::Int(_) => "int64_t",
            Variable::Real(_) => "real",
        }
    }

    pub(super) fn name(&self, variable: Variable) -> String {
        match variable {
            Variable::Int(var) => self.expressions.names.int(var).to_owned(),
            Variable::Real(var) => self.expressions.names.real(var).to_owned(),
        }
    }
}

/// A sum in an entry of an array, as a scalar while a loop adds to it.
pub(super) struct Scalar {
    pub(super) var: RealId,
    fold: Fold,
    pub(super) name: String,
    entry: String,
}

impl Scalar {
    /// Of a variable, by its word in C: none if that is no entry of an array.
    pub(super) fn of(var: RealId, fold: Fold, entry: &str) -> Option<Self> {
        let (array, _) = entry.split_once('[')?;
        let name = format!("iv_s_{}", array.trim_start_matches("iv_t_"));
        Some(Self { var, fold, name, entry: entry.to_owned() })
    }

    /// What stands before the loop.
    pub(super) fn taken(&self) -> String {
        format!("real {} = {};", self.name, self.entry)
    }

    /// What stands behind it.
    pub(super) fn given_back(&self) -> String {
        format!("{} = {};", self.entry, self.name)
    }
}

/// The marks of sums in scalars.
pub(super) fn clauses(scalars: &[Scalar]) -> String {
    scalars.iter().map(|s| format!(" reduction({}:{})", operator(s.fold), s.name)).collect()
}

/// The ends of a loop in C.
struct LoopEnds {
    first: String,
    upper: String,
    /// Upwards the upper end, downwards the lower.
    bound: String,
    /// What `iv_end` is, where the bound is that.
    end: Option<String>,
}

/// Whether a loop bound is cheap and does not change during the loop.
fn is_plain(ends: &[Int]) -> bool {
    ends.len() == 1 && ends.iter().all(Int::is_polynomial)
}

/// Whether a node is a step of a straight line; collects its joins.
fn is_straight(node: &Node, joins: &mut Vec<(RealId, Fold)>) -> bool {
    match node {
        Node::Note(_)
        | Node::Visit(_)
        | Node::SetInt(..)
        | Node::Set(..)
        | Node::Store(..)
        | Node::Accumulate(..)
        | Node::StoreInt(..)
        | Node::AddInt(..) => true,
        Node::Join(var, fold, _) => {
            joins.push((*var, *fold));
            true
        }
        Node::If(_, body) => body.iter().all(|node| is_straight(node, joins)),
        Node::For(_) | Node::Check(..) => false,
    }
}

/// Tells of every node that sets a variable, with its number.
fn collect(nodes: &[Node], number: &mut usize, tell: &mut impl FnMut(usize, Variable)) {
    for node in nodes {
        let this = *number;
        *number += 1;
        match node {
            Node::SetInt(var, _) => tell(this, Variable::Int(*var)),
            Node::Set(var, _) => tell(this, Variable::Real(*var)),
            Node::If(_, body) => collect(body, number, tell),
            Node::For(header) => collect(&header.body, number, tell),
            Node::Note(_)
            | Node::Visit(_)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Check(..) => {}
        }
    }
}

pub(super) fn operator(fold: Fold) -> &'static str {
    match fold {
        Fold::Sum => "+",
        Fold::Prod => "*",
        Fold::Max => "max",
        Fold::Min => "min",
    }
}

/// Text as a comment.
pub(super) fn comment(text: &str) -> String {
    format!("/* {} */", text.replace("*/", "* /").replace("/*", "/ *").replace('\n', " "))
}

/// What a check is about, for the reader.
pub(super) fn about(check: &Check) -> String {
    match check {
        Check::Requires { clause, condition, .. } => {
            format!("the data do not satisfy `requires` number {clause}: {condition}")
        }
        Check::Sort { tensor, .. } => format!("an entry of {tensor} leaves its sort"),
        Check::Earlier { tensor, read, .. } => {
            format!("{tensor} reads an entry of {read} that is not computed yet")
        }
    }
}
