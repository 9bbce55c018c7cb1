//! Tests of the kernels: their bounds against correctly rounded functions, special arguments, and
//! the same bits at every level.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use iverson_spec::function::Fun;

/// A small generator of 64 random bits (splitmix64).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// In [-1, 1).
    fn unit(&mut self) -> f64 {
        (self.bits() as i64 >> 10) as f64 / (1_u64 << 53) as f64
    }

    /// Of any sign and size, or near a number where functions turn.
    fn argument(&mut self) -> f64 {
        let scale = [1e-8, 0.1, 1.0, 3.0, 10.0, 40.0, 750.0, 1e5, 1e7];
        match self.bits() % 4 {
            0 => f64::from_bits(self.bits()),
            1 => (1.0 + self.unit() * 1e-3) * SPECIAL[self.bits() as usize % SPECIAL.len()],
            _ => self.unit() * scale[self.bits() as usize % scale.len()],
        }
    }
}

/// Limits of ranges, signed zeros, infinities, NaN.
const SPECIAL: &[f64] = &[
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    -3.0,
    1e-320,
    -1e-320,
    5e-324,
    2.3e-308,
    1e-300,
    -1e-300,
    0.845,
    6.0,
    22.0,
    -22.0,
    709.78,
    709.79,
    710.47,
    710.48,
    -745.1,
    -745.2,
    -708.4,
    1e6,
    -1e6,
    1e22,
    1e300,
    -1e300,
    f64::MAX,
    f64::MIN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    std::f64::consts::FRAC_PI_2,
    std::f64::consts::PI,
    std::f64::consts::FRAC_PI_4,
    100.0,
    -100.5,
    171.6,
    1e17,
    1.461_632_144_968_362,
    0.414_213_562_373_095_1,
    2.414_213_562_373_095,
    4_503_599_627_370_496.5,
    9_007_199_254_740_993.0,
];

/// How many random points a test takes: 200 for each case asked for.
fn points() -> usize {
    std::env::var("IVERSON_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(500) * 200
}

/// Units of the last place of `wanted` between two values; 0 for the same, NaN or not. The sign of
/// zero has a test of its own: pxfm loses it in sinh.
fn distance(found: f64, wanted: f64) -> f64 {
    if found == wanted || found.is_nan() && wanted.is_nan() {
        return 0.0;
    }
    let place = |x: f64| {
        let magnitude = (x.to_bits() & !(1 << 63)) as i64;
        if x.is_sign_negative() { -magnitude } else { magnitude }
    };
    match found.is_nan() || wanted.is_nan() {
        true => f64::INFINITY,
        false => (i128::from(place(found)) - i128::from(place(wanted))).unsigned_abs() as f64,
    }
}

/// Whether `found` is within the bound, `slack` being the error of `wanted` itself.
fn within(bound: Bound, found: f64, wanted: f64, slack: f64) -> bool {
    let one = bound.units_of_one * f64::EPSILON;
    distance(found, wanted) <= bound.units + slack || one > 0.0 && (found - wanted).abs() <= one
}

/// How many units the interpreter's functions are from correct rounding.
fn slack(fun: Fun) -> f64 {
    if fun == Fun::Sigmoid { 2.0 } else { 0.0 }
}

/// The worst found for a function, and what is out of bounds.
struct Findings {
    bound: Bound,
    worst: f64,
    at: String,
    wrong: Vec<String>,
}

impl Findings {
    fn see(&mut self, found: f64, wanted: f64, arguments: &str) {
        let far = distance(found, wanted);
        if far > self.worst {
            (self.worst, self.at) = (far, arguments.to_owned());
        }
        if !within(self.bound, found, wanted, slack(self.bound.fun)) {
            let fun = self.bound.fun;
            self.wrong.push(format!(
                "{fun:?}({arguments}) is {found:e} and should be {wanted:e}: {far} units away"
            ));
        }
    }
}

/// The reference at x: pxfm, but where [`Mode::Strict`] mends it, the standard library.
fn exact(fun: Fun, x: f64) -> f64 {
    if x < -708.0 && fun == Fun::Exp {
        x.exp()
    } else if x < -708.0 && fun == Fun::Sigmoid {
        x.exp() / (1.0 + x.exp())
    } else {
        unary(Mode::Strict, fun).unwrap()(x)
    }
}

/// The reference at x and y.
fn exact2(fun: Fun, x: f64, y: f64) -> f64 {
    if fun == Fun::Pow && pxfm::f_pow(x, y).is_nan() && !x.is_nan() && !y.is_nan() {
        x.powf(y)
    } else {
        binary(Mode::Strict, fun).unwrap()(x, y)
    }
}

fn measure(bound: Bound) -> Findings {
    let mut random = Random(7);
    let mut findings = Findings { bound, worst: 0.0, at: String::new(), wrong: Vec::new() };
    if let Some(fast) = unary(Mode::Fast, bound.fun) {
        for x in SPECIAL.iter().copied().chain((0..points()).map(|_| random.argument())) {
            findings.see(fast(x), exact(bound.fun, x), &format!("{x:e}"));
        }
    } else {
        let fast = binary(Mode::Fast, bound.fun).unwrap();
        let special = SPECIAL.iter().flat_map(|x| SPECIAL.iter().map(|y| (*x, *y)));
        let random = (0..points()).map(|_| (random.argument(), random.argument()));
        for (x, y) in special.chain(random) {
            findings.see(fast(x, y), exact2(bound.fun, x, y), &format!("{x:e}, {y:e}"));
        }
    }
    findings
}

#[test]
fn kernels_keep_their_bounds() {
    let mut wrong = Vec::new();
    for bound in BOUNDS {
        let findings = measure(*bound);
        println!("{:?}: {} units at {}", bound.fun, findings.worst, findings.at);
        wrong.extend(findings.wrong.into_iter().take(20));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_level_gives_the_same_bits() {
    let mut random = Random(11);
    let arguments = |random: &mut Random| -> Vec<f64> {
        let mut x = SPECIAL.to_vec();
        x.extend((0..4099).map(|_| random.argument()));
        x
    };
    let (x, y) = (arguments(&mut random), arguments(&mut random));
    let mut out = vec![0.0; x.len()];
    let same = |fun: Fun, level: Level, found: &[f64], at: &dyn Fn(usize) -> f64| {
        for (k, found) in found.iter().enumerate() {
            let wanted = at(k);
            let equal = found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan();
            assert!(equal, "{fun:?} at {:e}, {}: {found:e}, {wanted:e}", x[k], level.name());
        }
    };
    for row in iverson_spec::function::FUNCTIONS {
        for level in Level::available() {
            if let Some(f) = unary(Mode::Fast, row.fun) {
                unary_slice(Mode::Fast, row.fun).unwrap()(level, &x, &mut out);
                same(row.fun, level, &out, &|k| f(x[k]));
            } else {
                let f = binary(Mode::Fast, row.fun).unwrap();
                binary_slice(Mode::Fast, row.fun).unwrap()(level, &x, &y, &mut out);
                same(row.fun, level, &out, &|k| f(x[k], y[k]));
            }
        }
    }
}

#[test]
fn odd_functions_keep_the_sign_of_zero() {
    let odd = [
        Fun::Sin,
        Fun::Tan,
        Fun::Asin,
        Fun::Atan,
        Fun::Sinh,
        Fun::Tanh,
        Fun::Expm1,
        Fun::Log1p,
        Fun::Erf,
        Fun::Sqrt,
    ];
    for fun in odd {
        let f = unary(Mode::Fast, fun).unwrap();
        for x in [0.0, -0.0, 1e-310, -1e-310] {
            if x == 0.0 || !matches!(fun, Fun::Sqrt | Fun::Erf) {
                assert_eq!(f(x).to_bits(), f64::to_bits(x), "{fun:?}({x:e})");
            }
        }
    }
}

/// The C compiler, if there is one: `$CC` or `cc`.
fn compiler() -> Option<String> {
    let cc = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let found = std::process::Command::new(&cc).arg("--version").output().is_ok();
    found.then_some(cc)
}

/// A program that reads pairs of doubles and writes, for each function in turn, its values.
fn c_program(functions: &std::collections::BTreeSet<Fun>) -> String {
    let loops: String = functions
        .iter()
        .map(|fun| {
            let arguments = if unary(Mode::Fast, *fun).is_some() { "x[k]" } else { "x[k], y[k]" };
            let name = name(*fun).unwrap();
            format!(
                "    for (size_t k = 0; k < n; k++) out[k] = {name}({arguments});\n    \
                 if (fwrite(out, 8, n, stdout) != n) return 1;\n"
            )
        })
        .collect();
    format!(
        "#include <math.h>\n#include <stdint.h>\n#include <stdio.h>\n#include <string.h>\n\n{}\n\
         static double x[1 << 16], y[1 << 16], out[1 << 16];\n\n\
         int main(void) {{\n    const size_t n = fread(x, 8, 1 << 16, stdin) / 2;\n    \
         memcpy(y, x + n, n * sizeof *x);\n{loops}    return 0;\n}}\n",
        definitions(functions)
    )
}

#[test]
fn the_c_text_gives_the_same_bits() {
    let Some(cc) = compiler() else {
        println!("skipped: no C compiler ($CC or cc)");
        return;
    };
    let rows = iverson_spec::function::FUNCTIONS.iter().map(|row| row.fun);
    let functions: std::collections::BTreeSet<Fun> = rows.chain([Fun::Pow]).collect();
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("kernels.c"), folder.path().join("kernels"));
    std::fs::write(&source, c_program(&functions)).unwrap();
    let flags =
        ["-O3", "-march=native", "-std=c11", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"];
    let built = std::process::Command::new(cc)
        .args(flags)
        .args([source.as_os_str(), "-o".as_ref(), program.as_os_str(), "-lm".as_ref()])
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let mut random = Random(13);
    let x: Vec<f64> =
        SPECIAL.iter().copied().chain((0..20_000).map(|_| random.argument())).collect();
    let y: Vec<f64> = x.iter().map(|_| random.argument()).collect();
    let input: Vec<u8> = x.iter().chain(&y).flat_map(|x| x.to_ne_bytes()).collect();
    let data = folder.path().join("arguments");
    std::fs::write(&data, input).unwrap();
    let run = std::process::Command::new(program)
        .stdin(std::fs::File::open(data).unwrap())
        .output()
        .unwrap();
    let found: Vec<f64> = run
        .stdout
        .chunks_exact(8)
        .map(|bytes| f64::from_ne_bytes(bytes.try_into().unwrap()))
        .collect();
    assert_eq!(found.len(), functions.len() * x.len());
    for (fun, found) in functions.iter().zip(found.chunks(x.len())) {
        for (k, found) in found.iter().enumerate() {
            let one = unary(Mode::Fast, *fun).map(|f| f(x[k]));
            let wanted = one.unwrap_or_else(|| binary(Mode::Fast, *fun).unwrap()(x[k], y[k]));
            let equal = found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan();
            assert!(equal, "{fun:?} at {:e}, {:e}: C {found:e}, Rust {wanted:e}", x[k], y[k]);
        }
    }
}
