//! The random numbers of training. Each has an address, so that a resumed run uses the same numbers.

use anyhow::Result;
use rayon::prelude::*;

use crate::generator::{NATIVE, Source, native};
use crate::plan::{Common, DrawnTensor};
use crate::tensor::{DType, Fans, Layout, Name, Shape};

pub(super) struct Noise(Box<dyn Source>);

/// Numbers that a thread draws at a time.
const BLOCK: usize = 1 << 14;

impl Noise {
    /// Uniform numbers on [0, 1], keyed by the seed and the names.
    pub(super) fn uniform(seed: u64, tensor: &Name, stream: &str) -> Result<Self> {
        Self::of("uniform:low=0,high=1", seed, tensor, stream)
    }

    /// Standard normal numbers, keyed by the seed and the names.
    pub(super) fn normal(seed: u64, tensor: &Name, stream: &str) -> Result<Self> {
        Self::of("normal:std=1", seed, tensor, stream)
    }

    fn of(distribution: &str, seed: u64, tensor: &Name, stream: &str) -> Result<Self> {
        let common =
            Common { dtype: DType::F32.into(), layout: Layout::default(), fans: Fans::default(), generator: NATIVE };
        let shape = Shape::new(vec![Shape::MAX_ELEMENTS])?;
        let tensor = DrawnTensor::new(format!("{tensor} {stream}").parse()?, shape, distribution, &common)?;
        Ok(Self(native(seed, tensor.spec(), 1)))
    }

    /// The numbers starting at `start`.
    pub(super) fn fill(&self, start: u64, out: &mut [f32]) {
        out.par_chunks_mut(BLOCK).enumerate().for_each(|(number, out)| {
            self.0.fill_f32(start + (number * BLOCK) as u64, out);
        });
    }

    /// The samples in random order, another for each epoch.
    pub(super) fn shuffle(&self, epoch: u64, samples: &[u64]) -> Vec<u64> {
        let mut keys = vec![0.0; samples.len()];
        self.fill(epoch * samples.len() as u64, &mut keys);
        let mut order: Vec<(u32, u64)> = keys.iter().map(|key| key.to_bits()).zip(samples.iter().copied()).collect();
        order.par_sort_unstable();
        order.into_iter().map(|(_, sample)| sample).collect()
    }
}
