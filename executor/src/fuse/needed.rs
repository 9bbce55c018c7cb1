//! Of a temporary of which one side of a diagonal is read, that side alone is computed and cleared.
//!
//! Let every read of `t[i, j]` be in loops that say `j - i >= c`, as `for i { for j in i + 1 .. n { .. } }` does. Then loops that do nothing
//! but write entries of `t` get this bound: `for i in 0 .. n { for j in 0 .. n { t[i, j] = 0 } }` has the steps of the reads. So loops meet
//! that differed by entries that nobody wants, an entry is touched at one step, and a triangle has half the points of a square.
//! Products of matrices stay as they are.

use super::ends::strongest;
use super::facts::{Facts, settings};
use super::footprint::factor_of;
use super::sites::{Kind, Site, list_at, lists, sites};
use crate::loops::walk::{Visit, walk_node};
use crate::loops::{BufferId, CmpOp, Element, For, Int, LoopProgram, Node, Place, RealId, Role};
use crate::lower::UNROLLED;
use rustc_hash::FxHashMap;

/// Has the sides of temporaries that nothing reads left out.
pub(super) fn leave_out(program: &mut LoopProgram) {
    let mut by_buffer = sites(&program.body);
    // ends mention no reals
    let touched = Effects::of(&program.body).reals;
    let grows = |id: &BufferId| {
        let buffer = program.buffer(*id);
        buffer.role == Role::Temporary
            && buffer.element == Element::Real
            && buffer.extents.iter().filter(|extent| extent.as_const().is_none()).count() > 1
    };
    let mut ids: Vec<BufferId> = by_buffer.keys().copied().filter(grows).collect();
    // later ones first: what they need is then known of those that they read
    ids.sort_by_key(|id| std::cmp::Reverse(by_buffer[id][0].path.clone()));
    for buffer in ids {
        let rank = program.buffer(buffer).extents.len();
        let pairs = (0..rank).flat_map(|a| (0..rank).map(move |b| (a, b)));
        for (a, b) in pairs.filter(|(a, b)| a != b) {
            let Some(all) = by_buffer.get(&buffer) else { continue };
            let side = Side::of(program, buffer, (a, b), all, &touched);
            let ends = side.and_then(|side| side.ends(program, all)).unwrap_or_default();
            if !ends.is_empty() {
                ends.iter().for_each(|end| end.put(&mut program.body));
                by_buffer = sites(&program.body);
            }
        }
    }
}

/// The entries of a buffer whose index at one axis is at least a constant more than that at another.
struct Side<'t> {
    buffer: BufferId,
    axes: (usize, usize),
    least: i64,
    /// How often real variables are touched in all.
    touched: &'t FxHashMap<RealId, usize>,
}

/// An end that a loop gets.
struct End {
    /// The path of the loop.
    path: Vec<usize>,
    is_lower: bool,
    end: Int,
}

impl<'t> Side<'t> {
    /// The side that is read, if there is one.
    fn of(
        program: &LoopProgram,
        buffer: BufferId,
        axes: (usize, usize),
        all: &[Site],
        touched: &'t FxHashMap<RealId, usize>,
    ) -> Option<Self> {
        let reads = all.iter().filter(|site| site.kind == Kind::Load);
        let least: Option<Vec<i64>> =
            reads.map(|site| least(program, site, &between(axes, &site.indices))).collect();
        Some(Self { buffer, axes, least: least?.into_iter().min()?, touched })
    }

    /// The ends by which loops write this side alone; `None` if one cannot.
    fn ends(&self, program: &LoopProgram, all: &[Site]) -> Option<Vec<End>> {
        let mut found: Vec<End> = Vec::new();
        for site in all.iter().filter(|site| site.kind != Kind::Load) {
            let between = between(self.axes, &site.indices);
            if least(program, site, &between).is_some_and(|least| least >= self.least) {
                continue;
            }
            let end = self.end(program, site, &between)?;
            if !found.iter().any(|other| other.path == end.path) {
                found.push(end);
            }
        }
        Some(found)
    }

    /// The end of the innermost loop that moves a write along the axes, if it does nothing else, and has no longer loops inside: products of
    /// matrices go faster through whole rows.
    fn end<'p>(&self, program: &'p LoopProgram, site: &Site, between: &Int) -> Option<End> {
        let around = lists(&program.body, &site.path);
        let moves = |(level, (list, place)): (usize, &(&'p [Node], usize))| {
            let Node::For(header) = &list[*place] else { return None };
            let factor = factor_of(between, header.var);
            (factor != 0).then_some((level, header, factor))
        };
        let (level, header, factor) = around.iter().enumerate().rev().find_map(moves)?;
        let var = Int::Var(header.var);
        let end = match factor {
            1 => var.minus(between.clone()).offset(self.least),
            -1 => between.clone().plus(var).offset(1 - self.least),
            _ => return None,
        };
        let is_plain = header.stride.is_none() && header.body.iter().all(is_short);
        (is_plain && self.is_all(header, between)).then(|| End {
            path: site.path[..=level].to_vec(),
            is_lower: factor == 1,
            end,
        })
    }

    /// Whether a loop writes entries of the buffer, with this difference of their indices, and does nothing else that is needed.
    fn is_all(&self, header: &For, difference: &Int) -> bool {
        let own = Effects::of(&header.body);
        let fits = |place: &Place| {
            place.buffer == self.buffer && between(self.axes, &place.indices) == *difference
        };
        !own.others
            && own.written.iter().all(fits)
            && own.reals.iter().all(|(var, count)| self.touched[var] == *count)
    }
}

impl End {
    /// Puts it to the ends that the loop has.
    fn put(&self, body: &mut Vec<Node>) {
        let mut facts = Facts::at(body, &self.path, &settings(body));
        let (list, place) = list_at(body, &self.path);
        let Node::For(header) = &mut list[place] else { unreachable!("an end is that of a loop") };
        let (ends, cmp) = match self.is_lower {
            true => (&mut header.lower, CmpOp::Ge),
            false => (&mut header.upper, CmpOp::Le),
        };
        ends.push(self.end.clone());
        *ends = strongest(ends.iter(), |one, other| facts.prove(cmp, one, other));
    }
}

/// Whether all loops in a node have few steps.
fn is_short(node: &Node) -> bool {
    let few = |header: &For| header.most_steps().is_some_and(|steps| steps <= UNROLLED);
    !matches!(node, Node::For(header) if !few(header)) && node.inside().iter().all(is_short)
}

/// The difference of two indices.
fn between((a, b): (usize, usize), indices: &[Int]) -> Int {
    indices[b].clone().minus(indices[a].clone())
}

/// The least value of a difference at a site, if the bounds of a loop around say it.
fn least(program: &LoopProgram, site: &Site, difference: &Int) -> Option<i64> {
    if let Some(value) = difference.as_const() {
        return Some(value);
    }
    let mut found = Vec::new();
    for (list, place) in lists(&program.body, &site.path) {
        let Node::For(header) = &list[place] else { continue };
        let var = Int::Var(header.var);
        let least: Vec<Int> = match factor_of(difference, header.var) {
            1 => header.lower.iter().map(|end| end.clone().minus(var.clone())).collect(),
            -1 => header.upper.iter().map(|end| var.clone().minus(end.clone()).offset(1)).collect(),
            _ => continue,
        };
        found.extend(least.into_iter().filter_map(|e| difference.clone().plus(e).as_const()));
    }
    found.into_iter().max()
}

/// What nodes do.
#[derive(Default)]
struct Effects {
    written: Vec<Place>,
    /// How often real variables are touched.
    reals: FxHashMap<RealId, usize>,
    /// Whether there is anything else but loops and conditions.
    others: bool,
}

impl Effects {
    fn of(nodes: &[Node]) -> Self {
        let mut effects = Self::default();
        nodes.iter().for_each(|node| effects.node(node));
        effects
    }
}

impl Visit for Effects {
    fn real_var(&mut self, var: RealId) {
        *self.reals.entry(var).or_default() += 1;
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Store(place, _) | Node::Accumulate(place, ..) => self.written.push(place.clone()),
            Node::Set(var, _) | Node::Join(var, ..) => self.real_var(*var),
            Node::Note(_) | Node::Visit(_) | Node::For(_) | Node::If(..) => {}
            Node::SetInt(..) | Node::StoreInt(..) | Node::AddInt(..) | Node::Check(..) => {
                self.others = true;
            }
        }
        walk_node(self, node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of nodes; the lines of each are separated by `;`.
    fn left(body: &str) -> String {
        let head = "loops f\nsize n\ninput x: real[n]\ntemporary t: real[n, n]\ntemporary u: real[n, n]\n\
            output y: real[n]\nints i, j, k, l, o, p\nreals r\n";
        let mut program = LoopProgram::parse(&format!("{head}{}\n", body.replace("; ", "\n")))
            .unwrap_or_else(|e| panic!("{e}"));
        leave_out(&mut program);
        let text = program.to_string();
        let (_, text) = text.split_once("reals r\n").unwrap_or_else(|| panic!("{text}"));
        text.trim_end().lines().map(str::trim).collect::<Vec<_>>().join("; ")
    }

    const FULL: &str = "for any i in 0 .. n {; for any j in 0 .. n {; t[i, j] = x[j]; }; }; ";

    #[test]
    fn loops_write_the_side_that_is_read() {
        let read = "for k in 0 .. n {; for l in k + 1 .. n {; y[k] += t[k, l]; }; }";
        assert_eq!(
            left(&format!("{FULL}{read}")),
            format!("{}{read}", FULL.replace("j in 0", "j in i + 1"))
        );
        // the other side; next to the diagonal; the inner loop goes along the first axis
        let read = "for k in 0 .. n {; for l in 0 .. k {; y[k] += t[k, l]; }; }";
        let lower = FULL.replace("j in 0 .. n", "j in 0 .. i");
        assert_eq!(left(&format!("{FULL}{read}")), format!("{lower}{read}"));
        let read = "for k in 1 .. n {; for l in 0 .. k {; y[k] += t[k - 1, l]; }; }";
        let lower = FULL.replace("j in 0 .. n", "j in 0 .. i + 1");
        assert_eq!(left(&format!("{FULL}{read}")), format!("{lower}{read}"));
        let read = "for k in 0 .. n {; for l in k + 1 .. n {; y[k] += t[l, k]; }; }";
        assert_eq!(
            left(&format!("{FULL}{read}")),
            format!("{}{read}", FULL.replace("j in 0 .. n", "j in 0 .. i"))
        );
    }

    #[test]
    fn what_is_read_for_a_side_is_a_side() {
        let copy = "for any o in 0 .. n {; for any p in 0 .. n {; u[o, p] = t[o, p]; }; }; ";
        let read = "for k in 0 .. n {; for l in k + 1 .. n {; y[k] += u[k, l]; }; }";
        let (full, copied) =
            (FULL.replace("j in 0", "j in i + 1"), copy.replace("p in 0", "p in o + 1"));
        assert_eq!(left(&format!("{FULL}{copy}{read}")), format!("{full}{copied}{read}"));
    }

    #[test]
    fn what_is_needed_stays() {
        let stays = |text: &str| assert_eq!(left(text), text);
        let read = "for k in 0 .. n {; for l in k + 1 .. n {; y[k] += t[k, l]; }; }";
        // all is read
        stays(&format!("{FULL}{}", read.replace("k + 1", "0")));
        let all = "for o in 0 .. n {; for p in 0 .. n {; y[o] += t[o, p]; }; }";
        stays(&format!("{FULL}{read}; {all}"));
        // the loop does something else
        stays(&format!(
            "{}{read}",
            FULL.replace("t[i, j] = x[j]", "t[i, j] = x[j]; u[i, j] = x[i]")
        ));
        stays(&format!(
            "r = 0.0; {}{read}; y[0] = r",
            FULL.replace("any ", "").replace("t[i, j] = x[j]", "t[i, j] = x[j]; r += x[i]")
        ));
    }
}
