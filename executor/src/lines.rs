//! Memory that begins at a line of the cache.
//!
//! What the system gives for a large vector begins 16 bytes behind a line: then every vector register of 64 bytes that is
//! loaded or stored is parts of two lines.

use crate::scalar::Scalar;

/// The bytes of a line; a register of any machine lies within one, if it begins at a multiple of its own size.
const LINE: usize = 64;

/// So many reals from the beginning of a line on, in memory that is kept from one call to the next.
///
/// * **Memory**: that of a line more.
pub(crate) fn at_line<S: Scalar>(memory: &mut Vec<S>, count: usize) -> &mut [S] {
    let spare = LINE / size_of::<S>();
    memory.resize(count + spare, S::default());
    let start = memory.as_ptr().align_offset(LINE).min(spare);
    &mut memory[start..start + count]
}

#[cfg(test)]
mod tests {
    use super::{LINE, at_line};

    #[test]
    fn memory_begins_at_a_line_however_large_it_is() {
        let (mut wide, mut narrow) = (Vec::<f64>::new(), Vec::<f32>::new());
        for count in [0, 1, 7, 100, 1 << 20, 3] {
            let reals = at_line(&mut wide, count);
            assert_eq!((reals.len(), reals.as_ptr() as usize % LINE), (count, 0));
            let reals = at_line(&mut narrow, count);
            assert_eq!((reals.len(), reals.as_ptr() as usize % LINE), (count, 0));
        }
    }
}
