//! The partial derivatives of a user's function, as functions of the program.
//!
//! `∂f/∂x` is a function `f_x` whose value is the expression of the derivative
//! clause, and whose own partials follow from that expression. So derivatives of
//! every order exist, and each is added once.

use crate::AdError;
use crate::uses::differentiate;
use iverson_spec::function::UserFunId;
use iverson_spec::ir::{Expr, Symbols, UserFun};

/// The function `∂f/∂x_place`.
pub(crate) fn partial(
    symbols: &mut Symbols,
    id: UserFunId,
    place: usize,
) -> Result<UserFunId, AdError> {
    let row = symbols.function(id).clone();
    let param = row.params[place];
    let name = format!("{}_{}", row.name, symbols.tensor(param).name);
    let known = symbols.functions.iter().position(|f| f.name == name && f.params == row.params);
    if let Some(known) = known {
        return Ok(UserFunId(known as u32));
    }
    let new = UserFunId(symbols.functions.len() as u32);
    let value = row.partials[place].clone();
    symbols.functions.push(UserFun { name, value: value.clone(), partials: Vec::new(), ..row });
    let params = symbols.function(new).params.clone();
    let mut partials = Vec::with_capacity(params.len());
    for param in params {
        let cases = differentiate(symbols, &value, &Expr::Access(param, Vec::new()))?;
        let summands: Vec<Expr> =
            cases.into_iter().map(|case| case.value.guarded(case.guard)).collect();
        partials.push(sum(summands));
    }
    symbols.functions[new.0 as usize].partials = partials;
    Ok(new)
}

fn sum(mut summands: Vec<Expr>) -> Expr {
    match summands.len() {
        0 => Expr::integer(0),
        1 => summands.remove(0),
        _ => Expr::Apply(iverson_spec::function::Fun::Add, summands),
    }
}
