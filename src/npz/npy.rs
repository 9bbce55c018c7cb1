//! The NPY format: a header that is a Python dictionary, then the entries.

use std::fmt;

/// The sort of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// `b1`
    Bool,
    /// `i1`, `i2`, `i4`, `i8`
    Signed,
    /// `u1`, `u2`, `u4`, `u8`
    Unsigned,
    /// `f4`, `f8`
    Float,
}

/// An array as it lies in the file, entries reordered to row-major.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) data: Data,
}

/// The entries of an array.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Data {
    Bool(Vec<bool>),
    /// Signed and unsigned integers of up to 64 bits.
    Integer(Vec<i128>),
    Float(Vec<f64>),
}

/// Why bytes are not an array that can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct NotAnArray(String);

impl fmt::Display for NotAnArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn problem<T>(text: impl Into<String>) -> Result<T, NotAnArray> {
    Err(NotAnArray(text.into()))
}

/// The array in the bytes of an `.npy` file.
pub(super) fn array(bytes: &[u8]) -> Result<Array, NotAnArray> {
    let (header, body) = split(bytes)?;
    let Header { kind, width, big_endian, fortran, shape } = parse_header(header)?;
    let count = iverson_spec::call::entries(&shape).and_then(|n| Some((n, n.checked_mul(width)?)));
    let Some((count, size)) = count else {
        return problem(format!("its shape {shape:?} is too large"));
    };
    if body.len() < size {
        let found = body.len();
        return problem(format!("it holds {found} bytes of entries where {size} are wanted"));
    }
    let entry = |position: usize| {
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(&body[position * width..(position + 1) * width]);
        if big_endian {
            bytes[..width].reverse();
        }
        bytes
    };
    let order = |flat: usize| if fortran { transposed(&shape, flat) } else { flat };
    let entries = (0..count).map(|flat| entry(order(flat)));
    let data = match kind {
        Kind::Bool => Data::Bool(entries.map(|b| b[0] != 0).collect()),
        Kind::Unsigned => Data::Integer(entries.map(|b| u64::from_le_bytes(b).into()).collect()),
        Kind::Signed => Data::Integer(entries.map(|b| signed(b, width)).collect()),
        Kind::Float => Data::Float(entries.map(|b| float(b, width)).collect()),
    };
    Ok(Array { shape, data })
}

fn signed(bytes: [u8; 8], width: usize) -> i128 {
    let unused = 64 - 8 * width as u32;
    i128::from((i64::from_le_bytes(bytes) << unused) >> unused)
}

fn float(bytes: [u8; 8], width: usize) -> f64 {
    match width {
        4 => f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).into(),
        _ => f64::from_le_bytes(bytes),
    }
}

/// The column-major position of the entry with the row-major number `flat`.
fn transposed(shape: &[usize], flat: usize) -> usize {
    let (mut rest, mut position) = (flat, 0);
    let mut strides: Vec<usize> = shape
        .iter()
        .scan(1, |stride, &extent| {
            let this = *stride;
            *stride *= extent;
            Some(this)
        })
        .collect();
    for &extent in shape.iter().rev() {
        position += (rest % extent) * strides.pop().unwrap_or(1);
        rest /= extent;
    }
    position
}

/// The header's text and the bytes after it.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), NotAnArray> {
    let Some(rest) = bytes.strip_prefix(b"\x93NUMPY") else {
        return problem("it does not begin as an NPY file");
    };
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (u32::from_le_bytes([*a, *b, 0, 0]), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]), rest),
        _ => return problem("its NPY version is not 1, 2 or 3"),
    };
    let Some((header, body)) = rest.split_at_checked(length as usize) else {
        return problem("its header is cut off");
    };
    match std::str::from_utf8(header) {
        Ok(header) => Ok((header, body)),
        Err(_) => problem("its header is not UTF-8"),
    }
}

struct Header {
    kind: Kind,
    width: usize,
    big_endian: bool,
    fortran: bool,
    shape: Vec<usize>,
}

/// `{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }`
fn parse_header(text: &str) -> Result<Header, NotAnArray> {
    let descr = after(text, "'descr'")?;
    let quoted = descr.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
    let Some((descr, _)) = quoted else {
        return problem("its entries are records; plain numbers are wanted");
    };
    let (kind, width, big_endian) = entry_type(descr)?;
    let fortran = after(text, "'fortran_order'")?.starts_with("True");
    let shape = after(text, "'shape'")?;
    let Some((shape, _)) = shape.strip_prefix('(').and_then(|rest| rest.split_once(')')) else {
        return problem("its header gives no shape");
    };
    let extents = shape.split(',').map(str::trim).filter(|extent| !extent.is_empty());
    let shape = extents.map(|extent| extent.trim_end_matches('L').parse()).collect();
    match shape {
        Ok(shape) => Ok(Header { kind, width, big_endian, fortran, shape }),
        Err(_) => problem("its shape is not a tuple of natural numbers"),
    }
}

/// What follows `key:` in the header.
fn after<'a>(text: &'a str, key: &str) -> Result<&'a str, NotAnArray> {
    let rest = text.split_once(key).and_then(|(_, rest)| rest.trim_start().strip_prefix(':'));
    rest.map(str::trim_start).ok_or_else(|| NotAnArray(format!("its header has no {key}")))
}

fn entry_type(descr: &str) -> Result<(Kind, usize, bool), NotAnArray> {
    const WANTED: &str = "bool, integers of 8 to 64 bits, float32 or float64";
    let known = (|| {
        let (order, rest) = descr.split_at_checked(1)?;
        let (letter, width) = rest.split_at_checked(1)?;
        let width = width.parse().ok()?;
        let kind = match (letter, width) {
            ("b", 1) => Kind::Bool,
            ("i", 1 | 2 | 4 | 8) => Kind::Signed,
            ("u", 1 | 2 | 4 | 8) => Kind::Unsigned,
            ("f", 4 | 8) => Kind::Float,
            _ => return None,
        };
        let big_endian = match order {
            "<" | "|" => false,
            ">" => true,
            "=" => cfg!(target_endian = "big"),
            _ => return None,
        };
        Some((kind, width, big_endian))
    })();
    let found = crate::input::shorten(descr);
    known.ok_or_else(|| {
        NotAnArray(format!("its entries are of type `{found}`; wanted are {WANTED}"))
    })
}
