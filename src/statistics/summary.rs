//! Mean, standard deviation and range of values, computed in parts that can be merged.

use crate::tensor::to_f64;

/// Summary statistics of values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// The number of finite values. All other statistics cover only these.
    pub finite: u64,
    /// The number of NaNs.
    pub nan: u64,
    /// The number of infinite values.
    pub infinite: u64,
    /// The smallest finite value; `None` if there is none.
    pub min: Option<f64>,
    /// The largest finite value; `None` if there is none.
    pub max: Option<f64>,
    moments: SampleMoments,
}

impl Summary {
    /// The summary of one part.
    pub fn of(values: &[f64]) -> Self {
        let mut summary = Self::default();
        if values.iter().all(|value| value.is_finite()) {
            summary.add_finite(values);
            return summary;
        }
        let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        summary.nan = values.iter().filter(|value| value.is_nan()).count() as u64;
        summary.infinite = (values.len() - finite.len()) as u64 - summary.nan;
        summary.add_finite(&finite);
        summary
    }

    /// Merges parts in the order of their start index, so that any order of reading gives the same bits.
    pub fn joined(mut parts: Vec<(u64, Self)>) -> Self {
        parts.sort_by_key(|(start, _)| *start);
        parts.into_iter().fold(Self::default(), |joined, (_, part)| joined.and(part))
    }

    /// The mean of the finite values; `None` if there are none or it overflows.
    pub fn mean(&self) -> Option<f64> {
        Some(self.moments.mean).filter(|mean| self.finite > 0 && mean.is_finite())
    }

    /// The population standard deviation; `None` without finite values or if its square overflows.
    pub fn std(&self) -> Option<f64> {
        Some((self.moments.squares / self.moments.count).sqrt()).filter(|std| std.is_finite())
    }

    /// The summary of two parts together.
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
        self.finite = values.len() as u64;
        self.min = values.iter().copied().reduce(f64::min);
        self.max = values.iter().copied().reduce(f64::max);
        self.moments = SampleMoments::of(values, first);
    }
}

/// A mean and the sum of squared deviations from it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct SampleMoments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl SampleMoments {
    /// The moments of `values`, of which `first` is one. All sums are of differences, so equal values have an exact mean
    /// and no deviation. A second pass corrects the rounding error of the first mean. The result is not finite if a
    /// sum overflows.
    fn of(values: &[f64], first: f64) -> Self {
        let count = to_f64(values.len() as u64);
        let mean = first + sum(values, |value| value - first) / count;
        let rest = sum(values, |value| value - mean);
        let squares = sum(values, |value| (value - mean) * (value - mean)) - rest * rest / count;
        Self { count, mean: mean + rest / count, squares: if squares < 0.0 { 0.0 } else { squares } }
    }

    /// Merges the moments of both parts (pairwise update of Chan, Golub and `LeVeque`, 1979).
    fn and(self, other: Self) -> Self {
        if self.count == 0.0 {
            return other;
        }
        let count = self.count + other.count;
        let share = other.count / count;
        let difference = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + difference * share,
            squares: self.squares + other.squares + difference * difference * self.count * share,
        }
    }
}

/// Sums in eight lanes, which compilers vectorise.
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
        values.chunks(chunk).map(Summary::of).fold(Summary::default(), Summary::and)
    }

    #[test]
    fn equal_values_have_exactly_their_mean_and_no_deviation() {
        for value in [0.0, 0.1, -1e-30, 1e300, f64::MIN_POSITIVE, f64::MAX] {
            let summary = summary_of(&vec![value; 10_007], 64);
            assert_eq!((summary.mean(), summary.std()), (Some(value), Some(0.0)));
            assert_eq!((summary.min, summary.max), (Some(value), Some(value)));
        }
    }

    #[test]
    fn mean_and_std_are_exact_for_any_chunks_and_a_distant_mean() {
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
    fn values_that_are_not_finite_are_counted_separately() {
        let summary = summary_of(&[1.0, f64::NAN, 3.0, f64::INFINITY, f64::NEG_INFINITY], 2);
        assert_eq!((summary.finite, summary.nan, summary.infinite), (2, 1, 2));
        assert_eq!(
            (summary.min, summary.max, summary.mean(), summary.std()),
            (Some(1.0), Some(3.0), Some(2.0), Some(1.0))
        );
    }

    #[test]
    fn no_finite_value_has_no_statistics() {
        for values in [&[][..], &[f64::NAN]] {
            let summary = summary_of(values, 1);
            assert_eq!((summary.min, summary.max, summary.mean(), summary.std()), (None, None, None, None));
        }
        let wide = summary_of(&[f64::MAX, -f64::MAX], 2);
        assert_eq!((wide.min, wide.std()), (Some(-f64::MAX), None));
    }
}
