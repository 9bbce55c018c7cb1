//! Propositions.

use super::builder::Builder;
use super::index::Place;

/// How a proposition binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    Or,
    And,
    Not,
    Comparison,
}

/// The text of a proposition.
pub(crate) struct Guard {
    pub(crate) text: String,
    row: Row,
}

impl Guard {
    fn within(&self, least: Row) -> String {
        if self.row < least { format!("({})", self.text) } else { self.text.clone() }
    }

    /// As a part of a conjunction.
    pub(crate) fn conjunct(&self) -> String {
        self.within(Row::Not)
    }

    fn comparison(text: String) -> Self {
        Self { text, row: Row::Comparison }
    }
}

const COMPARISONS: [&str; 6] = ["<", "=", "<=", "!=", ">", ">="];

impl Builder<'_> {
    pub(crate) fn guard(&mut self, fuel: u32) -> Guard {
        if fuel == 0 {
            return self.index_comparison();
        }
        match self.choices.weighted(&[
            (5, 0),
            (3, 1),
            (4, 2),
            (3, 3),
            (2, 4),
            (2, 5),
            (2, 6),
            (2, 7),
        ]) {
            0 => self.index_comparison(),
            1 => self.chained_comparison(),
            2 => self.real_comparison(fuel - 1),
            3 => self.membership(),
            4 => self.several(fuel - 1, "conjunction", " and ", Row::And),
            5 => self.several(fuel - 1, "disjunction", " or ", Row::Or),
            6 => {
                self.note("negation");
                let inner = self.guard(fuel - 1);
                Guard { text: format!("not {}", inner.within(Row::Not)), row: Row::Not }
            }
            _ => self.protected_comparison(),
        }
    }

    fn several(&mut self, fuel: u32, construct: &'static str, word: &str, row: Row) -> Guard {
        let count = 2 + usize::from(self.choices.chance(1, 4));
        let parts: Vec<String> = (0..count).map(|_| self.guard(fuel).within(next(row))).collect();
        self.note(construct);
        Guard { text: parts.join(word), row }
    }

    fn index_comparison(&mut self) -> Guard {
        self.note("index comparison");
        let (a, b) = (self.free_index(1), self.bare_index());
        let cmp = self.choices.pick(&COMPARISONS);
        conjunction(a.guards, format!("{} {cmp} {b}", a.text))
    }

    /// A variable, a size or a small number.
    fn bare_index(&mut self) -> String {
        match self.choices.below(3) {
            0 => self.choices.below(3).to_string(),
            1 if !self.variables.is_empty() => {
                let variables = self.variables.clone();
                self.choices.pick(&variables).name
            }
            _ => self.any_size().text(),
        }
    }

    fn chained_comparison(&mut self) -> Guard {
        self.note("chained comparison");
        let (low, middle, high) = (self.bare_index(), self.free_index(1), self.bare_index());
        let (first, second) = (self.choices.pick(&COMPARISONS), self.choices.pick(&COMPARISONS));
        conjunction(middle.guards, format!("{low} {first} {} {second} {high}", middle.text))
    }

    fn real_comparison(&mut self, fuel: u32) -> Guard {
        self.note("real comparison");
        let (a, b) = self.exactly(|b| {
            let first = b.real(fuel, 30).summand();
            let second = b.real(0, 30).summand();
            // an integer compared with an integer would be an index
            let integer = second.parse::<u32>().is_ok();
            (first, if integer { format!("{second}.0") } else { second })
        });
        let cmp = self.choices.pick(&COMPARISONS);
        if self.choices.chance(1, 5) {
            return Guard::comparison(format!("-2.5 < {a} {cmp} {b}"));
        }
        Guard::comparison(format!("{a} {cmp} {b}"))
    }

    fn membership(&mut self) -> Guard {
        if self.relations.is_empty() {
            return self.index_comparison();
        }
        self.note("relation");
        let relations = self.relations.clone();
        let relation = self.choices.pick(&relations);
        let places: Vec<Place> = relation.extents.iter().map(|e| self.index(*e, 1)).collect();
        let texts: Vec<String> = places.iter().map(|p| p.text.clone()).collect();
        let guards = places.into_iter().flat_map(|p| p.guards).collect();
        conjunction(guards, format!("{}({})", relation.name, texts.join(", ")))
    }

    /// `i > 0 and x[i - 1] > 0`, `i = 0 or x[i - 1] > 0`
    fn protected_comparison(&mut self) -> Guard {
        let Some((access, _)) = self.exactly(|b| b.entry(30)) else {
            return self.index_comparison();
        };
        let cmp = self.choices.pick(&COMPARISONS);
        let comparison = format!("{} {cmp} 0.5", access.text);
        if access.guards.is_empty() || self.choices.chance(1, 2) {
            self.note("conjunction that protects");
            return conjunction(access.guards, comparison);
        }
        self.note("disjunction that protects");
        let text = format!("not ({}) or {comparison}", access.guards.join(" and "));
        Guard { text, row: Row::Or }
    }
}

/// The row that the parts of a row take.
fn next(row: Row) -> Row {
    match row {
        Row::Or => Row::And,
        Row::And | Row::Not => Row::Not,
        Row::Comparison => Row::Comparison,
    }
}

/// `guards and last`
pub(crate) fn conjunction(mut guards: Vec<String>, last: String) -> Guard {
    if guards.is_empty() {
        return Guard::comparison(last);
    }
    guards.push(last);
    Guard { text: guards.join(" and "), row: Row::And }
}
