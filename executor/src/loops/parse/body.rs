//! The nodes of a loop program.

use super::super::{
    BufferId, CheckId, Cond, Element, Fold, For, Int, IntId, Node, Order, Place, RealId,
};
use super::lexer::Token;
use super::{Name, Parse, Parser};

/// What may begin a node.
const NODES: &str =
    "a node: `for`, `if`, `visit`, `check`, a note, or a value for a variable or an entry";

impl Parser<'_> {
    /// Nodes up to the end of their block or of the text.
    pub(super) fn nodes(&mut self) -> Parse<Vec<Node>> {
        let mut nodes = Vec::new();
        while *self.token() != Token::End && !self.is("}") {
            nodes.push(self.node()?);
            self.end_of_line()?;
        }
        Ok(nodes)
    }

    fn node(&mut self) -> Parse<Node> {
        match self.token().clone() {
            Token::Note(text) => {
                self.advance();
                Ok(Node::Note(text))
            }
            Token::Word(word) => match word {
                "for" => self.deeper(Self::for_loop),
                "if" => self.deeper(Self::condition),
                "visit" => self.visit(),
                "check" => self.check(),
                _ => self.value(),
            },
            Token::Number(_) | Token::Quoted(_) | Token::Symbol(_) | Token::Odd(_) | Token::End => {
                self.fail(NODES)
            }
        }
    }

    fn block(&mut self) -> Parse<Vec<Node>> {
        self.expect("{")?;
        self.end_of_line()?;
        let nodes = self.nodes()?;
        if !self.accept("}") {
            return self.fail("`}` or a node");
        }
        Ok(nodes)
    }

    /// `for any i in a .. b where r of k { .. }`
    fn for_loop(&mut self) -> Parse<Node> {
        self.advance();
        let order = if self.accept_word("down") {
            Order::Descending
        } else if self.accept_word("any") {
            Order::Parallel
        } else {
            Order::Ascending
        };
        let var = self.int_variable()?;
        self.expect_word("in")?;
        let lower = self.bound("max")?;
        self.expect("..")?;
        let upper = self.bound("min")?;
        let mut stride = None;
        if self.accept_word("where") {
            let residue = self.int()?;
            self.expect_word("of")?;
            stride = Some((self.digits("a modulus of at least 2")?, residue));
        }
        let body = self.block()?;
        Ok(Node::For(Box::new(For { var, lower, upper, stride, order, body })))
    }

    /// One end of a range: an integer, or the greatest or least of several.
    fn bound(&mut self, word: &str) -> Parse<Vec<Int>> {
        if self.is_word(word) && matches!(self.next(), Token::Symbol("(")) {
            self.advance();
            self.advance();
            return self.list(")", Self::int);
        }
        Ok(vec![self.int()?])
    }

    fn condition(&mut self) -> Parse<Node> {
        self.advance();
        let cond = self.cond()?;
        Ok(Node::If(cond, self.block()?))
    }

    fn visit(&mut self) -> Parse<Node> {
        self.advance();
        let wanted = "the name of a statement";
        let at = self.at;
        let word = self.word(wanted)?;
        match self.statements.get(word) {
            Some(statement) => Ok(Node::Visit(*statement)),
            None => self.fail_at(at, format!("{wanted} that `statements` declares")),
        }
    }

    /// `check p else 1`
    fn check(&mut self) -> Parse<Node> {
        self.advance();
        let cond: Cond = self.cond()?;
        self.expect_word("else")?;
        let at = self.at;
        let number = self.digits("the number of a message")?;
        if number < 1 || number > self.out.checks.len() as i64 {
            return self.fail_at(at, "the number of a message that is declared");
        }
        Ok(Node::Check(CheckId(number as u32 - 1), cond))
    }

    /// `x = e`, `x += e`, `b[i] = e`, `b[i] += e` and their kin
    fn value(&mut self) -> Parse<Node> {
        let at = self.at;
        match self.named(NODES)? {
            Name::Int(var) => self.set_int(var),
            Name::Real(var) => self.set_real(var),
            Name::Buffer(buffer) => self.store(buffer),
            Name::Size(_) | Name::Relation(_) => self.fail_at(at, "a variable or a buffer"),
        }
    }

    fn set_int(&mut self, var: IntId) -> Parse<Node> {
        if !self.accept("=") {
            return self.fail("`=`: the variable is an integer");
        }
        Ok(Node::SetInt(var, self.int()?))
    }

    fn set_real(&mut self, var: RealId) -> Parse<Node> {
        match self.fold() {
            Some(fold) => Ok(Node::Join(var, fold, self.real()?)),
            None if self.accept("=") => Ok(Node::Set(var, self.real()?)),
            None => self.fail("`=`, `+=`, `*=`, `max=` or `min=`"),
        }
    }

    fn store(&mut self, buffer: BufferId) -> Parse<Node> {
        let place = Place { buffer, indices: self.indices()? };
        let element = self.out.buffer(buffer).element;
        let at = self.at;
        match (self.fold(), element) {
            (Some(fold), Element::Real) => Ok(Node::Accumulate(place, fold, self.real()?)),
            (Some(Fold::Sum), Element::Int) => Ok(Node::AddInt(place, self.int()?)),
            (Some(Fold::Prod | Fold::Max | Fold::Min), Element::Int) => {
                self.fail_at(at, "`=` or `+=`: the entry is an integer")
            }
            (None, element) => {
                if !self.accept("=") {
                    return self.fail("`=`, `+=`, `*=`, `max=` or `min=`");
                }
                match element {
                    Element::Real => Ok(Node::Store(place, self.real()?)),
                    Element::Int => Ok(Node::StoreInt(place, self.int()?)),
                }
            }
        }
    }

    fn fold(&mut self) -> Option<Fold> {
        let folds = [Fold::Sum, Fold::Prod, Fold::Max, Fold::Min];
        folds.into_iter().find(|fold| self.accept(fold.symbol()))
    }
}
