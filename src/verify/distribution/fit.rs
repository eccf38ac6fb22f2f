//! Tests of the distribution function, the mean and the standard deviation.

use super::part::Sample;
use super::tails::kurtosis;
use super::{GoodnessOfFit, TestOptions, TestResult, repeats, without_rounding};
use crate::distribution::{Distribution, TensorSpec, cdf};
use crate::statistics::ecdf::Cells;
use crate::statistics::p_value::{
    kolmogorov_smirnov, kolmogorov_smirnov_two_samples, standard_normal, variance_of_normals,
};
use crate::statistics::summary::Summary;
use crate::tensor::{DType, Shape, to_f64};
use crate::text::figure;
use crate::writer::Encoder;

/// Sums of at least this number of bounded values are normal in the tested range.
const MANY: u64 = 4096;
/// The minimum and maximum number of values that are drawn for comparison.
const DRAWN: (u64, u64) = (1 << 16, 1 << 24);

/// Adds the test of Kolmogorov and Smirnov, of one sample or of two. Returns the share of equal pairs among values that were drawn for
/// comparison, else 0.
pub(super) fn distance(fit: &mut GoodnessOfFit, sample: &Sample, cells: &Cells, options: TestOptions) -> f64 {
    let (distribution, count) = (sample.distribution, cells.total());
    let mut push = |name: &str, statistic, p_value, reference: &str| {
        let text = format!("the distribution function differs from {reference} by {}", figure(statistic));
        fit.tests.push(TestResult { name: name.into(), statistic, p_value, text });
    };
    if let Some(cdf) = cdf(distribution) {
        let statistic = cells.distance(&*cdf, distribution.bounds());
        push("distance", statistic, kolmogorov_smirnov(statistic, count), "the distribution");
    } else if matches!(distribution, Distribution::Iid(_)) {
        let (drawn, collision) = drawn(sample, cells, options.threads);
        let statistic = cells.distance_from(&drawn);
        let p_value = kolmogorov_smirnov_two_samples(statistic, count, drawn.total());
        push("distance*", statistic, p_value, "values of another seed");
        return collision;
    } else {
        fit.untested =
            Some("its distribution function is unknown: only moments and the order of values are tested".into());
    }
    0.0
}

/// The same number of values from another seed, within limits, and the share of equal pairs among them.
fn drawn(sample: &Sample, cells: &Cells, threads: usize) -> (Cells, f64) {
    const SEED: u64 = 0x6c61_7720_7465_7374;
    const PART: usize = 1 << 14;
    let count = cells.total().clamp(DRAWN.0, DRAWN.1);
    let mut spec = TensorSpec { distribution: sample.distribution.clone(), ..sample.tensor.clone() };
    if let Ok(shape) = Shape::new(vec![count]) {
        spec.shape = shape;
    }
    let source = crate::generator::native(SEED, &spec, threads);
    let (mut cells, mut encoder, mut first) = (cells.emptied(), Encoder::default(), Vec::new());
    for start in (0..count).step_by(PART) {
        let part = usize::try_from(count - start).unwrap_or(usize::MAX).min(PART);
        let values = encoder.widened(source.as_ref(), spec.dtype, start, part);
        cells.add(values);
        if start < DRAWN.0 {
            first.extend_from_slice(values);
        }
    }
    (cells, repeats::share_of_equal_pairs(&first))
}

/// Tests the mean and the standard deviation, as far as the distribution of each is known.
pub(super) fn moments(dtype: DType, distribution: &Distribution, found: &Summary) -> Vec<TestResult> {
    let (Some(mean), Some(std)) = (distribution.mean(), distribution.std().filter(|std| *std > 0.0 && std.is_finite()))
    else {
        return Vec::new();
    };
    let (Some(found_mean), Some(found_std)) = (found.mean(), found.std()) else { return Vec::new() };
    let count = found.finite;
    let is_normal = matches!(distribution, Distribution::Normal { .. });
    // Sums of values with heavier tails need more terms to become normal.
    let kurtosis = kurtosis(distribution).filter(|_| is_normal || count >= MANY);
    // Rounding itself may shift the mean and the variance of values of this size.
    let large = dtype.round((mean.abs() + 2.0 * std).min(dtype.max() / 2.0));
    let step = dtype.next_up(large) - large;
    let test_of_mean = kurtosis.map(|_| {
        let difference = without_rounding(found_mean - mean, 0.0, step * step / std);
        let z = difference / std * to_f64(count).sqrt();
        TestResult {
            name: "mean".into(),
            statistic: z,
            p_value: standard_normal(z),
            text: format!("the mean is {}, {z:+.2} standard errors from {}", figure(found_mean), figure(mean)),
        }
    });
    let variance = (found_std / std) * (found_std / std) * to_f64(count) / to_f64(count.max(2) - 1);
    let ratio = without_rounding(variance, 1.0, (step / std) * (step / std) / 4.0);
    let p_value = match kurtosis {
        _ if is_normal => (count >= 2).then(|| variance_of_normals(ratio, count)),
        kurtosis => kurtosis.map(|kurtosis| standard_normal((ratio - 1.0) / ((kurtosis - 1.0) / to_f64(count)).sqrt())),
    };
    let test_of_std = p_value.map(|p_value| TestResult {
        name: "std".into(),
        statistic: ratio.max(0.0).sqrt(),
        p_value,
        text: format!("the standard deviation is {}, not {}", figure(found_std), figure(std)),
    });
    test_of_mean.into_iter().chain(test_of_std).collect()
}
