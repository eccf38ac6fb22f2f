//! The numbers of a plan's tensors, and the memory that they take.

use anyhow::{Result, ensure};

use super::Plan;
use crate::distribution::TensorSpec;
use crate::generator::{self, Source};
use crate::tensor::to_usize;
use crate::text;

impl Plan {
    /// The numbers of the tensor with that number. An elementwise distribution costs nothing here; a matrix distribution is drawn now, by `threads` threads.
    pub fn open(&self, number: usize, threads: usize) -> Box<dyn Source> {
        let spec = &self.tensors[number].spec;
        if !spec.distribution.is_random() {
            return generator::unrandom(spec, threads);
        }
        let Some(source) = self.sampler.open(&self.seed, spec, threads) else {
            unreachable!("a plan with other distributions than its generator has is not made")
        };
        source
    }

    /// The memory that drawing a tensor takes beyond fixed buffers, in bytes: 0 for a distribution that is drawn element by element.
    pub fn workspace(&self, spec: &TensorSpec) -> u64 {
        self.generator.workspace(spec)
    }

    /// The tensors that are drawn for those with these numbers: they themselves, and those that they follow.
    pub fn drawn_for(&self, numbers: impl Iterator<Item = usize>) -> impl Iterator<Item = &TensorSpec> {
        let mut drawn: Vec<&TensorSpec> = numbers.map(|number| &self.tensors[number].spec).collect();
        let before = drawn.iter().filter_map(|spec| spec.order).max().map_or(0, to_usize);
        drawn.extend(self.sampler.before(before));
        drawn.into_iter()
    }

    /// Refuses a tensor whose matrix would not fit in `limit` bytes of memory, or in what the system gives.
    pub fn check_workspace(&self, tensor: &TensorSpec, limit: u64) -> Result<()> {
        let needed = self.workspace(tensor);
        ensure!(
            needed <= limit,
            "`{}` is drawn as a whole and takes {} of memory, above the limit of {}: raise --max-memory",
            tensor.name,
            text::bytes(needed),
            text::bytes(limit)
        );
        // A limit raised by hand may still be more than there is; the attempt alone costs no memory.
        let there = usize::try_from(needed).is_ok_and(|needed| Vec::<u8>::new().try_reserve_exact(needed).is_ok());
        ensure!(
            there,
            "`{}` takes {} of memory to draw, which the system does not give",
            tensor.name,
            text::bytes(needed)
        );
        Ok(())
    }
}
