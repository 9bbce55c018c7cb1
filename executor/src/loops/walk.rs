//! Walking and rebuilding loop programs.

use super::{BufferId, Cond, For, Int, IntId, Node, Place, Real, RealId};

/// Looks at everything in nodes, in order.
pub trait Visit {
    /// An entry that is read.
    fn load(&mut self, _buffer: BufferId, _indices: &[Int]) {}
    /// An integer variable that is read.
    fn int_var(&mut self, _var: IntId) {}
    /// A real variable that is read.
    fn real_var(&mut self, _var: RealId) {}
    /// A node, its parts not included.
    fn enter(&mut self, _node: &Node) {}
    /// A node was left.
    fn leave(&mut self, _node: &Node) {}

    /// At a node.
    fn node(&mut self, node: &Node) {
        self.enter(node);
        walk_node(self, node);
        self.leave(node);
    }

    /// At an integer.
    fn int(&mut self, e: &Int) {
        walk_int(self, e);
    }

    /// At a real.
    fn real(&mut self, e: &Real) {
        walk_real(self, e);
    }

    /// At a condition.
    fn cond(&mut self, cond: &Cond) {
        walk_cond(self, cond);
    }
}

/// Visits the parts of a node.
pub fn walk_node<V: Visit + ?Sized>(v: &mut V, node: &Node) {
    match node {
        Node::Note(_) | Node::Visit(_) => {}
        Node::For(header) => {
            header.lower.iter().chain(&header.upper).for_each(|e| v.int(e));
            header.stride.iter().for_each(|(_, e)| v.int(e));
            header.body.iter().for_each(|node| v.node(node));
        }
        Node::If(cond, body) => {
            v.cond(cond);
            body.iter().for_each(|node| v.node(node));
        }
        Node::SetInt(_, e) => v.int(e),
        Node::Set(_, e) | Node::Join(_, _, e) => v.real(e),
        Node::Store(place, e) | Node::Accumulate(place, _, e) => {
            v.real(e);
            place.indices.iter().for_each(|e| v.int(e));
        }
        Node::StoreInt(place, e) | Node::AddInt(place, e) => {
            v.int(e);
            place.indices.iter().for_each(|e| v.int(e));
        }
        Node::Check(_, cond) => v.cond(cond),
    }
}

/// Visits the parts of an integer.
pub fn walk_int<V: Visit + ?Sized>(v: &mut V, e: &Int) {
    match e {
        Int::Const(_) | Int::Size(_) => {}
        Int::Var(var) => v.int_var(*var),
        Int::Load(buffer, indices) => {
            v.load(*buffer, indices);
            indices.iter().for_each(|e| v.int(e));
        }
        Int::Sum(terms, _) => terms.iter().for_each(|(_, e)| v.int(e)),
        Int::Product(factors) => factors.iter().for_each(|e| v.int(e)),
        Int::Div(e, _) | Int::Mod(e, _) => v.int(e),
        Int::DivBy(sides) => {
            v.int(&sides.0);
            v.int(&sides.1);
        }
        Int::Floor(e) => v.real(e),
        Int::Select(parts) => {
            v.cond(&parts.0);
            v.int(&parts.1);
            v.int(&parts.2);
        }
    }
}

/// Visits the parts of a real.
pub fn walk_real<V: Visit + ?Sized>(v: &mut V, e: &Real) {
    match e {
        Real::Const(_) => {}
        Real::Int(e) => v.int(e),
        Real::Var(var) => v.real_var(*var),
        Real::Load(buffer, indices) => {
            v.load(*buffer, indices);
            indices.iter().for_each(|e| v.int(e));
        }
        Real::Apply(_, args) => args.iter().for_each(|e| v.real(e)),
        Real::Select(parts) => {
            v.cond(&parts.0);
            v.real(&parts.1);
            v.real(&parts.2);
        }
    }
}

/// Visits the parts of a condition.
pub fn walk_cond<V: Visit + ?Sized>(v: &mut V, cond: &Cond) {
    match cond {
        Cond::Int(_, a, b) => {
            v.int(a);
            v.int(b);
        }
        Cond::Real(_, sides) => {
            v.real(&sides.0);
            v.real(&sides.1);
        }
        Cond::Member(_, indices) => indices.iter().for_each(|e| v.int(e)),
        Cond::Not(inner) => v.cond(inner),
        Cond::All(parts) | Cond::Any(parts) => parts.iter().for_each(|p| v.cond(p)),
    }
}

/// Rebuilds nodes: what integers, reals and nodes become.
pub trait Rewrite {
    /// What an integer becomes.
    fn int(&mut self, e: &Int) -> Int {
        rebuild_int(self, e)
    }

    /// What a real becomes.
    fn real(&mut self, e: &Real) -> Real {
        rebuild_real(self, e)
    }

    /// Which entry becomes of one, wherever it is read or written.
    fn access(&mut self, buffer: BufferId, indices: &[Int]) -> Place {
        Place { buffer, indices: ints(self, indices) }
    }

    /// What a node becomes; nothing, one or more.
    fn node(&mut self, node: &Node) -> Vec<Node> {
        vec![rebuild_node(self, node)]
    }

    /// What nodes become.
    fn nodes(&mut self, nodes: &[Node]) -> Vec<Node> {
        nodes.iter().flat_map(|node| self.node(node)).collect()
    }
}

fn ints<R: Rewrite + ?Sized>(r: &mut R, list: &[Int]) -> Vec<Int> {
    list.iter().map(|e| r.int(e)).collect()
}

/// Rebuilds an integer from its parts.
pub fn rebuild_int<R: Rewrite + ?Sized>(r: &mut R, e: &Int) -> Int {
    match e {
        Int::Const(_) | Int::Size(_) | Int::Var(_) => e.clone(),
        Int::Load(buffer, indices) => {
            let Place { buffer, indices } = r.access(*buffer, indices);
            Int::Load(buffer, indices)
        }
        Int::Sum(terms, constant) => {
            let terms: Vec<(i64, Int)> = terms.iter().map(|(a, e)| (*a, r.int(e))).collect();
            Int::linear(terms, *constant)
        }
        Int::Product(factors) => ints(r, factors).into_iter().fold(Int::Const(1), Int::product),
        Int::Div(e, k) => r.int(e).divided(*k),
        Int::Mod(e, k) => r.int(e).remainder(*k),
        Int::DivBy(sides) => Int::DivBy(Box::new((r.int(&sides.0), r.int(&sides.1)))),
        Int::Floor(e) => Int::Floor(Box::new(r.real(e))),
        Int::Select(parts) => {
            Int::Select(Box::new((rebuild_cond(r, &parts.0), r.int(&parts.1), r.int(&parts.2))))
        }
    }
}

/// Rebuilds a real from its parts.
pub fn rebuild_real<R: Rewrite + ?Sized>(r: &mut R, e: &Real) -> Real {
    match e {
        Real::Const(_) | Real::Var(_) => e.clone(),
        Real::Int(e) => Real::Int(r.int(e)),
        Real::Load(buffer, indices) => {
            let Place { buffer, indices } = r.access(*buffer, indices);
            Real::Load(buffer, indices)
        }
        Real::Apply(fun, args) => Real::Apply(*fun, args.iter().map(|e| r.real(e)).collect()),
        Real::Select(parts) => {
            Real::Select(Box::new((rebuild_cond(r, &parts.0), r.real(&parts.1), r.real(&parts.2))))
        }
    }
}

/// Rebuilds a condition from its parts.
pub fn rebuild_cond<R: Rewrite + ?Sized>(r: &mut R, cond: &Cond) -> Cond {
    match cond {
        Cond::Int(cmp, a, b) => Cond::Int(*cmp, r.int(a), r.int(b)),
        Cond::Real(cmp, sides) => Cond::Real(*cmp, Box::new((r.real(&sides.0), r.real(&sides.1)))),
        Cond::Member(relation, indices) => Cond::Member(*relation, ints(r, indices)),
        Cond::Not(inner) => Cond::Not(Box::new(rebuild_cond(r, inner))),
        Cond::All(parts) => Cond::All(parts.iter().map(|p| rebuild_cond(r, p)).collect()),
        Cond::Any(parts) => Cond::Any(parts.iter().map(|p| rebuild_cond(r, p)).collect()),
    }
}

/// Rebuilds a node from its parts.
pub fn rebuild_node<R: Rewrite + ?Sized>(r: &mut R, node: &Node) -> Node {
    let at = |r: &mut R, place: &Place| r.access(place.buffer, &place.indices);
    match node {
        Node::Note(_) | Node::Visit(_) => node.clone(),
        Node::For(header) => Node::For(Box::new(For {
            var: header.var,
            lower: ints(r, &header.lower),
            upper: ints(r, &header.upper),
            stride: header.stride.as_ref().map(|(k, e)| (*k, r.int(e))),
            order: header.order,
            body: r.nodes(&header.body),
        })),
        Node::If(cond, body) => Node::If(rebuild_cond(r, cond), r.nodes(body)),
        Node::SetInt(var, e) => Node::SetInt(*var, r.int(e)),
        Node::Set(var, e) => Node::Set(*var, r.real(e)),
        Node::Join(var, fold, e) => Node::Join(*var, *fold, r.real(e)),
        Node::Store(place, e) => Node::Store(at(r, place), r.real(e)),
        Node::Accumulate(place, fold, e) => Node::Accumulate(at(r, place), *fold, r.real(e)),
        Node::StoreInt(place, e) => Node::StoreInt(at(r, place), r.int(e)),
        Node::AddInt(place, e) => Node::AddInt(at(r, place), r.int(e)),
        Node::Check(check, cond) => Node::Check(*check, rebuild_cond(r, cond)),
    }
}
