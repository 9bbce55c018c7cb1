//! The texts that fuzzing found worth keeping (`spec/fuzz`), read once each.

use iverson_spec::{check, parse, print, render};
use std::path::Path;

#[test]
fn the_fuzzing_corpus_reads_or_is_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut read = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is in the repository") {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        match parse(&text) {
            Ok(module) => {
                let printed = print::module(&module);
                let again = parse(&printed).expect("canonical text reads");
                assert_eq!(print::module(&again), printed);
                let _ = check(&module);
                read += 1;
            }
            Err(mistakes) => assert!(!render::render(&mistakes, "text.iv", &text).is_empty()),
        }
    }
    assert!(read >= 10, "only {read} texts of the corpus are programs");
}
