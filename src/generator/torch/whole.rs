//! Tensors that torch draws with `normal_` and then changes as a whole: `sparse_`, `orthogonal_`, and rows that are set to zero.

use std::sync::Arc;

use super::super::Source;
use super::super::ordered::{Drawn, Forward, Ready, Stream};
use super::super::qr::{self, Rows};
use super::{Generator, Plain, PlainLaw, rounded};
use crate::law::{Law, bytes_of};
use crate::tensor::{DType, Unfolding, in_memory};

/// The values of a law that is not drawn element by element.
pub(super) fn drawn(state: Generator, law: &Law, count: u64, dtype: DType) -> Box<dyn Forward> {
    let (values, state) = match law {
        Law::Cleared { law, from, to } => {
            let values = state.values(law, count, dtype);
            return Box::new(Cleared { values, range: (*from, *to), position: 0 });
        }
        Law::Sparse { nonzeros, mean, std, unfolding } => {
            let (mut values, mut state) = normals(state, (*mean, *std), count, dtype);
            keep_few(&mut values, *nonzeros, unfolding, &mut state);
            (rounded(values, dtype), state)
        }
        Law::Orthogonal { gain, unfolding, .. } => {
            let (values, state) = normals(state, (0.0, 1.0), count, dtype);
            // Tensors before it and after it are drawn by other threads.
            (qr::tensor(&Drawn::Doubles(values), Rows::Outputs, *gain, unfolding, dtype, 1), state)
        }
        _ => unreachable!("a plan with other laws is not made"),
    };
    Box::new(Ready::new(values, Box::new(state)))
}

/// The bytes that such a law takes at most.
pub(super) fn workspace(law: &Law, count: u64) -> u64 {
    match law {
        Law::Cleared { law, .. } => workspace(law, count),
        // The normals, the values as they will be, and the order of a column's rows.
        Law::Sparse { unfolding, .. } => bytes_of(&[&[2, count], &[unfolding.columns()]]),
        // The normals, beside what becomes of them.
        Law::Orthogonal { unfolding, .. } => bytes_of(&[&[count]]).saturating_add(qr::workspace(unfolding)),
        _ => 0,
    }
}

/// `normal_` of the whole tensor, and the state after it.
pub(in crate::generator) fn normals(
    state: Generator,
    (mean, std): (f64, f64),
    count: u64,
    dtype: DType,
) -> (Vec<f64>, Generator) {
    let mut plain = Plain::new(state, PlainLaw::Normal { mean, std }, count, dtype);
    let source = plain.take(in_memory(count));
    let mut values = vec![0.0; in_memory(count)];
    if dtype == DType::F64 {
        source.doubles(0, &mut values);
    } else {
        let mut singles = vec![0.0; in_memory(count)];
        source.singles(0, &mut singles);
        values.iter_mut().zip(singles).for_each(|(value, single): (_, f32)| *value = single.into());
    }
    (values, plain.ended())
}

/// `sparse_`: of each column, the rows that come first in `randperm(rows)` are set to zero.
fn keep_few(values: &mut [f64], nonzeros: u64, unfolding: &Unfolding, state: &mut Generator) {
    // The unfolding has a row for each column of the tensor.
    let (columns, rows) = (in_memory(unfolding.rows()), in_memory(unfolding.columns()));
    let zeros = rows - in_memory(nonzeros);
    for column in 0..columns {
        let mut order: Vec<usize> = (0..rows).collect();
        for place in 0..rows.saturating_sub(1) {
            let further = state.words.next() as usize % (rows - place);
            order.swap(place, place + further);
        }
        order[..zeros].iter().for_each(|row| values[row * columns + column] = 0.0);
    }
}

/// Values of which some are then set to zero.
struct Cleared {
    values: Box<dyn Forward>,
    range: (u64, u64),
    position: u64,
}

impl Forward for Cleared {
    fn fork(&self) -> Box<dyn Forward> {
        Box::new(Self { values: self.values.fork(), ..*self })
    }

    fn take(&mut self, count: usize) -> Arc<dyn Source> {
        let (values, first) = (self.values.take(count), self.position);
        self.position += count as u64;
        Arc::new(ClearedPart { values, first, range: self.range })
    }

    fn finish(self: Box<Self>) -> Box<dyn Stream> {
        self.values.finish()
    }
}

struct ClearedPart {
    values: Arc<dyn Source>,
    first: u64,
    range: (u64, u64),
}

impl ClearedPart {
    fn clear<T: Default>(&self, start: u64, out: &mut [T]) {
        let at = self.first + start;
        for (index, value) in (at..).zip(out) {
            if (self.range.0..self.range.1).contains(&index) {
                *value = T::default();
            }
        }
    }
}

impl Source for ClearedPart {
    fn singles(&self, start: u64, out: &mut [f32]) {
        self.values.singles(start, out);
        self.clear(start, out);
    }

    fn doubles(&self, start: u64, out: &mut [f64]) {
        self.values.doubles(start, out);
        self.clear(start, out);
    }
}
