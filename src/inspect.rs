//! What is in a file, beside what the distributions of its provenance ask for.

mod histogram;
mod picture;
mod spectrum;
mod tree;

use anyhow::Result;

pub use histogram::{Histogram, histogram};
pub use picture::{Panel, picture};
pub use spectrum::{FEW_AXES, Spectrum, spectrum};
pub use tree::tree;

use crate::distribution::Distribution;
use crate::reader::{Contents, Entry};
use crate::scan::scan;
use crate::tensor::{Element, to_f64};

/// Figures of a tensor's values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// How many values are finite; the figures below are of those.
    pub finite: u64,
    /// How many are no number.
    pub nan: u64,
    /// How many are infinite.
    pub infinite: u64,
    /// The least; `None` where no value is finite.
    pub min: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
    moments: SampleMoments,
}

/// What a distribution asks of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// Their mean over all draws, where a formula has digits left.
    pub mean: Option<f64>,
    /// Their standard deviation over all draws.
    pub std: Option<f64>,
    /// The closed interval that holds them all, where the distribution has one.
    pub bounds: Option<(f64, f64)>,
}

impl Expected {
    /// What a distribution asks.
    pub fn by(distribution: &Distribution) -> Self {
        Self { mean: distribution.mean(), std: distribution.std(), bounds: distribution.bounds() }
    }
}

/// The figures of the tensor with this number; `None` where its values are of a type that is not read. They are the same for any
/// number of threads.
pub fn summary(contents: &Contents, number: usize, threads: usize) -> Result<Option<Summary>> {
    let read = contents.entries.get(number).and_then(Entry::element).is_some_and(Element::is_number);
    if !read {
        return Ok(None);
    }
    let visit = |parts: &mut Vec<(u64, Summary)>, start: u64, values: &[f64]| {
        let mut summary = Summary::default();
        summary.add(values);
        parts.push((start, summary));
    };
    let mut parts: Vec<_> = scan(contents, number, threads, &Vec::new, &visit)?.into_iter().flatten().collect();
    parts.sort_by_key(|(start, _)| *start);
    Ok(Some(parts.into_iter().fold(Summary::default(), |whole, (_, part)| whole.and(part))))
}

impl Summary {
    /// The mean; `None` where there is none, or where it is beyond a double.
    pub fn mean(&self) -> Option<f64> {
        Some(self.moments.mean).filter(|mean| self.finite > 0 && mean.is_finite())
    }

    /// The population's standard deviation; `None` where there is none, or where its square is beyond a double.
    pub fn std(&self) -> Option<f64> {
        Some((self.moments.squares / self.moments.count).sqrt()).filter(|std| std.is_finite())
    }

    /// Takes further values in.
    pub fn add(&mut self, values: &[f64]) {
        if values.iter().all(|value| value.is_finite()) {
            return self.add_finite(values);
        }
        let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        let nan = values.iter().filter(|value| value.is_nan()).count() as u64;
        self.nan += nan;
        self.infinite += (values.len() - finite.len()) as u64 - nan;
        self.add_finite(&finite);
    }

    /// The figures of two parts together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let either = |one: Option<f64>, two: Option<f64>, pick: fn(f64, f64) -> f64| match (one, two) {
            (Some(one), Some(two)) => Some(pick(one, two)),
            (one, two) => one.or(two),
        };
        Self {
            finite: self.finite + other.finite,
            nan: self.nan + other.nan,
            infinite: self.infinite + other.infinite,
            min: either(self.min, other.min, f64::min),
            max: either(self.max, other.max, f64::max),
            moments: if other.finite == 0 { self.moments } else { self.moments.and(other.moments) },
        }
    }

    fn add_finite(&mut self, values: &[f64]) {
        let Some(&first) = values.first() else { return };
        self.finite += values.len() as u64;
        self.min = Some(values.iter().copied().fold(self.min.unwrap_or(first), f64::min));
        self.max = Some(values.iter().copied().fold(self.max.unwrap_or(first), f64::max));
        self.moments = self.moments.and(SampleMoments::of(values, first));
    }
}

/// The mean of values and the sum of the squares of their distances from it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct SampleMoments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl SampleMoments {
    /// The moments of a chunk that holds `first`. All sums are of distances, so that equal values have exactly their own
    /// mean and no deviation; the second skip the chunk finds what rounding has left in the mean of the first. A sum
    /// that overflows stays no number.
    fn of(values: &[f64], first: f64) -> Self {
        let count = to_f64(values.len() as u64);
        let mean = first + sum(values, |value| value - first) / count;
        let rest = sum(values, |value| value - mean);
        let squares = sum(values, |value| (value - mean) * (value - mean)) - rest * rest / count;
        Self { count, mean: mean + rest / count, squares: if squares < 0.0 { 0.0 } else { squares } }
    }

    /// The moments of both parts together (the pairwise update of Chan, Golub and `LeVeque`, 1979).
    fn and(self, other: Self) -> Self {
        if self.count == 0.0 {
            return other;
        }
        let count = self.count + other.count;
        let share = other.count / count;
        let apart = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + apart * share,
            squares: self.squares + other.squares + apart * apart * self.count * share,
        }
    }
}

/// A sum in eight lanes, which a compiler turns into vectors.
fn sum(values: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let (eights, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for eight in eights {
        lanes.iter_mut().zip(eight).for_each(|(lane, &value)| *lane += term(value));
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|&value| term(value)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary_of(values: &[f64], chunk: usize) -> Summary {
        let mut summary = Summary::default();
        values.chunks(chunk).for_each(|chunk| summary.add(chunk));
        summary
    }

    #[test]
    fn constants_are_exact() {
        for value in [0.0, 0.1, -1e-30, 1e300, f64::MIN_POSITIVE, f64::MAX] {
            let summary = summary_of(&vec![value; 10_007], 64);
            assert_eq!((summary.mean(), summary.std()), (Some(value), Some(0.0)));
            assert_eq!((summary.min, summary.max), (Some(value), Some(value)));
        }
    }

    #[test]
    fn figures_are_those_of_the_textbook_whatever_the_chunks_and_however_far_the_mean() {
        for offset in [0.0, 1e9, -1e12] {
            let values: Vec<f64> = (0..=1000).map(|n| offset + f64::from(n)).collect();
            for chunk in [1, 7, 64, 2000] {
                let summary = summary_of(&values, chunk);
                let std = (1001f64 * 1001.0 - 1.0).sqrt() / 12f64.sqrt();
                assert!((summary.mean().unwrap() - offset - 500.0).abs() <= 1e-15 * offset.abs() + 1e-11);
                assert!((summary.std().unwrap() - std).abs() < 1e-9, "{offset} {chunk}: {:?}", summary.std());
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_counted_apart() {
        let summary = summary_of(&[1.0, f64::NAN, 3.0, f64::INFINITY, f64::NEG_INFINITY], 2);
        assert_eq!((summary.finite, summary.nan, summary.infinite), (2, 1, 2));
        assert_eq!(
            (summary.min, summary.max, summary.mean(), summary.std()),
            (Some(1.0), Some(3.0), Some(2.0), Some(1.0))
        );
    }

    #[test]
    fn nothing_has_no_figures() {
        for values in [&[][..], &[f64::NAN]] {
            let summary = summary_of(values, 1);
            assert_eq!((summary.min, summary.max, summary.mean(), summary.std()), (None, None, None, None));
        }
        let wide = summary_of(&[f64::MAX, -f64::MAX], 2);
        assert_eq!((wide.min, wide.std()), (Some(-f64::MAX), None));
    }
}
