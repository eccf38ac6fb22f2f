//! The random numbers of training: each has an address, so that an interrupted run goes on with the same ones.

use anyhow::Result;
use rayon::prelude::*;

use crate::generator::{NATIVE, Source, native};
use crate::plan::{Common, DrawnTensor};
use crate::tensor::{DType, Fans, Layout, Name, Shape};

/// An endless stream of random numbers.
pub(super) struct Noise(Box<dyn Source>);

/// Numbers that are drawn by one thread.
const BLOCK: usize = 1 << 14;

impl Noise {
    /// Numbers uniform on [0, 1], by the seed and the stream's name.
    pub(super) fn uniform(seed: u64, tensor: &Name, stream: &str) -> Result<Self> {
        Self::of("uniform:low=0,high=1", seed, tensor, stream)
    }

    /// Standard normals, by the seed and the stream's name.
    pub(super) fn normal(seed: u64, tensor: &Name, stream: &str) -> Result<Self> {
        Self::of("normal:std=1", seed, tensor, stream)
    }

    fn of(distribution: &str, seed: u64, tensor: &Name, stream: &str) -> Result<Self> {
        let common = Common { dtype: DType::F32, layout: Layout::default(), fans: Fans::default(), generator: NATIVE };
        let shape = Shape::new(vec![Shape::MAX_ELEMENTS])?;
        let tensor = DrawnTensor::new(format!("{tensor} {stream}").parse()?, shape, distribution, &common)?;
        Ok(Self(native(seed, tensor.spec(), 1)))
    }

    /// Fills `out` with the numbers from `start` on.
    pub(super) fn fill(&self, start: u64, out: &mut [f32]) {
        out.par_chunks_mut(BLOCK).enumerate().for_each(|(number, out)| {
            self.0.fill_f32(start + (number * BLOCK) as u64, out);
        });
    }

    /// The samples in the order of an epoch: sorted by random numbers.
    pub(super) fn shuffle(&self, epoch: u64, samples: &[u64]) -> Vec<u64> {
        let mut keys = vec![0.0; samples.len()];
        self.fill(epoch * samples.len() as u64, &mut keys);
        let mut order: Vec<(u32, u64)> = keys.iter().map(|key| key.to_bits()).zip(samples.iter().copied()).collect();
        order.par_sort_unstable();
        order.into_iter().map(|(_, sample)| sample).collect()
    }
}
