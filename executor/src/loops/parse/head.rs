//! The tables of a loop program.

use super::super::{
    Buffer, BufferId, Check, Element, Int, IntId, RealId, RelId, RelationTable, Role, SizeId,
    StatementId,
};
use super::lexer::Token;
use super::{Name, Parse, Parser};
use crate::loops::print::{RESERVED, numbered};

/// What a line of the tables begins with; a variable may have that name too.
const HEADS: [&str; 10] = [
    "size",
    "input",
    "output",
    "temporary",
    "local",
    "relation",
    "ints",
    "reals",
    "statements",
    "message",
];

impl Parser<'_> {
    /// `loops name` and the tables.
    pub(super) fn head(&mut self) -> Parse<()> {
        if !self.accept_word("loops") {
            return self.fail("`loops` and the program's name");
        }
        self.out.name = match self.token().clone() {
            Token::Word(word) => word.to_owned(),
            Token::Quoted(text) => text,
            Token::Number(_) | Token::Note(_) | Token::Symbol(_) | Token::Odd(_) | Token::End => {
                return self.fail("the program's name");
            }
        };
        self.advance();
        self.end_of_line()?;
        while let Some(head) = self.table() {
            self.advance();
            self.row(head)?;
            self.end_of_line()?;
        }
        Ok(())
    }

    /// The word that begins a line of the tables: it stands before a word or a number.
    fn table(&self) -> Option<&'static str> {
        let Token::Word(word) = self.token() else { return None };
        let follows = matches!(self.next(), Token::Word(_) | Token::Number(_));
        let same_line = !self.lexed(self.at + 1).first;
        HEADS.into_iter().find(|head| head == word && follows && same_line)
    }

    fn row(&mut self, head: &str) -> Parse<()> {
        match head {
            "size" => {
                let id = SizeId(self.out.sizes.len() as u32);
                let name = self.declared(Name::Size(id))?;
                self.out.sizes.push(name);
                Ok(())
            }
            "input" => self.buffer(Role::Input),
            "output" => self.buffer(Role::Output),
            "temporary" => self.buffer(Role::Temporary),
            "local" => self.buffer(Role::Local),
            "relation" => self.relation(),
            "message" => self.message(),
            _ => loop {
                self.variable(head)?;
                if !self.accept(",") {
                    return Ok(());
                }
            },
        }
    }

    fn variable(&mut self, head: &str) -> Parse<()> {
        match head {
            "ints" => {
                let id = IntId(self.out.ints.len() as u32);
                let name = self.declared(Name::Int(id))?;
                self.out.ints.push(name);
            }
            "reals" => {
                let id = RealId(self.out.reals.len() as u32);
                let name = self.declared(Name::Real(id))?;
                self.out.reals.push(name);
            }
            _ => {
                let at = self.at;
                let word = self.word("the name of a statement")?;
                let id = StatementId(self.out.statements.len() as u32);
                if self.statements.insert(word.to_owned(), id).is_some() {
                    return self.fail_at(at, "the name of another statement");
                }
                let base = numbered(word).and_then(|base| self.statements.get(base));
                let implied = base.map(|id| self.out.statements[id.index()].clone());
                let name = self.original(word, implied);
                self.out.statements.push(name);
            }
        }
        Ok(())
    }

    /// A word that is used from here on, and the name that it stands for.
    fn declared(&mut self, name: Name) -> Parse<String> {
        let at = self.at;
        let word = self.word("a name")?;
        if RESERVED.contains(&word) || word.starts_with(|c: char| c.is_ascii_digit()) {
            return self.fail_at(at, "a name that is no word of loops");
        }
        if self.names.insert(word.to_owned(), name).is_some() {
            return self.fail_at(at, "a name that is not in use");
        }
        let base = numbered(word).and_then(|base| self.names.get(base));
        let implied = base.map(|base| self.called(*base).to_owned());
        Ok(self.original(word, implied))
    }

    /// The name in a table.
    fn called(&self, name: Name) -> &str {
        match name {
            Name::Size(id) => &self.out.sizes[id.index()],
            Name::Buffer(id) => &self.out.buffers[id.index()].name,
            Name::Relation(id) => &self.out.relations[id.index()].name,
            Name::Int(id) => &self.out.ints[id.index()],
            Name::Real(id) => &self.out.reals[id.index()],
        }
    }

    /// The name that a word stands for: what is quoted after it, else what the word that it numbers stands
    /// for, else the word.
    fn original(&mut self, word: &str, implied: Option<String>) -> String {
        if let Token::Quoted(text) = self.token() {
            let text = text.clone();
            self.advance();
            return text;
        }
        implied.unwrap_or_else(|| word.to_owned())
    }

    /// `x "name": real[n, m]`
    fn buffer(&mut self, role: Role) -> Parse<()> {
        let id = BufferId(self.out.buffers.len() as u32);
        let name = self.declared(Name::Buffer(id))?;
        self.expect(":")?;
        let element = match self.word_here() {
            "real" => Element::Real,
            "int" => Element::Int,
            _ => return self.fail("`real` or `int`"),
        };
        self.advance();
        self.expect("[")?;
        // In its table before its extents are read, which may name it; `verify` refuses that.
        self.out.buffers.push(Buffer { name, element, extents: Vec::new(), role });
        self.out.buffers[id.index()].extents = self.list("]", Self::int)?;
        Ok(())
    }

    /// `R(R_0, R_1) of n in [h, w]`
    fn relation(&mut self) -> Parse<()> {
        let id = RelId(self.out.relations.len() as u32);
        let name = self.declared(Name::Relation(id))?;
        self.expect("(")?;
        let coordinates = self.list(")", Self::coordinate)?;
        self.expect_word("of")?;
        let at = self.at;
        let Name::Size(count) = self.named("a size")? else {
            return self.fail_at(at, "the size that is the number of tuples");
        };
        self.expect_word("in")?;
        self.expect("[")?;
        // In its table before its extents are read, which may name it; `verify` refuses that.
        self.out.relations.push(RelationTable { name, count, coordinates, extents: Vec::new() });
        self.out.relations[id.index()].extents = self.list("]", Self::int)?;
        Ok(())
    }

    fn coordinate(&mut self) -> Parse<BufferId> {
        let at = self.at;
        match self.named("a buffer")? {
            Name::Buffer(id) => Ok(id),
            Name::Size(_) | Name::Relation(_) | Name::Int(_) | Name::Real(_) => {
                self.fail_at(at, "a buffer")
            }
        }
    }

    /// `1: requires 2 "text" at "i" = i, ..`, `sort "p"[i] = e below n`, `order "t"[i] reads "u"[j]`
    fn message(&mut self) -> Parse<()> {
        let number = self.out.checks.len() + 1;
        let wanted = format!("`{number}`: messages are numbered in order");
        let at = self.at;
        if self.digits(&wanted)? != number as i64 {
            return self.fail_at(at, wanted);
        }
        self.expect(":")?;
        let check = match self.word_here() {
            "requires" => self.requires()?,
            "sort" => {
                self.advance();
                let (tensor, position) = self.entry_named()?;
                self.expect("=")?;
                let value = self.int_variable()?;
                self.expect_word("below")?;
                Check::Sort { tensor, position, value, bound: self.int()? }
            }
            "order" => {
                self.advance();
                let (tensor, position) = self.entry_named()?;
                self.expect_word("reads")?;
                let (read, entry) = self.entry_named()?;
                Check::Earlier { tensor, position, read, entry }
            }
            _ => return self.fail("`requires`, `sort` or `order`"),
        };
        self.out.checks.push(check);
        Ok(())
    }

    fn requires(&mut self) -> Parse<Check> {
        self.advance();
        let wanted = "the number of a clause";
        let at = self.at;
        let Ok(clause) = usize::try_from(self.digits(wanted)?) else {
            return self.fail_at(at, wanted);
        };
        let condition = self.quotation("the condition in quotation marks")?;
        let mut point = Vec::new();
        if self.accept_word("at") {
            loop {
                let name = self.quotation("the name of a variable in quotation marks")?;
                self.expect("=")?;
                point.push((name, self.int_variable()?));
                if !self.accept(",") {
                    break;
                }
            }
        }
        Ok(Check::Requires { clause, condition, point })
    }

    fn entry_named(&mut self) -> Parse<(String, Vec<Int>)> {
        let name = self.quotation("the name of a tensor in quotation marks")?;
        self.expect("[")?;
        Ok((name, self.list("]", Self::int)?))
    }

    fn quotation(&mut self, wanted: &str) -> Parse<String> {
        let Token::Quoted(text) = self.token() else { return self.fail(wanted) };
        let text = text.clone();
        self.advance();
        Ok(text)
    }
}
