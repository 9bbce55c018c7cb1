//! Calls of helper functions.

use super::builder::{Builder, Element, Promise, Size, Tensor};
use super::extent::Extent;
use super::index::Access;
use super::reals::{Real, Row};

/// The helper functions by name. Later ones may call earlier ones.
pub(crate) const HELPERS: [(&str, &str); 13] = [
    ("square", "fn square(x: real) -> (y: real) { y = x * x }"),
    ("cube", "fn cube(x: real) -> (y: real) { y = x^3 } derivative { x: 3 * x^2 }"),
    (
        "blend",
        "fn blend(a: real, b: real) -> (y: real) {\n    c = a * b\n    y = c + a\n} derivative { a: b + 1, b: a }",
    ),
    ("total", "fn total(n: size, x: real[n]) -> (s: real) { s = sum(i: n) x[i] }"),
    ("pick", "fn pick(n: size, k: index(n), x: real[n]) -> (y: real) { y = x[k] }"),
    (
        "last",
        "fn last(n: size, x: real[n]) -> (y: real) {\n    rec t: n {\n        c[t] = [t > 0] * c[t - 1] + x[t]\n    }\n    y = sum(t: n) [t = n - 1] * c[t]\n}",
    ),
    (
        "chosen",
        "fn chosen(n: size, R: rel(n), x: real[n]) -> (y: real) { y = sum(i: n where R(i)) x[i] }",
    ),
    (
        "scaled",
        "fn scaled(n: size, x: real[n]) -> (z: real[n]) { z[i: n] = 2 * x[i] - x[n - 1 - i] }",
    ),
    (
        "take",
        "fn take(n: size, m: size, p: index(m)[n], x: real[m]) -> (z: real[n]) { z[i: n] = x[p[i]] }",
    ),
    (
        "parts",
        "fn parts(n: size, x: real[n]) -> (s: real, z: real[n]) {\n    s = total(n, x)\n    w = scaled(n, x)\n    z[i: n] = w[i] + s\n}",
    ),
    (
        "running",
        "fn running(n: size, x: real[n]) -> (c: real[n]) {\n    rec t: n descending {\n        c[t] = [t + 1 < n] * c[t + 1] + square(x[t])\n    }\n}",
    ),
    (
        "twice",
        "fn twice(n: size, x: real[n]) -> (z: real[n], w: real[n]) {\n    z = x\n    w[i: n] = last(n, x) * x[i]\n}",
    ),
    (
        "order",
        "fn order(n: size, x: real[n]) -> (p: index(n + 1)[n]) { p[i: n] = argmax(j: n where j <= i) x[j] }",
    ),
];

/// What the text of a helper calls.
pub(crate) fn callees(helper: usize) -> impl Iterator<Item = usize> {
    let text = HELPERS[helper].1;
    (0..helper).filter(move |h| text.contains(&format!(" {}(", HELPERS[*h].0)))
}

impl Builder<'_> {
    /// The name of a helper, which the file is to have.
    pub(crate) fn helper(&mut self, name: &'static str) -> &'static str {
        if let Some(at) = HELPERS.iter().position(|(known, _)| *known == name) {
            self.helpers.insert(at);
        }
        name
    }

    /// A call that returns a real.
    pub(crate) fn call(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        match self.choices.weighted(&[(3, 0), (3, 1), (2, 2), (3, 3), (2, 4), (2, 5), (4, 6)]) {
            0 => self.scalar_call("square", 1, fuel, limit),
            1 => self.scalar_call("cube", 1, fuel, limit),
            2 => self.scalar_call("blend", 2, fuel, limit),
            3 => self.row_call("total", "call with a row", limit),
            4 => self.row_call("last", "call of a function with a recurrence", limit),
            5 => self.pick_call(limit),
            _ => self.relation_call(limit),
        }
    }

    fn scalar_call(
        &mut self,
        name: &'static str,
        arity: u32,
        fuel: u32,
        limit: u32,
    ) -> Option<Real> {
        self.note(if name == "square" { "call" } else { "function with a derivative" });
        let helper = self.helper(name);
        let args: Vec<Real> = (0..arity).map(|_| self.real(fuel, limit / 3 / arity)).collect();
        let bits = args.iter().map(|a| a.size.bits).sum::<u32>() * 3 + 2;
        let rounded = args.iter().any(|a| a.size.rounded);
        let texts: Vec<&str> = args.iter().map(|a| a.text.as_str()).collect();
        let text = format!("{helper}({})", texts.join(", "));
        Some(Real::new(Row::Operand, text, Size { bits, rounded }))
    }

    /// A closed real tensor with its last axis left, and what guards the others.
    pub(crate) fn row(&mut self) -> Option<(String, Extent, Vec<String>)> {
        let (text, extent, guards, _) = self.sized_row(400)?;
        Some((text, extent, guards))
    }

    fn sized_row(&mut self, limit: u32) -> Option<(String, Extent, Vec<String>, Size)> {
        let fits = |t: &&Tensor| match t.element {
            Element::Real(size) => {
                self.fits(size, limit)
                    && t.shape.len() > t.steps
                    && t.shape.last().is_some_and(|e| e.is_natural())
            }
            Element::Index(_) => false,
        };
        let tensors: Vec<Tensor> = self.tensors.iter().filter(fits).cloned().collect();
        if tensors.is_empty() {
            return None;
        }
        let tensor = self.choices.pick(&tensors);
        let Element::Real(size) = tensor.element else { return None };
        let extent = *tensor.shape.last()?;
        let Access { text, guards } = self.part(&tensor, tensor.shape.len() - 1, 0);
        Some((text, extent, guards, size))
    }

    fn row_call(
        &mut self,
        name: &'static str,
        construct: &'static str,
        limit: u32,
    ) -> Option<Real> {
        if !self.may_bind(1) {
            return None;
        }
        let (text, extent, guards, size) = if self.choices.chance(1, 4) {
            let extent = self.shape_extent();
            self.generated_row(extent, limit / 5)
        } else {
            self.sized_row(limit / 5)?
        };
        self.note(construct);
        let helper = self.helper(name);
        let size = Size { bits: size.bits * 5 + 2, ..size };
        Some(guarded(format!("{helper}({}, {text})", extent.text()), &guards, size))
    }

    /// `for(i: n) e`
    fn generated_row(&mut self, extent: Extent, limit: u32) -> (String, Extent, Vec<String>, Size) {
        self.note("generator as an argument");
        let depth = self.variables.len();
        let name = self.bind("i", extent);
        let body = self.real(1, limit);
        self.variables.truncate(depth);
        (format!("for({name}: {}) {}", extent.text(), body.text), extent, Vec::new(), body.size)
    }

    fn pick_call(&mut self, limit: u32) -> Option<Real> {
        let (text, extent, mut guards, size) = self.sized_row(limit)?;
        let place = self.index(extent, 0);
        self.note("call with an index");
        let helper = self.helper("pick");
        guards.extend(place.guards);
        Some(guarded(format!("{helper}({}, {}, {text})", extent.text(), place.text), &guards, size))
    }

    fn relation_call(&mut self, limit: u32) -> Option<Real> {
        if !self.may_bind(1) {
            return None;
        }
        let relation = self.relations.iter().find(|r| r.extents.len() == 1)?.clone();
        let wanted = relation.extents[0];
        let (text, extent, guards, size) = match self.sized_row(limit / 5) {
            Some(row) if row.1 == wanted => row,
            _ => self.generated_row(wanted, limit / 5),
        };
        self.note("call with a relation");
        let helper = self.helper("chosen");
        let size = Size { bits: size.bits * 5 + 2, ..size };
        Some(guarded(
            format!("{helper}({}, {}, {text})", extent.text(), relation.name),
            &guards,
            size,
        ))
    }

    /// `z = take(n, m, p, x)`, `(s, z) = parts(n, x)`
    pub(crate) fn whole_call(&mut self) {
        let Some((text, extent, guards, size)) = self.sized_row(200) else { return };
        if !guards.is_empty() {
            return;
        }
        self.note("result of a call bound whole");
        let size = Size { bits: size.bits * 8 + 4, ..size };
        let end = extent.text();
        let way = self.choices.below(6);
        let (first, second) = (self.fresh("z"), self.fresh("z"));
        match way {
            0 => self.bind_call(&first, "scaled", &format!("{end}, {text}"), extent, size),
            1 => self.bind_call(&first, "running", &format!("{end}, {text}"), extent, size),
            2 | 3 => {
                self.note("call with several results");
                let helper = self.helper(if way == 2 { "parts" } else { "twice" });
                self.line(0, &format!("({first}, {second}) = {helper}({end}, {text})"));
                self.define_local(&first, if way == 2 { Vec::new() } else { vec![extent] }, size);
                self.define_local(&second, vec![extent], size);
            }
            4 if !size.rounded => {
                let helper = self.helper("order");
                self.note("call with an index result");
                self.line(0, &format!("{first} = {helper}({end}, {text})"));
                self.define_index(&first, vec![extent], extent.shifted(1));
            }
            _ => self.gather_call(&first, &text, extent, size),
        }
    }

    fn bind_call(
        &mut self,
        name: &str,
        helper: &'static str,
        args: &str,
        extent: Extent,
        size: Size,
    ) {
        let helper = self.helper(helper);
        self.line(0, &format!("{name} = {helper}({args})"));
        self.define_local(name, vec![extent], size);
    }

    fn gather_call(&mut self, name: &str, text: &str, extent: Extent, size: Size) {
        let fits = |t: &&Tensor| {
            t.steps == 0
                && t.shape.len() == 1
                && t.promise != Promise::Sorted
                && matches!(t.element, Element::Index(b) if b.at_most(extent))
        };
        let maps: Vec<Tensor> = self.tensors.iter().filter(fits).cloned().collect();
        if maps.is_empty() {
            return self.bind_call(
                name,
                "scaled",
                &format!("{}, {text}", extent.text()),
                extent,
                size,
            );
        }
        let map = self.choices.pick(&maps);
        self.note("gather by a call");
        let args = format!("{}, {}, {}, {text}", map.shape[0].text(), extent.text(), map.name);
        self.bind_call(name, "take", &args, map.shape[0], size);
    }
}

fn guarded(text: String, guards: &[String], size: Size) -> Real {
    if guards.is_empty() {
        return Real::new(Row::Operand, text, size);
    }
    Real::new(Row::Chain, format!("[{}] * {text}", guards.join(" and ")), size)
}
