//! What the text comes to first.

use crate::function::{Fun, UserFunId};
use crate::ir::{Block, Def, Expr, Program, Symbols, TensorId};
use crate::traverse::{Visit, walk_def, walk_expr};

/// The tensors that definitions make, in the order of the text.
pub(super) struct TextOrder {
    /// Tensors that have their names already.
    pub(super) tensors: Vec<TensorId>,
    pub(super) found: Vec<TensorId>,
}

impl TextOrder {
    pub(super) fn blocks<S>(&mut self, blocks: &[Block<S>], def: impl Fn(&S) -> Def + Copy) {
        for block in blocks {
            match block {
                Block::Stmt(stmt) => self.def(&def(stmt)),
                Block::Rec(rec) => self.blocks(&rec.body, def),
                Block::Requires(requires) => self.guard(&requires.condition),
            }
        }
    }
}

impl Visit for TextOrder {
    fn def(&mut self, def: &Def) {
        if !self.tensors.contains(&def.tensor) {
            self.found.push(def.tensor);
        }
        walk_def(self, def);
    }
}

/// The places of the functions with a derivative that occur, in the order in which
/// reading the text makes them known: at the first use, those in its value first.
pub(super) fn functions<S>(program: &Program<S>, def: impl Fn(&S) -> Def + Copy) -> Vec<usize> {
    let mut uses = Uses { symbols: &program.symbols, seen: Vec::new(), found: Vec::new() };
    uses.blocks(&program.body, def);
    uses.found
}

struct Uses<'p> {
    symbols: &'p Symbols,
    seen: Vec<UserFunId>,
    found: Vec<usize>,
}

impl Uses<'_> {
    fn blocks<S>(&mut self, blocks: &[Block<S>], def: impl Fn(&S) -> Def + Copy) {
        for block in blocks {
            match block {
                Block::Stmt(stmt) => self.def(&def(stmt)),
                Block::Rec(rec) => self.blocks(&rec.body, def),
                Block::Requires(requires) => self.guard(&requires.condition),
            }
        }
    }

    fn function(&mut self, id: UserFunId) {
        if self.seen.contains(&id) {
            return;
        }
        self.seen.push(id);
        let row = self.symbols.function(id);
        self.expr(&row.value);
        self.found.push(id.0 as usize);
        row.partials.iter().for_each(|partial| self.expr(partial));
    }
}

impl Visit for Uses<'_> {
    fn expr(&mut self, e: &Expr) {
        if let Expr::Apply(Fun::User(id), _) = e {
            self.function(*id);
        }
        walk_expr(self, e);
    }
}
