//! Blocks of tiles in C.
//!
//! Where rows go through a loop of many steps, as in a product of matrices, what a strip reads in it is read again for
//! each tile of rows. So a strip goes through the tiles of a block of rows before the next one does, and the loop is taken in
//! passes of so many steps that a copy of what all rows read stays in a near cache, packed: rows of a large
//! matrix are far apart, and may have one place in a cache. The sums of a tile are in registers during a pass, and between two
//! in arrays; each is added to in the order of the loop, as without blocks. If one loop of a strip goes in passes, a tile does
//! what stands before it in the first pass, and what stands behind it in the last: few sums are ever in such arrays. If its sums
//! are only stored, they are where they are stored between passes, so that no strip must be done before the next begins: a group of
//! strips has copies at once, and a tile goes through all of them before the next one does.

use super::expressions::Expressions;
use super::mentions::Mentions;
use super::scopes::Variable;
use super::statements::Leave;
use super::tiles::{Around, Ends, LANE, Lanes, Printer, ROW};
use crate::loops::walk::{Rewrite, rebuild_real};
use crate::loops::{For, Int, IntId, LoopProgram, Node, Order, Place, Real};
use crate::tile::{Item, Part, Rows, Strip, follows, is_arithmetic, mentions_any};

/// A loop that has no more steps for all sizes has no passes.
const FEW: i64 = 64;

/// At most so many entries of a step have copies: each needs room for a strip, and C has room for `IV_GROUP` strips, which are no fewer.
const COPIES: usize = 4;

/// An entry that all rows read in a step of a loop, side by side in a strip, but not from one step to the next.
struct Packed {
    place: Place,
    /// By axis: how far the entries of two steps are apart.
    steps: Vec<i64>,
}

/// A variable that is in registers in a loop.
struct Register {
    variable: Variable,
    /// Of an array in C.
    name: String,
    /// Where it is kept around the loop.
    entry: String,
    /// Whether the loop sets it.
    is_set: bool,
}

/// A loop in a strip, and what stands still in it.
struct Reads<'r> {
    header: &'r For,
    lane: IntId,
    /// What changes from one step of the strip to the next, and from one row to the next.
    varying: &'r [IntId],
    changing: &'r [IntId],
}

impl Reads<'_> {
    /// What is packed of a loop, if it is one for passes: it has no loops inside.
    fn packed(&self, parts: &[Part]) -> Vec<Packed> {
        let mut found = Vec::new();
        let straight = parts.iter().all(|part| matches!(part, Part::Run(..)));
        let few = self.header.most_steps().is_some_and(|steps| steps <= FEW);
        if straight && !few && self.header.order != Order::Descending {
            parts.iter().for_each(|part| match part {
                Part::Run(nodes, _) => nodes.iter().for_each(|node| self.node(node, &mut found)),
                Part::Loop(..) => {}
            });
        }
        found
    }

    /// Finds what is read in every step, whatever the data are.
    fn node(&self, node: &Node, found: &mut Vec<Packed>) {
        if let Node::Set(_, e) | Node::Join(_, _, e) = node {
            self.real(e, found);
        }
    }

    fn real(&self, e: &Real, found: &mut Vec<Packed>) {
        match e {
            Real::Load(buffer, indices) => {
                let place = Place { buffer: *buffer, indices: indices.clone() };
                let known = found.iter().any(|packed| packed.place == place);
                let pays = !known && found.len() < COPIES;
                let steps = if pays { self.steps(indices) } else { None };
                found.extend(steps.map(|steps| Packed { place, steps }));
            }
            Real::Apply(_, args) => args.iter().for_each(|e| self.real(e, found)),
            Real::Const(_) | Real::Int(_) | Real::Var(_) | Real::Select(_) => {}
        }
    }

    /// How far the entries of two steps are apart, if it pays to pack them.
    fn steps(&self, indices: &[Int]) -> Option<Vec<i64>> {
        let (last, others) = indices.split_last()?;
        let mine = [self.header.var];
        let beside = follows(last, self.lane, self.varying)
            && !mentions_any(std::slice::from_ref(last), &mine)
            && !mentions_any(others, self.varying)
            && !mentions_any(indices, self.changing)
            && indices.iter().all(is_arithmetic);
        let mut steps: Vec<i64> =
            others.iter().map(|e| step(e, self.header.var)).collect::<Option<_>>()?;
        steps.push(0);
        (beside && steps.iter().any(|step| *step != 0)).then_some(steps)
    }
}

/// By how much an index grows when a variable grows by 1, if that is a constant.
fn step(e: &Int, var: IntId) -> Option<i64> {
    let alone = [(1, e.clone())];
    let terms = if let Int::Sum(terms, _) = e { terms.as_slice() } else { &alone };
    terms.iter().try_fold(0, |sum, (factor, term)| match *term == Int::Var(var) {
        true => Some(sum + factor),
        false => (!mentions_any(std::slice::from_ref(term), &[var])).then_some(sum),
    })
}

/// Whether all rows and steps set a variable of a strip before they read it.
pub(super) fn is_set_first(program: &LoopProgram, parts: &[Part], variable: Variable) -> bool {
    for part in parts {
        let Part::Run(nodes, true) = part else { return false };
        for node in nodes {
            let found = Mentions::of(program, std::slice::from_ref(node));
            if found.reads(variable) {
                return false;
            }
            if found.sets(variable) {
                return matches!(node, Node::Set(..) | Node::SetInt(..));
            }
        }
    }
    false
}

/// The one loop of a strip that goes in passes.
#[derive(Clone, Copy)]
pub(super) struct Passes<'s> {
    /// Which part of the strip it is.
    at: usize,
    header: &'s For,
    inner: &'s [Part],
    /// Where its sums are stored, if nothing else is done with them: they are there between two passes, so that a pass goes
    /// through all strips before the next one does.
    stored: Option<&'s Place>,
}

impl<'s> Passes<'s> {
    /// Of a strip with one loop for passes.
    pub(super) fn of(program: &LoopProgram, strip: &'s Strip, around: &Around<'_>) -> Option<Self> {
        let (lane, varying, changing) = (strip.header.var, strip.varying(), around.changing);
        let in_passes = |(at, part): (usize, &'s Part)| {
            let Part::Loop(header, inner) = part else { return None };
            let reads = Reads { header, lane, varying: &varying, changing };
            (!reads.packed(inner).is_empty()).then_some((at, header, inner.as_slice()))
        };
        let mut found = strip.parts.iter().enumerate().filter_map(in_passes);
        let (Some((at, header, inner)), None) = (found.next(), found.next()) else { return None };
        Some(Self { at, header, inner, stored: stored(program, strip, at, around) })
    }

    /// The loop whose passes go around all strips, if they do.
    pub(super) fn around_strips(self) -> Option<&'s For> {
        self.stored.map(|_| self.header)
    }

    fn packed(self, strip: &Strip, around: &Around<'_>) -> Vec<Packed> {
        let (lane, varying, changing) = (strip.header.var, strip.varying(), around.changing);
        Reads { header: self.header, lane, varying: &varying, changing }.packed(self.inner)
    }
}

/// Where copies are in `iv_copies`, in C: of so many steps for each strip of a group, or of a strip alone.
#[derive(Clone, Copy)]
struct Copies<'c> {
    header: &'c For,
    lane: IntId,
    length: &'c str,
    group: bool,
}

impl Copies<'_> {
    /// Which entry is the first of the copy with a number, if it is not the first of all.
    fn first(self, number: usize, packed: &[Packed]) -> Option<String> {
        let length = factor(self.length);
        match (self.group, number) {
            (false, 0) => None,
            (false, _) => Some(format!("{number} * IV_DEPTH * {length}")),
            (true, 0) => Some("(iv_lanes - iv_group) * IV_DEPTH".to_owned()),
            (true, _) => {
                let strips = strips(packed);
                let lanes = format!("{number} * ({strips}) * {length} + iv_lanes - iv_group");
                Some(format!("({lanes}) * IV_DEPTH"))
            }
        }
    }
}

/// How many strips have copies at once, in C.
fn strips(packed: &[Packed]) -> String {
    match packed.len() {
        1 => "IV_GROUP".to_owned(),
        copies => format!("IV_GROUP / {copies}"),
    }
}

/// A length in C as a factor.
fn factor(length: &str) -> String {
    if length.contains(' ') { format!("({length})") } else { length.to_owned() }
}

/// Where a strip stores the sums of a loop, if that is all it does behind it: an entry for each row and lane. The loop reads none
/// of this buffer, and what stands before it at most the entry itself.
fn stored<'s>(
    program: &LoopProgram,
    strip: &'s Strip,
    at: usize,
    around: &Around<'_>,
) -> Option<&'s Place> {
    let (before, behind) = strip.parts.split_at(at + 1);
    let [Part::Run(nodes, false)] = behind else { return None };
    let mut nodes = nodes.iter().filter(|node| !matches!(node, Node::Note(_) | Node::Visit(_)));
    let (Some(Node::Store(place, Real::Var(sum))), None) = (nodes.next(), nodes.next()) else {
        return None;
    };
    let alone = strip.common(program) == [Variable::Real(*sum)];
    let (ahead, inner) = before.split_at(at);
    let ahead: Vec<Node> = ahead.iter().flat_map(Part::nodes).collect();
    let mut others_read = Without(&[(place.clone(), String::new())]).nodes(&ahead);
    // in the loop, the entry would be what an earlier pass left there
    others_read.extend(inner.iter().flat_map(Part::nodes));
    let mentions = Mentions::of(program, &others_read);
    let (varying, (last, others)) = (strip.varying(), place.indices.split_last()?);
    let stands = |e: &Int| {
        let e = std::slice::from_ref(e);
        !mentions_any(e, &varying) && !mentions_any(e, around.changing)
    };
    let (still, moving): (Vec<&Int>, Vec<&Int>) = others.iter().partition(|e| stands(e));
    let by_row = matches!(moving.as_slice(), [one] if follows(one, around.var, around.changing)
        && !mentions_any(std::slice::from_ref(one), &varying));
    let by_lane = follows(last, strip.header.var, &varying)
        && !mentions_any(std::slice::from_ref(last), around.changing);
    let plain = still.iter().all(|e| is_arithmetic(e));
    (alone && plain && by_row && by_lane && !mentions.buffers.contains(&place.buffer))
        .then_some(place)
}

/// Nodes without what is read elsewhere than where it is.
struct Without<'p>(&'p [(Place, String)]);

impl Rewrite for Without<'_> {
    fn real(&mut self, e: &Real) -> Real {
        let is_it = |(place, _): &(Place, String)| matches!(e, Real::Load(buffer, indices) if place.buffer == *buffer && place.indices == *indices);
        if self.0.iter().any(is_it) { Real::Const(0.0) } else { rebuild_real(self, e) }
    }
}

impl Printer<'_, '_> {
    /// Whether nodes read an integer in the text that is printed for them.
    pub(super) fn reads(&self, nodes: &[Node], var: IntId) -> bool {
        let read = Without(&self.packed).nodes(nodes);
        Mentions::of(self.program(), &read).ints_read.contains(&var)
    }

    /// How many steps a loop has, in C.
    fn steps(&self, header: &For) -> String {
        let (first, end) = self.statements.expressions.ends(header);
        match first.as_str() {
            "0" if !end.contains(' ') => end,
            "0" => format!("({end})"),
            _ => format!("({end} - ({first}))"),
        }
    }

    /// When rows go in blocks: conditions in C, one for each loop that has passes. None if there is no such loop.
    ///
    /// What all rows read is too large then to stay in a cache from one tile to the next.
    pub(super) fn deep(&self, rows: &Rows, changing: &[IntId]) -> Vec<String> {
        let mut found = Vec::new();
        for item in &rows.items {
            let Item::Strip(strip) = item else { continue };
            // a tile of more values has fewer rows, and takes as long to change as it goes through few steps
            if strip.kept > 1 {
                continue;
            }
            let varying = strip.varying();
            for part in &strip.parts {
                let Part::Loop(header, parts) = part else { continue };
                let lane = strip.header.var;
                let reads = Reads { header, lane, varying: &varying, changing };
                if !reads.packed(parts).is_empty() {
                    let (steps, lanes) = (self.steps(header), self.steps(&strip.header));
                    let deep = format!("{steps} >= IV_DEEP && {steps} * {lanes} >= IV_MUCH");
                    found.push(deep);
                }
            }
        }
        found.dedup();
        found
    }

    /// Whether all that is kept of rows between passes is in entries of buffers, however many rows there are.
    pub(super) fn is_stored(&self, rows: &Rows, around: &Around<'_>) -> bool {
        let program = self.program();
        rows.common(program).is_empty()
            && rows.items.iter().all(|item| match item {
                Item::Strip(strip) => {
                    Passes::of(program, strip, around).is_some_and(|passes| passes.stored.is_some())
                }
                Item::Nodes(_) => true,
            })
    }

    /// Says whether a block of rows has copies. A function of its own has memory for them from then on; a stage has it already.
    pub(super) fn packs(&mut self, count: &str, depth: usize) {
        let pays = format!("iv_count > 2 * ({count})");
        let packs = match self.statements.leave {
            Leave::Return => pays,
            Leave::Goto => {
                let room = format!("real *const iv_copies = {pays} ? iv_room(&iv_memory) : NULL;");
                self.line(depth, &room);
                "iv_copies != NULL".to_owned()
            }
        };
        self.line(depth, &format!("const int iv_packs = {packs};"));
    }

    /// Opens the loop over the tiles of a block, if there are blocks; gives the depth inside.
    pub(super) fn open_tiles(
        &mut self,
        around: &Around<'_>,
        row: bool,
        above: bool,
        depth: usize,
    ) -> usize {
        let Around { count, end, blocks, .. } = *around;
        if !blocks {
            return depth;
        }
        let head = format!("for (int64_t iv_tile = 0; iv_tile < iv_count; iv_tile += {count}) {{");
        self.line(depth, &head);
        if row {
            let row = format!("const int64_t iv_row = iv_min(iv_rows + iv_tile, {end} - {count});");
            self.line(depth + 1, &row);
        }
        if above {
            self.line(depth + 1, "const int64_t iv_above = iv_rows + iv_tile - iv_row;");
        }
        depth + 1
    }

    /// The strips of a length in groups: each tile of rows goes through all strips of one, which have their copies at once.
    pub(super) fn groups(
        &mut self,
        (strip, passes): (&Strip, Passes<'_>),
        around: &Around<'_>,
        (Ends { first, end }, length): (Ends<'_>, &str),
        depth: usize,
    ) {
        let packed = passes.packed(strip, around);
        let group = format!("{} * {}", strips(&packed), factor(length));
        self.line(
            depth,
            &format!("for (int64_t iv_group = {first}; iv_group < {end}; iv_group += {group}) {{"),
        );
        let behind = format!("const int64_t iv_behind = iv_min(iv_group + {group}, {end});");
        self.line(depth + 1, &behind);
        let ends = Ends { first: "iv_group", end: "iv_behind" };
        self.line(depth + 1, "if (iv_packs) {");
        self.open("iv_step", "iv_start", "iv_stop", depth + 2);
        self.open_strips(ends, length, depth + 3);
        let copies = Copies { header: passes.header, lane: strip.header.var, length, group: true };
        self.copy_step(&packed, copies, depth + 4);
        self.close(depth + 4, depth + 1);
        let inside = self.open_tiles(around, true, true, depth + 1);
        self.strip(strip, Some(around), (ends, length), inside);
        self.close(inside, depth);
    }

    /// A strip with one loop in passes, tile by tile.
    pub(super) fn strip_in_passes(
        &mut self,
        (strip, passes): (&Strip, Passes<'_>),
        variables: &[(Variable, bool)],
        (lanes, around): (&Lanes<'_>, &Around<'_>),
        depth: usize,
    ) {
        let packed = passes.packed(strip, around);
        let (header, lane, length) = (passes.header, lanes.var, lanes.length);
        if passes.stored.is_some() {
            self.read_copies(&packed, Copies { header, lane, length, group: true }, depth);
            self.pass_of_tile((strip, passes), variables, (lanes, around), depth);
            return;
        }
        for (variable, _) in variables {
            let (kind, name) = (self.statements.kind(*variable), self.statements.name(*variable));
            self.line(depth, &format!("{kind} iv_t_{name}[IV_BLOCK][{length}];"));
        }
        let pass = self.open_passes(header, depth);
        self.pack(&packed, Copies { header, lane, length, group: false }, pass);
        let (row, above) = self.rows_of(&strip.parts, around.var);
        let inside = self.open_tiles(around, row, above, pass);
        self.pass_of_tile((strip, passes), variables, (lanes, around), inside);
        self.close(inside, depth);
    }

    /// A tile in a pass: its sums begin with it, or go on from where they are between passes.
    fn pass_of_tile(
        &mut self,
        (strip, passes): (&Strip, Passes<'_>),
        variables: &[(Variable, bool)],
        (lanes, around): (&Lanes<'_>, &Around<'_>),
        depth: usize,
    ) {
        let Passes { at, header, inner, stored } = passes;
        let (parts, count, length) = (&strip.parts, around.count, lanes.length);
        let before = self.kept.len();
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for (variable, set_first) in variables {
            let (kind, name) = (self.statements.kind(*variable), self.statements.name(*variable));
            let clear = if *set_first { "" } else { " = {0}" };
            self.line(depth, &format!("{kind} iv_u_{name}[{count}][{length}]{clear};"));
            let mine = format!("iv_u_{name}[{ROW}][{LANE}]");
            let between = if let Some(place) = stored {
                let lane = (lanes.var, "(iv_lane + iv_l)");
                self.place_at(place, (around.var, "iv_row + iv_r"), lane)
            } else {
                format!("iv_t_{name}[iv_tile + {ROW}][{LANE}]")
            };
            taken.push(format!("{mine} = {between};"));
            left.push(format!("{between} = {mine};"));
            self.kept.push((*variable, mine));
        }
        let tile = Around { blocks: false, ..*around };
        let inner_lanes = Lanes { rows: Some(&tile), ..*lanes };
        let (first, end) = self.statements.expressions.ends(header);
        self.line(depth, &format!("if (iv_start == {first}) {{"));
        self.parts(&parts[..at], &inner_lanes, false, depth + 1);
        self.line(depth, "} else {");
        self.for_entries(&taken, (lanes, around), depth + 1);
        self.line(depth, "}");
        self.steps_of_pass(header, inner, &inner_lanes, depth);
        self.packed.clear();
        if stored.is_some() {
            self.parts(&parts[at + 1..], &inner_lanes, false, depth);
        } else {
            self.line(depth, &format!("if (iv_stop == {end}) {{"));
            self.parts(&parts[at + 1..], &inner_lanes, false, depth + 1);
            self.line(depth, "} else {");
            self.for_entries(&left, (lanes, around), depth + 1);
            self.line(depth, "}");
        }
        self.kept.truncate(before);
    }

    /// Whether parts read the number of a row, and whether one does not do again what was done before.
    fn rows_of(&self, parts: &[Part], row: IntId) -> (bool, bool) {
        let mut found = (false, false);
        for part in parts {
            match part {
                Part::Run(nodes, again) => {
                    found.0 |= self.reads(nodes, row) || !again;
                    found.1 |= !again;
                }
                Part::Loop(header, parts) => {
                    let nodes = [Node::For(Box::new(whole(header, parts)))];
                    found.0 |= self.reads(&nodes, row);
                }
            }
        }
        found
    }

    /// The steps of a loop in a pass.
    fn steps_of_pass(&mut self, header: &For, parts: &[Part], lanes: &Lanes<'_>, depth: usize) {
        let var = self.statements.name(Variable::Int(header.var));
        self.open(&var, "iv_start", "iv_stop", depth);
        self.parts(parts, lanes, true, depth + 1);
        self.line(depth, "}");
    }

    /// A loop in a strip, tile by tile, with what it adds to in registers.
    pub(super) fn loop_of_block(
        &mut self,
        header: &For,
        parts: &[Part],
        (lanes, around): (&Lanes<'_>, &Around<'_>),
        depth: usize,
    ) {
        let (varying, changing) = (lanes.varying, around.changing);
        let packed = Reads { header, lane: lanes.var, varying, changing }.packed(parts);
        let passes = !packed.is_empty();
        let mut inside = depth;
        if passes {
            inside = self.open_passes(header, depth);
            let copies = Copies { header, lane: lanes.var, length: lanes.length, group: false };
            self.pack(&packed, copies, inside);
        }
        let mentions = Mentions::of(self.program(), &[Node::For(Box::new(whole(header, parts)))]);
        let reads_row = mentions.ints_read.contains(&around.var);
        let inside = self.open_tiles(around, reads_row, false, inside);
        let extents = format!("[{}][{}]", around.count, lanes.length);
        let before = self.kept.len();
        let registers = self.registers(&mentions);
        for Register { variable, name, .. } in &registers {
            let kind = self.statements.kind(*variable);
            self.line(inside, &format!("{kind} {name}{extents};"));
            self.kept.push((*variable, format!("{name}[{ROW}][{LANE}]")));
        }
        let taken = registers.iter().map(|r| format!("{}[{ROW}][{LANE}] = {};", r.name, r.entry));
        self.for_entries(&taken.collect::<Vec<_>>(), (lanes, around), inside);
        let tile = Around { blocks: false, ..*around };
        let inner = Lanes { rows: Some(&tile), ..*lanes };
        if passes {
            self.steps_of_pass(header, parts, &inner, inside);
        } else {
            self.inner_loop(header, parts, &inner, inside);
        }
        self.kept.truncate(before);
        self.packed.clear();
        let given_back = registers.iter().filter(|register| register.is_set);
        let given_back = given_back.map(|r| format!("{} = {}[{ROW}][{LANE}];", r.entry, r.name));
        self.for_entries(&given_back.collect::<Vec<_>>(), (lanes, around), inside);
        self.close(inside, depth);
    }

    /// The variables of a strip that a loop in it mentions.
    fn registers(&self, mentions: &Mentions) -> Vec<Register> {
        let of = |(variable, entry): &(Variable, String)| {
            let is_set = mentions.sets(*variable);
            let name = format!("iv_u_{}", self.statements.name(*variable));
            let mine =
                entry.ends_with(&format!("[{LANE}]")) && (is_set || mentions.reads(*variable));
            mine.then(|| Register { variable: *variable, name, entry: entry.clone(), is_set })
        };
        self.kept.iter().filter_map(of).collect()
    }

    /// Statements for all entries of a tile.
    fn for_entries(
        &mut self,
        statements: &[String],
        (lanes, around): (&Lanes<'_>, &Around<'_>),
        depth: usize,
    ) {
        if statements.is_empty() {
            return;
        }
        self.open(ROW, "0", around.count, depth);
        self.line(depth + 1, "IV_PRAGMA(omp simd)");
        self.open(LANE, "0", lanes.length, depth + 1);
        statements.iter().for_each(|text| self.line(depth + 2, text));
        self.close(depth + 2, depth);
    }

    /// Opens the passes of a loop; gives the depth inside.
    pub(super) fn open_passes(&mut self, header: &For, depth: usize) -> usize {
        let (first, end) = self.statements.expressions.ends(header);
        // there is one pass if there are no steps
        let head = format!(
            "for (int64_t iv_start = {first}; iv_start == {first} || iv_start < {end}; iv_start += IV_DEPTH) {{"
        );
        self.line(depth, &head);
        let stop = format!("const int64_t iv_stop = iv_min(iv_start + IV_DEPTH, {end});");
        self.line(depth + 1, &stop);
        depth + 1
    }

    /// Copies of what all rows read of a strip in a pass, where these pay, which its steps read then.
    fn pack(&mut self, packed: &[Packed], copies: Copies<'_>, depth: usize) {
        self.line(depth, "if (iv_packs) {");
        self.open("iv_step", "iv_start", "iv_stop", depth + 1);
        self.copy_step(packed, copies, depth + 2);
        self.close(depth + 2, depth);
        self.read_copies(packed, copies, depth);
    }

    /// Copies what a strip reads in a step.
    fn copy_step(&mut self, packed: &[Packed], copies: Copies<'_>, depth: usize) {
        let Copies { header, lane, length, .. } = copies;
        self.line(depth, "IV_PRAGMA(omp simd)");
        self.open(LANE, "0", length, depth);
        for (number, Packed { place, .. }) in packed.iter().enumerate() {
            let from = self.place_at(place, (header.var, "iv_step"), (lane, "(iv_lane + iv_l)"));
            let first = copies.first(number, packed).map_or(String::new(), |at| at + " + ");
            let step = format!("(iv_step - iv_start) * {}", factor(length));
            self.line(depth + 1, &format!("iv_copies[{first}{step} + {LANE}] = {from};"));
        }
        self.line(depth, "}");
    }

    /// Has what is packed read from the copies where there are some.
    fn read_copies(&mut self, packed: &[Packed], copies: Copies<'_>, depth: usize) {
        let Copies { header, lane, length, .. } = copies;
        let var = self.statements.name(Variable::Int(header.var));
        for (number, one) in packed.iter().enumerate() {
            let place = self.place_at(&one.place, (header.var, "iv_start"), (lane, "iv_lane"));
            let first = copies.first(number, packed);
            let copy = first.map_or("iv_copies".to_owned(), |at| format!("&iv_copies[{at}]"));
            let from = format!("iv_packs ? {copy} : &{place}");
            self.line(depth, &format!("const real *restrict iv_read_{number} = {from};"));
            let apart = format!("iv_packs ? {length} : {}", self.apart(one));
            self.line(depth, &format!("const int64_t iv_apart_{number} = {apart};"));
            let text = format!("iv_read_{number}[({var} - iv_start) * iv_apart_{number} + {LANE}]");
            self.packed.push((one.place.clone(), text));
        }
    }

    /// An entry in C, where two variables have other words.
    fn place_at(&self, place: &Place, step: (IntId, &str), lane: (IntId, &str)) -> String {
        let Expressions { program, names, precision, lookups, .. } = self.statements.expressions;
        let words = [step, lane].map(|(var, word)| (Variable::Int(var), word.to_owned()));
        Expressions::new(program, &names.kept(&words), *precision, lookups).place(place)
    }

    /// How far the entries of two steps are apart in memory.
    fn apart(&self, packed: &Packed) -> String {
        let extents = &self.program().buffer(packed.place.buffer).extents;
        let mut terms = Vec::new();
        for (axis, step) in packed.steps.iter().enumerate().filter(|(_, step)| **step != 0) {
            let behind = extents[axis + 1..].iter().map(|e| self.statements.expressions.factor(e));
            let mut factors: Vec<String> = behind.collect();
            if *step != 1 {
                factors.insert(0, step.to_string());
            }
            terms.push(factors.join(" * "));
        }
        terms.join(" + ")
    }
}

impl Part {
    /// What it is made of.
    fn nodes(&self) -> Vec<Node> {
        match self {
            Self::Run(nodes, _) => nodes.clone(),
            Self::Loop(header, parts) => vec![Node::For(Box::new(whole(header, parts)))],
        }
    }
}

/// A loop with its inside.
fn whole(header: &For, parts: &[Part]) -> For {
    For { body: parts.iter().flat_map(Part::nodes).collect(), ..header.clone() }
}
