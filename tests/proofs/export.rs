//! Tensor SSA as the extracted code reads it: ids, numbers and parentheses.
//!
//! Only names are resolved here: tensors, variables and sizes become their ids. What is
//! not in the calculus is said so ([`Outside`]).

use iverson::interpreter::Rational;
use iverson::spec::ast::{Cmp, Direction, Reduction};
use iverson::spec::call::{Limits, Value, Values, bind, extent_value};
use iverson::spec::function::Fun;
use iverson::spec::ir::{Atom, Block, Expr, Guard, Index, Param, TensorId};
use iverson::spec::ssa::{Rhs, Stmt, TensorSsa, Term};

/// Why a program is not one of the calculus.
pub(crate) type Outside = &'static str;

/// The program with its arguments on one line; `seeds` are cotangents of results.
pub(crate) fn export(
    program: &TensorSsa,
    inputs: &Values<Rational>,
    seeds: Option<&[(TensorId, Vec<Rational>)]>,
) -> Result<String, Outside> {
    let bound = bind(program, inputs, Limits::default()).map_err(|_| "refused call")?;
    let ranges = program.symbols.vars.iter();
    let ranges = ranges.map(|var| extent_value(&var.range, &bound.sizes).unwrap_or(0).to_string());
    let shapes = bound.shapes.iter().map(|shape| {
        let none = vec![0];
        list(shape.as_ref().unwrap_or(&none).iter().map(ToString::to_string))
    });
    let fields = [
        field("sizes", bound.sizes.iter().map(ToString::to_string)),
        field("ranges", ranges),
        field("shapes", shapes),
        field("relations", relations(program, inputs)),
        field(
            "reals",
            arguments(program, inputs, |value| match value {
                Value::Real(dense) => Some(dense.data.iter().map(|x| x.0.to_string()).collect()),
                Value::Size(_) | Value::Index(_) | Value::Relation(_) => None,
            }),
        ),
        field(
            "indices",
            arguments(program, inputs, |value| match value {
                Value::Index(dense) => Some(dense.data.iter().map(ToString::to_string).collect()),
                Value::Size(_) | Value::Real(_) | Value::Relation(_) => None,
            }),
        ),
        field("body", blocks_text(&program.body)?),
    ];
    let entries = |(tensor, data): &(TensorId, Vec<Rational>)| {
        list([tensor.0.to_string()].into_iter().chain(data.iter().map(|x| x.0.to_string())))
    };
    let seeds = seeds.map(|seeds| field("seeds", seeds.iter().map(entries)));
    Ok(fields.into_iter().chain(seeds).collect::<Vec<_>>().join(" "))
}

fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("({})", items.into_iter().collect::<Vec<_>>().join(" "))
}

fn field(name: &str, items: impl IntoIterator<Item = String>) -> String {
    list([name.to_owned()].into_iter().chain(items))
}

fn relations(program: &TensorSsa, inputs: &Values<Rational>) -> Vec<String> {
    let tuple = |tuple: Vec<i64>| list(tuple.iter().map(ToString::to_string));
    let relation = |row: &iverson::spec::ir::Relation| match &inputs[&row.name] {
        Value::Relation(relation) => list(relation.tuples().map(tuple)),
        Value::Size(_) | Value::Real(_) | Value::Index(_) => {
            unreachable!("`bind` has checked the sorts of arguments")
        }
    };
    program.symbols.relations.iter().map(relation).collect()
}

/// `(t entry entry ..)` for each tensor parameter of a sort.
fn arguments(
    program: &TensorSsa,
    inputs: &Values<Rational>,
    entries: impl Fn(&Value<Rational>) -> Option<Vec<String>>,
) -> Vec<String> {
    let argument = |param: &Param| match *param {
        Param::Tensor(t) => {
            let entries = entries(&inputs[&program.symbols.tensor(t).name])?;
            Some(list([t.0.to_string()].into_iter().chain(entries)))
        }
        Param::Size(_) | Param::Relation(_) => None,
    };
    program.params.iter().filter_map(argument).collect()
}

type Written = Result<String, Outside>;

fn blocks_text(blocks: &[Block<Stmt>]) -> Result<Vec<String>, Outside> {
    let mut out = Vec::new();
    for block in blocks {
        match block {
            Block::Stmt(stmt) => out.push(stmt_text(stmt)?),
            Block::Rec(rec) => {
                let var = |(var, direction): &(_, Direction)| {
                    let iverson::spec::ir::VarId(var) = *var;
                    let up = *direction == Direction::Ascending;
                    format!("({var} {})", if up { "up" } else { "down" })
                };
                let vars = list(rec.vars.iter().map(var));
                out.push(field("rec", [vars].into_iter().chain(blocks_text(&rec.body)?)));
            }
            // it has been checked by the evaluation in Rust
            Block::Requires(_) => {}
        }
    }
    Ok(out)
}

fn stmt_text(stmt: &Stmt) -> Written {
    let rhs = match &stmt.rhs {
        Rhs::Sum(terms) => {
            field("sum", terms.iter().map(|t| term_text(t)).collect::<Result<Vec<_>, _>>()?)
        }
        Rhs::Arg(Reduction::Argmax, term) => field("argmax", [term_text(term)?]),
        Rhs::Arg(_, term) => field("argmin", [term_text(term)?]),
        Rhs::Index(index) => field("indexed", [index_text(index)?]),
        Rhs::Fold(Reduction::Max, term) => field("max", [term_text(term)?]),
        Rhs::Fold(Reduction::Min, term) => field("min", [term_text(term)?]),
        Rhs::Fold(..) => return Err("prod as a reduction"),
    };
    let axes = list(stmt.axes.iter().map(|v| v.0.to_string()));
    Ok(field("stmt", [stmt.tensor.0.to_string(), axes, rhs]))
}

fn term_text(term: &Term) -> Written {
    let binders = list(term.binders.iter().map(|v| v.0.to_string()));
    Ok(list([binders, guard_text(&term.guard)?, expr_text(&term.body)?]))
}

fn index_text(index: &Index) -> Written {
    let summand = |(atom, coefficient): &(Atom, i64)| -> Written {
        Ok(list([coefficient.to_string(), atom_text(atom)?]))
    };
    let summands = index.terms().iter().map(summand).collect::<Result<Vec<_>, _>>()?;
    Ok(field("i", [index.constant_part().to_string()].into_iter().chain(summands)))
}

fn indices_text(indices: &[Index]) -> Result<Vec<String>, Outside> {
    indices.iter().map(|index| index_text(index)).collect()
}

fn atom_text(atom: &Atom) -> Written {
    Ok(match atom {
        Atom::Size(size) => field("size", [size.0.to_string()]),
        Atom::Var(var) => field("var", [var.0.to_string()]),
        Atom::Read(tensor, indices) => {
            field("read", [tensor.0.to_string()].into_iter().chain(indices_text(indices)?))
        }
        Atom::Div(index, by) => field("div", [index_text(index)?, by.to_string()]),
        Atom::Mod(index, by) => field("mod", [index_text(index)?, by.to_string()]),
        Atom::Floor(expr) => field("floor", [expr_text(expr)?]),
        Atom::If(choice) => {
            let (guard, yes, no) = &**choice;
            field("if", [guard_text(guard)?, index_text(yes)?, index_text(no)?])
        }
        Atom::Arg(_) => return Err("argmax inside an index"),
    })
}

fn guard_text(guard: &Guard) -> Written {
    let all = |parts: &[Guard]| parts.iter().map(|p| guard_text(p)).collect::<Result<Vec<_>, _>>();
    Ok(match guard {
        Guard::Compare(cmp, a, b) => {
            field("compare", [symbol(*cmp).to_owned(), index_text(a)?, index_text(b)?])
        }
        Guard::Real(cmp, sides) => {
            field("real", [symbol(*cmp).to_owned(), expr_text(&sides.0)?, expr_text(&sides.1)?])
        }
        Guard::Member(relation, indices) => {
            field("member", [relation.0.to_string()].into_iter().chain(indices_text(indices)?))
        }
        Guard::Not(inner) => field("not", [guard_text(inner)?]),
        Guard::All(parts) => field("all", all(parts)?),
        Guard::Any(parts) => field("any", all(parts)?),
    })
}

fn expr_text(expr: &Expr) -> Written {
    Ok(match expr {
        Expr::Const(number) => field("const", [number.exact().to_string()]),
        Expr::Real(index) => field("index", [index_text(index)?]),
        Expr::Access(tensor, indices) => {
            field("access", [tensor.0.to_string()].into_iter().chain(indices_text(indices)?))
        }
        Expr::Apply(fun, args) => {
            let is_constant = |e: &Expr| match e {
                Expr::Const(number) => number.as_integer().is_some(),
                Expr::Pi
                | Expr::Real(_)
                | Expr::Access(..)
                | Expr::Apply(..)
                | Expr::Guarded(..)
                | Expr::If(..)
                | Expr::Reduce(_)
                | Expr::Let(..) => false,
            };
            if *fun == Fun::Pow && !is_constant(&args[1]) {
                return Err("a power that is not a whole constant");
            }
            field(name(*fun)?, args.iter().map(|a| expr_text(a)).collect::<Result<Vec<_>, _>>()?)
        }
        Expr::Pi => return Err("pi"),
        Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => {
            unreachable!("a body of Tensor SSA holds no compound expression (invariant 9)")
        }
    })
}

fn symbol(cmp: Cmp) -> &'static str {
    match cmp {
        Cmp::Eq => "=",
        Cmp::Ne => "!=",
        Cmp::Lt => "<",
        Cmp::Le => "<=",
        Cmp::Gt => ">",
        Cmp::Ge => ">=",
    }
}

/// The functions with exact rational values, as the calculus has them.
fn name(fun: Fun) -> Result<&'static str, Outside> {
    Ok(match fun {
        Fun::Neg => "neg",
        Fun::Add => "add",
        Fun::Mul => "mul",
        Fun::Div => "div",
        Fun::Pow => "pow",
        Fun::Abs => "abs",
        Fun::Min => "min",
        Fun::Max => "max",
        Fun::User(_) => return Err("a function with a derivative of its own"),
        Fun::Exp
        | Fun::Expm1
        | Fun::Log
        | Fun::Log1p
        | Fun::Sin
        | Fun::Cos
        | Fun::Tan
        | Fun::Asin
        | Fun::Acos
        | Fun::Atan
        | Fun::Atan2
        | Fun::Sinh
        | Fun::Cosh
        | Fun::Tanh
        | Fun::Sqrt
        | Fun::Sigmoid
        | Fun::Erf
        | Fun::Lgamma
        | Fun::Digamma
        | Fun::Trigamma => return Err("a function without exact values"),
    })
}
