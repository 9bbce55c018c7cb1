//! Compares answers on larger random systems with those of z3.
//!
//! The Python script next to this file does the comparison. Where Python or
//! z3 is missing the test says so and passes. `IVERSON_AFFINE_SAMPLE` sets the
//! number of systems.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use iverson_affine::{
    Budget, Constraint, Feasibility, Linear, System, Var, Verdict, feasible, prove,
};
use std::io::Write;
use std::process::{Command, Output, Stdio};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/z3_crosscheck.py");
const SKIPPED: i32 = 77;

/// A small generator of pseudo-random numbers, the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn within(&mut self, radius: u64) -> i128 {
        i128::from(self.below(2 * radius + 1)) - i128::from(radius)
    }

    /// A form in a few of the variables `x0 … x(n−1)`.
    fn linear(&mut self, n: u32, radius: u64) -> Linear {
        let constant = self.within(5 * radius);
        let count = 1 + self.below(3);
        let terms: Vec<_> = (0..count)
            .map(|_| (self.within(radius), Var(u32::try_from(self.below(u64::from(n))).unwrap())))
            .collect();
        Linear::of(constant, terms).unwrap()
    }

    fn constraint(&mut self, n: u32, radius: u64) -> Constraint {
        let e = self.linear(n, radius);
        match self.below(8) {
            0 => Constraint::Zero(e),
            1 => Constraint::Divides(1 + i128::from(self.below(12)), e),
            _ => Constraint::NonNegative(e),
        }
    }

    fn system(&mut self) -> (System, Constraint) {
        let n = u32::try_from(2 + self.below(5)).unwrap();
        let radius = [1, 2, 4, 10, 30][usize::try_from(self.below(5)).unwrap()];
        let count = 2 + self.below(9);
        let system = (0..count).map(|_| self.constraint(n, radius)).collect();
        (system, self.constraint(n, radius))
    }
}

fn words(constraint: &Constraint) -> String {
    let e = constraint.linear();
    let kind = match constraint {
        Constraint::Zero(_) => "=".to_owned(),
        Constraint::NonNegative(_) => ">".to_owned(),
        Constraint::Divides(k, _) => format!("|{k}"),
    };
    let terms: String = e.terms().iter().map(|(x, a)| format!(" {}:{a}", x.0)).collect();
    format!("{kind} {}{terms}", e.constant_part())
}

fn line(answer: &str, goal: &str, system: &System) -> String {
    let constraints: Vec<String> = system.constraints().iter().map(words).collect();
    format!("{answer}; {goal}; {}\n", constraints.join("; "))
}

/// The answers about one system and goal, without those that are `Unknown`.
fn answers(system: &System, goal: &Constraint) -> [Option<String>; 2] {
    let feasible = match feasible(system, Budget::default()) {
        Feasibility::Empty => Some("empty"),
        Feasibility::Point(_) => Some("point"),
        Feasibility::Unknown => None,
    };
    let proved = match prove(system, goal, Budget::default()) {
        Verdict::Proved => Some("proved"),
        Verdict::Disproved(_) => Some("disproved"),
        Verdict::Unknown => None,
    };
    [
        feasible.map(|answer| line(answer, "-", system)),
        proved.map(|answer| line(answer, &words(goal), system)),
    ]
}

fn run_script(lines: &str) -> std::io::Result<Output> {
    let piped = |mut command: Command| {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    };
    let mut command = Command::new("python3");
    command.arg(SCRIPT);
    let mut child = piped(command)?;
    if let Some(mut input) = child.stdin.take() {
        // A script that is skipped does not read; its status says so.
        let _ = input.write_all(lines.as_bytes());
    }
    child.wait_with_output()
}

#[test]
fn z3_gives_the_same_answers() {
    let sample = std::env::var("IVERSON_AFFINE_SAMPLE").ok().and_then(|n| n.parse().ok());
    let sample: usize = sample.unwrap_or(150);
    let mut random = Random(20);
    let systems: Vec<_> = (0..sample).map(|_| random.system()).collect();
    let known: Vec<_> = systems.iter().flat_map(|(s, goal)| answers(s, goal)).flatten().collect();
    println!("unknown: {} of {} answers", 2 * sample - known.len(), 2 * sample);
    let Ok(output) = run_script(&known.concat()) else {
        println!("skipped: python3 is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{}{}", said, String::from_utf8_lossy(&output.stderr));
    assert!(matches!(output.status.code(), Some(0 | SKIPPED)), "{said}");
}
