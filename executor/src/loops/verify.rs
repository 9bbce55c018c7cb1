//! The invariants of loop programs (spec chapter 7).
//!
//! 1. Every id is within its table.
//! 2. Extents mention sizes alone.
//! 3. Outputs, temporaries and locals are written, inputs are not; reals hold reals, integers integers.
//! 4. An access has one index for each axis, a lookup one for each place; coordinates have one axis.
//! 5. What an iteration of a parallel loop writes has its variable, or that of a loop over its window, or a multiple of one, as an
//!    index, or is a local; and what it joins it has set.
//! 6. A function has as many arguments as it takes, and none is a user's.
//! 7. A loop has lower and upper bounds, a stride of at least 2, and a variable that its body does not set.
//! 8. Divisors are at least 1.
//! 9. A local is touched in the windows of loops at top level alone, at the row of the window.

use super::window::{strays, windows};
use super::{
    BufferId, Check, Cond, Element, For, Int, IntId, LoopProgram, Node, Order, Place, Real, RealId,
    RelationTable, Role,
};
use iverson_spec::function::{FUNCTIONS, Fun};
use std::fmt;

/// A broken invariant: a mistake of the compiler.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Its number.
    pub invariant: u8,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {} of loops is broken: {}", self.invariant, self.found)
    }
}

impl std::error::Error for Violation {}

type Verdict = Result<(), Violation>;

fn require(invariant: u8, holds: bool, found: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Violation { invariant, found: found() }) }
}

/// Checks every invariant.
///
/// # Errors
/// The first that is broken.
pub fn verify(program: &LoopProgram) -> Verdict {
    let verifier = Verifier { program };
    for buffer in &program.buffers {
        for extent in &buffer.extents {
            require(2, in_sizes(extent), || format!("an extent of `{}`", buffer.name))?;
            verifier.int(extent)?;
        }
    }
    program.relations.iter().try_for_each(|relation| verifier.relation(relation))?;
    program.checks.iter().try_for_each(|check| verifier.message(check))?;
    for buffer in strays(program) {
        require(9, false, || format!("`{}` is touched", program.buffer(buffer).name))?;
    }
    verifier.nodes(&program.body, &mut Vec::new())
}

/// Whether an integer is in sizes alone.
pub(crate) fn in_sizes(e: &Int) -> bool {
    match e {
        Int::Const(_) | Int::Size(_) => true,
        Int::Sum(terms, _) => terms.iter().all(|(_, e)| in_sizes(e)),
        Int::Product(factors) => factors.iter().all(in_sizes),
        Int::Div(e, _) | Int::Mod(e, _) => in_sizes(e),
        Int::DivBy(sides) => in_sizes(&sides.0) && in_sizes(&sides.1),
        Int::Select(parts) => {
            let sides = |e: &Int, other: &Int| in_sizes(e) && in_sizes(other);
            matches!(&parts.0, Cond::Int(_, a, b) if sides(a, b)) && sides(&parts.1, &parts.2)
        }
        Int::Var(_) | Int::Load(..) | Int::Floor(_) => false,
    }
}

struct Verifier<'p> {
    program: &'p LoopProgram,
}

/// A parallel loop around a place, and the reals set in it so far.
struct Parallel {
    var: IntId,
    /// The variables of the loops over its windows.
    windows: Vec<IntId>,
    set: Vec<RealId>,
}

impl Verifier<'_> {
    fn relation(&self, relation: &RelationTable) -> Verdict {
        let known = relation.count.index() < self.program.sizes.len();
        require(1, known, || format!("{:?}", relation.count))?;
        let places = relation.coordinates.len() == relation.extents.len();
        require(4, places, || format!("the box of `{}`", relation.name))?;
        for extent in &relation.extents {
            require(2, in_sizes(extent), || format!("an extent of `{}`", relation.name))?;
            self.int(extent)?;
        }
        let index = [Int::Size(relation.count)];
        let mut places = relation.coordinates.iter();
        places.try_for_each(|buffer| self.entry(*buffer, &index, Element::Int))
    }

    fn message(&self, check: &Check) -> Verdict {
        match check {
            Check::Requires { point, .. } => {
                point.iter().try_for_each(|(_, var)| self.int_var(*var))
            }
            Check::Sort { position, value, bound, .. } => {
                self.int_var(*value)?;
                position.iter().chain([bound]).try_for_each(|e| self.int(e))
            }
            Check::Earlier { position, entry, .. } => {
                position.iter().chain(entry).try_for_each(|e| self.int(e))
            }
        }
    }

    fn nodes(&self, nodes: &[Node], around: &mut Vec<Parallel>) -> Verdict {
        nodes.iter().try_for_each(|node| self.node(node, around))
    }

    fn node(&self, node: &Node, around: &mut Vec<Parallel>) -> Verdict {
        match node {
            Node::Note(_) => Ok(()),
            Node::For(header) => self.header(header, around),
            Node::If(cond, body) => {
                self.cond(cond)?;
                self.nodes(body, around)
            }
            Node::SetInt(var, e) => {
                self.int_var(*var)?;
                self.int(e)
            }
            Node::Set(var, e) => {
                self.real_var(*var)?;
                around.iter_mut().for_each(|parallel| parallel.set.push(*var));
                self.real(e)
            }
            Node::Join(var, _, e) => {
                self.real_var(*var)?;
                let own = around.iter().all(|parallel| parallel.set.contains(var));
                require(5, own, || format!("`{}` is joined", self.program.reals[var.index()]))?;
                self.real(e)
            }
            Node::Store(place, e) | Node::Accumulate(place, _, e) => {
                self.written(place, Element::Real, around)?;
                self.real(e)
            }
            Node::StoreInt(place, e) | Node::AddInt(place, e) => {
                self.written(place, Element::Int, around)?;
                self.int(e)
            }
            Node::Visit(statement) => {
                let known = statement.index() < self.program.statements.len();
                require(1, known, || format!("{statement:?}"))
            }
            Node::Check(check, cond) => {
                let known = check.index() < self.program.checks.len();
                require(1, known, || format!("{check:?}"))?;
                self.cond(cond)
            }
        }
    }

    fn header(&self, header: &For, around: &mut Vec<Parallel>) -> Verdict {
        self.int_var(header.var)?;
        let name = || format!("the loop over `{}`", self.program.ints[header.var.index()]);
        require(7, !header.lower.is_empty() && !header.upper.is_empty(), name)?;
        header.lower.iter().chain(&header.upper).try_for_each(|e| self.int(e))?;
        if let Some((modulus, residue)) = &header.stride {
            require(7, *modulus >= 2, name)?;
            self.int(residue)?;
        }
        require(7, !sets(&header.body, header.var), name)?;
        if header.order != Order::Parallel {
            return self.nodes(&header.body, around);
        }
        around.push(Parallel { var: header.var, windows: windows(header), set: Vec::new() });
        let verdict = self.nodes(&header.body, around);
        around.pop();
        verdict
    }

    fn written(&self, place: &Place, element: Element, around: &[Parallel]) -> Verdict {
        self.entry(place.buffer, &place.indices, element)?;
        let buffer = self.program.buffer(place.buffer);
        require(3, buffer.role != Role::Input, || format!("`{}` is written", buffer.name))?;
        let local = buffer.role == Role::Local;
        let apart = |Parallel { var, windows, .. }: &Parallel| {
            place.indices.iter().any(|index| {
                moves(index, *var)
                    || windows.iter().any(|own| moves(index, *own))
                    || match index {
                        // row `v - w` is the window's own, and that of no other `v`; so it is where `v` is in a window of this
                        // loop too, inside that of `w`
                        Int::Sum(terms, _) if local => terms.iter().any(|(_, e)| {
                            *e == Int::Var(*var) || windows.iter().any(|own| *e == Int::Var(*own))
                        }),
                        Int::Const(_)
                        | Int::Size(_)
                        | Int::Var(_)
                        | Int::Load(..)
                        | Int::Sum(..)
                        | Int::Product(_)
                        | Int::Div(..)
                        | Int::Mod(..)
                        | Int::DivBy(_)
                        | Int::Floor(_)
                        | Int::Select(_) => false,
                    }
            })
        };
        require(5, around.iter().all(apart), || format!("`{}` is written", buffer.name))
    }

    fn entry(&self, buffer: BufferId, indices: &[Int], element: Element) -> Verdict {
        let known = buffer.index() < self.program.buffers.len();
        require(1, known, || format!("{buffer:?}"))?;
        let row = self.program.buffer(buffer);
        require(3, row.element == element, || format!("`{}` is of another sort", row.name))?;
        require(4, row.extents.len() == indices.len(), || format!("an entry of `{}`", row.name))?;
        indices.iter().try_for_each(|e| self.int(e))
    }

    fn int_var(&self, var: IntId) -> Verdict {
        require(1, var.index() < self.program.ints.len(), || format!("{var:?}"))
    }

    fn real_var(&self, var: RealId) -> Verdict {
        require(1, var.index() < self.program.reals.len(), || format!("{var:?}"))
    }

    fn int(&self, e: &Int) -> Verdict {
        match e {
            Int::Const(_) => Ok(()),
            Int::Size(size) => {
                require(1, size.index() < self.program.sizes.len(), || format!("{size:?}"))
            }
            Int::Var(var) => self.int_var(*var),
            Int::Load(buffer, indices) => self.entry(*buffer, indices, Element::Int),
            Int::Sum(terms, _) => terms.iter().try_for_each(|(_, e)| self.int(e)),
            Int::Product(factors) => factors.iter().try_for_each(|e| self.int(e)),
            Int::Div(e, k) | Int::Mod(e, k) => {
                require(8, *k >= 1, || format!("a division by {k}"))?;
                self.int(e)
            }
            Int::DivBy(sides) => {
                self.int(&sides.0)?;
                self.int(&sides.1)
            }
            Int::Floor(e) => self.real(e),
            Int::Select(parts) => {
                self.cond(&parts.0)?;
                self.int(&parts.1)?;
                self.int(&parts.2)
            }
        }
    }

    fn real(&self, e: &Real) -> Verdict {
        match e {
            Real::Const(_) => Ok(()),
            Real::Int(e) => self.int(e),
            Real::Var(var) => self.real_var(*var),
            Real::Load(buffer, indices) => self.entry(*buffer, indices, Element::Real),
            Real::Apply(fun, args) => {
                require(6, arity(*fun, args.len()), || format!("{fun:?} of {}", args.len()))?;
                args.iter().try_for_each(|e| self.real(e))
            }
            Real::Select(parts) => {
                self.cond(&parts.0)?;
                self.real(&parts.1)?;
                self.real(&parts.2)
            }
        }
    }

    fn cond(&self, cond: &Cond) -> Verdict {
        match cond {
            Cond::Int(_, a, b) => {
                self.int(a)?;
                self.int(b)
            }
            Cond::Real(_, sides) => {
                self.real(&sides.0)?;
                self.real(&sides.1)
            }
            Cond::Member(relation, indices) => {
                let known = relation.index() < self.program.relations.len();
                require(1, known, || format!("{relation:?}"))?;
                let row = &self.program.relations[relation.index()];
                let each = row.coordinates.len() == indices.len();
                require(4, each, || format!("a lookup in `{}`", row.name))?;
                indices.iter().try_for_each(|e| self.int(e))
            }
            Cond::Not(inner) => self.cond(inner),
            Cond::All(parts) | Cond::Any(parts) => parts.iter().try_for_each(|p| self.cond(p)),
        }
    }
}

fn arity(fun: Fun, count: usize) -> bool {
    let named = FUNCTIONS.iter().find(|row| row.fun == fun).map(|row| row.arity == count);
    named.unwrap_or(match count {
        1 => fun == Fun::Neg,
        2 => matches!(fun, Fun::Add | Fun::Mul | Fun::Div | Fun::Pow),
        _ => count > 2 && matches!(fun, Fun::Add | Fun::Mul),
    })
}

/// Whether an index is a variable, or a multiple of it and what is fixed.
pub(crate) fn moves(index: &Int, var: IntId) -> bool {
    let own = Int::Var(var);
    let Int::Sum(terms, _) = index else { return *index == own };
    let fixed = |(_, e): &(i64, Int)| *e == own || matches!(e, Int::Size(_));
    terms.iter().any(|(_, e)| *e == own) && terms.iter().all(fixed)
}

/// Whether nodes set an integer variable, as a loop or a value.
fn sets(nodes: &[Node], var: IntId) -> bool {
    nodes.iter().any(|node| match node {
        Node::SetInt(set, _) => *set == var,
        Node::For(header) => header.var == var || sets(&header.body, var),
        Node::If(_, body) => sets(body, var),
        Node::Note(_)
        | Node::Set(..)
        | Node::Join(..)
        | Node::Store(..)
        | Node::Accumulate(..)
        | Node::StoreInt(..)
        | Node::AddInt(..)
        | Node::Visit(_)
        | Node::Check(..) => false,
    })
}
