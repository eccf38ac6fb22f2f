//! The inputs of a layer in memory, if they fit, so that they are read once.

use anyhow::Result;

use super::blocks::in_order;
use super::input::Input;
use crate::matrix::{Bits, Factor, Matrix, PANEL, Panels};
use crate::tensor::to_usize;

/// The inputs of a layer.
#[derive(Default)]
pub(super) struct SampleCache {
    /// The values of a sample.
    width: usize,
    samples: usize,
    store: Store,
    /// The maximum number of bytes.
    limit: u64,
}

#[derive(Default)]
enum Store {
    /// Binary samples, one bit per value.
    Bits(Vec<u64>),
    Values(Vec<f32>),
    /// The samples exceed the limit.
    #[default]
    Nothing,
}

impl SampleCache {
    /// All training samples with `width` values each, and the sums over samples.
    pub(super) fn new(input: &Input, width: usize) -> Result<(Self, Vec<f64>)> {
        let mut kept = Self { width, samples: input.training.len(), store: Store::Nothing, limit: input.memory };
        kept.store = kept.room(width.div_ceil(PANEL)).map_or(Store::Nothing, Store::Bits);
        let mut sums = vec![0.0; width];
        in_order(
            &input.training,
            // A sample of the data may be wider than the input.
            width.max(input.table.features),
            |block| {
                let samples = input.samples(block)?;
                Ok((sums_of(&samples), Bits::of(&samples), samples))
            },
            |(of_block, bits, samples)| {
                sums.iter_mut().zip(of_block).for_each(|(sum, of_block)| *sum += of_block);
                kept.add(bits, &samples);
            },
        )?;
        Ok((kept, sums))
    }

    /// True if the samples do not fit.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self.store, Store::Nothing)
    }

    /// An empty vector for all samples with `elements` each; `None` above the limit.
    fn room<T>(&self, elements: usize) -> Option<Vec<T>> {
        let count = self.samples.checked_mul(elements)?;
        let bytes = (count as u64).checked_mul(size_of::<T>() as u64)?;
        (bytes <= self.limit).then(|| Vec::with_capacity(count))
    }

    fn add(&mut self, bits: Option<Bits>, samples: &Matrix<f32>) {
        if let (None, Store::Bits(words)) = (&bits, &self.store) {
            let room = self.room(self.width).map(|mut values| {
                unpack(words, self.width, &mut values);
                values
            });
            self.store = room.map_or(Store::Nothing, Store::Values);
        }
        match (&mut self.store, bits) {
            (Store::Bits(words), Some(bits)) => (0..bits.rows()).for_each(|row| words.extend(bits.row(row))),
            (Store::Values(values), _) => values.extend_from_slice(samples.values()),
            _ => {}
        }
    }

    /// The samples at these positions.
    pub(super) fn samples(&self, places: &[u64]) -> Factor {
        let places = places.iter().map(|&place| to_usize(place)).enumerate();
        match &self.store {
            Store::Bits(words) => {
                let (mut bits, each) = (Bits::zeros(places.len(), self.width), self.width.div_ceil(PANEL));
                places.for_each(|(row, place)| bits.set_row(row, &words[place * each..][..each]));
                Factor::Bits(bits)
            }
            Store::Values(values) => {
                let mut samples = Panels::zeros(places.len(), self.width);
                places.for_each(|(row, place)| samples.set_row(row, &values[place * self.width..][..self.width]));
                Factor::Values(samples)
            }
            Store::Nothing => Factor::Bits(Bits::zeros(0, self.width)),
        }
    }
}

/// Appends the values of binary samples.
fn unpack(words: &[u64], width: usize, values: &mut Vec<f32>) {
    let bit = |words: &[u64], at: usize| f32::from(words[at / PANEL] >> (at % PANEL) & 1 == 1);
    for words in words.chunks_exact(width.div_ceil(PANEL)) {
        values.extend((0..width).map(|at| bit(words, at)));
    }
}

/// The sum of each value over samples.
fn sums_of(samples: &Matrix<f32>) -> Vec<f64> {
    let mut sums = vec![0.0; samples.columns()];
    for row in samples.each_row() {
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(width: usize, samples: usize, limit: u64) -> SampleCache {
        let mut kept = SampleCache { width, samples, store: Store::Nothing, limit };
        kept.store = kept.room(width.div_ceil(PANEL)).map_or(Store::Nothing, Store::Bits);
        kept
    }

    #[test]
    fn samples_are_kept_as_bits_as_values_or_not_at_all() {
        let on = Matrix::new((0..3 * 70).map(|n| f32::from(n % 3 == 0)).collect(), 70);
        let part = Matrix::new((0..2 * 70).map(|n| n as f32 / 140.0).collect(), 70);
        let mut kept_all = kept(70, 5, 1 << 20);
        kept_all.add(Bits::of(&on), &on);
        let Factor::Bits(bits) = kept_all.samples(&[2, 0]) else { panic!("bits are kept as values") };
        assert_eq!((bits.matrix().row(0), bits.matrix().row(1)), (on.row(2), on.row(0)));
        kept_all.add(Bits::of(&part), &part);
        let Factor::Values(values) = kept_all.samples(&[4, 1]) else { panic!("values are kept as bits") };
        assert_eq!((values.matrix().row(0), values.matrix().row(1)), (part.row(1), on.row(1)));
        // Space for the bits of five samples, but not for their values.
        let mut too_many = kept(70, 5, 80);
        too_many.add(Bits::of(&on), &on);
        assert!(!too_many.is_nothing());
        too_many.add(Bits::of(&part), &part);
        assert!(too_many.is_nothing() && kept(70, 5, 79).is_nothing());
    }
}
