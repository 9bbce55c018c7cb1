//! Loops that run over the rows of one step of a loop around: windows of a range.
//!
//! In `for any w in 0 .. n where 0 of 32 { for any v in w .. min(w + 32, n) { .. } }` each `v` belongs to one `w`. A
//! [`Role::Local`] buffer keeps the rows of one window: entry `v` of the whole is entry `v - w` of it.

use super::walk::{Visit, walk_node};
use super::{BufferId, For, Int, IntId, LoopProgram, Node, Role};

/// The variables of the loops inside a loop with a stride that run over a part of its window: each of their values
/// is met in one step of the loop.
#[must_use]
pub(crate) fn windows(header: &For) -> Vec<IntId> {
    let Some((modulus, _)) = &header.stride else { return Vec::new() };
    let mut windows = Windows { start: Int::Var(header.var), rows: *modulus, found: Vec::new() };
    header.body.iter().for_each(|node| windows.node(node));
    windows.found
}

struct Windows {
    start: Int,
    rows: i64,
    found: Vec<IntId>,
}

impl Visit for Windows {
    fn enter(&mut self, node: &Node) {
        if let Node::For(inner) = node
            && inner.lower.contains(&self.start)
            && inner.upper.contains(&self.start.clone().offset(self.rows))
        {
            self.found.push(inner.var);
        }
    }
}

/// The local buffers that a program touches elsewhere than in its windows: at an index `v - w`, at an axis of at least so
/// many rows, where `w` is the variable of a loop at top level and `v` that of a loop over its window.
pub(crate) fn strays(program: &LoopProgram) -> Vec<BufferId> {
    let mut strays = Strays { program, around: None, found: Vec::new() };
    for node in &program.body {
        strays.around = if let Node::For(header) = node { Around::of(header) } else { None };
        strays.node(node);
    }
    strays.found
}

/// A loop at top level with windows.
struct Around {
    var: IntId,
    rows: i64,
    /// The ends of its range, if it begins at 0: rows are no more then.
    upper: Vec<Int>,
    windows: Vec<IntId>,
}

impl Around {
    fn of(header: &For) -> Option<Self> {
        let (rows, _) = header.stride.as_ref()?;
        let from_zero = header.lower == [Int::Const(0)];
        let upper = if from_zero { header.upper.clone() } else { Vec::new() };
        let rows = *rows;
        Some(Self { var: header.var, rows, upper, windows: windows(header) })
    }
}

/// Whether an axis has the rows of a window, or all that there are.
fn holds(extent: &Int, rows: i64, upper: &[Int]) -> bool {
    match extent {
        Int::Const(extent) => *extent >= rows,
        Int::Select(parts) => {
            let all = |e: &Int| upper.contains(e) || holds(e, rows, upper);
            all(&parts.1) && all(&parts.2)
        }
        Int::Size(_)
        | Int::Var(_)
        | Int::Load(..)
        | Int::Sum(..)
        | Int::Product(_)
        | Int::Div(..)
        | Int::Mod(..)
        | Int::DivBy(_)
        | Int::Floor(_) => false,
    }
}

struct Strays<'p> {
    program: &'p LoopProgram,
    around: Option<Around>,
    found: Vec<BufferId>,
}

impl Strays<'_> {
    fn entry(&mut self, buffer: BufferId, indices: &[Int]) {
        let row = self.program.buffer(buffer);
        let within = |Around { var, rows, upper, windows }: &Around| {
            let of_window =
                |index: &Int| windows.iter().any(|v| *index == Int::Var(*v).minus(Int::Var(*var)));
            let holds = |extent: &Int| holds(extent, *rows, upper);
            indices.iter().zip(&row.extents).any(|(e, extent)| of_window(e) && holds(extent))
        };
        if row.role == Role::Local && !self.around.as_ref().is_some_and(within) {
            self.found.push(buffer);
        }
    }
}

impl Visit for Strays<'_> {
    fn load(&mut self, buffer: BufferId, indices: &[Int]) {
        self.entry(buffer, indices);
    }

    fn node(&mut self, node: &Node) {
        if let Node::Store(place, _)
        | Node::Accumulate(place, ..)
        | Node::StoreInt(place, _)
        | Node::AddInt(place, _) = node
        {
            self.entry(place.buffer, &place.indices);
        }
        walk_node(self, node);
    }
}
