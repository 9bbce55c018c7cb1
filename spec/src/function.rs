//! The scalar functions of the language, as one table.
//!
//! A row gives the name in the text, the number of arguments, and the meaning.
//! The parser, the checker, the interpreter and the documentation read it.

/// A scalar function `real × … × real → real`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fun {
    /// `-x`
    Neg,
    /// `x₁ + … + xₙ`, left to right, n ≥ 2
    Add,
    /// `x₁ * … * xₙ`, left to right, n ≥ 2
    Mul,
    /// `x / y`
    Div,
    /// `x^y`, with `x^0 = 1` also at 0
    Pow,
    /// the exponential of x
    Exp,
    /// `exp(x) - 1`, accurate near 0
    Expm1,
    /// the natural logarithm of x
    Log,
    /// `log(1 + x)`, accurate near 0
    Log1p,
    /// the sine of x radians
    Sin,
    /// the cosine of x radians
    Cos,
    /// the tangent of x radians
    Tan,
    /// the angle in [-π/2, π/2] whose sine is x
    Asin,
    /// the angle in [0, π] whose cosine is x
    Acos,
    /// the angle in (-π/2, π/2) whose tangent is x
    Atan,
    /// the angle of the point (x, y) as `atan2(y, x)`
    Atan2,
    /// the hyperbolic sine of x
    Sinh,
    /// the hyperbolic cosine of x
    Cosh,
    /// the hyperbolic tangent of x
    Tanh,
    /// the non-negative square root of x
    Sqrt,
    /// `|x|`
    Abs,
    /// the smaller of x and y; the first at a tie
    Min,
    /// the larger of x and y; the first at a tie
    Max,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// the error function
    Erf,
    /// the logarithm of |Γ(x)|
    Lgamma,
    /// the derivative of `lgamma`
    Digamma,
    /// the derivative of `digamma`
    Trigamma,
    /// a function of the program with a derivative given by the user
    User(UserFunId),
}

/// A function with a user-given derivative, by its place in the program's table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UserFunId(pub u32);

/// One row of [`FUNCTIONS`].
#[derive(Clone, Copy, Debug)]
pub struct FunctionRow {
    /// The function.
    pub fun: Fun,
    /// Its name in the text, as in `exp(x)`.
    pub name: &'static str,
    /// The number of arguments.
    pub arity: usize,
}

const fn row(fun: Fun, name: &'static str, arity: usize) -> FunctionRow {
    FunctionRow { fun, name, arity }
}

/// The functions that are written by name. Operators (`-x + * / ^`) have their own syntax.
pub const FUNCTIONS: &[FunctionRow] = &[
    row(Fun::Exp, "exp", 1),
    row(Fun::Expm1, "expm1", 1),
    row(Fun::Log, "log", 1),
    row(Fun::Log1p, "log1p", 1),
    row(Fun::Sin, "sin", 1),
    row(Fun::Cos, "cos", 1),
    row(Fun::Tan, "tan", 1),
    row(Fun::Asin, "asin", 1),
    row(Fun::Acos, "acos", 1),
    row(Fun::Atan, "atan", 1),
    row(Fun::Atan2, "atan2", 2),
    row(Fun::Sinh, "sinh", 1),
    row(Fun::Cosh, "cosh", 1),
    row(Fun::Tanh, "tanh", 1),
    row(Fun::Sqrt, "sqrt", 1),
    row(Fun::Abs, "abs", 1),
    row(Fun::Min, "min", 2),
    row(Fun::Max, "max", 2),
    row(Fun::Sigmoid, "sigmoid", 1),
    row(Fun::Erf, "erf", 1),
    row(Fun::Lgamma, "lgamma", 1),
    row(Fun::Digamma, "digamma", 1),
    row(Fun::Trigamma, "trigamma", 1),
];

/// The functions with a syntax of their own, and their symbols.
const OPERATORS: &[(Fun, &str)] =
    &[(Fun::Neg, "-"), (Fun::Add, "+"), (Fun::Mul, "*"), (Fun::Div, "/"), (Fun::Pow, "^")];

impl Fun {
    /// The function written `name(..)`, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<FunctionRow> {
        FUNCTIONS.iter().copied().find(|row| row.name == name)
    }

    /// The name in the text; operators give their symbol, a user's function `None`.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        let operator = OPERATORS.iter().find(|(fun, _)| *fun == self).map(|(_, symbol)| *symbol);
        operator.or_else(|| FUNCTIONS.iter().find(|row| row.fun == self).map(|row| row.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_rows() {
        for row in FUNCTIONS {
            assert_eq!(Fun::named(row.name).map(|r| r.fun), Some(row.fun));
            assert_eq!(row.fun.name(), Some(row.name));
        }
    }
}
