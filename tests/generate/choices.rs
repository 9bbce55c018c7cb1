//! The stream of choices that a program is built from.

/// Numbers that decide, one after another, what is built.
///
/// A smaller number is a simpler alternative, and after the last one everything
/// is as simple as it can be; so shrinking the numbers shrinks the program.
pub(crate) struct Choices<'c> {
    left: std::slice::Iter<'c, u32>,
}

impl<'c> Choices<'c> {
    pub(crate) fn new(numbers: &'c [u32]) -> Self {
        Self { left: numbers.iter() }
    }

    /// Whether only the simplest alternatives are left.
    pub(crate) fn exhausted(&self) -> bool {
        self.left.len() == 0
    }

    /// One of `0..count`; `count` is positive.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let number = self.left.next().copied().unwrap_or(0);
        ((u64::from(number) * count as u64) >> 32) as usize
    }

    /// Yes, `times` of `of` times; no is simpler.
    pub(crate) fn chance(&mut self, times: usize, of: usize) -> bool {
        self.below(of) >= of - times
    }

    /// One of the items, of which there is at least one; earlier ones are simpler.
    pub(crate) fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }

    /// One of the items, as often as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, items: &[(usize, T)]) -> T {
        let total = items.iter().map(|(weight, _)| weight).sum();
        let mut at = self.below(total);
        for (weight, item) in items {
            if at < *weight {
                return *item;
            }
            at -= weight;
        }
        items[0].1
    }
}
