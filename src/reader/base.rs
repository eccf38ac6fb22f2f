//! A tensor of a file as a base of other tensors.

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use super::Contents;
use crate::format::shown_name;
use crate::tensor::{Base, Element, TensorIdentity};
use crate::text;

/// Number of elements read at a time.
const CHUNK: u64 = 1 << 13;

impl Contents {
    /// Reads a tensor by name, or the only one, into at most `limit` bytes of memory. Errors if a value is not
    /// finite.
    pub fn base(&self, name: Option<&str>, limit: u64) -> Result<Base> {
        let number = self.number(name, "--base-tensor")?;
        let entry = &self.entries[number];
        let shown = shown_name(&entry.name);
        let dtype = entry.dtype().with_context(|| {
            format!("{shown} has type {}: a base must be f64, f32, f16 or bf16", text::escape(&entry.type_word))
        })?;
        let needed = entry.shape.count().saturating_mul(8);
        ensure!(
            needed <= limit,
            "{shown} needs {} of memory, above the limit of {}: raise --max-memory",
            text::bytes(needed),
            text::bytes(limit)
        );
        let (name, shape) = (entry.name.clone(), entry.shape.clone());
        let mut all = Vec::new();
        all.try_reserve_exact(usize::try_from(shape.count())?)
            .with_context(|| format!("{shown} does not fit in memory"))?;
        let mut hash = Sha256::new();
        let read = entry.values()?.each(CHUNK, &mut |bytes| {
            hash.update(bytes);
            Element::Drawn(dtype).widen(bytes, &mut all);
        });
        read.with_context(|| shown.clone())?;
        ensure!(all.iter().all(|value| value.is_finite()), "{shown} has values that are not finite");
        let sha256 = text::hex(&hash.finalize());
        let identity = TensorIdentity { dtype: dtype.word().into(), name, sha256, shape: shape.axes().into() };
        Ok(Base { identity, shape, values: all })
    }

    /// Index of the tensor with this name, or of the only one. Errors name `option` as the way to choose.
    pub(super) fn number(&self, name: Option<&str>, option: &str) -> Result<usize> {
        let names = || {
            let all: Vec<String> = self.entries.iter().map(|entry| shown_name(&entry.name)).collect();
            text::cut(&all.join(", "), 200)
        };
        match name {
            Some(name) => {
                let found = self.entries.iter().position(|entry| entry.name == name);
                found.with_context(|| format!("no tensor {}: it holds {}", shown_name(name), names()))
            }
            None => {
                ensure!(!self.entries.is_empty(), "it holds no tensors");
                ensure!(
                    self.entries.len() == 1,
                    "it holds {} tensors: choose one with {option} ({})",
                    self.entries.len(),
                    names()
                );
                Ok(0)
            }
        }
    }
}
