//! `trunc_normal_`: the full tensor is drawn repeatedly, and each round replaces the values out of bounds. Here each round has its own
//! engine, so that only a part of the tensor is in memory.

use std::sync::Arc;

use super::super::Source;
use super::super::glibc;
use super::super::sequential::{RngState, TensorCursor};
use super::super::source::Values;
use super::{Generator, Plain, PlainLaw};
use crate::simd::dispatch;
use crate::tensor::{DType, to_f32};

/// The values of `trunc_normal_(mean, std, low, high)` in torch 2.12 and later.
pub(super) fn truncated(
    state: Generator,
    [mean, std, low, high]: [f64; 4],
    count: u64,
    dtype: DType,
) -> Box<dyn TensorCursor> {
    let below = |x: f64| f64::midpoint(1.0, libm::erf((x - mean) / std / std::f64::consts::SQRT_2));
    let rule = if below(high) - below(low) > 0.3 {
        Rule::Bounds { mean, std, low, high }
    } else {
        let mode = low.max(mean.min(high));
        let top = -0.5 * ((mode - mean) / std).powi(2);
        Rule::Density { mean, std, low, high, top }
    };
    let first = Round::new(state, rule, count, dtype);
    Box::new(Truncated { begin: Box::new(first.clone()), rounds: vec![first], rule, count, dtype, position: 0 })
}

/// The draws of a round, and its acceptance rule.
#[derive(Clone, Copy)]
enum Rule {
    /// Normals within the bounds.
    Bounds { mean: f64, std: f64, low: f64, high: f64 },
    /// Uniforms, each accepted with the ratio of its density to the largest, whose logarithm is `top`.
    Density { mean: f64, std: f64, low: f64, high: f64, top: f64 },
}

/// A round: the full tensor, and a uniform per element if the rule needs one.
#[derive(Clone)]
struct Round {
    values: Plain,
    /// The uniforms for acceptance; `None` for [`Rule::Bounds`].
    chances: Option<Plain>,
}

impl Round {
    fn new(state: Generator, rule: Rule, count: u64, dtype: DType) -> Self {
        let plain = |state, distribution| Plain::new(state, distribution, count, dtype);
        match rule {
            Rule::Bounds { mean, std, .. } => {
                Self { values: plain(state, PlainLaw::Normal { mean, std }), chances: None }
            }
            Rule::Density { low, high, .. } => {
                let values = plain(state, PlainLaw::Uniform { low, high });
                let after = after(values.clone());
                Self { values, chances: Some(plain(after, PlainLaw::Uniform { low: 0.0, high: 1.0 })) }
            }
        }
    }

    /// The state after all draws.
    fn end(self) -> Generator {
        after(self.chances.unwrap_or(self.values))
    }
}

/// The state after a tensor.
fn after(mut plain: Plain) -> Generator {
    while plain.position < plain.count {
        let part = (plain.count - plain.position).min(1 << 30);
        plain.take(crate::tensor::to_usize(part));
    }
    plain.ended()
}

#[derive(Clone)]
struct Truncated {
    begin: Box<Round>,
    /// The rounds so far, each at `position`.
    rounds: Vec<Round>,
    rule: Rule,
    count: u64,
    dtype: DType,
    position: u64,
}

impl Truncated {
    /// Adds a round at a position.
    fn further(&mut self, position: u64) {
        // A round begins where the previous one ends.
        let start = self.rounds.last().map_or_else(|| (*self.begin).clone(), Clone::clone).end();
        let mut round = Round::new(start, self.rule, self.count, self.dtype);
        skip(&mut round, position);
        self.rounds.push(round);
    }

    fn draw(&mut self, number: usize, count: usize) -> (Vec<f64>, Vec<bool>) {
        let (rule, dtype) = (self.rule, self.dtype);
        let round = &mut self.rounds[number];
        let values = doubles(round.values.take(count).as_ref(), count, dtype);
        let chances = round.chances.as_mut().map(|plain| doubles(plain.take(count).as_ref(), count, dtype));
        let good = match rule {
            Rule::Bounds { low, high, .. } => {
                // They are compared as values of the type.
                let (low, high) = (as_of(low, dtype), as_of(high, dtype));
                values.iter().map(|value| (low..=high).contains(value)).collect()
            }
            Rule::Density { mean, std, top, .. } => {
                let chances = chances.unwrap_or_default();
                let mut good = vec![false; count];
                dispatch(
                    #[inline(always)]
                    || {
                        for ((good, &value), &chance) in good.iter_mut().zip(&values).zip(&chances) {
                            *good = accepts(value, chance, (mean, std, top), dtype);
                        }
                    },
                );
                good
            }
        };
        (values, good)
    }
}

/// True if a uniform is accepted: the logarithm of its chance is at most that of its density over the largest.
#[inline(always)]
fn accepts(value: f64, chance: f64, (mean, std, top): (f64, f64, f64), dtype: DType) -> bool {
    if dtype == DType::F64 {
        return glibc::ln(chance) <= ((value - mean) / std).powi(2) * -0.5 - top;
    }
    let half = |value: f32| to_f32(dtype.round(value.into()));
    let sigmas = half(half(to_f32(value) - to_f32(mean)) / to_f32(std));
    let density = half(half(half(sigmas * sigmas) * -0.5) - to_f32(top));
    half(glibc::single::ln(to_f32(chance))) <= density
}

/// A bound in the dtype, via single precision as in torch.
fn as_of(bound: f64, dtype: DType) -> f64 {
    if dtype == DType::F64 { bound } else { dtype.round(to_f32(bound).into()) }
}

fn doubles(source: &dyn Source, count: usize, dtype: DType) -> Vec<f64> {
    let mut values = vec![0.0; count];
    if dtype == DType::F64 {
        source.fill_f64(0, &mut values);
    } else {
        let mut singles = vec![0.0f32; count];
        source.fill_f32(0, &mut singles);
        values.iter_mut().zip(singles).for_each(|(value, single)| *value = single.into());
    }
    values
}

fn skip(round: &mut Round, count: u64) {
    for plain in std::iter::once(&mut round.values).chain(&mut round.chances) {
        let mut left = count;
        while left > 0 {
            let part = left.min(1 << 30);
            plain.take(crate::tensor::to_usize(part));
            left -= part;
        }
    }
}

impl TensorCursor for Truncated {
    fn fork(&self) -> Box<dyn TensorCursor> {
        Box::new(self.clone())
    }

    fn take(&mut self, count: usize) -> Arc<dyn Source> {
        let (mut values, mut good) = self.draw(0, count);
        let mut number = 1;
        while number < self.rounds.len() || good.contains(&false) {
            if number == self.rounds.len() {
                // The previous round has already skipped this part, but still ends where this one begins.
                self.further(self.position);
            }
            let (again, fits) = self.draw(number, count);
            for (place, is_good) in good.iter_mut().enumerate().filter(|(_, good)| !**good) {
                values[place] = again[place];
                *is_good = fits[place];
            }
            number += 1;
        }
        self.position += count as u64;
        Arc::new(match self.dtype {
            DType::F64 => Values::Doubles(values),
            _ => Values::Singles(values.into_iter().map(to_f32).collect()),
        })
    }

    fn finish(mut self: Box<Self>) -> Box<dyn RngState> {
        let last = self.rounds.pop().unwrap_or(*self.begin);
        Box::new(last.end())
    }
}
