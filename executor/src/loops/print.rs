//! Loop programs as text, which `parse` reads (spec chapter 7, *Text*).

use super::parse::quoted;
use super::{Buffer, Check, Cond, Element, For, Int, LoopProgram, Node, Order, Place, Real, Role};
use super::{BufferId, IntId, RealId};
use iverson_spec::function::Fun;
use rustc_hash::FxHashMap;
use std::fmt;

/// The words that stand for nothing but themselves: no name is printed as one of them.
pub(super) const RESERVED: [&str; 18] = [
    "all", "and", "any", "check", "down", "else", "false", "for", "if", "in", "inf", "NaN", "not",
    "of", "or", "then", "true", "visit",
];

/// A line of names is broken where it is longer.
const WIDTH: usize = 100;

/// The names of a program's buffers and variables, each unlike the others.
pub struct Texts {
    sizes: Vec<String>,
    buffers: Vec<String>,
    ints: Vec<String>,
    reals: Vec<String>,
    relations: Vec<String>,
    statements: Vec<String>,
}

impl Texts {
    /// The names for a program: those it gives where they are words that occur once, else with a number.
    #[must_use]
    pub fn new(program: &LoopProgram) -> Self {
        let buffers: Vec<String> = program.buffers.iter().map(|b| b.name.clone()).collect();
        let relations: Vec<String> = program.relations.iter().map(|r| r.name.clone()).collect();
        let mut used = FxHashMap::default();
        let mut unlike = |names: &[String]| -> Vec<String> {
            names.iter().map(|name| fresh(name, &mut used)).collect()
        };
        let mut visited = FxHashMap::default();
        Self {
            sizes: unlike(&program.sizes),
            buffers: unlike(&buffers),
            relations: unlike(&relations),
            ints: unlike(&program.ints),
            reals: unlike(&program.reals),
            statements: program.statements.iter().map(|name| fresh(name, &mut visited)).collect(),
        }
    }

    /// The name of a buffer.
    #[must_use]
    pub fn buffer(&self, id: BufferId) -> &str {
        &self.buffers[id.index()]
    }

    /// The name of an integer variable.
    #[must_use]
    pub fn int_var(&self, id: IntId) -> &str {
        &self.ints[id.index()]
    }

    /// The name of a real variable.
    #[must_use]
    pub fn real_var(&self, id: RealId) -> &str {
        &self.reals[id.index()]
    }

    /// The name of a size.
    #[must_use]
    pub fn size(&self, at: usize) -> &str {
        &self.sizes[at]
    }

    /// An integer as text.
    #[must_use]
    pub fn int(&self, e: &Int) -> String {
        match e {
            Int::Const(n) => n.to_string(),
            Int::Size(size) => self.sizes[size.index()].clone(),
            Int::Var(var) => self.ints[var.index()].clone(),
            Int::Load(buffer, indices) => self.entry(*buffer, indices),
            Int::Sum(terms, constant) => self.sum(terms, *constant),
            Int::Product(factors) => self.product(factors),
            Int::Div(e, k) => format!("{} / {k}", self.tight(e)),
            Int::Mod(e, k) => format!("{} % {k}", self.tight(e)),
            Int::DivBy(sides) => format!("{} / {}", self.tight(&sides.0), self.no_digit(&sides.1)),
            Int::Floor(e) => format!("floor({})", self.real(e)),
            Int::Select(parts) => format!(
                "if {} then {} else {}",
                self.cond(&parts.0),
                self.int(&parts.1),
                self.int(&parts.2)
            ),
        }
    }

    /// A factor before the first `*` is that of a term of a sum, so a constant there has brackets.
    fn product(&self, factors: &[Int]) -> String {
        let text = |(at, f): (usize, &Int)| if at == 0 { self.no_digit(f) } else { self.tight(f) };
        factors.iter().enumerate().map(text).collect::<Vec<_>>().join(" * ")
    }

    /// As an operand that does not begin with a digit.
    fn no_digit(&self, e: &Int) -> String {
        e.as_const().map_or_else(|| self.tight(e), |n| format!("({n})"))
    }

    fn sum(&self, terms: &[(i64, Int)], constant: i64) -> String {
        let mut text = String::new();
        let mut add = |negative: bool, part: String| {
            text.push_str(match (text.is_empty(), negative) {
                (true, false) => "",
                (true, true) => "-",
                (false, false) => " + ",
                (false, true) => " - ",
            });
            text.push_str(&part);
        };
        for (factor, term) in terms {
            let term = self.tight(term);
            let size = factor.unsigned_abs();
            add(*factor < 0, if size == 1 { term } else { format!("{size} * {term}") });
        }
        if constant != 0 {
            add(constant < 0, constant.unsigned_abs().to_string());
        }
        text
    }

    /// As an operand of a product.
    fn tight(&self, e: &Int) -> String {
        let text = self.int(e);
        match e {
            Int::Size(_) | Int::Var(_) | Int::Load(..) | Int::Floor(_) => text,
            Int::Const(n) if *n >= 0 => text,
            Int::Const(_)
            | Int::Sum(..)
            | Int::Product(_)
            | Int::Div(..)
            | Int::Mod(..)
            | Int::DivBy(_)
            | Int::Select(_) => format!("({text})"),
        }
    }

    fn entry(&self, buffer: BufferId, indices: &[Int]) -> String {
        let indices: Vec<String> = indices.iter().map(|i| self.int(i)).collect();
        format!("{}[{}]", self.buffers[buffer.index()], indices.join(", "))
    }

    /// An entry as text.
    #[must_use]
    pub fn place(&self, place: &Place) -> String {
        self.entry(place.buffer, &place.indices)
    }

    /// A real as text.
    #[must_use]
    pub fn real(&self, e: &Real) -> String {
        match e {
            Real::Const(x) => format!("{x:?}"),
            Real::Int(e) => format!("real({})", self.int(e)),
            Real::Var(var) => self.reals[var.index()].clone(),
            Real::Load(buffer, indices) => self.entry(*buffer, indices),
            Real::Apply(fun, args) => self.apply(*fun, args),
            Real::Select(parts) => format!(
                "if {} then {} else {}",
                self.cond(&parts.0),
                self.real(&parts.1),
                self.real(&parts.2)
            ),
        }
    }

    fn apply(&self, fun: Fun, args: &[Real]) -> String {
        let name = fun.name().unwrap_or_else(|| {
            unreachable!("users' functions are replaced by their values (invariant 6 of loops)")
        });
        if fun == Fun::Neg {
            return match &args[0] {
                Real::Const(x) => format!("-({x:?})"),
                arg @ (Real::Int(_)
                | Real::Var(_)
                | Real::Load(..)
                | Real::Apply(..)
                | Real::Select(_)) => format!("-{}", self.operand(arg)),
            };
        }
        if Fun::named(name).is_some() {
            let args: Vec<String> = args.iter().map(|arg| self.real(arg)).collect();
            return format!("{name}({})", args.join(", "));
        }
        let args: Vec<String> = args.iter().map(|arg| self.operand(arg)).collect();
        args.join(&format!(" {name} "))
    }

    fn operand(&self, e: &Real) -> String {
        let text = self.real(e);
        let tight = match e {
            Real::Const(x) => !x.is_sign_negative(),
            Real::Int(_) | Real::Var(_) | Real::Load(..) => true,
            Real::Apply(fun, _) => Fun::named(fun.name().unwrap_or_default()).is_some(),
            Real::Select(_) => false,
        };
        if tight { text } else { format!("({text})") }
    }

    /// A condition as text.
    #[must_use]
    pub fn cond(&self, cond: &Cond) -> String {
        match cond {
            Cond::Int(cmp, a, b) => {
                format!("{} {} {}", self.side(a), cmp.symbol(), self.side(b))
            }
            Cond::Real(cmp, sides) => {
                let text = |e: &Real| match e {
                    Real::Select(_) => format!("({})", self.real(e)),
                    Real::Const(_)
                    | Real::Int(_)
                    | Real::Var(_)
                    | Real::Load(..)
                    | Real::Apply(..) => self.real(e),
                };
                format!("{} {}. {}", text(&sides.0), cmp.symbol(), text(&sides.1))
            }
            Cond::Member(relation, indices) => {
                let indices: Vec<String> = indices.iter().map(|i| self.int(i)).collect();
                format!("{}({})", self.relations[relation.index()], indices.join(", "))
            }
            Cond::Not(inner) => format!("not {}", self.part(inner)),
            Cond::All(parts) if parts.is_empty() => "true".to_owned(),
            Cond::Any(parts) if parts.is_empty() => "false".to_owned(),
            Cond::All(parts) => self.parts(parts, "all", " and "),
            Cond::Any(parts) => self.parts(parts, "any", " or "),
        }
    }

    fn side(&self, e: &Int) -> String {
        let text = self.int(e);
        if matches!(e, Int::Select(_)) { format!("({text})") } else { text }
    }

    fn parts(&self, parts: &[Cond], of_one: &str, word: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.part(part)).collect();
        if parts.len() == 1 { format!("{of_one} {}", parts[0]) } else { parts.join(word) }
    }

    fn part(&self, cond: &Cond) -> String {
        let text = self.cond(cond);
        match cond {
            Cond::Int(..) | Cond::Real(..) | Cond::Member(..) => text,
            Cond::All(parts) | Cond::Any(parts) if parts.is_empty() => text,
            Cond::Not(_) | Cond::All(_) | Cond::Any(_) => format!("({text})"),
        }
    }

    /// The head of a loop as text.
    #[must_use]
    pub fn header(&self, header: &For) -> String {
        let bound = |word: &str, ends: &[Int]| match ends {
            [one] => self.int(one),
            several => {
                let ends: Vec<String> = several.iter().map(|e| self.int(e)).collect();
                format!("{word}({})", ends.join(", "))
            }
        };
        let word = match header.order {
            Order::Ascending => "for",
            Order::Descending => "for down",
            Order::Parallel => "for any",
        };
        let stride = header.stride.as_ref().map_or(String::new(), |(modulus, residue)| {
            format!(" where {} of {modulus}", self.int(residue))
        });
        let (var, lower) = (&self.ints[header.var.index()], bound("max", &header.lower));
        format!("{word} {var} in {lower} .. {}{stride}", bound("min", &header.upper))
    }
}

/// A word unlike those used: the name, its odd characters replaced, with a number if need be.
/// Used words lead to the last number that was tried for them.
fn fresh(name: &str, used: &mut FxHashMap<String, usize>) -> String {
    let odd = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    let mut word: String = name.chars().map(odd).collect();
    if word.is_empty() || word.starts_with(|c: char| c.is_ascii_digit()) {
        word.insert(0, '_');
    }
    let reserved = usize::from(RESERVED.contains(&word.as_str()));
    let mut number = used.get(&word).copied().unwrap_or(reserved);
    let mut text = word.clone();
    while number > 0 && (text == word || used.contains_key(&text)) {
        number += 1;
        text = format!("{word}_{number}");
    }
    used.insert(word, number.max(1));
    used.entry(text.clone()).or_insert(1);
    text
}

/// The word that a numbered one was made of: `i` of `i_2`.
pub(super) fn numbered(word: &str) -> Option<&str> {
    let (base, number) = word.rsplit_once('_')?;
    let counts = number.parse::<u32>().is_ok_and(|n| n >= 2 && n.to_string() == number);
    counts.then_some(base)
}

/// The words declared so far, and the names that they stand for.
#[derive(Default)]
struct Declared<'p>(FxHashMap<&'p str, &'p str>);

impl<'p> Declared<'p> {
    /// A word as it is declared: with the name that it stands for, if that is neither the word nor, for
    /// `i_2`, what `i` stands for.
    fn named(&mut self, word: &'p str, name: &'p str) -> String {
        let base = numbered(word).and_then(|base| self.0.get(base));
        let implied = base.copied().unwrap_or(word);
        self.0.insert(word, name);
        if implied == name { word.to_owned() } else { format!("{word} {}", quoted(name)) }
    }

    /// A table of names, on as many lines as they need.
    fn table(&mut self, head: &str, words: &'p [String], names: &'p [String]) -> String {
        let (mut text, mut line) = (String::new(), String::new());
        for (word, name) in words.iter().zip(names) {
            let entry = self.named(word, name);
            if line.is_empty() {
                line = format!("{head} {entry}");
            } else if line.len() + entry.len() + 2 <= WIDTH {
                line.push_str(", ");
                line.push_str(&entry);
            } else {
                text.push_str(&line);
                text.push('\n');
                line = format!("{head} {entry}");
            }
        }
        if !line.is_empty() {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

impl fmt::Display for LoopProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = Texts::new(self);
        let word = fresh(&self.name, &mut FxHashMap::default());
        let name = if word == self.name { word } else { quoted(&self.name) };
        writeln!(f, "loops {name}")?;
        let mut known = Declared::default();
        for (word, size) in texts.sizes.iter().zip(&self.sizes) {
            writeln!(f, "size {}", known.named(word, size))?;
        }
        for (buffer, word) in self.buffers.iter().zip(&texts.buffers) {
            writeln!(f, "{}", declared(&texts, buffer, &known.named(word, &buffer.name)))?;
        }
        for (relation, word) in self.relations.iter().zip(&texts.relations) {
            let places: Vec<&str> = relation.coordinates.iter().map(|b| texts.buffer(*b)).collect();
            let (name, count) =
                (known.named(word, &relation.name), texts.size(relation.count.index()));
            let extents: Vec<String> = relation.extents.iter().map(|e| texts.int(e)).collect();
            let (places, extents) = (places.join(", "), extents.join(", "));
            writeln!(f, "relation {name}({places}) of {count} in [{extents}]")?;
        }
        f.write_str(&known.table("ints", &texts.ints, &self.ints))?;
        f.write_str(&known.table("reals", &texts.reals, &self.reals))?;
        let mut visited = Declared::default();
        f.write_str(&visited.table("statements", &texts.statements, &self.statements))?;
        for (at, check) in self.checks.iter().enumerate() {
            writeln!(f, "message {}: {}", at + 1, message(&texts, check))?;
        }
        write_nodes(f, &texts, &self.body, 0)
    }
}

fn declared(texts: &Texts, buffer: &Buffer, named: &str) -> String {
    let role = match buffer.role {
        Role::Input => "input",
        Role::Output => "output",
        Role::Temporary => "temporary",
        Role::Local => "local",
    };
    let element = match buffer.element {
        Element::Real => "real",
        Element::Int => "int",
    };
    let extents: Vec<String> = buffer.extents.iter().map(|e| texts.int(e)).collect();
    format!("{role} {named}: {element}[{}]", extents.join(", "))
}

fn write_nodes(
    f: &mut fmt::Formatter<'_>,
    texts: &Texts,
    nodes: &[Node],
    depth: usize,
) -> fmt::Result {
    for node in nodes {
        let indent = "    ".repeat(depth);
        match node {
            Node::Note(text) => writeln!(f, "{indent}# {}", noted(text))?,
            Node::For(header) => {
                writeln!(f, "{indent}{} {{", texts.header(header))?;
                write_nodes(f, texts, &header.body, depth + 1)?;
                writeln!(f, "{indent}}}")?;
            }
            Node::If(cond, body) => {
                writeln!(f, "{indent}if {} {{", texts.cond(cond))?;
                write_nodes(f, texts, body, depth + 1)?;
                writeln!(f, "{indent}}}")?;
            }
            Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => writeln!(f, "{indent}{}", simple(texts, node))?,
        }
    }
    Ok(())
}

fn simple(texts: &Texts, node: &Node) -> String {
    match node {
        Node::SetInt(var, e) => format!("{} = {}", texts.int_var(*var), texts.int(e)),
        Node::Set(var, e) => format!("{} = {}", texts.real_var(*var), texts.real(e)),
        Node::Join(var, fold, e) => {
            format!("{} {} {}", texts.real_var(*var), fold.symbol(), texts.real(e))
        }
        Node::Store(place, e) => format!("{} = {}", texts.place(place), texts.real(e)),
        Node::Accumulate(place, fold, e) => {
            format!("{} {} {}", texts.place(place), fold.symbol(), texts.real(e))
        }
        Node::StoreInt(place, e) => format!("{} = {}", texts.place(place), texts.int(e)),
        Node::AddInt(place, e) => format!("{} += {}", texts.place(place), texts.int(e)),
        Node::Visit(statement) => format!("visit {}", texts.statements[statement.index()]),
        Node::Check(check, cond) => {
            format!("check {} else {}", texts.cond(cond), check.index() + 1)
        }
        Node::Note(_) | Node::For(_) | Node::If(..) => {
            unreachable!("written by the caller")
        }
    }
}

/// A note, in quotation marks unless it is a line that begins and ends with something else.
fn noted(text: &str) -> String {
    let plain = !text.is_empty()
        && text.trim() == text
        && !text.starts_with('"')
        && !text.contains(char::is_control);
    if plain { text.to_owned() } else { quoted(text) }
}

fn message(texts: &Texts, check: &Check) -> String {
    let entry = |tensor: &str, position: &[Int]| {
        let position: Vec<String> = position.iter().map(|e| texts.int(e)).collect();
        format!("{}[{}]", quoted(tensor), position.join(", "))
    };
    match check {
        Check::Requires { clause, condition, point } => {
            let var = |(name, var): &(String, IntId)| {
                format!("{} = {}", quoted(name), texts.int_var(*var))
            };
            let point: Vec<String> = point.iter().map(var).collect();
            let at = if point.is_empty() { "" } else { " at " };
            format!("requires {clause} {}{at}{}", quoted(condition), point.join(", "))
        }
        Check::Sort { tensor, position, value, bound } => {
            let value = texts.int_var(*value);
            format!("sort {} = {value} below {}", entry(tensor, position), texts.int(bound))
        }
        Check::Earlier { tensor, position, read, entry: other } => {
            format!("order {} reads {}", entry(tensor, position), entry(read, other))
        }
    }
}
