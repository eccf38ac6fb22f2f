//! Values that are there already, as a distribution.

use std::fmt;

use super::{Joint, Moments, RandomStreams, bytes_of};

/// Values that are there already, as a distribution that draws them.
pub struct Values<T>(Vec<T>);

impl<T> Values<T> {
    /// These, row-major.
    pub fn new(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T> fmt::Debug for Values<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.0.len())
    }
}

impl<T: Copy + Into<f64> + Send + Sync> Moments for Values<T> {
    fn max_abs(&self) -> f64 {
        self.0.iter().fold(0.0, |largest, &value| value.into().abs().max(largest))
    }
}

impl<T: Copy + Into<f64> + Send + Sync> Joint for Values<T> {
    fn draw(&self, _: &dyn RandomStreams) -> Vec<f64> {
        self.0.iter().map(|&value| value.into()).collect()
    }

    fn workspace(&self) -> u64 {
        bytes_of(&[&[self.0.len() as u64]])
    }
}
