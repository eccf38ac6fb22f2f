//! The elements of a tensor that follow a distribution, if others are zero.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;

use super::{Element, TestOptions, check_memory};
use crate::distribution::{Distribution, TensorSpec, cdf};
use crate::tensor::{DType, Unfolding, to_f64, to_usize};
use crate::text::grouped;

/// The elements of a tensor that follow its distribution; the others are 0.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    All,
    /// All elements except `from..to`.
    Without {
        from: u64,
        to: u64,
    },
    /// `each` elements of each row of the unfolding.
    Nonzero {
        each: u64,
        unfolding: &'a Unfolding,
    },
}

/// A tensor of independent values.
pub(super) struct Sample<'a> {
    pub(super) tensor: &'a TensorSpec,
    pub(super) distribution: &'a Distribution,
    pub(super) part: Part<'a>,
}

/// A chunk of a tensor, and its values that follow the distribution.
pub(super) struct Selected<'v> {
    pub(super) start: u64,
    /// The values of the chunk; NaN for each that must be 0.
    pub(super) chunk: Cow<'v, [f64]>,
    /// The values that follow the distribution.
    pub(super) values: Cow<'v, [f64]>,
    /// Their indices in the tensor; empty if all values of the chunk follow it.
    indices: Vec<u64>,
    /// The first non-zero value that must be 0.
    pub(super) nonzero: Option<Element>,
}

impl Part<'_> {
    pub(super) fn select<'v>(&self, start: u64, values: &'v [f64]) -> Selected<'v> {
        match *self {
            Part::All => {
                let (values, chunk) = (values.into(), values.into());
                Selected { start, chunk, values, indices: Vec::new(), nonzero: None }
            }
            Part::Without { from, to } => {
                let cleared = |index: u64| (from..to).contains(&index);
                let masked = |(index, &value): (u64, &f64)| if cleared(index) { f64::NAN } else { value };
                let chunk = (start..).zip(values).map(masked).collect();
                let mut elements = (start..).zip(values.iter().copied());
                let nonzero = elements.find(|&(index, value)| cleared(index) && value != 0.0);
                Selected { nonzero, ..Selected::those(start, values, chunk, |index, _| !cleared(index)) }
            }
            Part::Nonzero { .. } => Selected::those(start, values, values.into(), |_, value| value != 0.0),
        }
    }
}

impl<'v> Selected<'v> {
    fn those(start: u64, values: &[f64], chunk: Cow<'v, [f64]>, follows: impl Fn(u64, f64) -> bool) -> Self {
        let elements = (start..).zip(values.iter().copied());
        let (indices, values): (Vec<u64>, Vec<f64>) = elements.filter(|&(index, value)| follows(index, value)).unzip();
        Self { start, chunk, values: values.into(), indices, nonzero: None }
    }

    /// The index in the tensor of a value that follows the distribution.
    pub(super) fn index(&self, number: usize) -> u64 {
        self.indices.get(number).copied().unwrap_or(self.start + number as u64)
    }
}

/// The number of nonzero values in each row of a sparse tensor's unfolding.
pub(super) struct NonzeroCounts<'a> {
    each: u64,
    unfolding: &'a Unfolding,
    rows: Vec<AtomicU32>,
}

impl<'a> NonzeroCounts<'a> {
    /// `None` if the tensor is not sparse.
    pub(super) fn new(sample: &Sample<'a>, options: TestOptions) -> Result<Option<Self>> {
        let Part::Nonzero { each, unfolding } = sample.part else { return Ok(None) };
        let rows = unfolding.matrices() * unfolding.rows();
        check_memory(sample.tensor, rows.saturating_mul(4), options.max_memory)?;
        Ok(Some(Self { each, unfolding, rows: (0..rows).map(|_| AtomicU32::new(0)).collect() }))
    }

    pub(super) fn add(&self, selected: &Selected) {
        for &index in &selected.indices {
            let at = self.unfolding.place(index);
            if let Some(row) = self.rows.get(to_usize(at.matrix * self.unfolding.rows() + at.row)) {
                row.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The first row with another number of nonzero values than expected. A few small values may have been rounded to 0.
    pub(super) fn fault(&self, dtype: DType, distribution: &Distribution) -> Option<String> {
        let smallest = dtype.next_up(0.0) / 2.0;
        let rounded_to_zero = cdf(distribution).map_or(0.0, |cdf| cdf(smallest) - cdf(-smallest));
        let total = to_f64(self.each) * to_f64(self.rows.len() as u64);
        let exact = rounded_to_zero * total < 1e-9;
        let counts = (0u64..).zip(self.rows.iter().map(|row| u64::from(row.load(Ordering::Relaxed))));
        let wrong = |count: u64| count > self.each || exact && count != self.each;
        let (number, count) = counts.into_iter().find(|&(_, count)| wrong(count))?;
        let rows = self.unfolding.rows().max(1);
        let matrix =
            if self.unfolding.matrices() > 1 { format!(" of matrix {}", number / rows) } else { String::new() };
        Some(format!(
            "unit {}{matrix} has {} nonzero values, not {}",
            number % rows,
            grouped(count),
            grouped(self.each)
        ))
    }
}
