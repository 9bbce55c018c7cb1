//! Reductions, generators, bindings and recurrences inside expressions.

use super::builder::{Builder, Element, Promise, Size, Tensor};
use super::extent::Extent;
use super::reals::{Real, Row, exact};

/// How many factors a product may have, at most, in programs of arrays.
const MANY: u32 = 130;

impl Builder<'_> {
    /// `sum(j: n where p) e` and its kin.
    pub(crate) fn reduction(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        if !self.may_bind(1) {
            return None;
        }
        match self.choices.weighted(&[(8, 0), (2, 1), (3, 2), (2, 3)]) {
            0 => Some(self.plain_reduction("sum", fuel, limit / 5)),
            1 if self.exact && self.is_arrays() => None,
            1 => Some(self.plain_reduction("prod", fuel, limit / 5)),
            2 => self.extreme(fuel, limit),
            _ => self.guarded_by_where(limit / 5),
        }
    }

    fn plain_reduction(&mut self, op: &'static str, fuel: u32, limit: u32) -> Real {
        self.note(op);
        let depth = self.variables.len();
        let mut binders = vec![self.binder()];
        let long = op == "prod" && self.is_arrays();
        if !long && self.may_bind(1) && self.choices.chance(1, 4) {
            binders.push(self.binder());
        }
        let guard = self.choices.chance(1, 3).then(|| self.guard(2).text);
        if guard.is_some() {
            self.note("where");
        }
        let body = self.real(fuel, if long { limit / MANY } else { limit });
        self.variables.truncate(depth);
        let made = reduced(op, &binders, guard, &body);
        if !long {
            return made;
        }
        let size = Size { bits: body.size.bits * MANY, rounded: true };
        Real { size, ..made }
    }

    pub(crate) fn binder(&mut self) -> String {
        let range = self.range();
        let name = self.bind("j", range);
        format!("{name}: {}", range.text())
    }

    /// `sum(j: m where 0 <= p[i] + j < n) x[p[i] + j]`
    fn guarded_by_where(&mut self, limit: u32) -> Option<Real> {
        let depth = self.variables.len();
        let binder = self.binder();
        let entry = self.entry(limit);
        self.variables.truncate(depth);
        let (access, size) = entry?;
        self.note("sum");
        let guard = (!access.guards.is_empty()).then(|| access.guards.join(" and "));
        if guard.is_some() {
            self.note("where that protects");
        }
        Some(reduced("sum", &[binder], guard, &Real::new(Row::Operand, access.text, size)))
    }

    /// `max` or `min`; mostly where there is a point to take.
    fn extreme(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        let op = self.choices.pick(&["max", "min"]);
        self.note(op);
        let range = self.range();
        let depth = self.variables.len();
        let name = self.bind("j", range);
        let way = self.choices.below(8);
        let guard = match way {
            1 => Some(format!("{name} = 0 or {}", self.guard(1).conjunct())),
            7 => Some(self.guard(1).text),
            _ => None,
        };
        let body = self.surely(|b| b.real(fuel, limit));
        self.variables.truncate(depth);
        let made = reduced(op, &[format!("{name}: {}", range.text())], guard, &body);
        let made = Real { size: body.size, ..made };
        if range.is_positive() && way < 7 {
            return Some(made);
        }
        let end = range.text();
        match way {
            6 | 7 => {
                self.note("reduction of a set that may be empty");
                Some(made)
            }
            0 | 1 => {
                let text = format!("if {end} > 0 then {} else 0", made.text);
                Some(Real { text, row: Row::Open, ..made })
            }
            _ => {
                let text = format!("[{end} > 0] * {}", made.text);
                Some(Real { text, row: Row::Chain, ..made })
            }
        }
    }

    /// `let v = e in ..`, with one definition or several.
    pub(crate) fn binding(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        self.note("let");
        let before = self.tensors.len();
        let several = self.may_bind(1) && self.choices.chance(1, 2);
        let text = if several {
            self.local_tensor(fuel, limit / 8)
        } else {
            self.local_scalar(fuel, limit / 4)
        };
        let body = self.real(fuel.max(1), limit);
        self.tensors.truncate(before);
        Some(Real::new(Row::Open, format!("let {text} in {}", body.text), body.size))
    }

    fn local_scalar(&mut self, fuel: u32, limit: u32) -> String {
        let value = self.real(fuel, limit);
        let name = self.fresh("v");
        self.define_local(&name, Vec::new(), value.size);
        format!("{name} = {}", value.text)
    }

    /// `{ v[i: n] = e }`
    fn local_tensor(&mut self, fuel: u32, limit: u32) -> String {
        self.note("let of a tensor");
        let range = self.shape_extent();
        let depth = self.variables.len();
        let axis = self.bind("i", range);
        let value = self.real(fuel, limit);
        self.variables.truncate(depth);
        let name = self.fresh("v");
        self.define_local(&name, vec![range], value.size);
        let definition = format!("{name}[{axis}: {}] = {}", range.text(), value.text);
        if self.choices.chance(1, 3) {
            let other = self.fresh("v");
            self.define_local(&other, Vec::new(), exact(2));
            return format!("{{\n{definition}\n{other} = 2\n}}");
        }
        definition
    }

    /// `let { rec t: n { s[t] = .. } } in s[..]`
    pub(crate) fn recurrence_inside(&mut self, _: u32, limit: u32) -> Option<Real> {
        if !self.open.is_empty() || !self.may_bind(2) || limit < 400 {
            return None;
        }
        self.note("recurrence in a let");
        let before = self.tensors.len();
        let lines = std::mem::take(&mut self.lines);
        self.recurrence(0);
        let block = std::mem::replace(&mut self.lines, lines).join("\n");
        let body = self.real(1, limit);
        self.tensors.truncate(before);
        Some(Real::new(Row::Open, format!("let {{\n{block}\n}} in {}", body.text), body.size))
    }

    pub(crate) fn define_local(&mut self, name: &str, shape: Vec<Extent>, size: Size) {
        self.tensors.push(Tensor {
            name: name.to_owned(),
            shape,
            element: Element::Real(size),
            promise: Promise::Nothing,
            steps: 0,
            done: true,
        });
    }
}

fn reduced(op: &str, binders: &[String], guard: Option<String>, body: &Real) -> Real {
    let guard = guard.map(|g| format!(" where {g}")).unwrap_or_default();
    let text = format!("{op}({}{guard}) {}", binders.join(", "), body.summand());
    Real::new(Row::Chain, text, Size { bits: body.size.bits * 5 + 2, ..body.size })
}
