//! `numpy.random.default_rng`: PCG64, uniform values of 53 or 24 bits, ziggurat normals. Values are drawn in double precision and rounded
//! for other types. Single-precision `standard_normal` and `random` are exceptions, which consume half a word per value.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::super::Source;
use super::super::pcg64::Pcg64;
use super::super::sequential::{RngState, TensorCursor};
use super::super::source::Values;
use super::ziggurat::{self, unit_double, unit_single};
use super::{drawn, rounded};
use crate::distribution::{Distribution, TensorSpec};
use crate::tensor::{DType, Seed, Step, to_f32};

/// The length that the entropy is padded to before the words of `SeedSequence.spawn`.
const FILLED: usize = 4;

/// Errors if `numpy.random.default_rng` does not accept the seed.
pub(in crate::generator) fn check(seed: &Seed) -> Result<()> {
    let split = |step: &Step| matches!(step, Step::Split { .. });
    ensure!(
        seed.steps().iter().all(split),
        "NumPy only spawns seeds: use split=I/N for SeedSequence(seed).spawn(N)[I]"
    );
    let negative = seed.numbers().iter().any(|number| number.negative);
    ensure!(!negative, "numpy.random.default_rng takes one or more non-negative integers");
    Ok(())
}

/// `numpy.random.default_rng(seed)`; each split replaces the seed with `SeedSequence(seed).spawn(of)[index]`.
pub(in crate::generator) fn start(seed: &Seed) -> Box<dyn RngState> {
    let mut words: Vec<u32> = seed.numbers().iter().flat_map(|number| words_of(number.magnitude)).collect();
    if !seed.steps().is_empty() {
        words.resize(words.len().max(FILLED), 0);
    }
    for step in seed.steps() {
        if let Step::Split { index, .. } = *step {
            words.extend(words_of(index.into()));
        }
    }
    Box::new(Generator(Pcg64::from_entropy(&words)))
}

/// The words of a number, the lowest first, without trailing zeros; one word for 0.
#[expect(clippy::cast_possible_truncation, reason = "the words of a number")]
fn words_of(number: u128) -> impl Iterator<Item = u32> {
    let count = (128 - number.leading_zeros()).div_ceil(32).max(1);
    (0..count).map(move |word| (number >> (32 * word)) as u32)
}

/// The state between two calls.
#[derive(Clone)]
struct Generator(Pcg64);

impl RngState for Generator {
    fn fork(&self) -> Box<dyn RngState> {
        Box::new(self.clone())
    }

    fn tensor(self: Box<Self>, tensor: &TensorSpec) -> Box<dyn TensorCursor> {
        let (distribution, dtype) = (tensor.distribution.clone(), tensor.dtype);
        Box::new(Elements { engine: self.0, distribution, dtype, single: tensor.precision == DType::F32 })
    }
}

#[derive(Clone)]
struct Elements {
    engine: Pcg64,
    distribution: Distribution,
    dtype: DType,
    /// True for single-precision draws.
    single: bool,
}

impl Elements {
    /// The next `count` values, each drawn in double precision.
    fn drawn(&mut self, count: usize, draw: impl Fn(&mut Pcg64) -> f64) -> Arc<Values> {
        let engine = &mut self.engine;
        Arc::new(drawn((0..count).map(|_| draw(engine)), self.dtype))
    }
}

impl TensorCursor for Elements {
    fn fork(&self) -> Box<dyn TensorCursor> {
        Box::new(self.clone())
    }

    fn take(&mut self, count: usize) -> Arc<dyn Source> {
        let engine = &mut self.engine;
        match self.distribution {
            Distribution::Uniform { low, high } => {
                let part = Uniforms { engine: engine.clone(), low, high, dtype: self.dtype, single: self.single };
                part.skip(engine, count as u64);
                Arc::new(part)
            }
            Distribution::Normal { mean, std } if self.single => {
                let (mean, std) = (to_f32(mean), to_f32(std));
                Arc::new(Values::Singles((0..count).map(|_| mean + std * ziggurat::single(engine)).collect()))
            }
            Distribution::Normal { mean, std } => self.drawn(count, |engine| mean + std * ziggurat::double(engine)),
            // NumPy has no such function; Keras draws normals by it until one is between.
            Distribution::TruncatedNormal { mean, std, low, high } => self.drawn(count, |engine| {
                loop {
                    let value = mean + std * ziggurat::double(engine);
                    if (low..=high).contains(&value) {
                        return value;
                    }
                }
            }),
            _ => unreachable!("a plan with other distributions is not made"),
        }
    }

    fn finish(self: Box<Self>) -> Box<dyn RngState> {
        Box::new(Generator(self.engine))
    }
}

/// A part of a uniform tensor. Each value uses one word, so that threads can skip to theirs.
struct Uniforms {
    /// At the first value of the part.
    engine: Pcg64,
    low: f64,
    high: f64,
    dtype: DType,
    single: bool,
}

impl Uniforms {
    fn skip(&self, engine: &mut Pcg64, count: u64) {
        if self.single {
            engine.skip_halves(count);
        } else {
            engine.skip(count);
        }
    }

    /// The engine at value `start` of the part.
    fn at(&self, start: u64) -> Pcg64 {
        let mut engine = self.engine.clone();
        self.skip(&mut engine, start);
        engine
    }
}

impl Source for Uniforms {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        let mut engine = self.at(start);
        let range = self.high - self.low;
        if self.single {
            let (low, range) = (to_f32(self.low), to_f32(range));
            out.fill_with(|| low + range * unit_single(engine.next_half()));
        } else {
            out.fill_with(|| rounded(self.low + range * unit_double(engine.next()), self.dtype));
        }
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        let mut engine = self.at(start);
        let range = self.high - self.low;
        out.fill_with(|| self.low + range * unit_double(engine.next()));
    }
}
