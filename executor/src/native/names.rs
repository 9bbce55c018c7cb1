//! Names of a loop program in C: words that are no words of C, each unlike the others.

use super::scopes::Variable;
use crate::loops::{BufferId, IntId, LoopProgram, RealId, RelId, SizeId};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// Words that a name must not be: those of C, of the headers that are included, and of the frame that
/// functions are printed in. Names that begin with `iv_` are ours as well.
const RESERVED: &str = "auto break case char const continue default do double else enum extern \
float for goto if inline int long register restrict return short signed sizeof static struct switch \
typedef union unsigned void volatile while asm typeof real main begin end NAN INFINITY INT64_MAX \
INT64_MIN SIZE_MAX PTRDIFF_MAX NULL int64_t uint64_t uint32_t size_t memcpy memset malloc calloc free fabs fabsf sqrt sqrtf \
floor bool true false nullptr constexpr alignas alignof linux unix i386 errno stdin stdout stderr HUGE_VAL sizes buffers ints reals status range done";

/// The names of a program, and what some variables are called instead. A copy shares the names: one is made for each run of a tile.
#[derive(Clone)]
pub(super) struct Names {
    all: Rc<All>,
    /// Later ones count.
    kept: Vec<(Variable, String)>,
}

struct All {
    sizes: Vec<String>,
    buffers: Vec<String>,
    ints: Vec<String>,
    reals: Vec<String>,
    function: String,
}

impl Names {
    pub(super) fn new(program: &LoopProgram) -> Self {
        let mut used = reserved();
        let mut all = |names: &mut dyn Iterator<Item = &String>| -> Vec<String> {
            names.map(|name| fresh(name, &mut used)).collect()
        };
        let all = All {
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
        };
        Self { all: Rc::new(all), kept: Vec::new() }
    }

    /// The same, but for some variables.
    pub(super) fn kept(&self, variables: &[(Variable, String)]) -> Self {
        let kept = [&self.kept, variables].concat();
        Self { all: Rc::clone(&self.all), kept }
    }

    fn instead(&self, variable: Variable) -> Option<&str> {
        let mut known = self.kept.iter().rev();
        known.find(|(kept, _)| *kept == variable).map(|(_, text)| text.as_str())
    }

    /// The function.
    pub(super) fn function(&self) -> &str {
        &self.all.function
    }

    pub(super) fn size(&self, id: SizeId) -> &str {
        &self.all.sizes[id.index()]
    }

    pub(super) fn buffer(&self, id: BufferId) -> &str {
        &self.all.buffers[id.index()]
    }

    pub(super) fn int(&self, id: IntId) -> &str {
        self.instead(Variable::Int(id)).unwrap_or(&self.all.ints[id.index()])
    }

    pub(super) fn real(&self, id: RealId) -> &str {
        self.instead(Variable::Real(id)).unwrap_or(&self.all.reals[id.index()])
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
