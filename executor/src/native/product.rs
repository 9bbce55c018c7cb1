//! A program as one C function with a header: what a user compiles.

use super::expressions::Expressions;
use super::lookups::Lookups;
use super::mentions::Mentions;
use super::names::{Names, map};
use super::scopes::Scopes;
use super::statements::{Leave, Statements, about, comment};
use super::text::preamble;
use super::{Emitted, Precision};
use crate::fuse::{Turned, for_tiles};
use crate::loops::{Buffer, BufferId, Element, LoopProgram, RelId, Role};
use std::fmt::Write;

/// A loop program as C source and header.
///
/// The source compiles alone, as C11 without warnings, and calls nothing but the C library. The
/// function takes sizes, arguments and memory for the results, in the order of the program.
#[must_use]
pub fn emit(program: &LoopProgram, precision: Precision) -> Emitted {
    let program = &for_tiles(program, Turned::Rows);
    let names = Names::new(program);
    let lookups = Lookups::of(program);
    let expressions = Expressions::new(program, &names, precision, &lookups);
    let mut mentions = Mentions::of(program, &program.body);
    let product = Product { program, names: &names, precision };
    let function = product.function(&expressions, &mentions);
    program.buffers.iter().enumerate().filter(|(_, b)| b.role.is_inside()).for_each(|(at, _)| {
        mentions.extents(program, BufferId(at as u32));
    });
    let (name, head) = (names.function().to_owned(), product.described());
    let prelude = preamble(program, &mentions, precision, &function);
    let source = format!(
        "/* {name}: see {name}.h. Compile with -O3 -ffp-contract=off. */\n\n#include \"{name}.h\"\n{prelude}\n{function}"
    );
    let guard = format!("IVERSON_{}_H", name.to_uppercase());
    let header = format!(
        "{head}#ifndef {guard}\n#define {guard}\n\n#include <stdint.h>\n\n\
         #ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n{};\n\n\
         #ifdef __cplusplus\n}}\n#endif\n\n#endif\n",
        product.signature("")
    );
    Emitted { name, source, header }
}

struct Product<'p> {
    program: &'p LoopProgram,
    names: &'p Names,
    precision: Precision,
}

impl Product<'_> {
    fn function(&self, expressions: &Expressions<'_>, mentions: &Mentions) -> String {
        let scopes = Scopes::of(self.program, &self.program.body, &[]);
        let mut statements = Statements {
            expressions,
            scopes: &scopes,
            leave: Leave::Goto,
            out: String::new(),
            next: 0,
            plain: false,
            fused: false,
            selects: false,
        };
        let temporaries: Vec<(BufferId, &Buffer)> = self
            .buffers()
            .filter(|(id, buffer)| buffer.role.is_inside() && mentions.buffers.contains(id))
            .collect();
        let stops = mentions.checks || mentions.floors || !temporaries.is_empty();
        if stops {
            statements.line(1, "int64_t status = 0;");
        }
        self.silence(&mut statements, mentions, &temporaries);
        statements.head(1);
        for relation in mentions.boxes(self.program) {
            let (map, arity) = (map(relation), self.arity(relation));
            let table = expressions.table(relation);
            statements.line(1, &format!("uint8_t *{map} = iv_map_{arity}({table});"));
        }
        self.allocate(&mut statements, expressions, &temporaries);
        statements.nodes(&self.program.body, 1);
        if mentions.checks || !temporaries.is_empty() {
            statements.out.push_str("done:\n");
        }
        for (id, _) in &temporaries {
            statements.line(1, &format!("free({});", self.names.buffer(*id)));
        }
        for relation in mentions.boxes(self.program) {
            statements.line(1, &format!("free({});", map(relation)));
        }
        let mut head = expressions.cursors();
        if statements.out.contains("iv_room(") {
            head += "    void *iv_memory = NULL;\n";
            statements.line(1, "free(iv_memory);");
        }
        statements.line(1, if stops { "return status;" } else { "return 0;" });
        format!("{} {{\n{head}{}}}\n", self.signature(" restrict"), statements.out)
    }

    fn arity(&self, relation: RelId) -> usize {
        self.program.relations[relation.index()].coordinates.len()
    }

    /// Parameters that the body does not need.
    fn silence(
        &self,
        statements: &mut Statements<'_>,
        mentions: &Mentions,
        temporaries: &[(BufferId, &Buffer)],
    ) {
        let mut all = mentions.clone();
        temporaries.iter().for_each(|(id, _)| all.extents(self.program, *id));
        for at in 0..self.program.sizes.len() {
            let id = crate::loops::SizeId(at as u32);
            if !all.sizes.contains(&id) {
                statements.line(1, &format!("(void){};", self.names.size(id)));
            }
        }
        for (id, buffer) in self.buffers() {
            if !buffer.role.is_inside() && !mentions.buffers.contains(&id) {
                statements.line(1, &format!("(void){};", self.names.buffer(id)));
            }
        }
    }

    fn allocate(
        &self,
        statements: &mut Statements<'_>,
        expressions: &Expressions<'_>,
        temporaries: &[(BufferId, &Buffer)],
    ) {
        for (id, buffer) in temporaries {
            let (kind, name) = (kind(buffer), self.names.buffer(*id));
            let mut extents = buffer.extents.iter().map(|e| expressions.int(e));
            let first = extents.next().unwrap_or_else(|| "1".to_owned());
            let count = extents.fold(first, |count, extent| format!("iv_times({count}, {extent})"));
            let count =
                if buffer.extents.len() == 1 { format!("iv_max(0, {count})") } else { count };
            statements.line(
                1,
                &format!("{kind} *restrict {name} = iv_allocate({count}, sizeof({kind}));"),
            );
        }
        if !temporaries.is_empty() {
            let missing: Vec<String> =
                temporaries.iter().map(|(id, _)| format!("!{}", self.names.buffer(*id))).collect();
            statements
                .line(1, &format!("if ({}) {{ status = -2; goto done; }}", missing.join(" || ")));
        }
    }

    fn buffers(&self) -> impl Iterator<Item = (BufferId, &Buffer)> {
        self.program.buffers.iter().enumerate().map(|(at, buffer)| (BufferId(at as u32), buffer))
    }

    fn signature(&self, restrict: &str) -> String {
        let sizes = (0..self.program.sizes.len())
            .map(|at| format!("int64_t {}", self.names.size(crate::loops::SizeId(at as u32))));
        let given = |role: Role| self.buffers().filter(move |(_, buffer)| buffer.role == role);
        let inputs = given(Role::Input).map(|(id, buffer)| {
            format!(
                "const {} *{restrict}{}",
                self.outside(buffer),
                spaced(restrict, self.names.buffer(id))
            )
        });
        let outputs = given(Role::Output).map(|(id, buffer)| {
            format!(
                "{} *{restrict}{}",
                self.outside(buffer),
                spaced(restrict, self.names.buffer(id))
            )
        });
        let parameters: Vec<String> = sizes.chain(inputs).chain(outputs).collect();
        let list = if parameters.is_empty() { "void".to_owned() } else { parameters.join(", ") };
        let line = format!("int64_t {}({list})", self.names.function());
        if line.len() <= 100 {
            line
        } else {
            format!("int64_t {}(\n    {})", self.names.function(), parameters.join(",\n    "))
        }
    }

    /// The type of the entries of a buffer for the caller, who knows no `real`.
    fn outside(&self, buffer: &Buffer) -> &'static str {
        match buffer.element {
            Element::Real => self.precision.c(),
            Element::Int => "int64_t",
        }
    }

    /// The comment that heads the header.
    fn described(&self) -> String {
        let texts = crate::loops::Texts::new(self.program);
        let mut out = format!("/* {}\n *\n", self.names.function());
        let mut line = |text: String| {
            let text = comment(&text);
            let _ = writeln!(out, " * {}", &text[3..text.len() - 3]);
        };
        for (id, buffer) in self.buffers().filter(|(_, buffer)| !buffer.role.is_inside()) {
            let extents: Vec<String> = buffer.extents.iter().map(|e| texts.int(e)).collect();
            let role = if buffer.role == Role::Input { "in " } else { "out" };
            let sort = self.outside(buffer);
            line(format!(
                "{role}  {}: {sort}[{}], row-major",
                self.names.buffer(id),
                extents.join("][")
            ));
        }
        for relation in &self.program.relations {
            let places: Vec<&str> =
                relation.coordinates.iter().map(|b| self.names.buffer(*b)).collect();
            line(format!("the tuples ({}) are distinct and sorted", places.join(", ")));
        }
        line("no two arrays overlap; indices are within their sorts".to_owned());
        line(
            "returns 0; or -2: no memory, -1: floor of NaN or of a number beyond 64 bits"
                .to_owned(),
        );
        for (at, check) in self.program.checks.iter().enumerate() {
            line(format!("        {}: {}", at + 1, about(check)));
        }
        out + " */\n"
    }
}

fn spaced(restrict: &str, name: &str) -> String {
    if restrict.is_empty() { name.to_owned() } else { format!(" {name}") }
}

fn kind(buffer: &Buffer) -> &'static str {
    match buffer.element {
        Element::Real => "real",
        Element::Int => "int64_t",
    }
}
