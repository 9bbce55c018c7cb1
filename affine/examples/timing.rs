//! Times typical questions: `cargo run --release -p iverson-affine --example timing`.

use iverson_affine::{
    Budget, Constraint, Linear, System, Var, feasible, minimize, project, prove, solve,
};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: u32 = 20_000;

fn linear(constant: i128, coefficients: &[i128]) -> Linear {
    let terms = (0..).map(Var).zip(coefficients).map(|(x, &a)| (a, x));
    Linear::of(constant, terms).unwrap_or_default()
}

fn ge(constant: i128, coefficients: &[i128]) -> Constraint {
    Constraint::NonNegative(linear(constant, coefficients))
}

/// `0 ≤ i < n, 0 ≤ j < m, i + j < k` over `i, j, n, m, k`.
fn indices() -> System {
    System::from_iter([
        ge(0, &[1]),
        ge(-1, &[-1, 0, 1]),
        ge(0, &[0, 1]),
        ge(-1, &[0, -1, 0, 1]),
        ge(-1, &[-1, -1, 0, 0, 1]),
    ])
}

/// Six indices in extents, a convolution access and an alignment.
fn nest() -> System {
    let mut system = System::new();
    for index in 0..6 {
        let (i, n) = (Linear::var(Var(index)), Linear::var(Var(6 + index)));
        system.push(Constraint::NonNegative(i.clone()));
        system.extend(Constraint::less(&i, &n));
        system.extend(Constraint::at_least(&n, &Linear::constant(1)));
    }
    system.push(Constraint::Zero(linear(0, &[1, 1, -1])));
    system.push(Constraint::Divides(4, linear(0, &[0, 0, 0, 1])));
    system.push(ge(-1, &[0, 0, 0, -1, -2, 0, 0, 0, 0, 1]));
    system
}

fn time<T>(name: &str, mut question: impl FnMut() -> T) {
    for _ in 0..ROUNDS / 10 {
        black_box(question());
    }
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(question());
    }
    let each = start.elapsed() / ROUNDS;
    println!("{name:<52} {:>8.2} µs", each.as_secs_f64() * 1e6);
}

fn main() {
    let (small, large, budget) = (indices(), nest(), Budget::default());
    let mut coarse = System::from_iter([ge(-27, &[11, 13]), ge(45, &[-11, -13])]);
    coarse.extend([ge(10, &[7, -9]), ge(4, &[-7, 9])]);
    let two = [linear(0, &[3, 5, -1, 0]), linear(1, &[2, -4, 0, 1])];

    let same = ge(-1, &[-1, -1, 0, 0, 1]);
    time("prove: i+j+1 ≤ k, in the system", || prove(&small, &same, budget));
    let weaker = ge(0, &[-1, 0, 0, 0, 1]);
    time("prove: i ≤ k, by elimination", || prove(&small, &weaker, budget));
    let product = ge(0, &[-2, -2, 1, 1, 1]);
    time("prove: 2i+2j ≤ n+m+k, by elimination", || prove(&small, &product, budget));
    let false_goal = ge(-3, &[-1, -1, 0, 0, 1]);
    time("disprove: i+j+3 ≤ k", || prove(&small, &false_goal, budget));
    let deep = ge(-1, &[0, 0, 0, -1, -1, 0, 0, 0, 0, 1]);
    time("prove: 12 variables, 21 constraints", || prove(&large, &deep, budget));
    time("feasible: 12 variables, 21 constraints", || feasible(&large, budget));
    time("feasible: an empty strip (splinters)", || feasible(&coarse, budget));
    time("project: two of five variables", || project(&small, &[Var(0), Var(1)], budget));
    time("solve: two equations, two unknowns", || solve(&two, &[Var(0), Var(1)], Var(9)));
    time("minimize: 5 constraints", || minimize(&small, budget));
    let start = Instant::now();
    black_box(minimize(&large, Budget { work: 400_000, ..budget }));
    println!("minimize: 21 constraints, once: {:?}", start.elapsed());
}
