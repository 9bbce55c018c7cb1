//! Relations as values: finite sets of index tuples.

use crate::call::Dense;
use std::sync::Arc;

/// A finite set of index tuples: sorted, distinct, and never changed.
///
/// Clones share their tuples. An engine that is called again with the same relation, or a clone of it, has
/// nothing to prepare; one that is built anew from the same tuples is equal, but not the same.
///
/// ```
/// use iverson_spec::call::Relation;
///
/// let edges = Relation::new(2, vec![vec![1, 0], vec![0, 2], vec![1, 0]]);
/// assert_eq!(edges.column(0), [0, 1]);
/// assert_eq!(edges.column(1), [2, 0]);
/// assert!(edges.contains(&[0, 2]) && !edges.contains(&[2, 0]));
/// assert!(edges.clone().is_same(&edges));
/// ```
#[derive(Clone, Debug)]
pub struct Relation(Arc<Tuples>);

#[derive(PartialEq, Eq, Debug)]
struct Tuples {
    /// By place: the coordinates of the tuples, which are in lexicographic order.
    columns: Vec<Vec<i64>>,
    count: usize,
}

impl PartialEq for Relation {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.0 == other.0
    }
}

impl Eq for Relation {}

impl Relation {
    /// The relation of these tuples of `arity` places, in any order, repeated or not.
    ///
    /// # Panics
    /// If a tuple has another number of places.
    #[must_use]
    pub fn new(arity: usize, mut tuples: Vec<Vec<i64>>) -> Self {
        if let Some(at) = tuples.iter().position(|tuple| tuple.len() != arity) {
            let found = tuples[at].len();
            panic!("tuple {at} of a relation has {found} places, wanted {arity}");
        }
        if !tuples.is_sorted_by(|a, b| a < b) {
            tuples.sort_unstable();
            tuples.dedup();
        }
        let column = |place: usize| tuples.iter().map(|tuple| tuple[place]).collect();
        let (columns, count) = ((0..arity).map(column).collect(), tuples.len());
        Self(Arc::new(Tuples { columns, count }))
    }

    /// The relation of the tuples with these coordinates, one column for each place, in any order, repeated or not.
    ///
    /// * **Cost**: linear where the tuples are in order, which they are then not copied for.
    ///
    /// # Panics
    /// If there is no column, or one is longer than another.
    #[must_use]
    pub fn from_columns(mut columns: Vec<Vec<i64>>) -> Self {
        assert!(
            !columns.is_empty(),
            "a relation without places has no columns: see `Relation::new`"
        );
        let mut count = columns[0].len();
        if let Some(place) = columns.iter().position(|column| column.len() != count) {
            let found = columns[place].len();
            panic!(
                "column {place} of a relation has {found} coordinates, and column 0 has {count}"
            );
        }
        let tuple = |at: usize| columns.iter().map(move |column| column[at]);
        if !(1..count).all(|at| tuple(at - 1).lt(tuple(at))) {
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_unstable_by(|a, b| tuple(*a).cmp(tuple(*b)));
            order.dedup_by(|a, b| tuple(*a).eq(tuple(*b)));
            let sorted = |column: &Vec<i64>| order.iter().map(|at| column[*at]).collect();
            (columns, count) = (columns.iter().map(sorted).collect(), order.len());
        }
        Self(Arc::new(Tuples { columns, count }))
    }

    /// The positions at which a dense mask is true.
    #[must_use]
    pub fn from_mask(mask: &Dense<bool>) -> Self {
        let held = mask.data.iter().enumerate().filter(|(_, holds)| **holds);
        let places: Vec<usize> = held.map(|(place, _)| place).collect();
        let mut columns = Vec::new();
        let mut inner = 1;
        for extent in mask.shape.iter().rev() {
            columns.push(places.iter().map(|place| (place / inner % extent) as i64).collect());
            inner *= extent;
        }
        columns.reverse();
        Self(Arc::new(Tuples { columns, count: places.len() }))
    }

    /// The number of places of a tuple.
    #[must_use]
    pub fn arity(&self) -> usize {
        self.0.columns.len()
    }

    /// The number of tuples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.count
    }

    /// Whether there is no tuple.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The coordinates in one place, of all tuples in order.
    ///
    /// # Panics
    /// If there is no such place.
    #[must_use]
    pub fn column(&self, place: usize) -> &[i64] {
        &self.0.columns[place]
    }

    /// The tuples, in lexicographic order.
    pub fn tuples(&self) -> impl ExactSizeIterator<Item = Vec<i64>> + '_ {
        (0..self.len()).map(|at| self.0.columns.iter().map(|column| column[at]).collect())
    }

    /// Whether the tuple is in the relation.
    #[must_use]
    pub fn contains(&self, tuple: &[i64]) -> bool {
        let (mut low, mut high) = (0, self.len());
        for (column, wanted) in self.0.columns.iter().zip(tuple) {
            let rest = &column[low..high];
            high = low + rest.partition_point(|at| at <= wanted);
            low += rest.partition_point(|at| at < wanted);
        }
        tuple.len() == self.arity() && low < high
    }

    /// Whether two relations share their tuples: one is a clone of the other.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The first tuple with a coordinate outside of `0..bound`, and the first such place in it; the bounds are by place.
    #[must_use]
    pub fn outside(&self, bounds: &[i64]) -> Option<(usize, usize)> {
        let places = self.0.columns.iter().zip(bounds).enumerate();
        let first = |(place, (column, bound)): (usize, (&Vec<i64>, &i64))| {
            // without a branch for each coordinate in the usual case
            let least = column.iter().fold(0, |least: i64, at| least.min(*at));
            let greatest = column.iter().fold(i64::MIN, |greatest: i64, at| greatest.max(*at));
            if least == 0 && greatest < *bound {
                return None;
            }
            column.iter().position(|at| !(0..*bound).contains(at)).map(|tuple| (tuple, place))
        };
        places.filter_map(first).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> Vec<Vec<i64>> {
        vec![vec![2, 1], vec![0, 3], vec![2, 1], vec![0, -1], vec![1, 9]]
    }

    #[test]
    fn tuples_are_sorted_and_distinct_however_they_are_given() {
        let sorted = [[0, -1], [0, 3], [1, 9], [2, 1]];
        let relation = Relation::new(2, pairs());
        assert_eq!(relation.tuples().collect::<Vec<_>>(), sorted);
        let column = |place| pairs().iter().map(|tuple| tuple[place]).collect();
        assert_eq!(Relation::from_columns(vec![column(0), column(1)]), relation);
        let again =
            Relation::from_columns(vec![relation.column(0).into(), relation.column(1).into()]);
        assert_eq!(again, relation);
        assert!(!again.is_same(&relation) && relation.clone().is_same(&relation));
        assert_eq!((relation.arity(), relation.len(), relation.is_empty()), (2, 4, false));
    }

    #[test]
    fn members_are_the_tuples() {
        let relation = Relation::new(2, pairs());
        for (i, j) in (-1..4).flat_map(|i| (-2..11).map(move |j| (i, j))) {
            assert_eq!(relation.contains(&[i, j]), pairs().contains(&vec![i, j]), "{i}, {j}");
        }
        assert!(!relation.contains(&[0]) && !relation.contains(&[0, 3, 0]));
        let (none, empty) = (Relation::new(0, vec![]), Relation::new(0, vec![vec![], vec![]]));
        assert!(!none.contains(&[]) && empty.contains(&[]));
        assert_eq!((none.len(), empty.len()), (0, 1));
    }

    #[test]
    fn the_first_coordinate_outside_is_found() {
        let relation = Relation::new(2, pairs());
        assert_eq!(relation.outside(&[3, 10]), Some((0, 1)));
        assert_eq!(Relation::new(2, vec![vec![0, 3], vec![2, 1]]).outside(&[3, 4]), None);
        assert_eq!(Relation::new(2, vec![vec![0, 3], vec![2, 1]]).outside(&[2, 3]), Some((0, 1)));
        assert_eq!(Relation::new(2, vec![vec![0, 0], vec![2, 4]]).outside(&[2, 3]), Some((1, 0)));
        assert_eq!(Relation::new(1, vec![]).outside(&[0]), None);
    }

    #[test]
    fn a_mask_is_the_places_where_it_holds() {
        let data = (0..24).map(|at| at % 5 == 1).collect();
        let relation = Relation::from_mask(&Dense { shape: vec![2, 3, 4], data });
        let wanted = [[0, 0, 1], [0, 1, 2], [0, 2, 3], [1, 1, 0], [1, 2, 1]];
        assert_eq!(relation.tuples().collect::<Vec<_>>(), wanted);
        let scalar = |holds| Relation::from_mask(&Dense { shape: vec![], data: vec![holds] });
        assert_eq!((scalar(true).len(), scalar(false).len()), (1, 0));
    }

    #[test]
    #[should_panic(expected = "tuple 1 of a relation has 1 places, wanted 2")]
    fn tuples_have_as_many_places_as_said() {
        let _ = Relation::new(2, vec![vec![0, 1], vec![2]]);
    }

    #[test]
    #[should_panic(expected = "column 1 of a relation has 1 coordinates, and column 0 has 2")]
    fn columns_are_of_one_length() {
        let _ = Relation::from_columns(vec![vec![0, 1], vec![2]]);
    }
}
