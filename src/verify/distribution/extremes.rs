//! The smallest and the largest value.

use super::tails::Tails;
use super::{Element, TestResult, position};
use crate::distribution::{Distribution, TensorSpec};
use crate::statistics::p_value::{sidak, two_sided};
use crate::statistics::summary::Summary;
use crate::tensor::to_f64;
use crate::text::{figure, grouped};

/// A value reaches a bound that is at most this many numbers of the dtype away.
const NEAR: usize = 8;

/// The smallest and the largest of the values that were read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extremes {
    least: Option<Element>,
    most: Option<Element>,
}

impl Extremes {
    /// Adds values and their summary. `index` gives the index in the tensor of each.
    pub(super) fn add(&mut self, values: &[f64], summary: &Summary, index: &dyn Fn(usize) -> u64) {
        let at = |wanted: f64| {
            let found = values.iter().position(|value| *value == wanted);
            found.map(|number| (index(number), wanted))
        };
        if let Some(min) = summary.min.filter(|min| self.least.is_none_or(|(_, least)| *min <= least)) {
            self.least = lower(self.least, at(min));
        }
        if let Some(max) = summary.max.filter(|max| self.most.is_none_or(|(_, most)| *max >= most)) {
            self.most = negated(lower(negated(self.most), negated(at(max))));
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.least = lower(self.least, other.least);
        self.most = negated(lower(negated(self.most), negated(other.most)));
    }

    /// Tests both against the extremes of `count` values of the distribution. `grid` is the coarsest probability step of any generator;
    /// tails beyond its last step are never drawn.
    pub(super) fn test(
        &self,
        tensor: &TensorSpec,
        distribution: &Distribution,
        tails: &Tails,
        count: u64,
        grid: f64,
    ) -> Vec<TestResult> {
        let (low, high) = distribution.bounds().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let largest = self.most.map(|(index, value)| {
            let side = Side { name: "largest", bound: high, beyond: &tails.above, within: &tails.below };
            side.test(tensor, distribution, value, index, count, grid)
        });
        let smallest = self.least.map(|(index, value)| {
            let (beyond, within) = (|x: f64| (tails.below)(-x), |x: f64| (tails.above)(-x));
            let side = Side { name: "smallest", bound: -low, beyond: &beyond, within: &within };
            side.test(tensor, distribution, -value, index, count, grid)
        });
        smallest.into_iter().chain(largest).collect()
    }
}

/// The upper end of a distribution, or the lower one with all signs reversed.
struct Side<'a> {
    name: &'static str,
    bound: f64,
    beyond: &'a dyn Fn(f64) -> f64,
    within: &'a dyn Fn(f64) -> f64,
}

impl Side<'_> {
    fn test(
        &self,
        tensor: &TensorSpec,
        distribution: &Distribution,
        value: f64,
        index: u64,
        count: u64,
        grid: f64,
    ) -> TestResult {
        let dtype = tensor.dtype;
        // A number that was rounded to the value lies between the midpoints to its neighbours.
        let below = -dtype.next_up(-value);
        let above = dtype.next_up(value);
        let near = self.bound.is_finite()
            && (0..NEAR).try_fold(value, |x, _| (x < self.bound).then(|| dtype.next_up(x))).is_none();
        let too_far = if near { 1.0 } else { sidak((self.beyond)(below / 2.0 + value / 2.0), count) };
        let inside = ((self.within)(value / 2.0 + above / 2.0) + grid).min(1.0);
        // No value lies beyond the last number inside the bound.
        let too_near = if above > self.bound { 1.0 } else { libm::exp(to_f64(count) * libm::log(inside)) };
        let shown = if self.name == "smallest" { -value } else { value };
        let deviations = match (distribution.mean(), distribution.std()) {
            (Some(mean), Some(std)) if std > 0.0 => (shown - mean) / std,
            _ => f64::NAN,
        };
        let finding = if too_far < too_near { "too far from the mean" } else { "too close to the mean" };
        TestResult {
            name: format!("{} value", self.name),
            statistic: shown,
            p_value: two_sided(too_far, too_near),
            text: format!(
                "the {} of {} values, {} at {}, is {finding}: {deviations:+.2} standard deviations from the mean",
                self.name,
                grouped(count),
                figure(shown),
                position(&tensor.shape, index)
            ),
        }
    }
}

/// The lower of two values, the one with the lower index if they are equal.
fn lower(one: Option<Element>, other: Option<Element>) -> Option<Element> {
    one.into_iter().chain(other).min_by(|one, other| one.1.total_cmp(&other.1).then(one.0.cmp(&other.0)))
}

fn negated(one: Option<Element>) -> Option<Element> {
    one.map(|(index, value)| (index, -value))
}
