//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use iverson::strategies::Strategy;
use std::num::NonZero;
use std::path::PathBuf;

/// A tensor language with Iverson brackets: check, print, run, count and differentiate programs.
#[derive(Parser, Debug)]
#[command(name = "iverson", version, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Check a program: sorts, shapes, and every access for all sizes
    #[command(
        after_help = "Example:\n  iverson check blur.iv\n  iverson check blur.iv --format json"
    )]
    Check(CheckArgs),
    /// Print a program at a stage, as text that is again a program
    #[command(after_help = PRINT_HELP)]
    Print(PrintArgs),
    /// Evaluate a function on given inputs
    #[command(after_help = RUN_HELP)]
    Run(RunArgs),
    /// Count the work of a function exactly, at given sizes and as formulas in the sizes
    #[command(after_help = WORK_HELP)]
    Work(WorkArgs),
    /// Write a function, or its derivative, as C to compile into another program
    #[command(after_help = EMIT_HELP)]
    Emit(EmitArgs),
    /// Render what `cargo bench` measured as a page and as tables
    #[command(after_help = "Example:\n  iverson report target/slowdown/data.jsonl --output report")]
    Report(ReportArgs),
    /// Evaluate a function and its gradient
    #[command(after_help = GRAD_HELP)]
    Grad(GradArgs),
    /// Evaluate a function and its derivative along tangents of inputs
    #[command(after_help = JVP_HELP)]
    Jvp(TangentArgs),
    /// Evaluate the Jacobian of the real results
    #[command(after_help = JACOBIAN_HELP)]
    Jacobian(MatrixArgs),
    /// Evaluate the Hessian of the first real result
    #[command(after_help = HESSIAN_HELP)]
    Hessian(MatrixArgs),
    /// Evaluate the product of the Hessian with a direction
    #[command(after_help = HVP_HELP)]
    Hvp(TangentArgs),
    /// Evaluate the Gauss-Newton product JᵀJ of a direction
    #[command(after_help = JTJV_HELP)]
    Jtjv(TangentArgs),
}

const PRINT_HELP: &str = "\
Example:
  iverson print blur.iv --stage ssa
  iverson print blur.iv --stage vjp --wrt x
  iverson print blur.iv --stage simplified --wrt x --trace
  iverson print blur.iv --stage loops --wrt x";

const RUN_HELP: &str = "\
Inputs are a JSON object or an NPZ archive with one value for each name:
  {\"n\": 3, \"x\": [1, 2.5, \"1/3\"], \"row\": [0, 2],
   \"R\": {\"coords\": [[0, 1], [2, 0]]}, \"E\": {\"shape\": [0, 3], \"data\": []}}
Sizes may be left out where a shape tells them.

Example:
  iverson run dot.iv --inputs dot.json
  echo '{\"x\": [1, 2], \"y\": [3, 4]}' | iverson run dot.iv --inputs - --scalar rational
  iverson run dot.iv --size n=5 --random 1 --output dot.out.json
  iverson run nbody.iv --size n=1000 --random 1 --engine block --time --output out.json";

const GRAD_HELP: &str = "\
Gives {\"value\": {..}, \"gradient\": {\"x\": .., \"A\": ..}}: for the cotangents of the results,
the gradient in each input named. If the first result is a single real, its
cotangent is 1 unless some are given; those left out are 0. Index results take none.
Gradients are nested lists; with `--structured`, those with entries that are zero by
structure are given by the others alone, as by `iverson jacobian`.

Example:
  iverson grad dot.iv --wrt x,y --inputs dot.json
  iverson grad blur.iv --fn blur --wrt x --inputs blur.json --cotangent ones.json --output out.json
  iverson grad dot.iv --wrt x,y --inputs dot.json --strategy scatter";

const JVP_HELP: &str = "\
Gives {\"value\": {..}, \"tangent\": {\"y\": ..}}: the tangent of each real result along the
tangents of the inputs named. A tangent left out is 0.

Example:
  iverson jvp dot.iv --wrt x,y --inputs dot.json --tangent direction.json";

const JACOBIAN_HELP: &str = "\
Gives {\"jacobian\": {\"y\": {\"x\": ..}}}: a block for each real result and each input named,
with the axes of the result, then those of the input. Where entries are zero by
structure only the others are given:
  {\"form\": \"band\", \"shape\": [4, 4], \"coords\": [[0, 0], ..], \"values\": [..]}
The form is diagonal, band, row-sparse, block or coordinates.

Example:
  iverson jacobian blur.iv --fn blur --wrt x --inputs blur.json
  iverson jacobian blur.iv --fn blur --wrt x --inputs blur.json --dense";

const HESSIAN_HELP: &str = "\
Gives {\"hessian\": {\"x\": {\"x\": ..}}}: the second derivatives of the first real result,
a single real, with the axes of the first input, then those of the second. Where
entries are zero by structure only the others are given, as by `iverson jacobian`.

Example:
  iverson hessian quadratic_form.iv --wrt x --inputs quadratic_form.json";

const HVP_HELP: &str = "\
Gives {\"hvp\": {\"x\": ..}}: the Hessian of the first real result, a single real, times
the tangents given, at a cost that does not grow with the number of entries.

Example:
  iverson hvp quadratic_form.iv --wrt x --inputs quadratic_form.json --tangent direction.json";

const JTJV_HELP: &str = "\
Gives {\"jtjv\": {\"x\": ..}}: Jᵀ·J times the tangents given, where J is the Jacobian of
all real results. J is not formed.

Example:
  iverson jtjv residual.iv --wrt x --inputs residual.json --tangent direction.json";

const WORK_HELP: &str = "\
Two models are counted: dense (every point of every box is visited) and sparse
(only the points that guards leave). Missing inputs are filled in at random.
With `--wrt`, the work of the program and that of values and gradients together
are counted for each strategy, with their ratio.

Example:
  iverson work spmv.iv --size n=64 --size m=32 --size nnz=100
  iverson work spmv.iv --size n=64 --format json
  iverson work spmv.iv --wrt x,a --strategy all --size n=8 --size m=8 --size nnz=16";

const EMIT_HELP: &str = "\
Writes NAME.c and NAME.h, which need a C11 compiler and its library alone. With --wrt the function
is the derivative: it takes the cotangents of the results as well, and gives the
gradients beside the results. The header says what the arguments are: sizes and inputs as declared,
then results under their names, in the order in which they are computed.

Example:
  iverson emit c dot.iv
  iverson emit c blur.iv --fn blur --wrt x --output generated
  cc -O3 -ffp-contract=off -c generated/blur_vjp.c";

#[derive(Args, Debug)]
pub(crate) struct Source {
    /// The program (`.iv`)
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Chosen {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The function; the last one of the file if not given
    #[arg(long = "fn", value_name = "NAME")]
    pub(crate) function: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// How diagnostics are written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Args, Debug)]
pub(crate) struct PrintArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// One function alone; all of the file if not given
    #[arg(long = "fn", value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) stage: Stage,
    /// The real parameters to differentiate in, as in `x,A`
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) wrt: Vec<String>,
    /// Say which law fired where, as comments before the program
    #[arg(long)]
    pub(crate) trace: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Inputs {
    /// The inputs: a JSON or NPZ file, or `-` for JSON on standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) inputs: Option<PathBuf>,
    /// A size, as in `n=64`; may be repeated
    #[arg(long = "size", value_name = "NAME=N", value_parser = size)]
    pub(crate) sizes: Vec<(String, u64)>,
    /// Take NaN and infinities from the inputs
    #[arg(long)]
    pub(crate) allow_nan: bool,
    /// The most memory that all tensors together may take, as in `512MiB`
    #[arg(long, value_name = "BYTES", default_value = "4GiB", value_parser = bytes)]
    pub(crate) memory_limit: u64,
}

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// Fill missing inputs at random; the same seed gives the same values
    #[arg(long, value_name = "SEED", value_parser = seed)]
    pub(crate) random: Option<u64>,
    /// What the reals are
    #[arg(long, value_enum, default_value_t)]
    pub(crate) scalar: ScalarKind,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Where to write the results as JSON; standard output if not given
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

fn threads(text: &str) -> Result<NonZero<usize>, String> {
    text.parse().map_err(|_| "wanted: a number from 1 on".to_owned())
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "wanted: a natural number of 64 bits, such as 1".to_owned())
}

/// Who evaluates.
#[derive(Args, Debug)]
pub(crate) struct EngineArgs {
    /// Who evaluates; engines compute in f64
    #[arg(long, value_enum, default_value_t)]
    pub(crate) engine: EngineName,
    /// The most threads an engine uses; as many as the machine has if not given
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<NonZero<usize>>,
    /// Say on standard error how long it took
    #[arg(long)]
    pub(crate) time: bool,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum EngineName {
    /// The reference, point by point
    #[default]
    Interpreter,
    /// Loops through vector kernels, in several threads
    Block,
    /// C, compiled by the system's compiler
    Native,
    /// The fastest engine there is
    Auto,
}

/// What every derivative is given.
#[derive(Args, Debug)]
pub(crate) struct DerivativeArgs {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// The real parameters to differentiate in, as in `x,A`
    #[arg(long, value_name = "NAMES", required = true, value_delimiter = ',')]
    pub(crate) wrt: Vec<String>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// Fill missing inputs at random; the same seed gives the same values
    #[arg(long, value_name = "SEED", value_parser = seed)]
    pub(crate) random: Option<u64>,
    /// What the reals are
    #[arg(long, value_enum, default_value_t)]
    pub(crate) scalar: ScalarKind,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Where to write the results as JSON; standard output if not given
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct GradArgs {
    #[command(flatten)]
    pub(crate) derivative: DerivativeArgs,
    /// The cotangents of the results by name: a JSON or NPZ file, or `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) cotangent: Option<PathBuf>,
    /// Only the entries that are not zero by structure, as `iverson jacobian` gives them
    #[arg(long)]
    pub(crate) structured: bool,
    /// Nested lists: the default
    #[arg(long, conflicts_with = "structured")]
    pub(crate) dense: bool,
    /// How the gradient is built
    #[arg(long, value_enum, default_value_t = StrategyName::Indicator)]
    pub(crate) strategy: StrategyName,
}

#[derive(Args, Debug)]
pub(crate) struct MatrixArgs {
    #[command(flatten)]
    pub(crate) derivative: DerivativeArgs,
    /// Nested lists even where entries are zero by structure
    #[arg(long)]
    pub(crate) dense: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TangentArgs {
    #[command(flatten)]
    pub(crate) derivative: DerivativeArgs,
    /// The tangents of the inputs by name: a JSON or NPZ file, or `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) tangent: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct WorkArgs {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// Count the gradients in these real parameters, as in `x,A`
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) wrt: Vec<String>,
    /// How gradients are built
    #[arg(long, value_enum, default_value_t = Strategies::All, requires = "wrt")]
    pub(crate) strategy: Strategies,
    /// The seed for missing inputs
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// How the counts are written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Args, Debug)]
pub(crate) struct EmitArgs {
    /// The language
    #[arg(value_enum)]
    pub(crate) language: Language,
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// Write the derivative in these real parameters, as in `x,A`
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) wrt: Vec<String>,
    /// What the reals are
    #[arg(long, value_enum, default_value_t)]
    pub(crate) precision: Precision,
    /// The folder for the two files
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) output: PathBuf,
}

/// What `emit` writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Language {
    /// C11
    C,
}

/// The reals of emitted programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(crate) enum Precision {
    /// `double`
    #[default]
    F64,
    /// `float`
    F32,
}

#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// The records of a run, a JSON object a line
    pub(crate) data: PathBuf,
    /// The folder for `index.html` and `summary.md`
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StrategyName {
    /// A tape of whole tensors: the naive way
    Dense,
    /// Cotangents accumulated in place
    Scatter,
    /// Guarded sums, simplified: the method
    Indicator,
}

impl From<StrategyName> for Strategy {
    fn from(name: StrategyName) -> Self {
        match name {
            StrategyName::Dense => Self::Dense,
            StrategyName::Scatter => Self::Scatter,
            StrategyName::Indicator => Self::Indicator,
        }
    }
}

/// Which strategies are counted.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Strategies {
    /// All three
    All,
    /// A tape of whole tensors: the naive way
    Dense,
    /// Cotangents accumulated in place
    Scatter,
    /// Guarded sums, simplified: the method
    Indicator,
}

impl Strategies {
    /// The strategies named.
    pub(crate) fn list(self) -> &'static [Strategy] {
        match self {
            Self::All => &Strategy::ALL,
            Self::Dense => &[Strategy::Dense],
            Self::Scatter => &[Strategy::Scatter],
            Self::Indicator => &[Strategy::Indicator],
        }
    }
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Stage {
    /// The text, formatted
    #[default]
    Ast,
    /// Names resolved and calls inlined
    Typed,
    /// Tensor SSA in normal form
    Ssa,
    /// The tangents of the results along tangents of `--wrt`
    Jvp,
    /// The gradients in `--wrt`
    Vjp,
    /// Tensor SSA, simplified: of the gradients in `--wrt`, or of the program itself
    Simplified,
    /// The loops that engines run, of what `simplified` prints; the library reads them back (`LoopProgram::parse`)
    Loops,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum ScalarKind {
    /// IEEE double precision
    #[default]
    F64,
    /// Exact fractions
    Rational,
    /// Intervals that enclose the exact result
    Interval,
}

/// `n=64`
fn size(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text.split_once('=').ok_or("wanted a name and a number, as in `n=64`")?;
    let wanted = |_| format!("`{value}` is not a natural number of 64 bits");
    Ok((name.trim().to_owned(), value.trim().parse().map_err(wanted)?))
}

/// `512MiB`, `2GB`, `1000`
fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 10] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("kB", 1_000),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("B", 1),
    ];
    let unit = UNITS.iter().find_map(|(unit, n)| Some((text.strip_suffix(unit)?, *n)));
    let (number, unit) = unit.unwrap_or((text, 1));
    let number: Option<u64> = number.trim().parse().ok();
    let bytes = number.and_then(|n| n.checked_mul(unit));
    bytes.ok_or_else(|| "wanted a number of bytes, as in `512MiB`, `2GiB` or `1000`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn bytes_have_units() {
        assert_eq!(bytes("2GiB"), Ok(2 << 30));
        assert_eq!(bytes("10 MB"), Ok(10_000_000));
        assert_eq!(bytes("17"), Ok(17));
        assert!(bytes("2 parsecs").is_err());
        assert!(bytes("99999999TiB").is_err());
    }
}
