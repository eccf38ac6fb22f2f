//! The values of a plan's tensors, and their memory.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::{Plan, Tensor, norm};
use crate::distribution::TensorSpec;
use crate::generator::{self, Source};
use crate::tensor::{Copied, Element, to_usize};
use crate::text;

/// The values of a tensor, ready to be read in any order.
pub enum Opened<'a> {
    /// Drawn values and their type in the file.
    Numbers(Element, Box<dyn Source>),
    /// Bytes of a file.
    Copied(&'a Copied),
}

impl Plan {
    /// The values of tensor `number`. Elementwise distributions cost nothing here; matrices are drawn now, by `threads` threads.
    pub fn open(&self, number: usize, threads: usize) -> Opened<'_> {
        match &self.tensors[number] {
            Tensor::Copied(copied) => Opened::Copied(&copied.copied),
            Tensor::Drawn(drawn) => {
                let values = match &drawn.source {
                    Some(source) => {
                        let norms = norm::norms(&*self.draw(source, threads), source, &drawn.spec().whole().shape);
                        generator::held(Arc::new(norms.into()), drawn.spec())
                    }
                    None => self.draw(drawn.spec(), threads),
                };
                Opened::Numbers(drawn.element(), values)
            }
            Tensor::Trained(trained) => {
                let Some(values) = &trained.values else { unreachable!("a plan is written after its training") };
                let spec = trained.initial.spec();
                Opened::Numbers(trained.initial.element(), generator::held(Arc::clone(values), spec))
            }
        }
    }

    fn draw(&self, spec: &TensorSpec, threads: usize) -> Box<dyn Source> {
        if !spec.distribution.is_random() {
            return generator::unrandom(spec, threads);
        }
        let Some(source) = self.sampler.open(&self.seed, spec, threads) else {
            unreachable!("a plan with other distributions than its generator has is not made")
        };
        source
    }

    /// The memory to draw a tensor, in bytes, beyond fixed buffers; 0 if elements are drawn independently.
    pub fn workspace(&self, spec: &TensorSpec) -> u64 {
        self.generator.workspace(spec)
    }

    /// The draws needed for these tensors: their own, and earlier ones in drawing order.
    pub fn drawn_for(&self, numbers: impl Iterator<Item = usize>) -> impl Iterator<Item = &TensorSpec> {
        let tensors = numbers.filter_map(|number| self.tensors[number].drawn());
        let mut drawn: Vec<&TensorSpec> =
            tensors.flat_map(|drawn| [Some(drawn.spec()), drawn.source.as_deref()]).flatten().collect();
        let before = drawn.iter().filter_map(|spec| spec.order).max().map_or(0, to_usize);
        drawn.extend(self.sampler.before(before));
        drawn.into_iter()
    }

    /// Errors if a tensor's matrix exceeds `limit` bytes or the system's memory.
    pub fn check_workspace(&self, tensor: &TensorSpec, limit: u64) -> Result<()> {
        let needed = self.workspace(tensor);
        ensure!(
            needed <= limit,
            "drawing `{}` needs {} of memory, above the limit of {}: raise --max-memory",
            tensor.name,
            text::bytes(needed),
            text::bytes(limit)
        );
        // A limit raised by hand may still exceed the available memory; the attempt itself costs none.
        let there = usize::try_from(needed).is_ok_and(|needed| Vec::<u8>::new().try_reserve_exact(needed).is_ok());
        ensure!(there, "drawing `{}` needs {} of memory, but the system has less", tensor.name, text::bytes(needed));
        Ok(())
    }
}
