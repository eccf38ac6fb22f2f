//! `numpy.random.RandomState`, and `numpy.random` itself after `numpy.random.seed`: MT19937, uniform doubles of 53 bits, normals by
//! Marsaglia's polar method. Values are drawn in double precision and rounded for other types.

use std::sync::Arc;

use anyhow::{Context, Result};
use pulp::{Simd, WithSimd};

use super::super::Source;
use super::super::glibc;
use super::super::mt19937::Mt19937;
use super::super::sequential::{Precomputed, RngState, TensorCursor};
use super::{drawn, rounded};
use crate::distribution::{Distribution, TensorSpec, bytes_of};
use crate::simd::dispatch;
use crate::tensor::{DType, Seed, Unfolding, to_f32, to_usize};

/// The state between two calls.
#[derive(Clone)]
pub(in crate::generator) struct RandomState {
    words: Mt19937,
    /// The second of a pair of normals, for the next call.
    cached: Option<f64>,
}

/// Errors if `numpy.random.seed` does not accept the seed.
pub(in crate::generator) fn check(seed: &Seed) -> Result<()> {
    number(seed).map(|_| ())
}

fn number(seed: &Seed) -> Result<u32> {
    let number = seed.to_u64().and_then(|number| u32::try_from(number).ok());
    number.context("numpy.random.seed takes an integer from 0 to 2^32-1")
}

/// `numpy.random.seed(seed)`.
pub(in crate::generator) fn start(seed: &Seed) -> Box<dyn RngState> {
    Box::new(RandomState { words: Mt19937::from_seed(number(seed).unwrap_or_default()), cached: None })
}

/// The workspace of a tensor. For Lasagne's `Sparse`: the drawn and the final values, and the order of an output's inputs.
pub(in crate::generator) fn workspace(tensor: &TensorSpec) -> u64 {
    match tensor.distribution {
        Distribution::Sparse { ref unfolding, .. } => {
            bytes_of(&[&[2, tensor.whole().shape.count()], &[unfolding.columns()]])
        }
        _ => 0,
    }
}

/// Uniform on [0, 1): the high 27 bits of one word and 26 of the next, as in `NumPy`. torch uses the low 53 bits of both.
#[inline(always)]
fn unit_double(high: u32, low: u32) -> f64 {
    (f64::from(high >> 5) * 67_108_864.0 + f64::from(low >> 6)) / 9_007_199_254_740_992.0
}

impl RandomState {
    /// Uniform on [0, 1) with 53 bits.
    fn double(&mut self) -> f64 {
        unit_double(self.words.next(), self.words.next())
    }

    /// A standard normal.
    #[inline(always)]
    fn gauss(&mut self) -> f64 {
        if let Some(cached) = self.cached.take() {
            return cached;
        }
        loop {
            let (x, y) = (2.0 * self.double() - 1.0, 2.0 * self.double() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * glibc::ln(square) / square).sqrt();
                self.cached = Some(factor * x);
                return factor * y;
            }
        }
    }
}

impl RandomState {
    /// Lasagne's `Sparse`: shuffles the inputs of each output and makes the first ones normal.
    fn sparse(&mut self, nonzeros: u64, (mean, std): (f64, f64), unfolding: &Unfolding) -> Vec<f64> {
        // The unfolding has a row for each output, and the tensor a column.
        let [outputs, inputs] = [unfolding.rows(), unfolding.columns()].map(to_usize);
        let mut values = vec![0.0; outputs * inputs];
        for output in 0..outputs {
            let mut order: Vec<usize> = (0..inputs).collect();
            self.shuffle(&mut order);
            for input in &order[..to_usize(nonzeros)] {
                values[input * outputs + output] = mean + std * self.gauss();
            }
        }
        values
    }

    /// `shuffle`: Fisher-Yates from the end.
    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            order.swap(last, self.up_to(last));
        }
    }

    /// An integer from 0 to `last`: the lowest bits of a word, or of two beyond 32 bits, redrawn until in range.
    fn up_to(&mut self, last: usize) -> usize {
        let mask = usize::MAX >> last.leading_zeros();
        loop {
            let word = match u32::try_from(last) {
                Ok(_) => u64::from(self.words.next()),
                Err(_) => u64::from(self.words.next()) << 32 | u64::from(self.words.next()),
            };
            let number = to_usize(word & mask as u64);
            if number <= last {
                return number;
            }
        }
    }
}

impl RngState for RandomState {
    fn fork(&self) -> Box<dyn RngState> {
        Box::new(self.clone())
    }

    fn tensor(self: Box<Self>, tensor: &TensorSpec) -> Box<dyn TensorCursor> {
        let mut state = *self;
        if let Distribution::Sparse { nonzeros, mean, std, unfolding } = &tensor.distribution {
            let values = state.sparse(*nonzeros, (*mean, *std), unfolding);
            return Box::new(Precomputed::new(drawn(values.into_iter(), tensor.dtype), Box::new(state)));
        }
        Box::new(Values { state, distribution: tensor.distribution.clone(), dtype: tensor.dtype })
    }
}

#[derive(Clone)]
struct Values {
    state: RandomState,
    distribution: Distribution,
    dtype: DType,
}

impl TensorCursor for Values {
    fn fork(&self) -> Box<dyn TensorCursor> {
        Box::new(self.clone())
    }

    fn take(&mut self, count: usize) -> Arc<dyn Source> {
        let state = &mut self.state;
        match self.distribution {
            Distribution::Uniform { low, high } => {
                let words = state.words.clone();
                state.words.skip(WORDS * count as u64);
                Arc::new(Uniforms { words, low, high, dtype: self.dtype })
            }
            Distribution::Normal { mean, std } => {
                let mut values = vec![0.0; count];
                dispatch(Normals { state, out: &mut values, mean, std });
                Arc::new(drawn(values.into_iter(), self.dtype))
            }
            _ => unreachable!("a plan with other distributions is not made"),
        }
    }

    fn finish(self: Box<Self>) -> Box<dyn RngState> {
        Box::new(self.state)
    }
}

/// The next normals of a state.
struct Normals<'a> {
    state: &'a mut RandomState,
    out: &'a mut [f64],
    mean: f64,
    std: f64,
}

impl WithSimd for Normals<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for out in self.out {
            *out = self.mean + self.std * self.state.gauss();
        }
    }
}

/// The number of words per uniform value.
const WORDS: u64 = 2;
/// The number of values computed at a time.
const AT_ONCE: usize = 512;

/// Uniform values from a state on. Each uses the same number of words, so that threads can draw in parallel.
struct Uniforms {
    words: Mt19937,
    low: f64,
    high: f64,
    dtype: DType,
}

impl Uniforms {
    fn fill<T>(&self, start: u64, out: &mut [T], convert: impl Fn(f64) -> T) {
        let mut engine = self.words.clone();
        engine.skip(WORDS * start);
        let mut words = [[0; 2]; AT_ONCE];
        let width = self.high - self.low;
        for out in out.chunks_mut(AT_ONCE) {
            let words = &mut words[..out.len()];
            engine.fill(words.as_flattened_mut());
            for (out, &[high, low]) in out.iter_mut().zip(&*words) {
                *out = convert(self.low + width * unit_double(high, low));
            }
        }
    }
}

impl Source for Uniforms {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        match self.dtype {
            DType::F64 | DType::F32 => self.fill(start, out, to_f32),
            dtype => self.fill(start, out, |value| rounded(value, dtype)),
        }
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        match self.dtype {
            DType::F64 => self.fill(start, out, |value| value),
            dtype => self.fill(start, out, |value| rounded(value, dtype).into()),
        }
    }
}
