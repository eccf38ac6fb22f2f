//! The smallest and the largest value.

use super::special::{of_any, two_sided};
use super::tails::Tails;
use super::{Test, place};
use crate::distribution::Distribution;
use crate::plan::Tensor;
use crate::statistics::summary::Summary;
use crate::tensor::to_f64;
use crate::text::{figure, grouped};

/// A bound that lies within so many neighbouring numbers of a value is reached by it.
const NEAR: usize = 8;

/// The smallest and the largest of the values seen, each with its place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extremes {
    least: Option<(f64, u64)>,
    most: Option<(f64, u64)>,
}

impl Extremes {
    /// Takes in values of which a summary is known; `index` is the place of one of them.
    pub(super) fn add(&mut self, values: &[f64], summary: &Summary, index: &dyn Fn(usize) -> u64) {
        let at = |wanted: f64| {
            let found = values.iter().position(|value| *value == wanted);
            found.map(|number| (wanted, index(number)))
        };
        if let Some(min) = summary.min.filter(|min| self.least.is_none_or(|(least, _)| *min <= least)) {
            self.least = lower(self.least, at(min));
        }
        if let Some(max) = summary.max.filter(|max| self.most.is_none_or(|(most, _)| *max >= most)) {
            self.most = negated(lower(negated(self.most), negated(at(max))));
        }
    }

    /// Takes in what another has seen.
    pub(super) fn merge(&mut self, other: &Self) {
        self.least = lower(self.least, other.least);
        self.most = negated(lower(negated(self.most), negated(other.most)));
    }

    /// Tests both against those of `count` values of a distribution. `grid` is the coarsest step of probability that a generator of random
    /// numbers may have taken: beyond its last number there is none.
    pub(super) fn test(
        &self,
        tensor: &Tensor,
        distribution: &Distribution,
        tails: &Tails,
        count: u64,
        grid: f64,
    ) -> Vec<Test> {
        let (low, high) = distribution.bounds().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let largest = self.most.map(|(value, index)| {
            let side = Side { name: "largest", bound: high, beyond: &tails.above, within: &tails.below };
            side.test(tensor, distribution, value, index, count, grid)
        });
        let smallest = self.least.map(|(value, index)| {
            let (beyond, within) = (|x: f64| (tails.below)(-x), |x: f64| (tails.above)(-x));
            let side = Side { name: "smallest", bound: -low, beyond: &beyond, within: &within };
            side.test(tensor, distribution, -value, index, count, grid)
        });
        smallest.into_iter().chain(largest).collect()
    }
}

/// The upper end of a distribution, or the lower one with all signs changed.
struct Side<'a> {
    name: &'static str,
    bound: f64,
    beyond: &'a dyn Fn(f64) -> f64,
    within: &'a dyn Fn(f64) -> f64,
}

impl Side<'_> {
    fn test(
        &self,
        tensor: &Tensor,
        distribution: &Distribution,
        value: f64,
        index: u64,
        count: u64,
        grid: f64,
    ) -> Test {
        let dtype = tensor.spec.dtype;
        // What was rounded to the value lies between the middles to its neighbours.
        let below = -dtype.next_up(-value);
        let above = dtype.next_up(value);
        let near = self.bound.is_finite()
            && (0..NEAR).try_fold(value, |x, _| (x < self.bound).then(|| dtype.next_up(x))).is_none();
        let too_far = if near { 1.0 } else { of_any((self.beyond)(below / 2.0 + value / 2.0), count) };
        let inside = ((self.within)(value / 2.0 + above / 2.0) + grid).min(1.0);
        // Beyond the last number inside the bound there is nothing to come to.
        let too_near = if above > self.bound { 1.0 } else { libm::exp(to_f64(count) * libm::log(inside)) };
        let held = if self.name == "smallest" { -value } else { value };
        let deviations = match (distribution.mean(), distribution.std()) {
            (Some(mean), Some(std)) if std > 0.0 => (held - mean) / std,
            _ => f64::NAN,
        };
        let said = if too_far < too_near { "too far out" } else { "not far enough out" };
        Test {
            name: format!("{} value", self.name),
            statistic: held,
            probability: two_sided(too_far, too_near),
            text: format!(
                "the {} of {} values, {} at {}, is {said}: {deviations:+.2} standard deviations from the mean",
                self.name,
                grouped(count),
                figure(held),
                place(tensor, index)
            ),
        }
    }
}

/// The lower of two, the first in place if they are equal.
fn lower(one: Option<(f64, u64)>, other: Option<(f64, u64)>) -> Option<(f64, u64)> {
    one.into_iter().chain(other).min_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)))
}

fn negated(one: Option<(f64, u64)>) -> Option<(f64, u64)> {
    one.map(|(value, index)| (-value, index))
}
