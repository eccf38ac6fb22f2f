//! Tensors that torch draws with `normal_` and then changes jointly: `sparse_`, `orthogonal_`, and rows set to zero.

use std::sync::Arc;

use super::super::Source;
use super::super::qr::{self, Rows};
use super::super::sequential::{Precomputed, RngState, TensorCursor};
use super::super::source::{Cleared, Values};
use super::{Generator, Plain, PlainLaw, rounded};
use crate::distribution::{Distribution, bytes_of};
use crate::tensor::{DType, Unfolding, to_usize};

/// The values of a joint distribution.
pub(super) fn drawn(state: Generator, distribution: &Distribution, count: u64, dtype: DType) -> Box<dyn TensorCursor> {
    let (values, state) = match distribution {
        Distribution::Cleared { distribution, from, to } => {
            let values = state.values(distribution, count, dtype);
            return Box::new(ClearedCursor { values, range: (*from, *to), position: 0 });
        }
        Distribution::Sparse { nonzeros, mean, std, unfolding } => {
            let (mut values, mut state) = normals(state, (*mean, *std), count, dtype);
            keep_few(&mut values, *nonzeros, unfolding, &mut state);
            (rounded(values, dtype), state)
        }
        Distribution::Orthogonal { gain, unfolding, .. } => {
            let (values, state) = normals(state, (0.0, 1.0), count, dtype);
            // Other threads draw the preceding and following tensors.
            (qr::tensor(&Values::Doubles(values), Rows::Outputs, *gain, unfolding, dtype, 1), state)
        }
        _ => unreachable!("a plan with other distributions is not made"),
    };
    Box::new(Precomputed::new(values, Box::new(state)))
}

/// The bytes for such a distribution, at most.
pub(super) fn workspace(distribution: &Distribution, count: u64) -> u64 {
    match distribution {
        Distribution::Cleared { distribution, .. } => workspace(distribution, count),
        // The normals, the values as they will be, and the order of a column's rows.
        Distribution::Sparse { unfolding, .. } => bytes_of(&[&[2, count], &[unfolding.columns()]]),
        // The normals, next to the values computed from them.
        Distribution::Orthogonal { unfolding, .. } => bytes_of(&[&[count]]).saturating_add(qr::workspace(unfolding)),
        _ => 0,
    }
}

/// `normal_` of the full tensor, and the state after it.
pub(in crate::generator) fn normals(
    state: Generator,
    (mean, std): (f64, f64),
    count: u64,
    dtype: DType,
) -> (Vec<f64>, Generator) {
    let mut plain = Plain::new(state, PlainLaw::Normal { mean, std }, count, dtype);
    let source = plain.take(to_usize(count));
    let mut values = vec![0.0; to_usize(count)];
    if dtype == DType::F64 {
        source.fill_f64(0, &mut values);
    } else {
        let mut singles = vec![0.0; to_usize(count)];
        source.fill_f32(0, &mut singles);
        values.iter_mut().zip(singles).for_each(|(value, single): (_, f32)| *value = single.into());
    }
    (values, plain.ended())
}

/// `sparse_`: zeroes, in each column, the first rows of `randperm(rows)`.
fn keep_few(values: &mut [f64], nonzeros: u64, unfolding: &Unfolding, state: &mut Generator) {
    // The unfolding has a row for each column of the tensor.
    let (columns, rows) = (to_usize(unfolding.rows()), to_usize(unfolding.columns()));
    let zeros = rows - to_usize(nonzeros);
    for column in 0..columns {
        let mut order: Vec<usize> = (0..rows).collect();
        for place in 0..rows.saturating_sub(1) {
            let further = state.words.next() as usize % (rows - place);
            order.swap(place, place + further);
        }
        order[..zeros].iter().for_each(|row| values[row * columns + column] = 0.0);
    }
}

/// Values with some set to zero.
struct ClearedCursor {
    values: Box<dyn TensorCursor>,
    range: (u64, u64),
    position: u64,
}

impl TensorCursor for ClearedCursor {
    fn fork(&self) -> Box<dyn TensorCursor> {
        Box::new(Self { values: self.values.fork(), ..*self })
    }

    fn take(&mut self, count: usize) -> Arc<dyn Source> {
        let (values, first) = (self.values.take(count), self.position);
        self.position += count as u64;
        let range = self.range.0.saturating_sub(first)..self.range.1.saturating_sub(first);
        Arc::new(Cleared { values, range })
    }

    fn finish(self: Box<Self>) -> Box<dyn RngState> {
        self.values.finish()
    }
}
