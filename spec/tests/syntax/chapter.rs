//! The examples of chapter 1 are programs.

use crate::canonical;

#[test]
fn every_example_reads_and_prints_back() {
    let chapter = include_str!("../../1-syntax.md");
    let mut examples = 0;
    for block in chapter.split("```iv\n").skip(1) {
        let example = block.split("```").next().unwrap_or_default();
        let text = canonical(example);
        assert_eq!(canonical(&text), text);
        examples += 1;
    }
    assert!(examples >= 8, "only {examples} examples");
}

/// The block marked `canonical` is printed as it stands.
#[test]
fn the_canonical_example_is_canonical() {
    let chapter = include_str!("../../1-syntax.md");
    let (_, block) = chapter.split_once("<!-- canonical -->\n```iv\n").unwrap();
    let example = block.split("```").next().unwrap();
    assert_eq!(canonical(example), example);
}

/// The examples are not only well formed: they pass the checks of the later chapters.
#[test]
fn every_example_is_checked() {
    let chapter = include_str!("../../1-syntax.md");
    for block in chapter.split("```iv\n").skip(1) {
        let example = block.split("```").next().unwrap_or_default();
        let module = iverson_spec::parse(example).unwrap();
        if let Err(mistakes) = iverson_spec::check(&module) {
            panic!("{}", iverson_spec::render::render(&mistakes, "1-syntax.md", example));
        }
    }
}
