//! Loop programs as text: what is printed is read back, and no text does harm.

use crate::compare::with_cotangents;
use crate::examples::{cases, real_params};
use crate::generate::run::runner;
use crate::generate::{Case, Flavour, check_all, failure};
use crate::generated::floats;
use crate::memory::sizes;
use iverson::ad::vjp;
use iverson::executor::frame::Frame;
use iverson::executor::loops::parse::MAX_DEPTH;
use iverson::executor::loops::{
    Buffer, BufferId, Check, CheckId, CmpOp, Cond, Element, Fold, For, Int, IntId, Node, Order,
    ParseError, Place, Real, RealId, RelId, RelationTable, Role, SizeId, StatementId,
};
use iverson::executor::runner::{Runner, Vars};
use iverson::executor::{Engine, Fusion, LoopProgram, Options, compile};
use iverson::pathological::FAMILIES;
use iverson::pipeline::load;
use iverson::spec::call::{Value, Values};
use iverson::spec::function::Fun;
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use proptest::prelude::*;

fn loops(program: &TensorSsa, fusion: Fusion) -> LoopProgram {
    let options = Options { engine: Engine::Runner, fusion, ..Options::default() };
    compile::<f64>(program, options).unwrap().loops().clone()
}

/// Why a program is not what is read of its text, if it is not.
fn lost(program: &LoopProgram) -> Option<String> {
    let text = program.to_string();
    let read = match LoopProgram::parse(&text) {
        Ok(read) => read,
        Err(error) => return Some(format!("{error}\n{text}")),
    };
    if read != *program {
        return Some(format!("{read:?}\nis read, wanted\n{program:?}\n{text}"));
    }
    // Zeros are equal whatever their sign; their texts are not.
    (read.to_string() != text).then(|| format!("{read}\nis printed again, wanted\n{text}"))
}

fn lost_in_any(program: &TensorSsa) -> Option<String> {
    [Fusion::Off, Fusion::On].into_iter().find_map(|fusion| lost(&loops(program, fusion)))
}

/// What a loop program gives in the plain runner, bit by bit: the stop, the visits, the outputs.
fn run(program: &LoopProgram, sizes: &[i64], inputs: &Values<f64>) -> (String, Vec<u64>, Vec<u64>) {
    let mut frame: Frame<f64> = Frame::new();
    frame.lay_out(program, sizes);
    let ids = || (0..program.buffers.len()).map(|at| BufferId(at as u32));
    let mut reals: Vec<Vec<f64>> = Vec::new();
    let mut ints: Vec<Vec<i64>> = Vec::new();
    for id in ids() {
        let (buffer, count) = (program.buffer(id), frame.extents(id).iter().product::<i64>());
        let (mut real, mut int) = (vec![0.0; count as usize], vec![0; count as usize]);
        match inputs.get(&buffer.name).filter(|_| buffer.role == Role::Input) {
            Some(Value::Real(x)) => real.clone_from(&x.data),
            Some(Value::Index(p)) => int.clone_from(&p.data),
            Some(Value::Size(_) | Value::Relation(_)) | None => {}
        }
        reals.push(real);
        ints.push(int);
    }
    for table in &program.relations {
        let Value::Relation(relation) = &inputs[&table.name] else { panic!("a relation") };
        for (place, buffer) in table.coordinates.iter().enumerate() {
            ints[buffer.index()] = relation.column(place).to_vec();
        }
    }
    for id in ids() {
        match program.buffer(id).element {
            Element::Real => frame.give_reals_mut(id, &mut reals[id.index()]),
            Element::Int => frame.give_ints_mut(id, &mut ints[id.index()]),
        }
    }
    let mut vars = Vars::default();
    vars.reset(program);
    let outcome = Runner { program, frame: &frame, vars: &mut vars }.nodes(&program.body);
    let outputs = ids().filter(|id| program.buffer(*id).role == Role::Output);
    let bits = outputs.flat_map(|id| {
        let real = reals[id.index()].iter().map(|x| x.to_bits());
        real.chain(ints[id.index()].iter().map(|n| *n as u64)).collect::<Vec<_>>()
    });
    (format!("{outcome:?}"), vars.visits.clone(), bits.collect())
}

fn differs(program: &TensorSsa, sizes: &[i64], inputs: &Values<f64>) -> Option<String> {
    let before = loops(program, Fusion::On);
    let after = LoopProgram::parse(&before.to_string()).unwrap();
    let (wanted, found) = (run(&before, sizes, inputs), run(&after, sizes, inputs));
    (wanted != found).then(|| format!("{found:?}, wanted {wanted:?}\n{before}"))
}

#[test]
fn examples_and_their_gradients_are_read_back_and_run_the_same() {
    for (name, program, inputs) in cases() {
        let sizes = sizes(&program, &inputs);
        assert_eq!(lost_in_any(&program), None, "{name}");
        assert_eq!(differs(&program, &sizes, &inputs), None, "{name}");
        let Ok(derivative) = vjp(&program, &real_params(&program)) else { continue };
        assert_eq!(lost_in_any(&derivative), None, "vjp of {name}");
        let inputs = with_cotangents(&derivative, &program, &inputs);
        assert_eq!(differs(&derivative, &sizes, &inputs), None, "vjp of {name}");
    }
}

#[test]
fn families_and_their_gradients_are_read_back() {
    for family in FAMILIES {
        let loaded = load(family.text).unwrap();
        for member in family.members {
            let program = normalize(loaded.function(Some(member.function)).unwrap());
            let name = format!("{} of {}", member.function, family.name);
            assert_eq!(lost_in_any(&program), None, "{name}");
            let derivative = vjp(&program, member.wrt).unwrap();
            assert_eq!(lost_in_any(&derivative), None, "vjp of {name}");
        }
    }
}

/// A law for the loops of generated programs or their gradients, with the sizes and inputs of a case.
fn generated(
    flavour: Flavour,
    count: u32,
    gradients: bool,
    law: impl Fn(&TensorSsa, &[i64], &Values<f64>) -> Option<String>,
) {
    check_all(flavour, count, |case: &Case| {
        let loaded = load(&case.text).map_err(|_| failure("the program is not valid"))?;
        let typed = loaded.function(None).map_err(|none| failure(none.to_string()))?;
        let (mut program, mut inputs) = (normalize(typed), floats(&case.inputs));
        let sizes = sizes(&program, &inputs);
        if gradients {
            let Ok(derivative) = vjp(&program, &real_params(&program)) else { return Ok(()) };
            inputs = with_cotangents(&derivative, &program, &inputs);
            program = derivative;
        }
        law(&program, &sizes, &inputs).map_or(Ok(()), |what| Err(failure(what)))
    });
}

#[test]
fn generated_programs_are_read_back() {
    generated(Flavour::Full, 300, false, |program, _, _| lost_in_any(program));
}

#[test]
fn gradients_of_generated_programs_are_read_back() {
    generated(Flavour::Rational, 100, true, |program, _, _| lost_in_any(program));
}

#[test]
fn what_is_read_back_runs_the_same() {
    generated(Flavour::Full, 60, false, differs);
    generated(Flavour::Rational, 40, true, differs);
}

// Every construct.

fn var(at: u32) -> Int {
    Int::Var(IntId(at))
}

fn real(at: u32) -> Real {
    Real::Var(RealId(at))
}

fn apply(fun: Fun, args: &[Real]) -> Real {
    Real::Apply(fun, args.to_vec())
}

fn buffer(name: &str, element: Element, extents: Vec<Int>, role: Role) -> Buffer {
    Buffer { name: name.into(), element, extents, role }
}

/// Names that clash, that are words of loops or no words at all.
fn tables(body: Vec<Node>) -> LoopProgram {
    let (n, count) = (Int::Size(SizeId(0)), Int::Size(SizeId(2)));
    let (int, real) = (Element::Int, Element::Real);
    let position = vec![var(0), Int::Const(-3)];
    LoopProgram {
        name: "of two \"words\"".into(),
        sizes: vec!["n".into(), "for".into(), "entries of R".into()],
        relations: vec![RelationTable {
            name: "n".into(),
            count: SizeId(2),
            coordinates: vec![BufferId(0), BufferId(1)],
            extents: vec![n.clone(), Int::Const(4)],
        }],
        buffers: vec![
            buffer("R.0", int, vec![count.clone()], Role::Input),
            buffer("R.1", int, vec![count], Role::Input),
            buffer("n", real, vec![n.clone(), n.clone().product(n.clone())], Role::Output),
            buffer("size", int, vec![n.clone().times(2).offset(1)], Role::Temporary),
            buffer("", real, Vec::new(), Role::Output),
        ],
        ints: ["i", "i", "i_2", "1", "ints"].map(String::from).to_vec(),
        reals: ["i", "max", "exp", "inf", "α\n\\"].map(String::from).to_vec(),
        checks: vec![
            Check::Requires {
                clause: 2,
                condition: "p[i] < \"n\"".into(),
                point: vec![("i".into(), IntId(1)), ("j".into(), IntId(0))],
            },
            Check::Requires { clause: 1, condition: String::new(), point: Vec::new() },
            Check::Sort {
                tensor: "p".into(),
                position: position.clone(),
                value: IntId(2),
                bound: n,
            },
            Check::Earlier {
                tensor: "p q".into(),
                position: Vec::new(),
                read: "q".into(),
                entry: position,
            },
        ],
        statements: ["n", "n", "of"].map(String::from).to_vec(),
        body,
    }
}

fn odd_ints() -> Vec<Int> {
    let boxed = |e: Int| Box::new(e);
    let entry = Int::Load(BufferId(3), vec![var(0).offset(-1)]);
    let product = Int::Product(vec![var(0), var(1)]);
    let either = Int::Select(Box::new((
        Cond::Int(CmpOp::Lt, var(0), Int::Const(2)),
        var(1),
        var(2).offset(1),
    )));
    vec![
        Int::Const(i64::MIN),
        Int::Const(i64::MAX),
        Int::linear([(i64::MIN, var(0)), (1, var(1))], i64::MIN),
        Int::linear([(-1, var(0)), (-2, product.clone()), (1, product.clone())], 0),
        Int::linear([(3, Int::Div(boxed(var(0)), 2)), (1, either.clone())], -1),
        Int::Product(vec![Int::Const(2), var(0), Int::Const(3)]),
        Int::Product(vec![Int::Const(-2), product.clone()]),
        Int::Div(boxed(Int::Const(7)), 2),
        Int::Div(boxed(product.clone()), 3),
        Int::Mod(boxed(var(0).offset(-4)), 5),
        Int::DivBy(Box::new((Int::Const(7), Int::Const(2)))),
        Int::DivBy(Box::new((product, var(0).offset(1)))),
        Int::Floor(Box::new(Real::Const(-0.5))),
        Int::Select(Box::new((Cond::Int(CmpOp::Ge, either.clone(), either), entry.clone(), entry))),
    ]
}

fn odd_reals() -> Vec<Real> {
    let (x, y) = (real(0), real(4));
    let numbers = [-0.0, 5e-324, f64::MAX, 0.1, 1e16, -1e-7, f64::INFINITY, f64::NEG_INFINITY];
    let either = Real::Select(Box::new((Cond::Any(Vec::new()), x.clone(), Real::Const(-1.0))));
    let sum = apply(Fun::Add, &[x.clone(), y.clone()]);
    let mut reals: Vec<Real> = numbers.map(Real::Const).to_vec();
    reals.extend(numbers.map(|x| apply(Fun::Neg, &[Real::Const(x)])));
    reals.extend([
        apply(Fun::Neg, &[apply(Fun::Neg, std::slice::from_ref(&x))]),
        apply(Fun::Neg, std::slice::from_ref(&either)),
        apply(Fun::Add, &[sum.clone(), x.clone(), Real::Const(-2.0)]),
        apply(Fun::Mul, &[x.clone(), sum.clone(), apply(Fun::Neg, std::slice::from_ref(&y))]),
        apply(Fun::Div, &[apply(Fun::Div, &[x.clone(), y.clone()]), sum.clone()]),
        apply(Fun::Pow, &[either.clone(), sum.clone()]),
        apply(Fun::Max, &[real(1), apply(Fun::Exp, &[real(2)])]),
        apply(Fun::Atan2, &[either, real(3)]),
        Real::Int(var(0).offset(1)),
        Real::Load(BufferId(4), Vec::new()),
        Real::Load(BufferId(2), vec![var(0), Int::Const(0)]),
    ]);
    reals
}

fn odd_conds() -> Vec<Cond> {
    let less = Cond::Int(CmpOp::Lt, var(0), Int::Const(-2));
    let near = |cmp| {
        let sum = apply(Fun::Add, &[real(0), Real::Const(1.0)]);
        let product = apply(Fun::Mul, &[sum, Real::Const(2.0)]);
        Cond::Real(cmp, Box::new((product, Real::Const(-1.0))))
    };
    let member = Cond::Member(RelId(0), vec![var(0), var(1).offset(2)]);
    let not = |cond: &Cond| Cond::Not(Box::new(cond.clone()));
    let of_reals = Cond::Real(
        CmpOp::Eq,
        Box::new((
            Real::Select(Box::new((less.clone(), real(0), real(1)))),
            apply(Fun::Neg, &[real(0)]),
        )),
    );
    vec![
        Cond::All(Vec::new()),
        Cond::Any(Vec::new()),
        Cond::All(vec![less.clone()]),
        Cond::Any(vec![Cond::All(vec![not(&less)])]),
        Cond::All(vec![less.clone(), member.clone(), Cond::Any(Vec::new())]),
        Cond::Any(vec![Cond::All(vec![near(CmpOp::Le), member.clone()]), not(&not(&member))]),
        Cond::Int(CmpOp::Ne, Int::Floor(Box::new(real(0))), var(0).times(-1)),
        Cond::All(vec![near(CmpOp::Gt), of_reals, near(CmpOp::Ne), near(CmpOp::Ge)]),
    ]
}

fn every_construct() -> LoopProgram {
    let place = |indices| Place { buffer: BufferId(2), indices };
    let whole = |at: Int| Place { buffer: BufferId(3), indices: vec![at] };
    let scalar = Place { buffer: BufferId(4), indices: Vec::new() };
    let folds = [Fold::Sum, Fold::Prod, Fold::Max, Fold::Min];
    let notes = ["plain", "", " spaced ", "\"quoted\"", "# two\nlines", "é"];
    let mut body: Vec<Node> = notes.map(|text| Node::Note(text.into())).to_vec();
    body.extend(odd_ints().into_iter().map(|e| Node::SetInt(IntId(4), e)));
    body.extend(odd_reals().into_iter().map(|e| Node::Set(RealId(4), e)));
    body.extend(odd_conds().into_iter().map(|cond| Node::If(cond, Vec::new())));
    body.extend(folds.map(|fold| Node::Join(RealId(1), fold, real(0))));
    body.extend(folds.map(|fold| Node::Accumulate(scalar.clone(), fold, Real::Const(1.0))));
    body.extend([
        Node::Visit(StatementId(1)),
        Node::Check(CheckId(3), Cond::All(Vec::new())),
        Node::AddInt(whole(Int::Const(0)), var(0)),
    ]);
    let header = |var: u32, order, body| {
        Node::For(Box::new(For {
            var: IntId(var),
            lower: vec![Int::Const(0)],
            upper: vec![Int::Size(SizeId(0))],
            stride: None,
            order,
            body,
        }))
    };
    let inner = vec![Node::Store(place(vec![var(3), var(2)]), Real::Int(var(2)))];
    body.push(header(
        3,
        Order::Parallel,
        vec![header(2, Order::Descending, inner), Node::StoreInt(whole(var(3)), Int::Const(-1))],
    ));
    body.push(Node::For(Box::new(For {
        var: IntId(3),
        lower: vec![Int::Const(-1), var(0)],
        upper: vec![var(1).offset(1), Int::Size(SizeId(1))],
        stride: Some((3, var(0).offset(1))),
        order: Order::Ascending,
        body: Vec::new(),
    })));
    tables(body)
}

#[test]
fn every_construct_is_read_back() {
    let program = every_construct();
    assert_eq!(lost(&program), None);
    insta::assert_snapshot!("every_construct", program.to_string());
    assert!(LoopProgram::parse(&program.to_string().replace('\n', "\r\n")).unwrap() == program);
}

#[test]
fn a_nan_is_read_back() {
    let program = tables(vec![Node::Set(RealId(0), Real::Const(f64::NAN))]);
    let read = LoopProgram::parse(&program.to_string()).unwrap();
    assert_eq!(read.to_string(), program.to_string());
}

// Other texts.

/// Texts with a mistake; `@` stands for tables.
const WRONG: [&str; 38] = [
    "",
    "loop f",
    "loops f\nsize n\nsize n",
    "loops f\nsize for",
    "loops f\ninput x: complex[3]",
    "loops f\ninput x: int[x[0]]",
    "loops f\nsize n\nints i\nmessage 2: sort",
    "@s = 1.0",
    "@j = 1",
    "@s = x[i",
    "@s = p[i]",
    "@i = x[i]",
    "@s = i",
    "@s = 1.0 + s * s",
    "@s = sin(s, s)",
    "@s = 1e999",
    "@s = 1.0 s = 2.0",
    "@i = 9223372036854775808",
    "@i = i / 0",
    "@i += 1",
    "@p[0] *= 1",
    "@for i in 0 . n {",
    "@for i in 0 .. n {\ny[i] = 1.0",
    "@for i in 0 .. n { y[i] = 1.0 }",
    "@}",
    "@if i < 2 and i > 1 or i = 0 {",
    "@if i {",
    "@if s < 1.0 {",
    "@visit x",
    "@check i < 2",
    "@check i < 2 else 1",
    "@n = 2",
    "@y = 2.0",
    "@s = \"a",
    "@\u{3b1} = 2",
    "@x[0] = 1.0",
    "@y[0, 0] = 1.0",
    "@for any i in 0 .. n {\ny[0] = 1.0\n}",
];

#[test]
fn mistakes_say_where_they_are_and_what_is_wanted() {
    let head = "loops f\nsize n\ninput x: real[n]\noutput y: real[n]\ntemporary p: int[n]\n\
        ints i\nreals s\nstatements y\n";
    let messages: Vec<String> = WRONG
        .iter()
        .map(|text| {
            let whole =
                text.strip_prefix('@').map_or_else(|| (*text).into(), |t| format!("{head}{t}"));
            let body = if text.starts_with('@') { 8 } else { 0 };
            match LoopProgram::parse(&whole) {
                Ok(_) => format!("{text:?} is read"),
                Err(ParseError::Text { line, column, found, wanted }) => {
                    format!(
                        "{text:?}\n    {}:{column}: found {found}, wanted {wanted}",
                        line - body
                    )
                }
                Err(invalid @ ParseError::Invalid(_)) => format!("{text:?}\n    {invalid}"),
            }
        })
        .collect();
    insta::assert_snapshot!("mistakes", messages.join("\n"));
}

#[test]
fn texts_that_end_too_early_do_no_harm() {
    let program = every_construct();
    let text = program.to_string();
    let last = text.trim_end().len();
    for (end, _) in text[..last].char_indices() {
        // After a node the text is that of a program with fewer nodes.
        assert!(LoopProgram::parse(&text[..end]).ok() != Some(program.clone()), "{end}");
    }
    assert!(LoopProgram::parse(&text[..last]) == Ok(program));
}

#[test]
fn changed_and_random_texts_do_no_harm() {
    let text = every_construct().to_string().into_bytes();
    let place = 0..text.len();
    let changes = proptest::collection::vec((place, 0..128_u8), 1..4);
    runner(2000)
        .run(&changes, |changes| {
            let mut bytes = text.clone();
            changes.iter().for_each(|(at, byte)| bytes[*at] = *byte);
            let text = String::from_utf8_lossy(&bytes);
            if let Ok(read) = LoopProgram::parse(&text) {
                let again = LoopProgram::parse(&read.to_string());
                prop_assert_eq!(again.unwrap().to_string(), read.to_string());
            }
            Ok(())
        })
        .unwrap();
    let random = proptest::collection::vec(any::<u8>(), 0..200);
    runner(2000)
        .run(&random, |bytes| {
            let noise = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert!(LoopProgram::parse(&noise).is_err());
            let head = "loops f\nsize n\noutput y: real[n]\nints i\nreals s\n";
            let _ = LoopProgram::parse(&format!("{head}{noise}"));
            let _ = LoopProgram::parse(&format!("{head}s = {noise}"));
            Ok(())
        })
        .unwrap();
}

#[test]
fn deep_texts_are_refused() {
    let head = "loops f\nsize n\ntemporary p: int[n]\nints i\nreals s\nstatements y\n";
    let pieces = [
        ("i = ", "("),
        ("i = ", "p["),
        ("i = ", "floor(real("),
        ("i = ", "if i < 1 then "),
        ("i = ", "if i < 1 then 1 else "),
        ("i = ", "if i < "),
        ("s = ", "("),
        ("s = ", "-("),
        ("s = ", "sin("),
        ("s = ", "if s <. 0.0 then "),
        ("s = ", "if s <. 0.0 then 0.0 else "),
        ("", "if not not "),
        ("if ", "("),
        ("if ", "not "),
        ("if ", "not ("),
        ("if ", "all ("),
        ("", "for i in 0 .. n {\n"),
        ("", "if true {\n"),
    ];
    for (start, piece) in pieces {
        let read = LoopProgram::parse(&format!("{head}{start}{}", piece.repeat(100_000)));
        assert!(matches!(read, Err(ParseError::Text { .. })), "{piece}");
    }
    let nested = |depth| format!("{head}i = {}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(LoopProgram::parse(&nested(MAX_DEPTH as usize - 1)).is_ok());
    assert!(LoopProgram::parse(&nested(MAX_DEPTH as usize)).is_err());
}

/// Long flat texts are read in time that grows with their length.
#[test]
fn long_texts_are_read() {
    let head = "loops f\nsize n\ntemporary p: int[n]\nints i\nreals s\nstatements y\n";
    let long = |start: &str, piece: &str, end: &str| {
        LoopProgram::parse(&format!("{head}{start}{}{end}", piece.repeat(100_000)))
    };
    assert!(long("s = s", " + s", "").is_ok());
    assert!(long("i = i", " * i", "").is_ok());
    assert!(long("if true", " and i < 1", " {\n}").is_ok());
    assert!(long("", "visit y\n", "").is_ok());
    assert!(long("i = i", " + p[0]", "").is_err(), "a sum has at most 4096 terms");
}
