//! Work is what chapter 3 says, and the same each time.

use crate::generate::{Flavour, check_all, failure};
use crate::points::Points;
use crate::subject::{Subject, reread};
use iverson::interpreter::eval_ssa;
use iverson::interpreter::work::Model;
use iverson::spec::call::Limits;
use iverson::spec::verify::stmts;
use iverson::spec::{normalize, ssa, unelaborate};
use std::cell::Cell;

#[test]
fn sparse_work_is_at_most_dense_work() {
    check_all(Flavour::Rational, 1000, |case| {
        let subject = Subject::new(case)?;
        let (first, second) = (subject.ssa(), normalize(&subject.typed));
        let text = unelaborate::ssa(&first);
        if first != second {
            return Err(failure(format!("a second normal form is\n{}", unelaborate::ssa(&second))));
        }
        let Ok((_, report)) = eval_ssa(&first, &case.inputs, Limits::default()) else {
            return Ok(());
        };
        for statement in &report.statements {
            let (sparse, dense) = (statement.sparse, statement.dense);
            if sparse.work() > dense.work() || sparse.points > dense.points {
                return Err(failure(format!("`{}`\n{report}\n{text}", statement.tensor)));
            }
        }
        if report.work(Model::Sparse) > report.work(Model::Dense) {
            return Err(failure(format!("{report}\n{text}")));
        }
        Ok(())
    });
}

#[test]
fn visited_points_are_those_where_the_enumerable_guard_holds() {
    let counted = Cell::new(0);
    let coverage = check_all(Flavour::Rational, 1000, |case| {
        let text = unelaborate::ssa(&Subject::new(case)?.ssa());
        // read back, names are unique, and every tensor can be a result
        let mut program = ssa::embed(&reread(&text)?).map_err(failure)?;
        program.results = stmts(&program.body).iter().map(|s| s.tensor).collect();
        let Ok((results, report)) = eval_ssa(&program, &case.inputs, Limits::default()) else {
            return Ok(());
        };
        let mut values = case.inputs.clone();
        values.extend(results);
        let mut points = Points::new(&program, &values);
        for (stmt, statement) in stmts(&program.body).into_iter().zip(&report.statements) {
            let wanted = points.visited(stmt);
            if statement.sparse.points != wanted {
                return Err(failure(format!(
                    "`{}` visits {} points, wanted {wanted}\n{text}",
                    statement.tensor, statement.sparse.points
                )));
            }
        }
        counted.set(counted.get() + 1);
        Ok(())
    });
    assert!(counted.get() * 2 > coverage.programs(), "most programs are counted");
}
