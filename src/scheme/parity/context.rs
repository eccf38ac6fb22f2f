//! The input of a framework's own arithmetic.

use anyhow::{Result, ensure};

use crate::distribution::Distribution;
use crate::scheme::{Arguments, Choice, Site, Value, choice};
use crate::tensor::DType;

choice! {
    /// The library that computes, as `--like` names it, alone or after `keras:`.
    pub(super) enum Backend {
        Jax = "jax",
        Lasagne = "lasagne",
        Numpy = "numpy",
        NumpyLegacy = "numpy-legacy",
        Tensorflow = "tensorflow",
        Torch = "torch",
    }
}

/// The distribution of a scheme at a site, for elements of a type.
pub type DistributionOf = fn(&mut Arguments, &Site, DrawContext) -> Result<Distribution>;

/// The element type and backend of a framework's draw.
#[derive(Clone, Copy, Debug)]
pub struct DrawContext {
    /// The type of the elements.
    pub dtype: DType,
    /// The library behind the framework, or the framework itself.
    pub(super) backend: Backend,
}

impl DrawContext {
    /// Elements of a type in framework `word`.
    pub fn new(dtype: DType, word: &str) -> Result<Self> {
        let backend = word.split_once(':').map_or(word, |(_, backend)| backend);
        Ok(Self { dtype, backend: Value::parse("backend", backend)? })
    }

    /// Errors if a uniform distribution is wider than the type that holds the difference of its bounds. `NumPy` draws doubles and then
    /// rounds.
    pub fn spans(self, distribution: &Distribution) -> Result<()> {
        let Distribution::Uniform { low, high } = *distribution else { return Ok(()) };
        let doubles = matches!(self.backend, Backend::Numpy | Backend::NumpyLegacy | Backend::Lasagne);
        let of = if doubles { DType::F64 } else { self.dtype };
        let (backend, most) = (self.backend.word(), of.max());
        ensure!(high - low <= most, "{backend} computes high - low in {of}, but {high} - {low} is above {most:e}");
        Ok(())
    }
}
