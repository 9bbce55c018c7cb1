//! `iverson work --wrt`: gradients by each strategy beside their program.

use super::{formula_json, sizes_json, sizes_line};
use crate::args::{Format, WorkArgs};
use crate::derivative::{names, refused};
use crate::failure::Failure;
use crate::files;
use iverson::interpreter::Model;
use iverson::spec::call::Values;
use iverson::spec::ir::Typed;
use iverson::work::{GradientWork, Growing, Growth, StrategyWork, WorkError, gradient_work};
use serde_json::{Value, json};

/// Counts the work of gradients and writes the counts.
pub(super) fn work(args: &WorkArgs, program: &Typed, values: &Values<f64>) -> Result<(), Failure> {
    let wrt = names(&args.wrt);
    let (strategies, limits) = (args.strategy.list(), args.inputs.limits());
    let work = gradient_work(program, &wrt, strategies, values, args.seed, limits);
    let work = work.map_err(|error| match &error {
        WorkError::Derivative(derivative) => refused(program, derivative),
        WorkError::Inputs(_)
        | WorkError::Eval(_)
        | WorkError::Seed(_)
        | WorkError::Strategy { .. } => Failure::new(&error),
    })?;
    files::write_stdout(&match args.format {
        Format::Text => text(&work),
        Format::Json => format!("{:#}\n", as_json(&program.name, &wrt, &work)),
    })
}

/// The table of counts, then the formulas.
fn text(work: &GradientWork) -> String {
    let head = ["strategy", "model", "program", "with gradient", "ratio"].map(str::to_owned);
    let mut rows = vec![head];
    rows.extend(work.rows.iter().map(|row| {
        let ratio = row.ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        let counts = [&row.primal, &row.gradient].map(|growing| growing.work.to_string());
        let [primal, gradient] = counts;
        [row.strategy.name().to_owned(), model(row).to_owned(), primal, gradient, ratio]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut out = sizes_line(&work.sizes) + "\n";
    for [strategy, model, counts @ ..] in &rows {
        out += &format!("  {strategy:<0$}  {model:<1$}", widths[0], widths[1]);
        for (count, width) in counts.iter().zip(&widths[2..]) {
            out += &format!("  {count:>width$}");
        }
        out += "\n";
    }
    out += "\nwork = points + tests + accesses, and entries filled, added and copied\n";
    for row in &work.rows {
        let (strategy, model) = (row.strategy.name(), model(row));
        let Growing { growth, .. } = &row.primal;
        out += &format!(
            "  {strategy:<0$}  {model:<1$}  program        {growth}\n",
            widths[0], widths[1]
        );
        let Growing { growth, .. } = &row.gradient;
        out += &format!("  {0:<1$}  {0:<2$}  with gradient  {growth}\n", "", widths[0], widths[1]);
    }
    out
}

/// What a row counts by.
fn model(row: &StrategyWork) -> &'static str {
    match row.model {
        None => "executed",
        Some(Model::Sparse) => "sparse",
        Some(Model::Dense) => "dense",
    }
}

fn as_json(function: &str, wrt: &[&str], work: &GradientWork) -> Value {
    let row = |row: &StrategyWork| {
        json!({
            "strategy": row.strategy.name(),
            "model": model(row),
            "program": growing_json(&row.primal),
            "with_gradient": growing_json(&row.gradient),
            "ratio": row.ratio(),
        })
    };
    json!({
        "function": function,
        "wrt": wrt,
        "sizes": sizes_json(&work.sizes),
        "strategies": work.rows.iter().map(row).collect::<Vec<_>>(),
    })
}

fn growing_json(growing: &Growing) -> Value {
    json!({
        "work": growing.work,
        "formula": formula_json(&growing.growth),
        "depends_on_data": growing.growth == Growth::Data,
    })
}
