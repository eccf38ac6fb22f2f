//! What a parity table gives a distribution for.

use anyhow::{Result, ensure};

use crate::distribution::Distribution;
use crate::scheme::{Arguments, Site};
use crate::tensor::DType;

/// The distribution of a scheme at a site, for elements of a type.
pub type DistributionOf = fn(&mut Arguments, &Site, DrawContext) -> Result<Distribution>;

/// What a framework draws for.
#[derive(Clone, Copy, Debug)]
pub struct DrawContext {
    /// The type of the elements.
    pub dtype: DType,
    /// What computes behind the framework: the word after a colon of `--like`, else the framework's own.
    pub backend: &'static str,
}

impl DrawContext {
    /// Elements of a type, by a framework of that word.
    pub fn new(dtype: DType, word: &'static str) -> Self {
        Self { dtype, backend: word.split_once(':').map_or(word, |(_, backend)| backend) }
    }

    /// Errors where a uniform distribution is wider than the type in which the difference of its bounds is taken. `NumPy` draws doubles, and
    /// rounds them then.
    pub fn spans(self, distribution: &Distribution) -> Result<()> {
        let Distribution::Uniform { low, high } = *distribution else { return Ok(()) };
        let doubles = ["numpy", "numpy-legacy", "lasagne"].contains(&self.backend);
        let of = if doubles { DType::F64 } else { self.dtype };
        let (backend, most) = (self.backend, of.max());
        ensure!(
            high - low <= most,
            "{backend} takes high - low in {of}, and from {low} to {high} it is above {most:e}"
        );
        Ok(())
    }
}
