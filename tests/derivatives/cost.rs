//! What derivatives cost, in exact counts.

use crate::generate::{Flavour, check_all, failure};
use crate::subject::*;
use iverson::interpreter::{Model, Rational, WorkReport, eval_ssa};
use iverson::spec::TensorSsa;
use iverson::spec::call::{Limits, Values};
use iverson::spec::ssa::Rhs;
use iverson::spec::unelaborate;
use iverson::spec::verify::stmts;
use std::cell::RefCell;

/// The largest ratio seen, with what has it.
#[derive(Default)]
struct Worst {
    ratio: f64,
    text: String,
    programs: u32,
}

impl Worst {
    fn see(&mut self, of: u64, to: u64, text: impl Fn() -> String) {
        let ratio = of as f64 / to.max(1) as f64;
        self.programs += 1;
        if ratio > self.ratio {
            self.ratio = ratio;
            self.text = text();
        }
    }
}

fn report(program: &TensorSsa, inputs: &Values<Rational>) -> Option<WorkReport> {
    eval_ssa(program, inputs, Limits::default()).ok().map(|(_, report)| report)
}

/// Whether all statements are sums or index definitions.
fn has_folds(program: &TensorSsa) -> bool {
    stmts(&program.body).iter().any(|stmt| matches!(stmt.rhs, Rhs::Fold(..)))
}

#[test]
fn gradients_are_cheap() {
    let [sums, folds, flops, forward] = std::array::from_fn(|_| RefCell::new(Worst::default()));
    check_all(Flavour::Rational, 1000, |case| {
        let subject = Subject::new(case)?;
        let (vjp, jvp) = (subject.vjp()?, subject.jvp()?);
        let Ok(results) = run(&subject.ssa, &case.inputs) else { return Ok(()) };
        let mut directions = Directions::new(case);
        let bars = directions.at(&results, &real_results(&subject.ssa));
        let inputs = with(&case.inputs, &added_params(&vjp, &subject.ssa), &bars);
        let dots = directions.at(&case.inputs, &subject.wrt);
        let moving = with(&case.inputs, &added_params(&jvp, &subject.ssa), &dots);
        let primal = report(&subject.ssa, &case.inputs).ok_or_else(|| failure("no report"))?;
        let (Some(reverse), Some(tangent)) = (report(&vjp, &inputs), report(&jvp, &moving)) else {
            return Ok(());
        };
        let work = |r: &WorkReport| r.work(Model::Sparse);
        let ops = |r: &WorkReport| r.total(Model::Sparse).flops.total();
        let text = || format!("{}{reverse}", unelaborate::ssa(&vjp));
        if has_folds(&subject.ssa) {
            folds.borrow_mut().see(work(&reverse), work(&primal), text);
        } else {
            sums.borrow_mut().see(work(&reverse), work(&primal), text);
            flops.borrow_mut().see(ops(&reverse), ops(&primal), text);
            forward.borrow_mut().see(work(&tangent), work(&primal), || {
                format!("{}{tangent}", unelaborate::ssa(&jvp))
            });
        }
        Ok(())
    });
    for (what, worst) in [("sums", sums), ("folds", folds), ("flops", flops), ("forward", forward)]
    {
        let worst = worst.into_inner();
        println!(
            "{what}: at most {:.3} over {} programs\n{}",
            worst.ratio, worst.programs, worst.text
        );
    }
}
