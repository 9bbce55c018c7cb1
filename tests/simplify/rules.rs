//! Each rule, and each side condition.

use crate::programs::{PROGRAMS, before};
use iverson::simplify::{RULES, simplify_traced};
use std::collections::BTreeSet;

#[test]
fn every_rule_is_applied() {
    let mut fired = BTreeSet::new();
    for (_, text, kind) in PROGRAMS {
        let (_, firings) = simplify_traced(&before(text, *kind));
        fired.extend(firings.into_iter().map(|firing| firing.rule));
    }
    let never: Vec<&str> =
        RULES.iter().map(|r| r.name).filter(|name| !fired.contains(name)).collect();
    assert!(never.is_empty(), "never applied: {never:?}");
}
