//! The symbols of a term as unknowns of affine constraints.
//!
//! A symbol is an atom of the language: a size, a variable, a quotient, or data (an
//! entry of an index tensor, a real rounded down, ..). Each has a number in the
//! affine solver, and facts that its form gives. Remainders are written with
//! quotients: `e % k = e - k·(e / k)`.

use indexmap::IndexMap;
use iverson_affine::{Constraint, Linear, Var};
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Atom, Element, Expr, Extent, Index, Symbols, TensorId, VarId};
use iverson_spec::traverse::{FreeVars, Visit, walk_expr};
use smallvec::SmallVec;

/// The symbols met, by number.
pub(super) struct Space {
    atoms: IndexMap<Atom, Symbol>,
    /// What holds of a symbol wherever it has a value.
    pub(super) facts: Vec<(Var, Constraint)>,
    /// `0 <= index` and `index < extent` for entries that are read: what is out of bounds does not hold.
    pub(super) in_bounds: Vec<Constraint>,
    /// `k·q <= e < k·q + k` for each quotient `q = e / k`.
    pub(super) divisions: Vec<(Var, Constraint)>,
}

/// What is known of a symbol.
pub(super) struct Symbol {
    /// What it is.
    pub(super) sort: Sort,
    /// The variables that its value depends on.
    pub(super) vars: SmallVec<[VarId; 4]>,
}

/// What a symbol is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    /// A size.
    Size,
    /// A variable.
    Var(VarId),
    /// A quotient of an affine form.
    Quotient,
    /// Anything that is computed from data.
    Data,
}

impl Space {
    pub(super) fn new() -> Self {
        Self {
            atoms: IndexMap::new(),
            facts: Vec::new(),
            in_bounds: Vec::new(),
            divisions: Vec::new(),
        }
    }

    /// The number of symbols.
    pub(super) fn len(&self) -> usize {
        self.atoms.len()
    }

    /// The symbol of a number.
    pub(super) fn symbol(&self, var: Var) -> &Symbol {
        &self.atoms[var.0 as usize]
    }

    /// The atom of a number.
    pub(super) fn atom(&self, var: Var) -> &Atom {
        self.atoms
            .get_index(var.0 as usize)
            .map_or_else(|| unreachable!("numbers are those of symbols"), |(atom, _)| atom)
    }

    /// The number of an atom that is known.
    pub(super) fn number(&self, atom: &Atom) -> Option<Var> {
        self.atoms.get_index_of(atom).map(|at| Var(at as u32))
    }

    /// `left cmp right`; `None` on overflow, and for `!=`.
    pub(super) fn compare(
        &mut self,
        symbols: &Symbols,
        cmp: Cmp,
        left: &Index,
        right: &Index,
    ) -> Option<Constraint> {
        let (a, b) = (self.linear(symbols, left)?, self.linear(symbols, right)?);
        match cmp {
            Cmp::Eq => Constraint::equal(&a, &b),
            Cmp::Lt => Constraint::less(&a, &b),
            Cmp::Le => Constraint::at_least(&b, &a),
            Cmp::Gt => Constraint::less(&b, &a),
            Cmp::Ge => Constraint::at_least(&a, &b),
            Cmp::Ne => None,
        }
    }

    /// The affine form of an index expression; `None` on overflow.
    pub(super) fn linear(&mut self, symbols: &Symbols, index: &Index) -> Option<Linear> {
        let mut sum = Linear::constant(i128::from(index.constant_part()));
        for (atom, coefficient) in index.terms() {
            let value = self.value(symbols, atom)?;
            sum = sum.add(&value.scale(i128::from(*coefficient))?)?;
        }
        Some(sum)
    }

    fn value(&mut self, symbols: &Symbols, atom: &Atom) -> Option<Linear> {
        if let Atom::Mod(e, k) = atom {
            let quotient = self.value(symbols, &Atom::Div(e.clone(), *k))?;
            return self.linear(symbols, e)?.sub(&quotient.scale(i128::from(*k))?);
        }
        if let Some(var) = self.number(atom) {
            return Some(Linear::var(var));
        }
        self.note_parts(symbols, atom)?;
        let vars = FreeVars::of_index(&Index::atom(atom.clone())).into();
        let var = Var(self.atoms.len() as u32);
        self.atoms.insert(atom.clone(), Symbol { sort: sort(atom), vars });
        self.describe(symbols, atom, var)?;
        Some(Linear::var(var))
    }

    /// Gives the parts of an atom numbers before its own: values are computed in this order.
    fn note_parts(&mut self, symbols: &Symbols, atom: &Atom) -> Option<()> {
        match atom {
            Atom::Read(_, indices) => {
                indices.iter().try_for_each(|e| self.linear(symbols, e).map(|_| ()))
            }
            Atom::Div(e, _) | Atom::Mod(e, _) => self.linear(symbols, e).map(|_| ()),
            Atom::Floor(e) => {
                let mut entries = Entries::default();
                entries.expr(e);
                let mut indices = entries.0.iter().flat_map(|(_, indices)| indices);
                indices.try_for_each(|index| self.linear(symbols, index).map(|_| ()))
            }
            Atom::Size(_) | Atom::Var(_) | Atom::If(_) | Atom::Arg(_) => Some(()),
        }
    }

    /// The facts that the form of an atom gives.
    fn describe(&mut self, symbols: &Symbols, atom: &Atom, var: Var) -> Option<()> {
        let own = Linear::var(var);
        match atom {
            Atom::Size(_) => self.facts.push((var, Constraint::NonNegative(own))),
            Atom::Read(tensor, indices) => {
                let tensor = symbols.tensor(*tensor);
                if let Element::Index(bound) = &tensor.element {
                    let bound = self.linear(symbols, bound)?;
                    self.facts.push((var, Constraint::NonNegative(own.clone())));
                    self.facts.push((var, Constraint::less(&own, &bound)?));
                }
                self.entry(symbols, indices, &tensor.shape)?;
            }
            Atom::Floor(e) => {
                let mut entries = Entries::default();
                entries.expr(e);
                for (tensor, indices) in entries.0 {
                    self.entry(symbols, &indices, &symbols.tensor(tensor).shape)?;
                }
            }
            Atom::Div(e, k) => {
                let whole = own.scale(i128::from(*k))?;
                let rest = self.linear(symbols, e)?.sub(&whole)?;
                let below = Linear::constant(i128::from(*k) - 1).sub(&rest)?;
                self.divisions.push((var, Constraint::NonNegative(rest)));
                self.divisions.push((var, Constraint::NonNegative(below)));
            }
            Atom::Var(_) | Atom::Mod(..) | Atom::If(_) | Atom::Arg(_) => {}
        }
        Some(())
    }

    /// An entry that is read must be in bounds.
    fn entry(&mut self, symbols: &Symbols, indices: &[Index], shape: &[Extent]) -> Option<()> {
        for (index, extent) in indices.iter().zip(shape) {
            let (index, extent) = (self.linear(symbols, index)?, self.linear(symbols, extent)?);
            self.in_bounds.push(Constraint::NonNegative(index.clone()));
            self.in_bounds.push(Constraint::less(&index, &extent)?);
        }
        Some(())
    }
}

/// The entries of real tensors that an expression reads.
#[derive(Default)]
struct Entries(Vec<(TensorId, Vec<Index>)>);

impl Visit for Entries {
    fn expr(&mut self, expr: &Expr) {
        if let Expr::Access(tensor, indices) = expr {
            self.0.push((*tensor, indices.clone()));
        }
        walk_expr(self, expr);
    }
}

fn sort(atom: &Atom) -> Sort {
    match atom {
        Atom::Size(_) => Sort::Size,
        Atom::Var(v) => Sort::Var(*v),
        Atom::Div(e, _) if plain(e) => Sort::Quotient,
        Atom::Div(..)
        | Atom::Mod(..)
        | Atom::Read(..)
        | Atom::Floor(_)
        | Atom::If(_)
        | Atom::Arg(_) => Sort::Data,
    }
}

/// Whether only variables and sizes occur, and quotients and remainders of such.
pub(super) fn plain(index: &Index) -> bool {
    index.terms().iter().all(|(atom, _)| match atom {
        Atom::Size(_) | Atom::Var(_) => true,
        Atom::Div(inner, _) | Atom::Mod(inner, _) => plain(inner),
        Atom::Read(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => false,
    })
}
