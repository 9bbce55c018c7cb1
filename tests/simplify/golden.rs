//! What becomes of known derivatives.

use crate::programs::{PROGRAMS, before};
use iverson::simplify::simplify;
use iverson::spec::unelaborate;

#[test]
fn simplified_derivatives() {
    for (name, text, kind) in PROGRAMS {
        let old = before(text, *kind);
        let simple = unelaborate::ssa(&simplify(&old));
        let shown = format!("{}\n{simple}", unelaborate::ssa(&old));
        insta::assert_snapshot!(*name, shown);
    }
}
