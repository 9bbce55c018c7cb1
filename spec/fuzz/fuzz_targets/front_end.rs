//! Any text: what reads, prints and reads back; what does not, has mistakes that can be shown.

#![no_main]

use iverson_spec::{Diagnostic, check, parse, print, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(module) => {
            let printed = print::module(&module);
            let read = parse(&printed).expect("canonical text reads");
            assert_eq!(print::module(&read), printed, "canonical text prints back");
            if let Err(mistakes) = check(&module) {
                show(&mistakes, text);
            }
        }
        Err(mistakes) => {
            assert!(mistakes.is_sorted_by_key(|mistake| mistake.span().start));
            show(&mistakes, text);
        }
    }
});

fn show(mistakes: &[Diagnostic], text: &str) {
    assert!(!mistakes.is_empty());
    assert!(mistakes.iter().all(|mistake| mistake.span().end as usize <= text.len()));
    let _ = render::render(&mistakes[..mistakes.len().min(3)], "text.iv", text);
    let _ = render::to_json(mistakes, "text.iv", text);
}
