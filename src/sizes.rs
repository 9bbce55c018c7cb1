//! Sizes that shapes tell.

use crate::input::InputError;
use indexmap::IndexMap;
use iverson_spec::call::{Value, Values};
use iverson_spec::ir::{Atom, Extent, Param, Program, SizeId, Symbols};

/// The shapes of the masks by which relations were given.
pub(crate) type Masks = IndexMap<String, Vec<usize>>;

/// The sizes that are known, by [`SizeId`].
pub(crate) type Sizes = Vec<Option<u64>>;

/// The sizes that the given values tell, directly or by their shapes.
///
/// A shape tells a size by solving one equation in one unknown at a time. Where
/// shapes disagree the first one counts; the call itself reports it.
pub(crate) fn known<S, T>(program: &Program<T>, values: &Values<S>) -> Sizes {
    with_masks(program, values, &Masks::new())
}

fn with_masks<S, T>(program: &Program<T>, values: &Values<S>, masks: &Masks) -> Sizes {
    let symbols = &program.symbols;
    let mut sizes = vec![None; symbols.sizes.len()];
    for &param in &program.params {
        if let Param::Size(id) = param
            && let Some(Value::Size(n)) = values.get(&symbols.sizes[id.index()])
        {
            sizes[id.index()] = Some(*n);
        }
    }
    let equations = equations(program, values, masks);
    while equations.iter().any(|(extent, found)| solve(extent, *found, &mut sizes)) {}
    sizes
}

/// Each declared extent with the one found.
fn equations<'a, S, T>(
    program: &'a Program<T>,
    values: &Values<S>,
    masks: &Masks,
) -> Vec<(&'a Extent, usize)> {
    let mut all = Vec::new();
    for &param in &program.params {
        match param {
            Param::Size(_) => {}
            Param::Tensor(id) => {
                let tensor = program.symbols.tensor(id);
                let shape = values.get(&tensor.name).and_then(shape).unwrap_or_default();
                all.extend(tensor.shape.iter().zip(shape.iter().copied()));
            }
            Param::Relation(id) => {
                let relation = program.symbols.relation(id);
                let shape = masks.get(&relation.name).map(Vec::as_slice).unwrap_or_default();
                all.extend(relation.extents.iter().zip(shape.iter().copied()));
            }
        }
    }
    all
}

fn shape<S>(value: &Value<S>) -> Option<&[usize]> {
    match value {
        Value::Real(dense) => Some(&dense.shape),
        Value::Index(dense) => Some(&dense.shape),
        Value::Size(_) | Value::Relation(_) => None,
    }
}

/// Solves `extent = found` if exactly one size in it is unknown and occurs
/// linearly; returns whether a size became known.
fn solve(extent: &Extent, found: usize, sizes: &mut Sizes) -> bool {
    let mut rest = found as i128 - i128::from(extent.constant_part());
    let mut unknown = None;
    for (atom, coefficient) in extent.terms() {
        match (atom_value(atom, sizes), atom) {
            (Some(value), _) => match value.checked_mul(i128::from(*coefficient)) {
                Some(product) => rest -= product,
                None => return false,
            },
            (None, Atom::Size(id)) if unknown.is_none() => unknown = Some((*id, *coefficient)),
            (None, _) => return false,
        }
    }
    let Some((id, coefficient)) = unknown else {
        return false;
    };
    let coefficient = i128::from(coefficient);
    match u64::try_from(rest / coefficient) {
        Ok(n) if rest % coefficient == 0 => sizes[id.index()] = Some(n),
        _ => return false,
    }
    true
}

/// The value of an extent; `None` if a size in it is unknown.
pub(crate) fn extent(extent: &Extent, sizes: &Sizes) -> Option<i128> {
    let mut sum = i128::from(extent.constant_part());
    for (atom, coefficient) in extent.terms() {
        let product = atom_value(atom, sizes)?.checked_mul(i128::from(*coefficient))?;
        sum = sum.checked_add(product)?;
    }
    Some(sum)
}

fn atom_value(atom: &Atom, sizes: &Sizes) -> Option<i128> {
    match atom {
        Atom::Size(SizeId(id)) => sizes.get(*id as usize).copied().flatten().map(i128::from),
        Atom::Div(inner, by) => Some(extent(inner, sizes)?.div_euclid(i128::from(*by))),
        Atom::Mod(inner, by) => Some(extent(inner, sizes)?.rem_euclid(i128::from(*by))),
        Atom::Var(_) | Atom::Read(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => None,
    }
}

/// Adds the sizes that only masks tell, and checks that the masks are as large
/// as the ranges of their relations.
pub(crate) fn settle_masks<S, T>(
    program: &Program<T>,
    values: &mut Values<S>,
    masks: &Masks,
) -> Result<(), InputError> {
    if masks.is_empty() {
        return Ok(());
    }
    let without = known(program, values);
    let sizes = with_masks(program, values, masks);
    for (id, name) in program.symbols.sizes.iter().enumerate() {
        if let (None, Some(n)) = (without[id], sizes[id]) {
            values.insert(name.clone(), Value::Size(n));
        }
    }
    masks.iter().try_for_each(|(name, found)| mask_fits(&program.symbols, name, found, &sizes))
}

fn mask_fits(
    symbols: &Symbols,
    name: &str,
    found: &[usize],
    sizes: &Sizes,
) -> Result<(), InputError> {
    let relation = symbols.relations.iter().find(|relation| relation.name == name);
    let extents = relation.map(|relation| relation.extents.as_slice()).unwrap_or_default();
    let wanted: Option<Vec<i128>> = extents.iter().map(|e| extent(e, sizes)).collect();
    match wanted {
        Some(wanted) if !wanted.iter().copied().eq(found.iter().map(|&n| n as i128)) => {
            Err(InputError::MaskShape { name: name.to_owned(), found: found.to_vec(), wanted })
        }
        _ => Ok(()),
    }
}
