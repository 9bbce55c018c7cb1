//! What ARCHITECTURE.md states and a machine can check.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(ROOT).join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The Rust files under a folder, build output left out.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(ROOT).join(folder)];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                open.push(path);
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The workspace crates that a manifest depends on outside tests.
fn dependencies(manifest: &str) -> Vec<String> {
    let text = read(manifest);
    let section = text.split("\n[dependencies]\n").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    let name = |line: &str| line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned();
    let mut names: Vec<String> =
        section.lines().map(name).filter(|name| name.starts_with("iverson")).collect();
    names.sort();
    names
}

/// The crates that the facade gathers.
const FACADE: [&str; 10] = [
    "iverson-ad",
    "iverson-affine",
    "iverson-executor",
    "iverson-interpreter",
    "iverson-pathological",
    "iverson-reports",
    "iverson-simplify",
    "iverson-spec",
    "iverson-strategies",
    "iverson-structured",
];

/// The folders that hold the sources of libraries and of the command.
const SOURCES: [&str; 12] = [
    "ad/src",
    "affine/src",
    "cli/src",
    "executor/src",
    "interpreter/src",
    "pathological/src",
    "reports/src",
    "simplify/src",
    "spec/src",
    "src",
    "strategies/src",
    "structured/src",
];

#[test]
fn crates_depend_as_the_map_says() {
    let arrows: [(&str, &[&str]); 12] = [
        ("affine/Cargo.toml", &[]),
        ("spec/Cargo.toml", &["iverson-affine"]),
        ("interpreter/Cargo.toml", &["iverson-spec"]),
        ("ad/Cargo.toml", &["iverson-spec"]),
        ("simplify/Cargo.toml", &["iverson-affine", "iverson-spec"]),
        ("strategies/Cargo.toml", &["iverson-ad", "iverson-spec"]),
        ("structured/Cargo.toml", &["iverson-affine", "iverson-spec"]),
        ("executor/Cargo.toml", &["iverson-affine", "iverson-spec"]),
        ("pathological/Cargo.toml", &["iverson-spec"]),
        ("reports/Cargo.toml", &[]),
        ("Cargo.toml", &FACADE),
        ("cli/Cargo.toml", &["iverson"]),
    ];
    for (manifest, wanted) in arrows {
        assert_eq!(dependencies(manifest), wanted, "{manifest}");
    }
}

#[test]
fn the_denotation_is_short_and_plain() {
    let core = ["lib.rs", "machine.rs", "error.rs"];
    let lines: usize =
        core.iter().map(|f| read(format!("interpreter/src/{f}")).lines().count()).sum();
    assert!(lines <= 900, "the denotation has {lines} lines");
    for path in sources("interpreter/src") {
        let text = fs::read_to_string(&path).unwrap();
        for word in ["unsafe ", "std::thread", "std::fs", "std::io", "println!"] {
            assert!(!text.contains(word), "{} uses `{word}`", path.display());
        }
    }
}

#[test]
fn files_are_of_a_size_to_read() {
    for folder in SOURCES {
        for path in sources(folder) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 800, "{} has {lines} lines", path.display());
        }
    }
}

#[test]
fn every_source_file_says_what_it_is() {
    for folder in SOURCES.into_iter().chain(["tests", "benches"]) {
        for path in sources(folder) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//!"), "{} has no module comment", path.display());
        }
    }
}

#[test]
fn nothing_is_left_undone_in_the_sources() {
    for folder in SOURCES.into_iter().chain(["benches"]) {
        for path in sources(folder) {
            let text = fs::read_to_string(&path).unwrap();
            for word in ["TODO", "FIXME", "XXX", "todo!(", "unimplemented!("] {
                assert!(!text.contains(word), "{} has `{word}`", path.display());
            }
        }
    }
}

#[test]
fn documents_link_to_files_that_exist() {
    for document in
        ["README.md", "ARCHITECTURE.md", "DESIGN.md", "COMPARE.md", "examples/README.md"]
    {
        let folder = Path::new(ROOT).join(document).parent().unwrap().to_path_buf();
        for link in read(document).split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(folder.join(target).exists(), "{document} links to {target}");
        }
    }
}

/// What COMPARE.md shows as derivatives are those that are taken.
#[test]
fn the_derivatives_of_the_comparison_are_true() {
    let document = read("COMPARE.md");
    for text in [
        "fn f(x: real) -> (y: real) { y = [x > 0] * (1 / x) }",
        "fn entry(n: size, k: index(n), x: real[n]) -> (y: real) { y = x[k] }",
    ] {
        let checked = iverson::spec::check(&iverson::spec::parse(text).unwrap()).unwrap();
        let (_, function) = checked.functions.first().unwrap();
        let ssa = iverson::spec::normalize(function);
        let taken = iverson::ad::vjp(&ssa, &["x"]).unwrap();
        let printed = iverson::spec::unelaborate::ssa(&taken);
        assert!(document.contains(&printed), "not in COMPARE.md:\n{printed}");
    }
}

/// Chapter 4 shows a program and its normal form; they are what the code does.
#[test]
fn the_example_of_chapter_4_is_true() {
    let chapter = read("spec/4-tensor-ssa.md");
    let block = |fence: &str| {
        let start = chapter.find(fence).unwrap() + fence.len();
        chapter[start..start + chapter[start..].find("```").unwrap()].to_owned()
    };
    let (program, wanted) = (block("```iv\n"), block("```iv ssa=smooth\n"));
    let module = iverson::spec::parse(&program).unwrap();
    let checked = iverson::spec::check(&module).unwrap();
    let ssa = iverson::spec::normalize(&checked.functions["smooth"]);
    assert_eq!(iverson::spec::unelaborate::ssa(&ssa), wanted);
}
