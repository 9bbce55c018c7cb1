//! `iverson report`

use crate::args::ReportArgs;
use crate::failure::Failure;
use crate::files;
use iverson::reports::{Summary, page, read, table};
use std::fs;

/// Renders the records of a run: `index.html` and `summary.md`, and the summary on
/// standard output.
pub(crate) fn report(args: &ReportArgs) -> Result<(), Failure> {
    let records = read(&files::read_text(&args.data)?);
    let records = records.map_err(|e| Failure::new(format!("`{}`: {e}", args.data.display())))?;
    let summary = Summary::new(&records);
    let unwritable = |e| Failure::new(format!("cannot make `{}`: {e}", args.output.display()));
    fs::create_dir_all(&args.output).map_err(unwritable)?;
    files::write_file(&args.output.join("index.html"), &page::page(&summary))?;
    files::write_file(&args.output.join("summary.md"), &table::markdown(&summary))?;
    files::write_stdout(&table::text(&summary))
}
