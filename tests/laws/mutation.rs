//! A program without one of its guards is rejected, or still in bounds.

use crate::generate::mutate::{guards, without};
use crate::generate::{Flavour, check_all, failure};
use crate::subject::Subject;
use crate::values::kind;
use iverson::interpreter::eval;
use iverson::spec::call::Limits;
use iverson::spec::{check, print};
use std::cell::Cell;

#[test]
fn without_a_guard_a_program_is_rejected_or_in_bounds() {
    let (rejected, accepted) = (Cell::new(0_u32), Cell::new(0_u32));
    check_all(Flavour::Rational, 1000, |case| {
        let module = Subject::new(case)?.module;
        let count = guards(&module);
        for place in [0, count / 2, count.saturating_sub(1)] {
            if place >= count {
                continue;
            }
            let mutant = without(&module, place);
            let Ok(mut checked) = check(&mutant) else {
                rejected.set(rejected.get() + 1);
                continue;
            };
            accepted.set(accepted.get() + 1);
            let Some((_, program)) = checked.functions.pop() else { continue };
            match eval(&program, &case.inputs, Limits::default()) {
                Err(error)
                    if matches!(kind(&error), "unguarded access" | "call" | "index overflow") =>
                {
                    let text = print::module(&mutant);
                    return Err(failure(format!("{error}\nin the accepted program\n{text}")));
                }
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    });
    let (rejected, accepted) = (rejected.get(), accepted.get());
    assert!(rejected > 100 && accepted > 100, "{rejected} rejected, {accepted} accepted");
}
