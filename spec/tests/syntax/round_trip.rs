//! `parse(print(m)) = m` up to spans, for random trees.

use crate::shape;
use iverson_spec::ast::{
    Axis, Binder, ChainOp, Cmp, Direction, Expr, ExprKind, Function, Item, LogicOp, Module, Name,
    Param, Partial, RecVar, Reduction, Sign, Sort, SortKind, Stmt, Target, UnaryOp,
};
use iverson_spec::diagnostic::Span;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn text() -> BoxedStrategy<String> {
    let names = [
        "x",
        "A",
        "i",
        "n",
        "x_1",
        "_",
        "α",
        "max",
        "min",
        "real",
        "index",
        "size",
        "rel",
        "descending",
        "ascending",
        "derivative",
        "summary",
        "iff",
    ];
    prop::sample::select(names.to_vec()).prop_map(str::to_owned).boxed()
}

fn name() -> BoxedStrategy<Name> {
    text().prop_map(|text| Name { text, span: Span::default() }).boxed()
}

fn made(kind: ExprKind) -> Expr {
    Expr { kind, span: Span::default() }
}

fn leaf() -> BoxedStrategy<Expr> {
    let numbers = prop::sample::select(&["0", "2", "0.5", "1e-3", "1_000"][..]);
    prop_oneof![
        numbers.prop_map(|number| made(ExprKind::Number(number.to_owned()))),
        text().prop_map(|text| made(ExprKind::Name(text))),
    ]
    .boxed()
}

fn expr() -> BoxedStrategy<Expr> {
    leaf().prop_recursive(5, 60, 4, |inner| compound(inner).prop_map(made)).boxed()
}

fn compound(e: BoxedStrategy<Expr>) -> BoxedStrategy<ExprKind> {
    let boxed = || e.clone().prop_map(Box::new);
    let some = |least: usize| vec(e.clone(), least..4);
    let binders = || vec(binder(e.clone()), 1..3);
    let logic = prop::sample::select(&[LogicOp::And, LogicOp::Or][..]);
    let unary = prop::sample::select(&[UnaryOp::Neg, UnaryOp::Not][..]);
    prop_oneof![
        1 => (name(), some(1)).prop_map(|(name, indices)| ExprKind::Access(name, indices)),
        1 => (name(), some(0)).prop_map(|(name, arguments)| ExprKind::Call(name, arguments)),
        4 => (unary, boxed()).prop_map(|(op, operand)| ExprKind::Unary(op, operand)),
        2 => sum(e.clone()),
        3 => chain(e.clone()),
        2 => (boxed(), boxed()).prop_map(|(base, exponent)| ExprKind::Power(base, exponent)),
        1 => (boxed(), vec((comparison(), e.clone()), 1..3))
            .prop_map(|(first, rest)| ExprKind::Compare(first, rest)),
        1 => (logic, some(2)).prop_map(|(op, operands)| ExprKind::Logic(op, operands)),
        1 => boxed().prop_map(ExprKind::Bracket),
        2 => (prop::sample::select(&Reduction::ALL[..]), binders(), option::of(boxed()), boxed())
            .prop_map(|(op, binders, guard, body)| ExprKind::Reduce { op, binders, guard, body }),
        1 => (binders(), boxed()).prop_map(|(binders, body)| ExprKind::For(binders, body)),
        1 => (boxed(), boxed(), boxed()).prop_map(|(p, yes, no)| ExprKind::If(p, yes, no)),
        1 => (vec(statement(e.clone()), 0..3), boxed())
            .prop_map(|(statements, body)| ExprKind::Let(statements, body)),
    ]
    .boxed()
}

fn comparison() -> BoxedStrategy<Cmp> {
    prop::sample::select(&[Cmp::Eq, Cmp::Ne, Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge][..]).boxed()
}

fn sum(e: BoxedStrategy<Expr>) -> BoxedStrategy<ExprKind> {
    let sign = prop::sample::select(&[Sign::Plus, Sign::Minus][..]);
    (e.clone(), vec((sign, e), 1..4))
        .prop_map(|(first, rest)| {
            ExprKind::Sum(std::iter::once((Sign::Plus, first)).chain(rest).collect())
        })
        .boxed()
}

fn chain(e: BoxedStrategy<Expr>) -> BoxedStrategy<ExprKind> {
    let op = prop::sample::select(&[ChainOp::Times, ChainOp::Over, ChainOp::Modulo][..]);
    (e.clone(), vec((op, e), 1..4))
        .prop_map(|(first, rest)| {
            ExprKind::Chain(std::iter::once((ChainOp::Times, first)).chain(rest).collect())
        })
        .boxed()
}

fn binder(e: BoxedStrategy<Expr>) -> BoxedStrategy<Binder> {
    (name(), e).prop_map(|(name, range)| Binder { name, range }).boxed()
}

fn sort(e: BoxedStrategy<Expr>) -> BoxedStrategy<Sort> {
    prop_oneof![
        Just(SortKind::Size),
        vec(e.clone(), 0..3).prop_map(SortKind::Real),
        (e.clone(), vec(e.clone(), 0..3))
            .prop_map(|(bound, extents)| SortKind::Index(Box::new(bound), extents)),
        vec(e, 1..3).prop_map(SortKind::Rel),
    ]
    .prop_map(|kind| Sort { kind, span: Span::default() })
    .boxed()
}

fn statement(e: BoxedStrategy<Expr>) -> BoxedStrategy<Stmt> {
    let block = prop_oneof![
        3 => definition(e.clone()),
        1 => (vec(binder(e.clone()), 0..3), e.clone()).prop_map(|(binders, condition)| {
            Stmt::Requires { binders, condition, span: Span::default() }
        }),
    ];
    let direction = prop::sample::select(&[Direction::Ascending, Direction::Descending][..]);
    let var = (binder(e), direction).prop_map(|(binder, direction)| RecVar { binder, direction });
    block
        .prop_recursive(2, 6, 3, move |inner| {
            (vec(var.clone(), 1..3), vec(inner, 0..3)).prop_map(|(vars, body)| Stmt::Rec {
                vars,
                body,
                span: Span::default(),
            })
        })
        .boxed()
}

fn definition(e: BoxedStrategy<Expr>) -> BoxedStrategy<Stmt> {
    let axis = prop_oneof![binder(e.clone()).prop_map(Axis::Bind), name().prop_map(Axis::Carried),];
    let target = (name(), vec(axis, 0..3), option::of(sort(e.clone())))
        .prop_map(|(name, axes, sort)| vec![Target { name, axes, sort }]);
    let result = name().prop_map(|name| Target { name, axes: Vec::new(), sort: None });
    let targets = prop_oneof![3 => target, 1 => vec(result, 2..4)];
    (targets, e).prop_map(|(targets, value)| Stmt::Def { targets, value }).boxed()
}

fn function() -> BoxedStrategy<Function> {
    let param = || (name(), sort(leaf())).prop_map(|(name, sort)| Param { name, sort });
    let partial = (name(), expr()).prop_map(|(param, value)| Partial { param, value });
    let body = vec(statement(expr()), 0..4);
    (name(), vec(param(), 0..4), vec(param(), 0..3), body, option::of(vec(partial, 0..3)))
        .prop_map(|(name, params, results, body, derivative)| Function {
            name,
            params,
            results,
            body,
            derivative,
            span: Span::default(),
        })
        .boxed()
}

fn module() -> BoxedStrategy<Module> {
    let item = prop_oneof![
        1 => (name(), expr()).prop_map(|(name, value)| Item::Const { name, value }),
        2 => function().prop_map(Item::Fn),
    ];
    vec(item, 0..3).prop_map(|items| Module { items }).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn printed_modules_read_back(module in module()) {
        let text = iverson_spec::print::module(&module);
        match iverson_spec::parse(&text) {
            Ok(read) => {
                prop_assert_eq!(shape(&read), shape(&module), "{}", text);
                prop_assert_eq!(iverson_spec::print::module(&read), text);
            }
            Err(mistakes) => {
                prop_assert!(false, "{}", iverson_spec::render::render(&mistakes, "text.iv", &text));
            }
        }
    }

    /// Whatever the text, a mistake is reported in it and can be shown.
    #[test]
    fn any_tokens_read_or_are_mistakes(words in vec(word(), 0..60)) {
        let text = words.concat();
        match iverson_spec::parse(&text) {
            Ok(module) => {
                let printed = iverson_spec::print::module(&module);
                let read = iverson_spec::parse(&printed).expect("printed text reads");
                prop_assert_eq!(shape(&read), shape(&module));
            }
            Err(mistakes) => {
                prop_assert!(!mistakes.is_empty());
                let starts: Vec<_> = mistakes.iter().map(|mistake| mistake.span().start).collect();
                prop_assert!(starts.is_sorted());
                let _ = iverson_spec::render::render(&mistakes, "text.iv", &text);
                let _ = iverson_spec::render::to_json(&mistakes, "text.iv", &text);
            }
        }
    }
}

fn word() -> BoxedStrategy<&'static str> {
    let words = [
        "fn f() -> () {",
        "}",
        "{",
        "(",
        ")",
        "[",
        "]",
        "\n",
        " ",
        "x",
        "x[i: n] = ",
        "= ",
        "sum(i: n) ",
        "sum",
        "for(i: n) ",
        "if ",
        "then ",
        "else ",
        "let ",
        "in ",
        "rec t: n {",
        "requires ",
        "+",
        "-",
        "*",
        "/",
        "^",
        "<",
        "==",
        "2",
        ".5",
        ",",
        ":",
        ";",
        "not ",
        "and ",
        "or ",
        "where ",
        "const ",
        "fn ",
        "derivative {",
        "≤",
        "\u{202e}",
        "#",
        "@",
        "é",
        "²",
        "\r\n",
    ];
    prop_oneof![prop::sample::select(words.to_vec())].boxed()
}
