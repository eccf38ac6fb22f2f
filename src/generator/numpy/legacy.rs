//! `numpy.random.RandomState`, and `numpy.random` itself after `numpy.random.seed`: MT19937, uniform doubles of 53 bits, normals by
//! Marsaglia's polar method. Everything is drawn in double precision; other types are rounded from that.

use std::sync::Arc;

use anyhow::{Context, Result};

use super::super::Source;
use super::super::mt19937::Mt19937;
use super::super::ordered::{Drawn, Forward, Stream};
use crate::law::Law;
use crate::plan::{DType, Seed, Tensor};

/// The state between two calls.
#[derive(Clone)]
pub(in crate::generator) struct RandomState {
    words: Mt19937,
    /// The second of a pair of normals, which the next call begins with.
    cached: Option<f64>,
}

/// Errors where `numpy.random.seed` takes no such seed.
pub(in crate::generator) fn check(seed: &Seed) -> Result<()> {
    number(seed).map(|_| ())
}

fn number(seed: &Seed) -> Result<u32> {
    let number = seed.to_u64().and_then(|number| u32::try_from(number).ok());
    number.context("numpy.random.seed takes a whole number from 0 to 2^32-1")
}

/// `numpy.random.seed(seed)`.
pub(in crate::generator) fn start(seed: &Seed) -> Box<dyn Stream> {
    Box::new(RandomState { words: Mt19937::from_seed(number(seed).unwrap_or_default()), cached: None })
}

impl RandomState {
    /// Uniform on [0, 1), of 53 bits.
    fn double(&mut self) -> f64 {
        let (high, low) = (self.words.next() >> 5, self.words.next() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    /// A standard normal.
    fn gauss(&mut self) -> f64 {
        if let Some(cached) = self.cached.take() {
            return cached;
        }
        loop {
            let (x, y) = (2.0 * self.double() - 1.0, 2.0 * self.double() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.cached = Some(factor * x);
                return factor * y;
            }
        }
    }
}

impl Stream for RandomState {
    fn fork(&self) -> Box<dyn Stream> {
        Box::new(self.clone())
    }

    fn tensor(self: Box<Self>, tensor: &Tensor) -> Box<dyn Forward> {
        Box::new(Values { state: *self, law: tensor.law.clone(), dtype: tensor.dtype })
    }
}

/// The values of a tensor.
#[derive(Clone)]
struct Values {
    state: RandomState,
    law: Law,
    dtype: DType,
}

impl Forward for Values {
    fn fork(&self) -> Box<dyn Forward> {
        Box::new(self.clone())
    }

    fn take(&mut self, count: usize) -> Arc<dyn Source> {
        let state = &mut self.state;
        let values: Vec<f64> = match self.law {
            Law::Uniform { low, high } => (0..count).map(|_| low + (high - low) * state.double()).collect(),
            Law::Normal { mean, std } => (0..count).map(|_| mean + std * state.gauss()).collect(),
            _ => unreachable!("a plan with other laws is not made"),
        };
        let rounded = |values: Vec<f64>| match self.dtype {
            DType::F16 | DType::BF16 => values.into_iter().map(|value| self.dtype.round(value)).collect(),
            _ => values,
        };
        Arc::new(Drawn::Doubles(rounded(values)))
    }

    fn finish(self: Box<Self>) -> Box<dyn Stream> {
        Box::new(self.state)
    }
}
