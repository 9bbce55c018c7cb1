//! Jacobians, Hessians, and their products with a direction.
//!
//! All of them are [`push`] and [`pull`] with something in the place of the seed:
//! units, the number 1, or what another derivative gave.

use crate::AdError;
use crate::forward::push;
use crate::program::{inputs, name_added, real_results};
use crate::reverse::pull;
use crate::seed::{Place, given, one, units};
use iverson_spec::ir::{Extent, Param, TensorId};
use iverson_spec::ssa::TensorSsa;
use rustc_hash::FxHashMap;

/// How a block of a Jacobian is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// By tangents: as many seeds as the input has entries.
    Forward,
    /// By cotangents: as many seeds as the result has entries.
    Reverse,
}

/// The mode with fewer seeds where the shapes alone decide it, and forward elsewhere.
///
/// Extents that both shapes have are left out. Then `Reverse` has fewer seeds, or as
/// many, for all sizes but 0 if the extents left of the result are constants whose
/// product is at most that of the constants among those of the input. (Where a size
/// is 0 the matrix has no entries.) So a scalar result is differentiated backward in
/// a tensor, and `real[n]` in `real[m]` forward.
#[must_use]
pub fn mode(result: &[Extent], input: &[Extent]) -> Mode {
    let mut input = input.to_vec();
    let mut own = Vec::new();
    for extent in result {
        match input.iter().position(|other| other == extent) {
            Some(place) => drop(input.swap_remove(place)),
            None => own.push(extent.clone()),
        }
    }
    let is_constant = own.iter().all(|extent| extent.as_constant().is_some());
    let fewer = !input.is_empty() && constants(&own) <= constants(&input);
    if is_constant && fewer { Mode::Reverse } else { Mode::Forward }
}

/// The product of the constant extents.
fn constants(shape: &[Extent]) -> i64 {
    shape.iter().filter_map(Extent::as_constant).fold(1, i64::saturating_mul)
}

/// `∂y/∂x`: the program with a result `dy_dx` for each real result `y` and each
/// input `x` named, after the others, in the order of the results and then of `wrt`.
///
/// * **Shapes**: `dy_dx` has the axes of `y`, then those of `x`.
/// * **Cost**: that of [`jvp`](crate::jvp) for each entry of the input, or that of
///   [`vjp`](crate::vjp) for each entry of the result: the [`mode`] is chosen for each pair.
///   The seeds are indicators `[i = k]`: solved, they leave the entries that are not
///   zero by structure.
///
/// # Errors
/// [`AdError`], if a name is no real parameter or a function has no derivative.
pub fn jacobian(program: &TensorSsa, wrt: &[&str]) -> Result<TensorSsa, AdError> {
    let wrt = inputs(program, wrt)?;
    let results = real_results(program);
    let shape = |t: TensorId| program.symbols.tensor(t).shape.as_slice();
    let is = |wanted, y, x| mode(shape(y), shape(x)) == wanted;
    let mut whole = program.clone();
    let mut blocks: FxHashMap<(TensorId, TensorId), TensorId> = FxHashMap::default();
    for &y in &results {
        let own: Vec<TensorId> = wrt.iter().copied().filter(|x| is(Mode::Reverse, y, *x)).collect();
        if !own.is_empty() {
            let linear = pull(&whole, &own, &[y])?;
            blocks.extend(own.iter().zip(&linear.images).map(|(x, image)| ((y, *x), *image)));
            whole = units(linear, Place::First);
        }
    }
    for &x in &wrt {
        let own: Vec<TensorId> =
            results.iter().copied().filter(|y| is(Mode::Forward, *y, x)).collect();
        if !own.is_empty() {
            let linear = push(&whole, &[x], &own)?;
            blocks.extend(own.iter().zip(&linear.images).map(|(y, image)| ((*y, x), *image)));
            whole = units(linear, Place::Last);
        }
    }
    for y in results {
        for x in &wrt {
            let names = [y, *x].map(|t| program.symbols.tensor(t).name.as_str());
            add_result(&mut whole, blocks[&(y, *x)], format!("d{}_d{}", names[0], names[1]));
        }
    }
    Ok(finished(whole, program, "jacobian"))
}

/// `∂²q/∂x∂x'`, where `q` is the first real result, a scalar: the program with a result
/// `d2q_dx_dz` for each pair of inputs `x`, `z` named, after the others, in the order
/// of `wrt` for `x` and then for `z`.
///
/// * **Shapes**: `d2q_dx_dz` has the axes of `x`, then those of `z`.
/// * **Cost**: that of the gradient, and that of its [`jvp`](crate::jvp) for each entry of
///   `z`. The seeds are indicators, as in [`jacobian`].
///
/// # Errors
/// [`AdError`], if there is no scalar result, a name is no real parameter, or a
/// function has no derivative.
pub fn hessian(program: &TensorSsa, wrt: &[&str]) -> Result<TensorSsa, AdError> {
    let wrt = inputs(program, wrt)?;
    let scalar = scalar_result(program)?;
    let (mut whole, gradient) = one(pull(program, &wrt, &[scalar])?);
    let mut columns = Vec::with_capacity(wrt.len());
    for z in &wrt {
        let linear = push(&whole, &[*z], &gradient)?;
        columns.push(linear.images.clone());
        whole = units(linear, Place::Last);
    }
    let name = |t: TensorId| program.symbols.tensor(t).name.as_str();
    for (row, x) in wrt.iter().enumerate() {
        for (z, column) in wrt.iter().zip(&columns) {
            let name = format!("d2{}_d{}_d{}", name(scalar), name(*x), name(*z));
            add_result(&mut whole, column[row], name);
        }
    }
    Ok(finished(whole, program, "hessian"))
}

/// `H·ẋ`, where `H` is the Hessian of the first real result, a scalar: the program with
/// a parameter `x_dot` for each input `x` named, and a result `x_hvp` for each, after
/// the others.
///
/// * **Shapes**: both have that of `x`.
/// * **Cost**: that of the [`jvp`](crate::jvp) of the gradient: a constant times the program's,
///   whatever the number of entries.
///
/// # Errors
/// As for [`hessian`].
pub fn hvp(program: &TensorSsa, wrt: &[&str]) -> Result<TensorSsa, AdError> {
    let wrt = inputs(program, wrt)?;
    let scalar = scalar_result(program)?;
    let (whole, gradient) = one(pull(program, &wrt, &[scalar])?);
    let linear = push(&whole, &wrt, &gradient)?;
    let mut whole = linear.program;
    whole.params.extend(linear.seeds.into_iter().map(Param::Tensor));
    add_products(&mut whole, program, &wrt, &linear.images, "_hvp");
    Ok(finished(whole, program, "hvp"))
}

/// `Jᵀ·J·ẋ`, the Gauss-Newton product, where `J` is the Jacobian of all real results:
/// the program with a parameter `x_dot` for each input `x` named, and a result
/// `x_jtjv` for each, after the others.
///
/// * **Shapes**: both have that of `x`.
/// * **Cost**: that of [`jvp`](crate::jvp) and [`vjp`](crate::vjp) together. `J` is not formed.
///
/// # Errors
/// [`AdError`], if a name is no real parameter or a function has no derivative.
pub fn jtjv(program: &TensorSsa, wrt: &[&str]) -> Result<TensorSsa, AdError> {
    let wrt = inputs(program, wrt)?;
    let results = real_results(program);
    let forward = push(program, &wrt, &results)?;
    let (mut whole, products) = given(pull(&forward.program, &wrt, &results)?, &forward.images);
    whole.params.extend(forward.seeds.into_iter().map(Param::Tensor));
    add_products(&mut whole, program, &wrt, &products, "_jtjv");
    Ok(finished(whole, program, "jtjv"))
}

/// The first real result, which must have rank 0.
fn scalar_result(program: &TensorSsa) -> Result<TensorId, AdError> {
    let first = real_results(program).first().copied().ok_or(AdError::NoRealResult)?;
    let tensor = program.symbols.tensor(first);
    if tensor.shape.is_empty() {
        return Ok(first);
    }
    Err(AdError::NotScalar { name: tensor.name.clone(), rank: tensor.shape.len() })
}

fn add_products(
    whole: &mut TensorSsa,
    program: &TensorSsa,
    wrt: &[TensorId],
    images: &[TensorId],
    suffix: &str,
) {
    for (x, image) in wrt.iter().zip(images) {
        add_result(whole, *image, format!("{}{suffix}", program.symbols.tensor(*x).name));
    }
}

fn add_result(whole: &mut TensorSsa, tensor: TensorId, name: String) {
    whole.symbols.tensors[tensor.index()].name = name;
    whole.results.push(tensor);
}

fn finished(mut whole: TensorSsa, program: &TensorSsa, what: &str) -> TensorSsa {
    whole.name = format!("{}_{what}", program.name);
    name_added(&mut whole, program);
    whole
}
