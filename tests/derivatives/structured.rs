//! Structured results: dense again they are what the program gives, exactly; and
//! known derivatives have the structure that algebra says.

use crate::first::{check_values, equal};
use crate::generate::{Case, failure};
use crate::subject::*;
use dashu_ratio::RBig;
use iverson::ad::{AdError, hessian, jacobian, vjp};
use iverson::interpreter::{Model, Rational, eval_ssa};
use iverson::json::{self, Reals};
use iverson::pipeline::load;
use iverson::simplify::simplify;
use iverson::spec::call::{Limits, Values, bind};
use iverson::spec::ir::TensorId;
use iverson::spec::{TensorSsa, normalize, render, unelaborate, verify};
use iverson::structured::{Coo, Kind, Structure, split};
use proptest::test_runner::TestCaseError;
use std::cell::Cell;

type Derive = fn(&TensorSsa, &[&str]) -> Result<TensorSsa, AdError>;

fn add(a: &Rational, b: &Rational) -> Rational {
    Rational(&a.0 + &b.0)
}

fn added(derivative: &TensorSsa, program: &TensorSsa) -> Vec<TensorId> {
    derivative.results[program.results.len()..].to_vec()
}

/// Splits the results after those of `program` and compares each with the dense one.
/// `None`: the derivative has no value there. Else how many of them have structure.
fn compare(
    derivative: &TensorSsa,
    program: &TensorSsa,
    inputs: &Values<Rational>,
) -> Result<Option<usize>, TestCaseError> {
    let (apart, structures) = split(derivative, &added(derivative, program));
    let show = || format!("{}\n{}", called(derivative, inputs), unelaborate::ssa(&apart));
    verify(&apart).map_err(|violation| failure(format!("{violation}\n{}", show())))?;
    let text = unelaborate::ssa(&apart);
    load(&text).map_err(|found| failure(render::render(&found, "apart.iv", &text)))?;
    let Ok(wanted) = run(derivative, inputs) else { return Ok(None) };
    let found = run(&apart, inputs).map_err(|e| failure(format!("{e}\n{}", show())))?;
    let sizes = bind(&apart, inputs, Limits::default()).map_err(|e| failure(e.to_string()))?.sizes;
    let mut structured = 0;
    for structure in &structures {
        let zero = Rational(RBig::ZERO);
        let dense = structure.dense(&sizes, &found, &zero, add);
        let dense = dense.map_err(|e| failure(format!("{e}\n{}", show())))?;
        let wanted = real(&wanted, &structure.result);
        equal(&structure.result, &dense, wanted, show)?;
        let coo = structure.coo(&sizes, &found, add).map_err(|e| failure(e.to_string()))?;
        check_coo(&coo, &dense.data).map_err(|e| failure(format!("{e}\n{}", show())))?;
        structured += usize::from(structure.parts.iter().all(|part| part.kind != Kind::Dense));
    }
    Ok(Some(structured))
}

/// Coordinates ascend, and with zeros elsewhere they are the dense entries; so are rows.
fn check_coo(coo: &Coo<Rational>, dense: &[Rational]) -> Result<(), String> {
    if !coo.positions.is_sorted_by(|a, b| a < b) {
        return Err(format!("positions do not ascend: {:?}", coo.positions));
    }
    for axes in 0..=coo.shape.len() {
        let csr = coo.csr(axes);
        let mut again = vec![Rational(RBig::ZERO); dense.len()];
        for (row, ends) in csr.starts.windows(2).enumerate() {
            for entry in ends[0]..ends[1] {
                again[row * csr.width + csr.columns[entry]] = csr.values[entry].clone();
            }
        }
        if again != dense {
            return Err(format!("rows of {axes} axes differ: {csr:?}"));
        }
    }
    Ok(())
}

/// Runs the law for one kind of derivative, before and after simplification.
fn law(
    cases: u32,
    how: Derive,
    inputs: impl Fn(&Subject, &Case, &TensorSsa) -> Option<Values<Rational>>,
) {
    let structured = Cell::new(0);
    check_values(cases, |case| {
        let subject = Subject::new(case)?;
        let entries: usize = subject.wrt.iter().map(|x| real(&case.inputs, x).data.len()).sum();
        if entries > 60 {
            return Ok(true);
        }
        let names: Vec<&str> = subject.wrt.iter().map(String::as_str).collect();
        let Ok(derivative) = how(&subject.ssa, &names) else { return Ok(true) };
        let Some(inputs) = inputs(&subject, case, &derivative) else { return Ok(false) };
        for derivative in [simplify(&derivative), derivative] {
            match compare(&derivative, &subject.ssa, &inputs)? {
                Some(some) => structured.set(structured.get() + some),
                None => return Ok(false),
            }
        }
        Ok(true)
    });
    assert!(structured.get() > 0, "nothing has structure");
}

#[test]
fn gradients_apart_are_the_dense_ones() {
    law(100, vjp, |subject, case, derivative| {
        let results = run(&subject.ssa, &case.inputs).ok()?;
        let bars = Directions::new(case).at(&results, &real_results(&subject.ssa));
        Some(with(&case.inputs, &added_params(derivative, &subject.ssa), &bars))
    });
}

#[test]
fn jacobians_apart_are_the_dense_ones() {
    law(100, jacobian, |_, case, _| Some(case.inputs.clone()));
}

#[test]
fn hessians_apart_are_the_dense_ones() {
    law(100, hessian, |_, case, _| Some(case.inputs.clone()));
}

/// A derivative of a text, apart, at a point; both as it is and simplified first.
#[track_caller]
fn apart(
    text: &str,
    how: Derive,
    wrt: &str,
    inputs: &str,
    check: impl Fn(&Structure, &Coo<Rational>),
) {
    let loaded = load(text).unwrap_or_else(|found| panic!("{}", render::render(&found, "-", text)));
    let ssa = normalize(loaded.function(None).unwrap_or_else(|none| panic!("{none}")));
    let derivative = how(&ssa, &[wrt]).unwrap_or_else(|error| panic!("{error}"));
    for derivative in [simplify(&derivative), derivative] {
        let inputs = json::read::<Rational, _>(inputs, &derivative, Reals::Finite)
            .unwrap_or_else(|error| panic!("{error}"));
        if let Err(error) = compare(&derivative, &ssa, &inputs) {
            panic!("{error}");
        }
        let (program, structures) = split(&derivative, &added(&derivative, &ssa));
        let text = unelaborate::ssa(&program);
        let (found, work) = eval_ssa(&program, &inputs, Limits::default())
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        let (_, before) = eval_ssa(&derivative, &inputs, Limits::default())
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        let [after, before] = [work, before].map(|report| report.work(Model::Sparse));
        assert!(after <= 2 * before, "work {before} becomes {after}\n{text}");
        let sizes = bind(&program, &inputs, Limits::default())
            .unwrap_or_else(|error| panic!("{error}"))
            .sizes;
        let [structure] = structures.as_slice() else { panic!("{structures:?}") };
        let coo = structure.coo(&sizes, &found, add).unwrap_or_else(|e| panic!("{e}\n{text}"));
        check(structure, &coo);
    }
}

fn kinds(structure: &Structure) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = structure.parts.iter().map(|part| part.kind.clone()).collect();
    kinds.sort_by_key(|kind| format!("{kind:?}"));
    kinds
}

#[test]
fn the_gradient_of_a_trace_is_a_diagonal() {
    let text = "fn trace(n: size, A: real[n, n]) -> (t: real) { t = sum(i: n) A[i, i] }";
    let inputs = r#"{"A": [[1, 2, 3], [4, 5, 6], [7, 8, 9]], "t_ct": 2}"#;
    apart(text, vjp, "A", inputs, |structure, coo| {
        assert_eq!(kinds(structure), [Kind::Diagonal]);
        assert_eq!(coo.positions, [[0, 0], [1, 1], [2, 2]]);
    });
}

#[test]
fn the_jacobian_of_a_stencil_is_banded() {
    let text = "fn stencil(n: size, x: real[n]) -> (y: real[n - 2]) \
                { y[i: n - 2] = x[i] - 2 * x[i + 1] + x[i + 2] * x[i] }";
    apart(text, jacobian, "x", r#"{"x": [1, 2, 3, 4, 5]}"#, |structure, coo| {
        assert_eq!(kinds(structure), [Kind::Band(vec![1]), Kind::Band(vec![2]), Kind::Diagonal]);
        assert_eq!(coo.positions.len(), 9);
        let starts = coo.csr(1).starts;
        assert_eq!(starts, [0, 3, 6, 9]);
    });
}

#[test]
fn a_stencil_of_a_stencil_is_banded() {
    let text = "fn twice(n: size, x: real[n]) -> (z: real[n]) {
        y[i: n] = [i + 1 < n] * x[i + 1] * x[i]
        z[i: n] = y[i] - [i + 1 < n] * y[i + 1]
    }";
    apart(text, jacobian, "x", r#"{"x": [1, 2, 3, 4, 5]}"#, |structure, coo| {
        assert_eq!(kinds(structure), [Kind::Band(vec![1]), Kind::Band(vec![2]), Kind::Diagonal]);
        assert!(coo.positions.iter().all(|p| (p[0]..p[0] + 3).contains(&p[1])));
    });
}

#[test]
fn the_hessian_of_a_chain_is_tridiagonal() {
    let text = "fn chain(n: size, x: real[n]) -> (q: real) \
                { q = sum(i: n where i + 1 < n) (x[i + 1] - x[i]^2)^2 }";
    apart(text, hessian, "x", r#"{"x": [1, 2, 3, 4, 5]}"#, |structure, coo| {
        let bands = |kind: &Kind| match kind {
            Kind::Diagonal => true,
            Kind::Band(offsets) => offsets == &[1] || offsets == &[-1],
            Kind::Dense | Kind::RowSparse | Kind::Block | Kind::Coordinates => false,
        };
        assert!(kinds(structure).iter().all(bands), "{:?}", kinds(structure));
        assert_eq!(coo.positions.len(), 3 * 5 - 2);
        assert!(coo.positions.iter().all(|p| p[0].abs_diff(p[1]) <= 1));
    });
}

#[test]
fn the_gradient_of_an_embedding_is_row_sparse() {
    let text = "fn embed(v: size, d: size, m: size, E: real[v, d], p: index(v)[m]) -> (y: real[m, d]) \
                { y[t: m, j: d] = E[p[t], j] }";
    let inputs = r#"{"E": [[1, 2], [3, 4], [5, 6], [7, 8]], "p": [3, 1, 3],
                     "y_ct": [[1, 2], [3, 4], [5, 6]]}"#;
    apart(text, vjp, "E", inputs, |structure, coo| {
        assert_eq!(kinds(structure), [Kind::RowSparse]);
        assert_eq!(coo.positions, [[1, 0], [1, 1], [3, 0], [3, 1]]);
    });
}

/// Each observation depends on one camera and one point.
#[test]
fn the_jacobian_of_a_reprojection_is_blocks() {
    let text = "fn residual(o: size, c: size, m: size, cam: index(c)[o], pt: index(m)[o], \
                C: real[c, 2, 3], X: real[m, 3], z: real[o, 2]) -> (r: real[o, 2]) \
                { r[e: o, a: 2] = (sum(l: 3) C[cam[e], a, l] * X[pt[e], l]) - z[e, a] }";
    let inputs = r#"{"cam": [0, 1, 0], "pt": [0, 0, 1], "z": [[0, 0], [0, 0], [0, 0]],
        "C": [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [1, 2, 3]]], "X": [[1, 2, 3], [4, 5, 6]]}"#;
    for wrt in ["X", "C"] {
        apart(text, jacobian, wrt, inputs, |structure, coo| {
            assert_eq!(kinds(structure), [Kind::Block]);
            assert_eq!(coo.positions.len(), 3 * 2 * 3);
        });
    }
    apart(text, jacobian, "z", inputs, |structure, _| {
        assert_eq!(kinds(structure), [Kind::Diagonal]);
    });
}

#[test]
fn entries_at_data_are_coordinates() {
    let text = "fn sddmm(n: size, k: size, row: index(n)[k], col: index(n)[k], A: real[n, n]) \
                -> (y: real[k]) { y[e: k] = A[row[e], col[e]]^2 }";
    let inputs = r#"{"row": [2, 0, 2], "col": [1, 1, 1], "y_ct": [1, 10, 100],
                     "A": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}"#;
    apart(text, vjp, "A", inputs, |structure, coo| {
        assert_eq!(kinds(structure), [Kind::Coordinates]);
        assert_eq!(coo.positions, [[0, 1], [2, 1]]);
    });
}

#[test]
fn a_full_matrix_is_dense() {
    let text = "fn product(n: size, m: size, A: real[n, m], x: real[m]) -> (y: real[n]) \
                { y[i: n] = sum(j: m) A[i, j] * x[j] }";
    apart(text, jacobian, "x", r#"{"A": [[1, 2], [3, 4]], "x": [1, 2]}"#, |structure, coo| {
        assert_eq!(kinds(structure), [Kind::Dense]);
        assert_eq!(coo.positions.len(), 4);
    });
}

/// What does not depend on an input has no parts.
#[test]
fn a_zero_has_no_parts() {
    let text = "fn f(n: size, x: real[n], z: real[n]) -> (y: real[n]) { y[i: n] = z[i]^2 }";
    apart(text, jacobian, "x", r#"{"x": [1, 2], "z": [1, 2]}"#, |structure, coo| {
        assert!(structure.parts.is_empty() && coo.positions.is_empty());
    });
}
