//! The command line of the bench.

use crate::samples::Effort;
use std::path::PathBuf;
use std::time::Duration;

/// Shown with a mistake.
pub(crate) const USAGE: &str = "\
usage: cargo bench --bench slowdown -- [NAME] [--quick] [--seed N] [--output DIR]
  NAME          families and functions with this in their name; all if not given
  --quick       small sizes, under a minute
  --seed N      of the inputs (1)
  --output DIR  for data.jsonl, summary.md and index.html (target/slowdown)";

/// What is to be measured, and where it goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Arguments {
    pub(crate) name: Option<String>,
    pub(crate) quick: bool,
    pub(crate) seed: u64,
    pub(crate) output: PathBuf,
    /// As they were given.
    pub(crate) given: String,
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().map_or_else(|| own.clone(), PathBuf::from)
}

impl Arguments {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root().join("target"), PathBuf::from);
        let output = target.join("slowdown");
        let mut read = Self { name: None, quick: false, seed: 1, output, given: String::new() };
        let mut given = Vec::new();
        while let Some(word) = words.next() {
            match word.as_str() {
                // what cargo itself adds
                "--bench" => continue,
                "--quick" => read.quick = true,
                // recorded by itself
                "--seed" => {
                    let seed = words.next().and_then(|seed| seed.parse().ok());
                    read.seed = seed.ok_or("`--seed` wants a natural number")?;
                    continue;
                }
                // of no matter to what is measured
                "--output" => {
                    read.output = words.next().ok_or("`--output` wants a folder")?.into();
                    continue;
                }
                flag if flag.starts_with('-') => return Err(format!("there is no flag `{flag}`")),
                _ if read.name.is_some() => return Err(format!("`{word}` is a second name")),
                _ => read.name = Some(word.clone()),
            }
            given.push(word);
        }
        read.given = given.join(" ");
        Ok(read)
    }

    pub(crate) fn chooses(&self, family: &str, function: &str) -> bool {
        let has =
            |name: &String| family.contains(name.as_str()) || function.contains(name.as_str());
        self.name.as_ref().is_none_or(has)
    }

    pub(crate) fn effort(&self) -> Effort {
        let effort = |longest, longest_dense, each, most_points, least_samples| Effort {
            longest: Duration::from_millis(longest),
            longest_dense: Duration::from_millis(longest_dense),
            each: Duration::from_millis(each),
            most_points,
            least_samples,
            bytes: 1 << 30,
            seed: self.seed,
        };
        if self.quick { effort(8, 8, 6, 6, 3) } else { effort(250, 6000, 30, 13, 3) }
    }
}
