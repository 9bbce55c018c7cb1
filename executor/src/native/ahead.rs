//! Loops that compute long for each line they read, and fetch lines ahead.
//!
//! A processor fetches ahead by itself, but not beyond a page: the first lines of each page come late, and where a step takes long, as the
//! exponential does, the steps that are under way at once do not reach far enough to hide it. Such a loop goes by strips, and fetches the
//! lines of the next strip before each. Sums have one order whatever is in a cache: strips begin where the loop does.
//!
//! * **Measured** (Intel Xeon, Granite Rapids): the sum of 2,000,000 exponentials, and the greatest argument before it, 3.16 -> 2.68 ms; strips of 128 and 512
//!   entries 2.72 and 2.9.

use super::mentions::Mentions;
use super::statements::Statements;
use super::text::PLAIN;
use super::tiles::Ends;
use crate::fuse::sites::{Kind, sites};
use crate::loops::{For, IntId, Order, Place};
use crate::math;
use crate::tile::{follows, mentions_any};
use iverson_spec::function::Fun;

impl Statements<'_> {
    /// Prints a loop by strips, if it has results that may go past the cache or steps that take long. Whether it did.
    pub(super) fn by_strips(&mut self, header: &For, ends: Ends<'_>, depth: usize) -> bool {
        self.past_the_cache(header, ends, depth) || self.fetching_ahead(header, ends, depth)
    }

    /// Prints a loop by strips that fetch ahead, if its steps take long. Whether it did.
    fn fetching_ahead(&mut self, header: &For, ends: Ends<'_>, depth: usize) -> bool {
        let places = self.fetched(header);
        let mark = if places.is_empty() { None } else { self.mark(header) };
        let Some(mark) = mark else { return false };
        let (Ends { first, end }, var) = (ends, self.expressions.names.int(header.var));
        let strips =
            format!("for (int64_t iv_next = {first}; iv_next < {end}; iv_next += IV_AHEAD) {{");
        self.line(depth, &strips);
        self.line(
            depth + 1,
            &format!("const int64_t iv_stop = iv_min({end}, iv_next + IV_AHEAD);"),
        );
        self.fetch(header, &places, ["iv_stop", end, "iv_stop + IV_AHEAD"], depth + 1);
        let head = format!("for (int64_t {var} = iv_next; {var} < iv_stop; {var}++) {{");
        self.marked(Some(&mark), &head, &header.body, depth + 1);
        self.line(depth, "}");
        true
    }

    /// Prints what fetches the lines of some places in the steps from one on, before two others.
    pub(super) fn fetch(
        &mut self,
        header: &For,
        places: &[Place],
        [from, end, to]: [&str; 3],
        depth: usize,
    ) {
        if places.is_empty() {
            return;
        }
        let var = self.expressions.names.int(header.var);
        let head = format!(
            "for (int64_t {var} = {from}; {var} < iv_min({end}, {to}); {var} += IV_LINE) {{"
        );
        self.line(depth, &head);
        for place in places {
            let entry = self.expressions.entry(place.buffer, &place.indices);
            self.line(depth + 1, &format!("iv_fetch(&{entry});"));
        }
        self.line(depth, "}");
    }

    /// What a loop reads side by side, a place of each buffer's rows, if its steps take long and are any number.
    pub(super) fn fetched(&self, header: &For) -> Vec<Place> {
        if !self.expressions.fetches {
            return Vec::new();
        }
        let mentions = Mentions::of(self.expressions.program, &header.body);
        let fits = header.order != Order::Descending
            && header.stride.is_none()
            && header.most_steps().is_none()
            && mentions.functions.iter().any(takes_long);
        if !fits {
            return Vec::new();
        }
        let moving: Vec<IntId> = mentions.ints_set.into_iter().chain([header.var]).collect();
        let mut places: Vec<Place> = Vec::new();
        for (buffer, sites) in sites(&header.body) {
            for site in sites.iter().filter(|site| site.kind == Kind::Load) {
                let Some((last, rows)) = site.indices.split_last() else { continue };
                let is_known =
                    |place: &Place| place.buffer == buffer && place.indices.starts_with(rows);
                let goes = follows(last, header.var, &moving) && !mentions_any(rows, &moving);
                if goes && !places.iter().any(is_known) {
                    places.push(Place { buffer, indices: site.indices.clone() });
                }
            }
        }
        places.sort_by_key(|place| place.buffer);
        places
    }
}

/// Whether a function takes some tens of operations. Most powers are squares.
fn takes_long(fun: &Fun) -> bool {
    *fun != Fun::Pow && !PLAIN.contains(fun) && math::name(*fun).is_some()
}

#[cfg(test)]
mod tests {
    use crate::loops::LoopProgram;
    use crate::native::stages::staged;
    use crate::native::{Precision, emit};

    fn program(head: &str, step: &str) -> LoopProgram {
        let text = format!(
            "loops f\nsize n\ninput x: real[n]\ninput a: real[n, n]\ninput p: int[n]\noutput y: real[n]\n\
             output s: real[]\nints i, k\nreals t, r\nstatements y\n\
             for any k in 0 .. n {{\n    t = 0.0\n    {head} {{\n        {step}\n    }}\n    y[k] = t\n}}\n"
        );
        LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{e}"))
    }

    /// How many lines a step fetches.
    fn fetched(head: &str, step: &str) -> usize {
        let text = staged(&program(head, step), Precision::F64, false).source;
        assert_eq!(
            text.matches("iv_next += IV_AHEAD").count(),
            usize::from(text.contains("iv_fetch(&"))
        );
        text.matches("iv_fetch(&").count()
    }

    #[test]
    fn loops_whose_steps_take_long_fetch_what_they_read_side_by_side() {
        let all = "for i in 0 .. n";
        assert_eq!(fetched(all, "t += exp(x[i])"), 1);
        assert_eq!(fetched(all, "t += exp(x[i]) * x[i]"), 1);
        assert_eq!(fetched(all, "t += exp(x[i] * a[k, i])"), 2);
        // the places, not what is there
        assert_eq!(fetched(all, "t += exp(x[p[i]])"), 1);
        // once for a step and its neighbours
        assert_eq!(fetched("for i in 1 .. n", "t += sin(a[k, i - 1]) + a[k, i]"), 1);
    }

    #[test]
    fn other_loops_do_not() {
        let all = "for i in 0 .. n";
        assert_eq!(fetched(all, "t += x[i] * a[k, i]"), 0);
        assert_eq!(fetched("for i in 0 .. 100", "t += exp(x[i])"), 0);
        assert_eq!(fetched("for down i in 0 .. n", "t += exp(x[i])"), 0);
        // down a column
        assert_eq!(fetched(all, "t += exp(a[i, k])"), 0);
        // C for users rests on nothing but the standard
        assert!(!emit(&program(all, "t += exp(x[i])"), Precision::F64).source.contains("fetch"));
    }
}
