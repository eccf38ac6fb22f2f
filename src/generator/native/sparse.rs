//! Sparse distributions: normals at the places of a keyed permutation of each unit, zeros elsewhere.

use super::normal::Normal;
use super::permutation::{BATCH, Permutations, Query};
use crate::generator::Source;
use crate::tensor::Unfolding;

/// The plane of the two words of the permutation's key.
const PLACES: u64 = 3;

pub(super) struct Sparse {
    nonzeros: Normal,
    count: u64,
    unfolding: Unfolding,
    permutations: Permutations,
}

impl Sparse {
    /// `count` values of `nonzeros` in each row of the unfolding.
    pub(super) fn new(nonzeros: Normal, count: u64, unfolding: &Unfolding) -> Self {
        let words = &nonzeros.words;
        let secret = u64::from(words.word(PLACES, 0)) << 32 | u64::from(words.word(PLACES, 1));
        let permutations = Permutations::new(unfolding.columns(), secret);
        Self { nonzeros, count, unfolding: unfolding.clone(), permutations }
    }
}

impl Source for Sparse {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        self.nonzeros.fill_f32(start, out);
        self.clear_zeros(start, out);
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        self.nonzeros.fill_f64(start, out);
        self.clear_zeros(start, out);
    }
}

impl Sparse {
    fn clear_zeros<T: Default>(&self, start: u64, out: &mut [T]) {
        let (rows, step) = (self.unfolding.rows(), self.unfolding.step());
        let mut queries = Vec::with_capacity(out.len());
        self.unfolding.for_each_run(start, out.len() as u64, |_, length, place| {
            queries.extend((0..length).map(|along| Query {
                number: (place.matrix + along * step.matrix) * rows + place.row + along * step.row,
                place: place.column + along * step.column,
            }));
        });
        for (values, queries) in out.chunks_mut(BATCH).zip(queries.chunks(BATCH)) {
            let mut batch = [Query::default(); BATCH];
            batch[..queries.len()].copy_from_slice(queries);
            for (value, image) in values.iter_mut().zip(self.permutations.apply(&batch)) {
                if image >= self.count {
                    *value = T::default();
                }
            }
        }
    }
}
