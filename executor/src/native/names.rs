//! Names of a loop program in C: words that are no words of C, each unlike the others.

use super::scopes::Variable;
use crate::loops::{BufferId, IntId, LoopProgram, RealId, RelId, SizeId};
use rustc_hash::FxHashMap;

/// Words that a name must not be: those of C, of the headers that are included, and of the frame that
/// functions are printed in. Names that begin with `iv_` are ours as well.
const RESERVED: &str = "auto break case char const continue default do double else enum extern \
float for goto if inline int long register restrict return short signed sizeof static struct switch \
typedef union unsigned void volatile while asm typeof real main begin end NAN INFINITY INT64_MAX \
INT64_MIN SIZE_MAX PTRDIFF_MAX NULL int64_t uint64_t uint32_t size_t memcpy memset malloc calloc free fabs fabsf sqrt sqrtf \
floor bool true false nullptr constexpr alignas alignof linux unix i386 errno stdin stdout stderr HUGE_VAL sizes buffers ints reals status range done";

/// The names of a program.
#[derive(Clone)]
pub(super) struct Names {
    sizes: Vec<String>,
    buffers: Vec<String>,
    ints: Vec<String>,
    reals: Vec<String>,
    /// The function.
    pub(super) function: String,
}

impl Names {
    pub(super) fn new(program: &LoopProgram) -> Self {
        let mut used = reserved();
        let mut all = |names: &mut dyn Iterator<Item = &String>| -> Vec<String> {
            names.map(|name| fresh(name, &mut used)).collect()
        };
        Self {
            function: all(&mut std::iter::once(&program.name)).remove(0),
            sizes: all(&mut program.sizes.iter()),
            buffers: {
                // what callers see keeps its name
                let (outside, inside): (Vec<_>, Vec<_>) = (0..program.buffers.len())
                    .partition(|at| !program.buffers[*at].role.is_inside());
                let order: Vec<usize> = outside.into_iter().chain(inside).collect();
                let found = all(&mut order.iter().map(|at| &program.buffers[*at].name));
                let mut named: Vec<_> = order.into_iter().zip(found).collect();
                named.sort_unstable();
                named.into_iter().map(|(_, name)| name).collect()
            },
            ints: all(&mut program.ints.iter()),
            reals: all(&mut program.reals.iter()),
        }
    }

    /// The same, but for some variables.
    pub(super) fn kept(&self, variables: &[(Variable, String)]) -> Self {
        let mut names = self.clone();
        for (variable, text) in variables {
            match variable {
                Variable::Int(var) => names.ints[var.index()].clone_from(text),
                Variable::Real(var) => names.reals[var.index()].clone_from(text),
            }
        }
        names
    }

    pub(super) fn size(&self, id: SizeId) -> &str {
        &self.sizes[id.index()]
    }

    pub(super) fn buffer(&self, id: BufferId) -> &str {
        &self.buffers[id.index()]
    }

    pub(super) fn int(&self, id: IntId) -> &str {
        &self.ints[id.index()]
    }

    pub(super) fn real(&self, id: RealId) -> &str {
        &self.reals[id.index()]
    }
}

/// The map of a relation.
pub(super) fn map(relation: RelId) -> String {
    format!("iv_in_{}", relation.index())
}

/// Words that are taken, with the greatest number that one has had behind it.
type Used = FxHashMap<String, usize>;

fn reserved() -> Used {
    RESERVED.split_whitespace().map(|word| (word.to_owned(), 1)).collect()
}

/// The name as a word of letters, digits and `_`, with a number where it is taken.
fn fresh(name: &str, used: &mut Used) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mut word: String = name.chars().map(plain).collect();
    if !word.starts_with(|c: char| c.is_ascii_alphabetic()) || word.starts_with("iv_") {
        word.insert(0, 'v');
    }
    let Some(&last) = used.get(&word) else {
        used.insert(word.clone(), 1);
        return word;
    };
    let mut number = last + 1;
    while used.contains_key(&format!("{word}_{number}")) {
        number += 1;
    }
    let text = format!("{word}_{number}");
    used.insert(word, number);
    used.insert(text.clone(), 1);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_of_their_own() {
        let mut used = reserved();
        let mut name = |text: &str| fresh(text, &mut used);
        assert_eq!(name("x"), "x");
        assert_eq!(name("x"), "x_2");
        assert_eq!(name("double"), "double_2");
        assert_eq!(name("x'"), "x_");
        assert_eq!(name("3"), "v3");
        assert_eq!(name("iv_exp"), "viv_exp");
        assert_eq!(name("_t"), "v_t");
    }
}
