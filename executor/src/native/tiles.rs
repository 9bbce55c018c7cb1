//! Tiles in C.
//!
//! The last strip ends where the loop ends, and so may overlap the one before: what both compute is only
//! stored, and only counts in sums, once. A loop with fewer steps than a strip is taken in shorter ones, and with fewer
//! than those step by step. Where loops stand in the steps of rows, half a strip is enough for what is left of few steps.
//! In blocks of rows (`blocks.rs`) strips are wide, and what is left is taken in narrow ones.

use super::blocks::{Passes, is_set_first};
use super::expressions::Expressions;
use super::mentions::Mentions;
use super::scopes::{Scopes, Variable};
use super::statements::{Scalar, Statements, clauses, operator};
use crate::loops::{Fold, For, IntId, LoopProgram, Node, Place, RealId};
use crate::tile::{Item, Part, Rows, Strip, rows, strip, sums};
use std::fmt::Write;

/// The ends of a loop in C, words or numbers.
#[derive(Clone, Copy)]
pub(super) struct Ends<'t> {
    pub(super) first: &'t str,
    pub(super) end: &'t str,
}

/// Rows of a tile in C: as a type of loop around lanes.
pub(super) const ROW: &str = "iv_r";
pub(super) const LANE: &str = "iv_l";

impl Rows {
    /// How many go together.
    fn count(&self) -> String {
        let kept = self.items.iter().map(|item| match item {
            Item::Strip(strip) => strip.kept,
            Item::Nodes(_) => 1,
        });
        parted("IV_ROWS", kept.max().unwrap_or(1))
    }
}

/// How many steps of a strip go together with rows around, and at least without.
const SHORT: &str = "IV_LANES";

/// How many go together with rows around where few are left.
const HALF: &str = "IV_LANES / 2";

/// How many go together in blocks of rows, if one value is kept for each, and how many of those that are left.
const WIDE: &str = "IV_WIDE";
const NARROW: &str = "IV_WIDE / 3";

impl Strip {
    /// How many steps go together without rows around; if there are fewer, the next number. Half a strip goes once through a loop
    /// that its quarters would go through twice.
    fn lengths(&self) -> Vec<String> {
        let has_loop = self.parts.iter().any(|part| matches!(part, Part::Loop(..)));
        let shared: &[usize] = match self.kept {
            1 if has_loop => &[1, 2],
            1 => &[1],
            2 => &[2],
            _ => &[],
        };
        let long = shared.iter().map(|kept| parted("IV_STRIP", *kept));
        long.chain([SHORT.to_owned()]).collect()
    }
}

/// A number of registers, shared by so many values.
fn parted(all: &str, kept: usize) -> String {
    match kept {
        1 => all.to_owned(),
        2 => format!("{all} / 2"),
        _ => format!("{all} / 4"),
    }
}

/// The rows around a strip.
#[derive(Clone, Copy)]
pub(super) struct Around<'r> {
    pub(super) var: IntId,
    /// How many are in a tile.
    pub(super) count: &'r str,
    /// What all of them are below.
    pub(super) end: &'r str,
    /// Whether strips go through the tiles of a block, one after the other.
    pub(super) blocks: bool,
    /// What changes from one to the next.
    pub(super) changing: &'r [IntId],
    /// What goes in passes of the strip that is printed.
    pub(super) passes: Option<Passes<'r>>,
}

impl Around<'_> {
    /// How many have entries in arrays, and the index of one.
    fn entries(&self) -> (&str, String) {
        match self.blocks {
            true => ("IV_BLOCK", format!("iv_tile + {ROW}")),
            false => (self.count, ROW.to_owned()),
        }
    }
}

/// What is printed with variables that each step of a tile has.
pub(super) struct Printer<'s, 'p> {
    pub(super) statements: &'s Statements<'p>,
    /// The sums that leave the loop in tiles.
    sums: Vec<(RealId, Fold)>,
    /// The variables that have an array: in C.
    pub(super) kept: Vec<(Variable, String)>,
    /// The entries that are read elsewhere than where they are: in C.
    pub(super) packed: Vec<(Place, String)>,
    pub(super) out: String,
}

impl Printer<'_, '_> {
    pub(super) fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.out, "{}{text}", "    ".repeat(depth));
    }

    pub(super) fn program(&self) -> &LoopProgram {
        self.statements.expressions.program
    }

    /// Prints with the expressions in which kept variables are entries of arrays.
    fn within<T>(&mut self, nodes: &[Node], print: impl FnOnce(&mut Statements<'_>) -> T) -> T {
        let Expressions { program, names, precision, lookups, .. } = self.statements.expressions;
        let names = names.kept(&self.kept);
        let mut expressions = Expressions::new(program, &names, *precision, lookups);
        expressions.packed.clone_from(&self.packed);
        let kept = self.kept.iter().map(|(variable, _)| *variable);
        let sums = self.sums.iter().map(|(var, _)| Variable::Real(*var));
        let given: Vec<Variable> = kept.chain(sums).collect();
        let scopes = Scopes::of(program, nodes, &given);
        let mut statements = Statements {
            expressions: &expressions,
            scopes: &scopes,
            leave: self.statements.leave,
            out: String::new(),
            next: 0,
            plain: self.statements.plain,
            fused: false,
            selects: false,
        };
        let result = print(&mut statements);
        self.out += &statements.out;
        result
    }

    /// Declares an array for each of some variables; its entries are named by `index`. In blocks of rows those that have a
    /// tile are cleared, but for variables that are set first.
    fn keep(&mut self, variables: &[(Variable, bool)], kept: &Arrays<'_>, depth: usize) {
        let Arrays { extents, index, blocks } = kept;
        for (variable, set_first) in variables {
            let name = format!("iv_t_{}", self.statements.name(*variable));
            let kind = self.statements.kind(*variable);
            let clear = if *blocks { "" } else { " = {0}" };
            self.line(depth, &format!("{kind} {name}{extents}{clear};"));
            if *blocks && !set_first {
                self.line(
                    depth,
                    &format!("memset({name}, 0, (size_t)iv_height * sizeof *{name});"),
                );
            }
            self.kept.push((*variable, format!("{name}{index}")));
        }
    }

    /// A loop over rows or lanes, from `first` below `count`, with what a step is called in the program.
    pub(super) fn open(&mut self, word: &str, first: &str, count: &str, depth: usize) {
        self.line(depth, &format!("for (int64_t {word} = {first}; {word} < {count}; {word}++) {{"));
    }

    /// Closes blocks, from the depth inside of them on.
    pub(super) fn close(&mut self, inside: usize, depth: usize) {
        (depth..inside).rev().for_each(|depth| self.line(depth, "}"));
    }

    fn step(&mut self, nodes: &[Node], var: IntId, value: &str, depth: usize) {
        if self.reads(nodes, var) {
            let name = self.statements.name(Variable::Int(var));
            self.line(depth, &format!("const int64_t {name} = {value};"));
        }
    }

    // Rows.

    fn rows(&mut self, rows: &Rows, ends: Ends<'_>, depth: usize) {
        let (Ends { first, end }, count) = (ends, rows.count());
        let changing = rows.changing();
        let deep = self.deep(rows, &changing);
        let blocks = !deep.is_empty();
        let (var, changing, passes) = (rows.header.var, changing.as_slice(), None);
        let around = Around { var, count: &count, end, blocks, changing, passes };
        let step = if blocks {
            let deep = match deep.as_slice() {
                [one] => one.clone(),
                all => all.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" || "),
            };
            let height = if self.is_stored(rows, &around) { "IV_HIGH" } else { "IV_BLOCK" };
            self.line(depth, &format!("const int64_t iv_height = {deep} ? {height} : {count};"));
            "iv_height"
        } else {
            &count
        };
        self.line(
            depth,
            &format!("for (int64_t iv_rows = {first}; iv_rows < {end}; iv_rows += {step}) {{"),
        );
        if blocks {
            let left = format!("const int64_t iv_count = iv_min(iv_height, {end} - iv_rows);");
            self.line(depth + 1, &left);
            self.packs(&count, depth + 1);
        } else {
            let row = format!("const int64_t iv_row = iv_min(iv_rows, {end} - {count});");
            self.line(depth + 1, &row);
            self.line(depth + 1, "const int64_t iv_above = iv_rows - iv_row;");
        }
        let common = rows.common(self.program()).into_iter().map(|v| (v, false));
        let (extent, slot) = around.entries();
        let (extents, index) = (format!("[{extent}]"), format!("[{slot}]"));
        let arrays = Arrays { extents: &extents, index: &index, blocks };
        self.keep(&common.collect::<Vec<_>>(), &arrays, depth + 1);
        for item in &rows.items {
            match item {
                Item::Nodes(nodes) => self.row_by_row(nodes, &around, depth + 1),
                Item::Strip(strip) => self.strip_of_rows(strip, &around, depth + 1),
            }
        }
        self.line(depth, "}");
    }

    /// Opens the loop over the rows of a tile, and in blocks the one over tiles; gives the depth inside.
    fn open_rows(
        &mut self,
        nodes: &[Node],
        again: bool,
        around: &Around<'_>,
        depth: usize,
    ) -> usize {
        let reads = self.reads(nodes, around.var);
        let depth = self.open_tiles(around, reads || !again, !again, depth);
        self.open(ROW, if again { "0" } else { "iv_above" }, around.count, depth);
        self.step(nodes, around.var, "iv_row + iv_r", depth + 1);
        depth + 1
    }

    fn row_by_row(&mut self, nodes: &[Node], around: &Around<'_>, depth: usize) {
        let inside = self.open_rows(nodes, false, around, depth);
        self.within(nodes, |statements| {
            statements.head(inside);
            statements.nodes(nodes, inside);
        });
        self.close(inside, depth);
    }

    fn strip_of_rows(&mut self, strip: &Strip, around: &Around<'_>, depth: usize) {
        let expressions = self.statements.expressions;
        let first = expressions.extreme("iv_max", &strip.header.lower);
        let end = expressions.extreme("iv_min", &strip.header.upper);
        self.line(depth, "{");
        self.line(depth + 1, &format!("const int64_t iv_from = {first};"));
        self.line(depth + 1, &format!("const int64_t iv_to = {end};"));
        let ends = Ends { first: "iv_from", end: "iv_to" };
        let of_blocks = || Passes::of(self.program(), strip, around);
        let around = &Around { passes: around.blocks.then(of_blocks).flatten(), ..*around };
        let two = match strip.parts.iter().any(|part| matches!(part, Part::Loop(..))) {
            true if around.blocks && strip.kept == 1 => Some((WIDE, NARROW, "2 * (IV_WIDE / 3)")),
            true => Some((SHORT, HALF, HALF)),
            false => None,
        };
        if let Some((long, short, few)) = two {
            self.line(depth + 1, &format!("if (iv_to - iv_from >= {short}) {{"));
            self.line(depth + 2, "const int64_t iv_steps = iv_to - iv_from;");
            self.line(depth + 2, &format!("const int64_t iv_left = iv_steps % {long};"));
            let few = format!("iv_left <= {few} || iv_steps < {long}");
            self.line(
                depth + 2,
                &format!("const int64_t iv_most = {few} ? iv_to - iv_left : iv_to;"),
            );
            let of_lengths = [
                (Ends { end: "iv_most", ..ends }, long),
                (Ends { first: "iv_most", ..ends }, short),
            ];
            let in_groups = around.passes.and_then(|it| Some((it, it.around_strips()?)));
            if let Some((passes, header)) = in_groups {
                let inside = self.open_passes(header, depth + 2);
                for of_length in of_lengths {
                    self.groups((strip, passes), around, of_length, inside);
                }
                self.close(inside, depth + 2);
            } else {
                for of_length in of_lengths {
                    self.strip(strip, Some(around), of_length, depth + 2);
                }
            }
        } else {
            self.line(depth + 1, &format!("if (iv_to - iv_from >= {SHORT}) {{"));
            self.strip(strip, Some(around), (ends, SHORT), depth + 2);
        }
        self.line(depth + 1, "} else {");
        let whole = [Node::For(Box::new(strip.header.clone()))];
        let inside = self.open_rows(&whole, false, around, depth + 2);
        self.within(&whole, |statements| {
            statements.plain = true;
            statements.nodes(&whole, inside);
        });
        self.close(inside, depth);
    }

    // Strips.

    /// Opens the loop over the strips of a length.
    pub(super) fn open_strips(
        &mut self,
        Ends { first, end }: Ends<'_>,
        length: &str,
        depth: usize,
    ) {
        self.line(
            depth,
            &format!("for (int64_t iv_lanes = {first}; iv_lanes < {end}; iv_lanes += {length}) {{"),
        );
        self.line(
            depth + 1,
            &format!("const int64_t iv_lane = iv_min(iv_lanes, {end} - {length});"),
        );
    }

    /// Strips of a length.
    pub(super) fn strip(
        &mut self,
        strip: &Strip,
        rows: Option<&Around<'_>>,
        (ends, length): (Ends<'_>, &str),
        depth: usize,
    ) {
        self.open_strips(ends, length, depth);
        self.line(depth + 1, "const int64_t iv_seen = iv_lanes - iv_lane;");
        let before = self.kept.len();
        let (extents, index) = match rows.map(Around::entries) {
            Some((extent, slot)) => (format!("[{extent}][{length}]"), format!("[{slot}][{LANE}]")),
            None => (format!("[{length}]"), format!("[{LANE}]")),
        };
        let around = rows.filter(|around| around.blocks);
        let common = strip.common(self.program()).into_iter();
        let common = common.map(|v| (v, is_set_first(self.program(), &strip.parts, v)));
        let common: Vec<_> = common.collect();
        let sums = sums(&strip.header).unwrap_or_default();
        let varying = strip.varying();
        let lanes = Lanes { var: strip.header.var, length, rows, varying: &varying, sums: &sums };
        let one = around.and_then(|around| Some((around, around.passes?)));
        if let Some((around, passes)) = one {
            self.strip_in_passes((strip, passes), &common, (&lanes, around), depth + 1);
        } else {
            let arrays = Arrays { extents: &extents, index: &index, blocks: around.is_some() };
            self.keep(&common, &arrays, depth + 1);
            self.parts(&strip.parts, &lanes, false, depth + 1);
        }
        self.kept.truncate(before);
        self.line(depth, "}");
    }

    pub(super) fn parts(&mut self, parts: &[Part], lanes: &Lanes<'_>, inside: bool, depth: usize) {
        for part in parts {
            match part {
                Part::Run(nodes, again) => {
                    let run = Run { nodes, again: *again, inside };
                    self.run(&run, lanes, depth);
                }
                Part::Loop(header, parts) => match lanes.rows.filter(|rows| rows.blocks) {
                    Some(around) => self.loop_of_block(header, parts, (lanes, around), depth),
                    None => self.inner_loop(header, parts, lanes, depth),
                },
            }
        }
    }

    /// A loop that all rows and lanes take together.
    pub(super) fn inner_loop(
        &mut self,
        header: &For,
        parts: &[Part],
        lanes: &Lanes<'_>,
        depth: usize,
    ) {
        let mut text = Statements { out: String::new(), ..*self.statements };
        let inside = text.open_loop(header, depth);
        self.out += &std::mem::take(&mut text.out);
        self.parts(parts, lanes, true, inside);
        text.close_loop(header, inside);
        self.out += &text.out;
    }

    fn run(&mut self, run: &Run<'_>, lanes: &Lanes<'_>, depth: usize) {
        let Run { nodes, again, inside } = *run;
        let seen = if again { "0" } else { "iv_seen" };
        let outside = depth;
        let depth = lanes.rows.map_or(depth, |around| self.open_rows(nodes, again, around, depth));
        let before = self.kept.len();
        let mut sums = self.sums_of_row(nodes, lanes);
        sums.extend(self.sums_in_arrays(nodes));
        for scalar in &sums {
            self.line(depth, &scalar.taken());
            self.kept.push((Variable::Real(scalar.var), scalar.name.clone()));
        }
        let mark = format!("IV_PRAGMA(omp simd{}{})", self.reductions(nodes), clauses(&sums));
        self.line(depth, &mark);
        self.open(LANE, seen, lanes.length, depth);
        self.step(nodes, lanes.var, "iv_lane + iv_l", depth + 1);
        self.within(nodes, |statements| {
            statements.fused = inside;
            statements.selects = inside;
            statements.head(depth + 1);
            statements.nodes(nodes, depth + 1);
        });
        self.line(depth, "}");
        sums.iter().for_each(|scalar| self.line(depth, &scalar.given_back()));
        self.kept.truncate(before);
        self.close(depth, outside);
    }

    /// The sums of a run that leave the strip and that each row has of its own.
    fn sums_of_row(&self, nodes: &[Node], lanes: &Lanes<'_>) -> Vec<Scalar> {
        if lanes.rows.is_none() {
            return Vec::new();
        }
        let set = Mentions::of(self.program(), nodes).reals_set;
        let mine = lanes.sums.iter().filter(|(var, _)| set.contains(var));
        let scalar = |(var, fold): &(RealId, Fold)| {
            let is_it = |(kept, _): &&(Variable, String)| *kept == Variable::Real(*var);
            let (_, entry) = self.kept.iter().find(is_it)?;
            Scalar::of(*var, *fold, entry)
        };
        mine.filter_map(scalar).collect()
    }

    /// The sums of a run that leave the loop, with their names.
    fn sums_outside(&self, nodes: &[Node]) -> impl Iterator<Item = (RealId, Fold, String)> {
        let set = Mentions::of(self.program(), nodes).reals_set;
        let mine = self.sums.iter().filter(move |(var, _)| set.contains(var));
        mine.map(|(var, fold)| (*var, *fold, self.statements.name(Variable::Real(*var))))
    }

    /// Those of them that are entries of arrays: of rows around the loop, which are done one by one.
    fn sums_in_arrays(&self, nodes: &[Node]) -> Vec<Scalar> {
        let sums = self.sums_outside(nodes);
        sums.filter_map(|(var, fold, entry)| Scalar::of(var, fold, &entry)).collect()
    }

    /// The others, as clauses.
    fn reductions(&self, nodes: &[Node]) -> String {
        let others = self.sums_outside(nodes).filter(|(.., name)| !name.contains('['));
        others.fold(String::new(), |mut text, (_, fold, name)| {
            let _ = write!(text, " reduction({}:{name})", operator(fold));
            text
        })
    }
}

/// The arrays of some variables in C.
struct Arrays<'a> {
    extents: &'a str,
    index: &'a str,
    /// Whether they have entries for all tiles of a block.
    blocks: bool,
}

/// The lanes of a strip.
#[derive(Clone, Copy)]
pub(super) struct Lanes<'r> {
    pub(super) var: IntId,
    pub(super) length: &'r str,
    pub(super) rows: Option<&'r Around<'r>>,
    /// What changes from one to the next.
    pub(super) varying: &'r [IntId],
    /// The sums that leave the strip.
    pub(super) sums: &'r [(RealId, Fold)],
}

/// Nodes that every lane does.
#[derive(Clone, Copy)]
struct Run<'n> {
    nodes: &'n [Node],
    again: bool,
    inside: bool,
}

impl Rows {
    /// The variables of a row that more than one of its items mentions.
    pub(super) fn common(&self, program: &LoopProgram) -> Vec<Variable> {
        let items = self.items.iter().map(|item| match item {
            Item::Nodes(nodes) => Mentions::of(program, nodes),
            Item::Strip(strip) => {
                Mentions::of(program, &[Node::For(Box::new(strip.header.clone()))])
            }
        });
        common(&items.collect::<Vec<_>>(), &self.own)
    }
}

impl Strip {
    /// The variables of a step that more than one of its runs mentions.
    pub(super) fn common(&self, program: &LoopProgram) -> Vec<Variable> {
        fn runs(program: &LoopProgram, parts: &[Part], found: &mut Vec<Mentions>) {
            for part in parts {
                match part {
                    Part::Run(nodes, _) => found.push(Mentions::of(program, nodes)),
                    Part::Loop(_, parts) => runs(program, parts, found),
                }
            }
        }
        let mut found = Vec::new();
        runs(program, &self.parts, &mut found);
        common(&found, &self.own)
    }
}

/// Those of some variables that are mentioned more than once.
fn common(mentions: &[Mentions], own: &[Variable]) -> Vec<Variable> {
    let often = |v: &&Variable| mentions.iter().filter(|m| m.sets(**v) || m.reads(**v)).count() > 1;
    own.iter().filter(often).copied().collect()
}

impl Statements<'_> {
    /// Prints a loop in tiles, if it is one for them; whether it did. `plain` prints it as it is, for where it
    /// has too few steps.
    pub(super) fn tiles(
        &mut self,
        header: &For,
        ends: Ends<'_>,
        depth: usize,
        plain: impl FnOnce(&mut Self, usize),
    ) -> bool {
        if self.plain || !self.is_closed(header) {
            return false;
        }
        let Ends { first, end } = ends;
        let program = self.expressions.program;
        let mut tile = Printer {
            statements: self,
            sums: sums(header).unwrap_or_default(),
            kept: Vec::new(),
            packed: Vec::new(),
            out: String::new(),
        };
        let case = |steps: &str| format!("if ({end} - {first} >= {steps}) {{");
        if let Some(rows) = rows(program, header) {
            tile.line(depth, &case(&rows.count()));
            tile.rows(&rows, ends, depth + 1);
        } else if let Some(strip) = strip(program, header) {
            for (at, length) in strip.lengths().iter().enumerate() {
                let word = if at == 0 { "" } else { "} else " };
                tile.line(depth, &format!("{word}{}", case(length)));
                tile.strip(&strip, None, (ends, length), depth + 1);
            }
        } else {
            return false;
        }
        let text = tile.out;
        self.out += &text;
        self.line(depth, "} else {");
        self.plain = true;
        plain(self, depth + 1);
        self.plain = false;
        self.line(depth, "}");
        true
    }

    /// Whether what the steps of a loop set, sums apart, is declared in it.
    fn is_closed(&self, header: &For) -> bool {
        let (sums, declared) = (sums(header).unwrap_or_default(), self.declared(header));
        let mentions = Mentions::of(self.expressions.program, &header.body);
        let sum = |var: &RealId| sums.iter().any(|(sum, _)| sum == var);
        let mut ints = mentions.ints_set.iter().map(|var| Variable::Int(*var));
        let mut reals =
            mentions.reals_set.iter().filter(|var| !sum(var)).map(|var| Variable::Real(*var));
        ints.all(|var| declared.contains(&var)) && reals.all(|var| declared.contains(&var))
    }
}
