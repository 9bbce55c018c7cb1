//! Memory that begins at a line of the cache, and memory that is cleared.
//!
//! What the system gives for a large vector begins 16 bytes behind a line: then every vector register of 64 bytes that is
//! loaded or stored is parts of two lines.

#![allow(unsafe_code, reason = "bytes are set by the system's own function")]

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

/// Clears reals: by the system's function, which does not read lines that it overwrites; stores one after the other do.
pub(crate) fn clear<S: Scalar>(reals: &mut [S]) {
    // SAFETY: the memory is that of the slice; the number whose bits are all 0 is 0.
    unsafe { std::ptr::write_bytes(reals.as_mut_ptr(), 0, reals.len()) }
}

#[cfg(test)]
mod tests {
    use super::{LINE, at_line, clear};

    #[test]
    fn all_reals_are_cleared() {
        let (mut wide, mut narrow) = ([1.0, -2.0, f64::NAN], [f32::INFINITY, 3.0, -0.0]);
        clear(&mut wide);
        clear(&mut narrow[..2]);
        assert_eq!(wide.map(f64::to_bits), [0; 3]);
        assert_eq!(narrow.map(f32::to_bits), [0, 0, (-0.0_f32).to_bits()]);
    }

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
