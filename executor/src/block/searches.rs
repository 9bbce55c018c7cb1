//! Searches that leave a loop, as those of `argmax`: whether threads may share its steps.
//!
//! A search keeps the best value so far, the place where it stands, and what else is known there:
//! `if place = none or value > best { best = value; place = i }`. A part of the loop may begin with what an earlier part has
//! found, whatever the parts between find: the best of what parts end with, the first of equals, is what steps in order
//! end with, since numbers that are not NaN are in order. A NaN is kept only as what is found first, and then nothing is
//! better; so parts run one after the other until something is found.

use crate::frame::extent;
use crate::loops::verify::in_sizes;
use crate::loops::{CmpOp, Cond, For, Int, IntId, Node, Real, RealId};
use crate::runner::Vars;
use crate::scalar::Scalar;
use crate::tile::mentions_any;

/// What a loop searches for.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Search {
    /// The best value.
    pub(crate) best: RealId,
    /// Where it stands.
    place: IntId,
    /// The place where nothing is found, by sizes.
    none: Int,
    /// Whether a value is better that is greater, or one that is less.
    better: CmpOp,
    /// Whether of equal values the one at the least place is better.
    least: bool,
    /// All integers that are set where something better is found.
    pub(crate) ints: Vec<IntId>,
}

impl Search {
    /// The search that stands under a condition, if it is one.
    fn of(cond: &Cond, body: &[Node]) -> Option<Self> {
        let ((best, value), sets) = sets(body)?;
        let ints: Vec<IntId> = sets.iter().map(|(var, _)| *var).collect();
        let own = |e: &Int| mentions_any(std::slice::from_ref(e), &ints);
        let asks = |part: &Cond| match part {
            Cond::Int(_, a, b) => !own(a) && !own(b),
            Cond::Real(..) | Cond::Member(..) | Cond::Not(_) | Cond::All(_) | Cond::Any(_) => false,
        };
        let ways = match cond {
            Cond::All(parts) => match parts.split_last()? {
                (Cond::Any(ways), others) if others.iter().all(asks) => Some(ways),
                _ => None,
            },
            Cond::Any(ways) => Some(ways),
            Cond::Int(..) | Cond::Real(..) | Cond::Member(..) | Cond::Not(_) => None,
        };
        let (first, better, ties) = match ways?.as_slice() {
            [first, better] => (first, better, None),
            [first, better, ties] => (first, better, Some(ties)),
            _ => return None,
        };
        let Cond::Int(CmpOp::Eq, Int::Var(place), none) = first else { return None };
        let (_, at) = sets.iter().find(|(var, _)| var == place)?;
        let compared = |cond: &Cond| match cond {
            Cond::Real(cmp, sides) if sides.0 == *value && sides.1 == Real::Var(best) => Some(*cmp),
            Cond::Real(..)
            | Cond::Int(..)
            | Cond::Member(..)
            | Cond::Not(_)
            | Cond::All(_)
            | Cond::Any(_) => None,
        };
        let earlier = Cond::Int(CmpOp::Lt, (*at).clone(), Int::Var(*place));
        let is_least = |ties: &Cond| match ties {
            Cond::All(parts) => match parts.as_slice() {
                [equal, than] => compared(equal) == Some(CmpOp::Eq) && *than == earlier,
                _ => false,
            },
            Cond::Int(..) | Cond::Real(..) | Cond::Member(..) | Cond::Not(_) | Cond::Any(_) => {
                false
            }
        };
        let better = compared(better).filter(|cmp| matches!(cmp, CmpOp::Gt | CmpOp::Lt))?;
        let afresh = sets.iter().all(|(_, e)| e.is_polynomial() && !own(e));
        let (place, none, least) = (*place, none.clone(), ties.is_some());
        let fits = afresh && in_sizes(&none) && ties.is_none_or(is_least);
        fits.then_some(Self { best, place, none, better, least, ints })
    }

    /// Whether it has found something.
    pub(super) fn has_found<S>(&self, vars: &Vars<S>, sizes: &[i64]) -> bool {
        vars.ints[self.place.index()] != extent(&self.none, sizes)
    }

    /// Keeps what a part has found, if that is the first or better than what parts before it have.
    pub(super) fn join<S: Scalar>(&self, kept: &mut Vars<S>, part: &Vars<S>, sizes: &[i64]) {
        let first = !self.has_found(kept, sizes);
        let (place, best) = (self.place.index(), self.best.index());
        let (old, new) = (kept.reals[best], part.reals[best]);
        let least = self.least && new == old && part.ints[place] < kept.ints[place];
        if first || self.better.holds(new, old) || least {
            kept.reals[best] = new;
            self.ints.iter().for_each(|var| kept.ints[var.index()] = part.ints[var.index()]);
        }
    }
}

/// A real and integers, each set to something.
type Sets<'n> = ((RealId, &'n Real), Vec<(IntId, &'n Int)>);

/// What nodes set, if they set one real and integers, and do nothing else.
fn sets(nodes: &[Node]) -> Option<Sets<'_>> {
    let (mut reals, mut ints) = (Vec::new(), Vec::new());
    for node in nodes {
        match node {
            Node::Set(var, e) => reals.push((*var, e)),
            Node::SetInt(var, e) => ints.push((*var, e)),
            Node::Note(_) | Node::Visit(_) => {}
            Node::For(_)
            | Node::If(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Check(..) => return None,
        }
    }
    let [real] = *reals else { return None };
    Some((real, ints))
}

/// The searches in a loop's body, and the loop without them.
pub(super) fn taken_out(header: &For) -> (Vec<Search>, For) {
    let mut searches = Vec::new();
    let body = without(&header.body, &mut searches);
    (searches, For { body, ..header.clone() })
}

fn without(nodes: &[Node], searches: &mut Vec<Search>) -> Vec<Node> {
    let one = |node: &Node| match node {
        Node::If(cond, body) => match Search::of(cond, body) {
            Some(search) => {
                searches.push(search);
                None
            }
            None => Some(Node::If(cond.clone(), without(body, searches))),
        },
        Node::For(header) => {
            let body = without(&header.body, searches);
            Some(Node::For(Box::new(For { body, ..(**header).clone() })))
        }
        Node::Note(_)
        | Node::SetInt(..)
        | Node::Set(..)
        | Node::Join(..)
        | Node::Store(..)
        | Node::Accumulate(..)
        | Node::StoreInt(..)
        | Node::AddInt(..)
        | Node::Visit(_)
        | Node::Check(..) => Some(node.clone()),
    };
    nodes.iter().filter_map(one).collect()
}
