//! Results that are written past the cache.
//!
//! A store to a line that is in no cache reads the line first, on some processors slowly. Results that are larger than
//! caches are better written as whole lines that are not read: steps of a loop go together, what they store is
//! kept in an array as long as the first lines of a cache, and its lines go to memory. What begins or ends within a line is
//! stored as ever. The steps and the order of sums are the same wherever memory begins.

use super::mentions::Mentions;
use super::statements::Statements;
use super::tiles::Ends;
use crate::fuse::sites::{Kind, Site, sites};
use crate::loops::{BufferId, Element, For, IntId, LoopProgram, Place, Role};
use crate::math::Level;
use crate::tile::{follows, mentions_any};
use rustc_hash::FxHashSet;

/// Results of fewer bytes in all are left to the caches.
pub(super) const LARGE: i64 = 16 << 20;

/// Whether such stores pay on this machine.
///
/// * **Measured**: two results of 32 MB, each a multiple of an argument, take a third to a half of the time on an Intel Xeon
///   (Granite Rapids); on an AMD EPYC 1.1 to 1.3 times as long.
pub(super) fn pay() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        Level::best().name() == "avx512" && std::arch::x86_64::__cpuid(0).ebx == GENUINE_INTEL
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// The first letters of the name of a maker of processors.
#[cfg(target_arch = "x86_64")]
const GENUINE_INTEL: u32 = u32::from_le_bytes(*b"Genu");

/// The results that are stored alone: never read, never added to.
pub(super) fn stored_alone(program: &LoopProgram) -> FxHashSet<BufferId> {
    let is_result = |id: &BufferId| {
        let buffer = program.buffer(*id);
        buffer.role == Role::Output && buffer.element == Element::Real
    };
    let alone = |sites: &[Site]| sites.iter().all(|site| matches!(site.kind, Kind::Store(_)));
    let all = sites(&program.body).into_iter();
    all.filter(|(id, sites)| is_result(id) && alone(sites)).map(|(id, _)| id).collect()
}

impl Statements<'_> {
    /// Prints a loop that stores results side by side, if it is one: where results are large they go past the cache.
    /// Whether it did.
    pub(super) fn past_the_cache(&mut self, header: &For, ends: Ends<'_>, depth: usize) -> bool {
        let places = self.side_by_side(header);
        let mark = if places.is_empty() { None } else { self.mark(header) };
        let Some(mark) = mark.filter(|_| header.stride.is_none()) else { return false };
        let (expressions, body) = (self.expressions, self.next);
        let (Ends { first, end }, var) = (ends, expressions.names.int(header.var));
        let strip = |place: &Place| expressions.strip(place.buffer);
        self.line(depth, "{");
        self.line(depth + 1, &format!("int64_t iv_next = {first};"));
        self.line(depth + 1, &format!("if (iv_large && {end} - iv_next >= 4 * IV_STREAM) {{"));
        for place in &places {
            self.line(depth + 2, &format!("real {}[IV_LINE + IV_STREAM];", strip(place)));
        }
        let strips = format!("for (; iv_next <= {end} - IV_STREAM; iv_next += IV_STREAM) {{");
        self.line(depth + 2, &strips);
        let head = |end: &str| format!("for (int64_t {var} = iv_next; {var} < {end}; {var}++) {{");
        let (from, to) = ("iv_next + IV_AHEAD", "iv_next + IV_AHEAD + IV_STREAM");
        self.fetch(header, &self.fetched(header), [from, end, to], depth + 3);
        let steps = head("iv_next + IV_STREAM");
        let buffers = places.iter().map(|place| place.buffer).collect();
        let step = format!("IV_LINE + {var} - iv_next");
        expressions.in_strips(buffers, step, || {
            self.marked(Some(&mark), &steps, &header.body, depth + 3);
        });
        self.line(depth + 3, &format!("const int64_t {var} = iv_next;"));
        for place in &places {
            let entry = expressions.place(place);
            let text = format!("iv_stream(&{entry}, {}, {var} == {first});", strip(place));
            self.line(depth + 3, &text);
        }
        self.line(depth + 2, "}");
        self.line(depth + 2, &format!("const int64_t {var} = iv_next;"));
        for place in &places {
            let entry = expressions.place(place);
            self.line(depth + 2, &format!("iv_streamed(&{entry}, {});", strip(place)));
        }
        self.line(depth + 1, "}");
        self.next = body;
        self.marked(Some(&mark), &head(end), &header.body, depth + 1);
        self.line(depth, "}");
        true
    }

    /// Where a loop stores to results that nothing else does anything with, each step beside the one before.
    fn side_by_side(&self, header: &For) -> Vec<Place> {
        let set = Mentions::of(self.expressions.program, &header.body).ints_set;
        let moving: Vec<IntId> = set.into_iter().chain([header.var]).collect();
        let fits = |site: &Site| {
            let Some((last, others)) = site.indices.split_last() else { return false };
            site.path.len() == 1
                && follows(last, header.var, &moving)
                && !mentions_any(others, &moving)
        };
        let mut places = Vec::new();
        for (buffer, sites) in sites(&header.body) {
            if let [site] = sites.as_slice()
                && self.expressions.streams.contains(&buffer)
                && fits(site)
            {
                places.push(Place { buffer, indices: site.indices.clone() });
            }
        }
        places.sort_unstable_by_key(|place| place.buffer);
        places
    }
}

#[cfg(test)]
mod tests {
    use crate::frame::Frame;
    use crate::loops::{BufferId, LoopProgram};
    use crate::native::stages::staged;
    use crate::native::{Compiler, Native, Precision};
    use crate::team::Team;
    use std::sync::atomic::AtomicBool;

    /// A loop with a sum whose steps take long, and one in the rows of another one.
    const TEXT: &str = "loops f
size n
size m
input x: real[n]
output y: real[n]
output z: real[n, m]
output s: real[]
ints i, k, j
reals t
statements y
t = 0.0
for i in 0 .. n {
    y[i] = exp(x[i])
    t += x[i]
}
s[] = t
for any k in 0 .. n {
    for any j in 1 .. m {
        z[k, j] = x[k] * real(j)
    }
}
";

    /// What `past` gives, with results that begin so many entries behind a line.
    fn run(program: &LoopProgram, past: bool, [n, m]: [i64; 2], behind: usize) -> Vec<f64> {
        let text = staged(program, Precision::F64, past);
        assert_eq!(text.source.contains("iv_stream("), past);
        let mut native = Native::<f64>::of(program, program.buffers.len(), text).unwrap();
        native.large = 0;
        let x: Vec<f64> = (0..n).map(|i| 1.0 / (1.0 + i as f64)).collect();
        let counts = [n, n * m, 1].map(|count| count as usize);
        let mut memory: Vec<Vec<f64>> = counts.iter().map(|count| vec![-1.0; count + 16]).collect();
        let mut frame = Frame::new();
        frame.lay_out(program, &[n, m]);
        frame.give_reals(BufferId(0), &x);
        for (at, (memory, count)) in memory.iter_mut().zip(counts).enumerate() {
            let start = memory.as_ptr().align_offset(64) + behind;
            frame.give_reals_mut(BufferId(at as u32 + 1), &mut memory[start..start + count]);
        }
        let team = Team { threads: 1, pool: None, room: 0 };
        native.run(&frame, &AtomicBool::new(false), team, &|_, _| {}).unwrap();
        let starts = memory.iter().map(|memory| memory.as_ptr().align_offset(64) + behind);
        let ends = starts.zip(counts).map(|(start, count)| start..start + count);
        let results = memory.iter().zip(ends);
        // what lies around is as it was
        let outside = |(memory, range): (&Vec<f64>, std::ops::Range<usize>)| {
            let around = memory[..range.start].iter().chain(&memory[range.end..]);
            assert!(around.copied().all(|x| x == -1.0));
            memory[range].to_vec()
        };
        results.flat_map(outside).collect()
    }

    #[test]
    fn results_past_the_cache_are_the_same_wherever_they_begin() {
        if Compiler::find().is_err() {
            return println!("skipped: no C compiler");
        }
        let program = LoopProgram::parse(TEXT).unwrap();
        for sizes in [[300, 259], [256, 1], [1, 700], [0, 0], [1029, 320]] {
            let wanted = run(&program, false, sizes, 0);
            let first = run(&program, true, sizes, 0);
            for (a, b) in wanted.iter().zip(&first) {
                assert!((a - b).abs() <= 1e-12 * a.abs(), "{a} {b}");
            }
            for behind in 1..8 {
                assert_eq!(run(&program, true, sizes, behind), first, "{behind} behind a line");
            }
        }
    }
}
