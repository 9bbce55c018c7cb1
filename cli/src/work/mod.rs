//! `iverson work`

mod gradient;

use crate::args::{Format, WorkArgs};
use crate::failure::Failure;
use crate::files;
use iverson::interpreter::{Count, Model};
use iverson::work::{self, Growth, Growths, Sizes, Work};
use serde_json::{Value, json};

/// Counts the work of a function and writes the counts.
pub(crate) fn work(args: &WorkArgs) -> Result<(), Failure> {
    let program = files::load_function(&args.chosen)?;
    let values = args.inputs.read(&program)?;
    if !args.wrt.is_empty() {
        return gradient::work(args, &program, &values);
    }
    let work = work::work(&program, &values, args.seed, args.inputs.limits());
    let work = work.map_err(Failure::new)?;
    files::write_stdout(&match args.format {
        Format::Text => text(&work),
        Format::Json => format!("{:#}\n", as_json(&program.name, &work)),
    })
}

/// A table, then the formulas.
fn text(work: &Work) -> String {
    let mut out = sizes_line(&work.sizes);
    for (model, name) in MODELS {
        out += &format!("\n{name}\n{}", table(work, model));
    }
    out + "\nwork = points + tests + accesses\n" + &formulas(work)
}

const MODELS: [(Model, &str); 2] = [
    (Model::Sparse, "sparse: points that guards leave are visited"),
    (Model::Dense, "dense: every point of the box is visited"),
];

const COLUMNS: [&str; 8] =
    ["statement", "work", "points", "tests", "accesses", "index reads", "flops", "bytes"];

fn table(work: &Work, model: Model) -> String {
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    let statements = work.names.iter().zip(&work.report.statements);
    rows.extend(statements.map(|(name, statement)| row(name, statement.count(model))));
    rows.push(row("total", work.report.total(model)));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..COLUMNS.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for [name, counts @ ..] in &rows {
        out += &format!("  {name:<width$}", width = widths[0]);
        for (count, width) in counts.iter().zip(&widths[1..]) {
            out += &format!("  {count:>width$}");
        }
        out += "\n";
    }
    out
}

fn row(name: &str, count: Count) -> [String; 8] {
    let counts = [
        count.work(),
        count.points,
        count.tests,
        count.accesses,
        count.index_reads,
        count.flops.total(),
        count.bytes,
    ];
    let [a, b, c, d, e, f, g] = counts.map(|n| n.to_string());
    [name.to_owned(), a, b, c, d, e, f, g]
}

/// The formulas of each statement and of the total.
fn formulas(work: &Work) -> String {
    let statements = work.names.iter().map(String::as_str);
    let rows: Vec<(&str, &Growths)> =
        statements.zip(&work.statements).chain([("total", &work.total)]).collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, growths): &(&str, &Growths)| {
        let Growths { sparse, dense } = growths;
        format!("  {name:<width$}  sparse  {sparse}\n  {:width$}  dense   {dense}\n", "")
    };
    rows.iter().map(line).collect()
}

fn as_json(function: &str, work: &Work) -> Value {
    let rows = work.names.iter().zip(&work.report.statements).zip(&work.statements);
    let statements = rows.map(|((name, statement), growths)| {
        json!({
            "tensor": name,
            "sparse": model_json(statement.sparse, &growths.sparse),
            "dense": model_json(statement.dense, &growths.dense),
        })
    });
    json!({
        "function": function,
        "sizes": sizes_json(&work.sizes),
        "statements": statements.collect::<Vec<_>>(),
        "total": {
            "sparse": model_json(work.report.total(Model::Sparse), &work.total.sparse),
            "dense": model_json(work.report.total(Model::Dense), &work.total.dense),
        },
    })
}

fn model_json(count: Count, growth: &Growth) -> Value {
    let flops = count.flops;
    json!({
        "work": count.work(),
        "points": count.points,
        "tests": count.tests,
        "accesses": count.accesses,
        "index_reads": count.index_reads,
        "flops": {
            "add": flops.add,
            "mul": flops.mul,
            "div": flops.div,
            "power": flops.power,
            "function": flops.function,
        },
        "entries": count.entries,
        "bytes": count.bytes,
        "formula": formula_json(growth),
        "depends_on_data": *growth == Growth::Data,
    })
}

fn formula_json(growth: &Growth) -> Value {
    match growth {
        Growth::Formula(formula) => Value::from(formula.to_string()),
        Growth::Data | Growth::Unknown => Value::Null,
    }
}

/// The sizes by name.
fn sizes_json(sizes: &Sizes) -> Value {
    let sizes = sizes.iter().map(|(name, n)| (name.clone(), Value::from(*n)));
    Value::Object(sizes.collect())
}

/// The sizes as a line.
fn sizes_line(sizes: &Sizes) -> String {
    let sizes: Vec<String> = sizes.iter().map(|(name, n)| format!("{name} = {n}")).collect();
    format!("sizes: {}\n", if sizes.is_empty() { "none".to_owned() } else { sizes.join(", ") })
}
