//! Tests of this folder's module.

use super::*;
use crate::pipeline::load;
use iverson_interpreter::Rational;
use iverson_spec::call::entries;
use iverson_spec::ir::Typed;
use proptest::prelude::*;
use std::io::Write;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const TEXT: &str = "fn f(n: size, m: size, x: real[n], A: real[n, m], c: real, row: index(n)[m], R: rel(n, m)) \
                    -> (y: real[n]) { y[i: n] = x[i] }";

fn program() -> Typed {
    load(TEXT).expect("a program").function(None).expect("a function").clone()
}

/// The bytes of an NPY file as numpy writes them.
fn npy(descr: &str, fortran: bool, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let header =
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({shape}), }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

fn npz(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(format!("{name}.npy"), SimpleFileOptions::default()).expect("a member");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("an archive").into_inner()
}

fn read_f64(members: &[(&str, Vec<u8>)]) -> Result<Values<f64>, InputError> {
    read(&npz(members), &program(), Reals::Finite)
}

#[track_caller]
fn refused(members: &[(&str, Vec<u8>)], want: &str) {
    assert_eq!(read_f64(members).expect_err("a refusal").to_string(), want);
}

#[test]
fn every_type_and_order_is_read() {
    let le = |values: &[i16]| values.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    let be = |values: &[f32]| values.iter().flat_map(|x| x.to_be_bytes()).collect::<Vec<u8>>();
    let values = read_f64(&[
        ("n", npy("|u1", false, &[], &[2])),
        ("x", npy(">f4", false, &[2], &be(&[0.5, -1.0]))),
        ("A", npy("<i2", true, &[2, 3], &le(&[1, 2, 3, 4, 5, -6]))),
        ("row", npy("<i2", false, &[3], &le(&[0, 1, 1]))),
        ("R", npy("|b1", false, &[2, 3], &[0, 1, 0, 0, 0, 1])),
    ]);
    let values = values.expect("inputs");
    assert_eq!(values["n"], Value::Size(2));
    assert_eq!(values["x"], Value::vector(vec![0.5, -1.0]));
    let a = Dense { shape: vec![2, 3], data: vec![1.0, 3.0, 5.0, 2.0, 4.0, -6.0] };
    assert_eq!(values["A"], Value::Real(a));
    assert_eq!(values["row"], Value::indices(vec![0, 1, 1]));
    assert_eq!(values["R"], Value::Relation(Relation::new(2, vec![vec![0, 1], vec![1, 2]])));
}

#[test]
fn coordinates_are_sorted() {
    let data: Vec<u8> = [1i64, 2, 0, 0, 1, 2].iter().flat_map(|n| n.to_le_bytes()).collect();
    let values = read_f64(&[("R", npy("<i8", false, &[3, 2], &data))]).expect("inputs");
    assert_eq!(values["R"], Value::Relation(Relation::new(2, vec![vec![0, 0], vec![1, 2]])));
}

#[test]
fn floats_are_exact_rationals() {
    let bytes = npz(&[("c", npy("<f8", false, &[], &0.5f64.to_le_bytes()))]);
    let values: Values<Rational> = read(&bytes, &program(), Reals::Finite).expect("inputs");
    assert_eq!(crate::json::write_value(&values["c"]), "\"1/2\"");
}

#[test]
fn wrong_archives_are_refused_by_name() {
    let x = |descr, shape: &[usize], data: &[u8]| vec![("x", npy(descr, false, shape, data))];
    let f8 = |x: f64| x.to_le_bytes();
    refused(
        &x("<f8", &[1], &f8(f64::NAN)),
        "`x[0]` is NaN, but a finite real is wanted (NaN and infinities are taken only where they are allowed)",
    );
    refused(
        &x("<f8", &[2], &f8(1.0)),
        "the inputs are not a readable NPZ archive: `x`: it holds 8 bytes of entries where 16 are wanted",
    );
    refused(
        &x("<c16", &[0], &[]),
        "the inputs are not a readable NPZ archive: `x`: its entries are of type `<c16`; wanted are bool, integers of 8 to 64 bits, float32 or float64",
    );
    refused(
        &x("<f8", &[1, 1], &f8(1.0)),
        "`x` is an array of shape [1, 1], but `x` has 1 axis (a list of numbers is wanted)",
    );
    refused(&x("|b1", &[1], &[1]), "`x` is an array of bool, but a real tensor is wanted");
    refused(
        &x("<f8", &[usize::MAX, 9], &[]),
        &format!(
            "the inputs are not a readable NPZ archive: `x`: its shape [{}, 9] is too large",
            usize::MAX
        ),
    );
    refused(
        &[("z", npy("<f8", false, &[0], &[]))],
        "`z` is not a parameter of `f`; its parameters are `n`, `m`, `x`, `A`, `c`, `row`, `R`",
    );
    refused(
        &[("n", npy("<f8", false, &[], &f8(2.0)))],
        "`n` is an array of floats, but a size (a natural number) is wanted",
    );
    refused(
        &[("n", npy("|i1", false, &[], &[255]))],
        "`n` is -1, but a size (a natural number) is wanted",
    );
    refused(
        &[("row", npy("<u8", false, &[1], &u64::MAX.to_le_bytes()))],
        "`row[0]` is 18446744073709551615, which is too large: an integer of 64 bits is wanted",
    );
    refused(
        &[("R", npy("|i1", false, &[2, 3], &[0; 6]))],
        "`R` is an integer array of shape [2, 3], but an array of coordinates of shape [.., 2] is wanted",
    );
    refused(
        &[("x", b"text".to_vec())],
        "the inputs are not a readable NPZ archive: `x`: it does not begin as an NPY file",
    );
    let torn: Result<Values<f64>, _> = read(b"PK", &program(), Reals::Finite);
    assert!(
        torn.expect_err("a refusal")
            .to_string()
            .starts_with("the inputs are not a readable NPZ archive: ")
    );
}

proptest! {
    /// An array of either order and either byte order is read as it was.
    #[test]
    fn arrays_are_read_back(
        shape in (0usize..4, 0usize..4),
        fortran: bool,
        big: bool,
        seed in proptest::collection::vec(-1e9f64..1e9, 9),
    ) {
        let (rows, columns) = shape;
        let data: Vec<f64> = seed[..rows * columns].to_vec();
        let at = |place: usize| if fortran { (place % rows) * columns + place / rows } else { place };
        let bytes = (0..data.len()).flat_map(|place| {
            let x = data[at(place)];
            if big { x.to_be_bytes() } else { x.to_le_bytes() }
        });
        let bytes: Vec<u8> = bytes.collect();
        let descr = if big { ">f8" } else { "<f8" };
        let values = read_f64(&[("A", npy(descr, fortran, &[rows, columns], &bytes))]).expect("inputs");
        prop_assert_eq!(entries(&[rows, columns]), Some(data.len()));
        prop_assert_eq!(&values["A"], &Value::Real(Dense { shape: vec![rows, columns], data }));
    }

    /// No bytes make the reader panic.
    #[test]
    fn any_header_is_read_or_refused(header in "[ -~]{0,80}", data in proptest::collection::vec(any::<u8>(), 0..20)) {
        let length = (header.len() as u16).to_le_bytes();
        let bytes = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &data].concat();
        let _ = npy::array(&bytes);
        let _ = npy::array(&data);
    }
}
