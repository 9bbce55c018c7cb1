//! The extracted code as a process: built with `make`, asked all at once.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the extracted code says of one program. Numbers stay text: both sides print
/// rationals in lowest terms.
#[derive(Default, Debug)]
pub(crate) struct Answer {
    /// By tensor: the entries, of reals and of indices.
    pub(crate) values: HashMap<u32, Vec<String>>,
    pub(crate) indices: HashMap<u32, Vec<String>>,
    /// By tensor: points, tests, accesses.
    pub(crate) work: HashMap<u32, [u64; 3]>,
    /// By tensor: what its terms contribute, in order, those without a step left out.
    pub(crate) terms: HashMap<u32, Vec<Piece>>,
    /// By tensor: its cotangent.
    pub(crate) cotangents: HashMap<u32, Vec<String>>,
    /// By tensor: what is sent back to it, with the statement it comes from.
    pub(crate) picks: HashMap<u32, Vec<(u32, Piece)>>,
    /// What went wrong, if anything.
    pub(crate) failed: Option<String>,
}

/// What one term contributes to the entries of a tensor, and the points it visits.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    pub(crate) points: u64,
    pub(crate) entries: Vec<String>,
}

impl Answer {
    /// The entries of a tensor, real or index.
    pub(crate) fn entries(&self, tensor: u32) -> &[String] {
        let found = self.indices.get(&tensor).or_else(|| self.values.get(&tensor));
        found.map_or(&[], Vec::as_slice)
    }
}

/// The program made of the extracted code; says in one line why there is none.
pub(crate) fn build() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec/proofs");
    let tools = Command::new("sh").arg("tools.sh").current_dir(&folder).output();
    let missing = match &tools {
        Ok(tools) if tools.status.success() => None,
        Ok(tools) => Some(String::from_utf8_lossy(&tools.stdout).into_owned()),
        Err(error) => Some(format!("no shell here: {error}\n")),
    };
    if let Some(missing) = missing {
        // written directly, so that the test harness does not hide it
        let line = format!("skipped: {missing}");
        std::io::stderr().write_all(line.as_bytes()).expect("standard error is open");
        return None;
    }
    let made = Command::new("make").arg("-C").arg(&folder).arg("differential").output();
    let made = made.expect("make is there, as `tools.sh` says");
    assert!(made.status.success(), "make failed:\n{}", String::from_utf8_lossy(&made.stderr));
    Some(folder.join("ocaml/differential"))
}

/// The answers to the programs, one process for all.
pub(crate) fn ask(program: &Path, questions: &[String]) -> Vec<Answer> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("programs");
    fs::write(&path, questions.join("\n") + "\n").expect("the temporary folder is writable");
    let input = File::open(&path).expect("the file was just written");
    let output = Command::new(program).stdin(input).output().expect("the extracted code runs");
    let text = String::from_utf8(output.stdout).expect("the extracted code prints ASCII");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the extracted code stopped: {errors}");
    let mut answers = vec![];
    let mut answer = Answer::default();
    for line in text.lines() {
        if line == "end" {
            answers.push(std::mem::take(&mut answer));
        } else {
            read(line, &mut answer);
        }
    }
    assert_eq!(answers.len(), questions.len(), "the extracted code stopped: {errors}");
    answers
}

fn read(line: &str, answer: &mut Answer) {
    let (what, rest) = line.split_once(' ').expect("a line has a word and a number");
    if what == "failed" {
        answer.failed = Some(rest.to_owned());
        return;
    }
    let words: Vec<&str> = rest.split(' ').collect();
    let number = |at: usize| words[at].parse::<u64>().expect("a number");
    let tensor = number(0) as u32;
    let entries = |from: usize| words[from..].iter().map(|w| (*w).to_owned()).collect();
    let piece = |at: usize| Piece { points: number(at), entries: entries(at + 1) };
    match what {
        "value" => drop(answer.values.insert(tensor, entries(1))),
        "index" => drop(answer.indices.insert(tensor, entries(1))),
        "work" => drop(answer.work.insert(tensor, [number(1), number(2), number(3)])),
        "term" => answer.terms.entry(tensor).or_default().push(piece(2)),
        "cotangent" => drop(answer.cotangents.insert(tensor, entries(1))),
        "pick" => {
            answer.picks.entry(tensor).or_default().push((number(1) as u32, piece(2)));
        }
        _ => panic!("the extracted code prints `{line}`"),
    }
}
