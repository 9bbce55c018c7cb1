//! The families, each beside its text in `families/NAME.iv`.

mod concatenation;
mod contractions;
mod convolution;
mod embedding;
mod gather;
mod histogram;
mod horner;
mod image_energy;
mod normal_form;
mod pairs;
mod permuted_state;
mod prefix_sums;
mod products;
mod quadratic_form;
mod rows;
mod scalar_reads;
mod selection;
mod slice_update;
mod sources;
mod sparse;
mod split;
mod state_array;
mod stencil;
mod trace;
mod windows;

use crate::Family;

/// All families, in the order of the table.
pub const FAMILIES: &[Family] = &[
    scalar_reads::FAMILY,
    horner::FAMILY,
    trace::FAMILY,
    windows::FAMILY,
    prefix_sums::FAMILY,
    rows::FAMILY,
    embedding::FAMILY,
    gather::FAMILY,
    state_array::FAMILY,
    slice_update::FAMILY,
    permuted_state::FAMILY,
    histogram::FAMILY,
    quadratic_form::FAMILY,
    normal_form::FAMILY,
    stencil::FAMILY,
    convolution::FAMILY,
    sparse::FAMILY,
    pairs::FAMILY,
    image_energy::FAMILY,
    split::FAMILY,
    products::FAMILY,
    selection::FAMILY,
    concatenation::FAMILY,
    contractions::FAMILY,
];
