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
    pub(super) place: IntId,
    /// The place where nothing is found, by sizes.
    pub(super) none: Int,
    /// Whether a value is better that is greater, or one that is less.
    pub(super) better: CmpOp,
    /// Whether of equal values the one at the least place is better.
    pub(super) least: bool,
    /// All integers that are set where something better is found.
    pub(crate) ints: Vec<IntId>,
}

impl Search {
    /// The search that stands under a condition, if it is one.
    pub(super) fn of(cond: &Cond, body: &[Node]) -> Option<Self> {
        let ((best, value), sets) = sets(body)?;
        let ints: Vec<IntId> = sets.iter().map(|(var, _)| *var).collect();
        let own = |e: &Int| mentions_any(std::slice::from_ref(e), &ints);
        let asks = |part: &Cond| matches!(part, Cond::Int(_, a, b) if !own(a) && !own(b));
        let ways = match cond {
            Cond::All(parts) => match parts.split_last()? {
                (Cond::Any(ways), others) if others.iter().all(asks) => Some(ways),
                _ => None,
            },
            Cond::Any(ways) => Some(ways),
            Cond::Int(..) | Cond::Real(..) | Cond::Member(..) | Cond::Not(_) => None,
        };
        let [Cond::Int(CmpOp::Eq, Int::Var(place), none), Cond::Real(better, sides), ties @ ..] =
            ways?.as_slice()
        else {
            return None;
        };
        let (_, at) = sets.iter().find(|(var, _)| var == place)?;
        let both = (value.clone(), Real::Var(best));
        let tie = Cond::All(vec![
            Cond::Real(CmpOp::Eq, Box::new(both.clone())),
            Cond::Int(CmpOp::Lt, (*at).clone(), Int::Var(*place)),
        ]);
        let fits = matches!(better, CmpOp::Gt | CmpOp::Lt)
            && **sides == both
            && (ties.is_empty() || *ties == [tie])
            && sets.iter().all(|(_, e)| e.is_polynomial() && !own(e))
            && in_sizes(none);
        let (place, none, better, least) = (*place, none.clone(), *better, !ties.is_empty());
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
    let one = |node: &Node| {
        if let Node::If(cond, body) = node
            && let Some(search) = Search::of(cond, body)
        {
            searches.push(search);
            return None;
        }
        Some(node.clone().map_inside(|body| without(&body, searches)))
    };
    nodes.iter().filter_map(one).collect()
}
