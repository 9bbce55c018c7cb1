//! A small deterministic generator of pseudo-random numbers (splitmix64), so that a
//! family's inputs are the same on every machine.

/// The generator.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..below`; `below` is at least 1.
    pub fn below(&mut self, below: usize) -> usize {
        ((u128::from(self.next()) * below as u128) >> 64) as usize
    }

    /// A multiple of 2⁻²⁰ in -1..1.
    pub fn real(&mut self) -> f64 {
        (self.next() >> 43) as f64 / f64::from(1 << 20) - 1.0
    }

    /// `count` numbers as of [`Rng::real`], times `scale`.
    pub fn reals(&mut self, count: usize, scale: f64) -> Vec<f64> {
        (0..count).map(|_| self.real() * scale).collect()
    }

    /// `count` indices in `0..below`.
    pub fn indices(&mut self, count: usize, below: usize) -> Vec<i64> {
        (0..count).map(|_| self.below(below) as i64).collect()
    }

    /// A permutation of `0..count`.
    pub fn permutation(&mut self, count: usize) -> Vec<i64> {
        let mut items: Vec<i64> = (0..count as i64).collect();
        for i in (1..count).rev() {
            items.swap(i, self.below(i + 1));
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_stream() {
        let mut rng = Rng::new(1);
        assert_eq!(rng.reals(3, 1.0), Rng::new(1).reals(3, 1.0));
        assert!(rng.reals(1000, 1.0).iter().all(|x| (-1.0..1.0).contains(x)));
    }

    #[test]
    fn a_permutation_has_every_index_once() {
        let mut items = Rng::new(2).permutation(100);
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<i64>>());
    }
}
