//! Samples by features: a matrix read from a file a few rows at a time, in bounded memory.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use super::delimited::{self, TextOptions};
use super::{Contents, check_memory, shown};
use crate::format::{Entry, shown_name};
use crate::tensor::{Shape, StoredTensor, TensorIdentity, to_usize};
use crate::text;

/// Bytes of samples read at a time; a single larger sample is read in one go.
const BYTES_OF_A_READ: usize = 1 << 16;
/// Number of values read at a time when the whole matrix is loaded.
const BLOCK: u64 = 1 << 17;

/// Matrices of at most this many values are kept in memory.
const SMALL: u64 = 1 << 22;

/// Matrix of samples by features.
pub struct Dataset {
    /// Name of the matrix, or `data`.
    pub name: String,
    /// Number of samples.
    pub samples: u64,
    /// Number of features per sample.
    pub features: usize,
    /// Assumptions made while reading it, for the user.
    pub notes: Vec<String>,
    shape: Vec<u64>,
    /// Dtype of the values in the file.
    dtype: &'static str,
    store: Store,
}

enum Store {
    /// In a file with random access to rows.
    File(StoredTensor),
    /// In memory, with the SHA-256 of the stored values. Used for few values, and for files that are packed,
    /// reordered or text.
    Memory(Vec<f64>, String),
}

/// The stored values of an entry. Errors if they are not real numbers.
fn numbers(entry: &Entry) -> Result<&StoredTensor> {
    let values = entry.values()?;
    let read = values.element().is_number() && !values.element().is_complex();
    ensure!(read, "{}: values of type {} cannot be used as data", shown_name(&entry.name), entry.type_word);
    Ok(values)
}

/// Matrix to read from a file, and its form.
#[derive(Clone, Debug, Default)]
pub struct DatasetOptions {
    /// Name of the tensor; `None` for the only one.
    pub tensor: Option<String>,
    /// Options for text files; `None` for the defaults.
    pub text: Option<TextOptions>,
}

impl Dataset {
    /// Opens a matrix of a weights file or a text file, with all axes after the first flattened. Data that is not
    /// stored row by row is read into at most `limit` bytes of memory. Errors name the file.
    pub fn open(path: &Path, options: &DatasetOptions, limit: u64) -> Result<Self> {
        let DatasetOptions { tensor, text } = options;
        if delimited::is_text(path).map_err(|error| shown(path, &error))? {
            ensure!(tensor.is_none(), "`{}` is text, without tensor names: omit --data-tensor", path.display());
            let read = delimited::read(path, &text.clone().unwrap_or_default(), limit);
            return read.map(Self::of_text).map_err(|error| shown(path, &error));
        }
        ensure!(text.is_none(), "`{}` is not text: omit --delimiter and --columns", path.display());
        Self::of_contents(path, tensor.as_deref(), limit)
    }

    fn of_text(matrix: delimited::Matrix) -> Self {
        let delimited::Matrix { values, samples, features, notes } = matrix;
        let mut hash = Sha256::new();
        for value in &values {
            hash.update(value.to_le_bytes());
        }
        let shape = vec![samples, features as u64];
        let store = Store::Memory(values, text::hex(&hash.finalize()));
        Self { name: "data".into(), samples, features, notes, shape, dtype: "f64", store }
    }

    fn of_contents(path: &Path, name: Option<&str>, limit: u64) -> Result<Self> {
        let contents = Contents::open(path)?;
        let read = contents.number(name, "--data-tensor").and_then(|number| Self::of_entry(&contents, number, limit));
        read.map_err(|error| shown(path, &error))
    }

    fn of_entry(contents: &Contents, number: usize, limit: u64) -> Result<Self> {
        let entry = &contents.entries[number];
        let values = numbers(entry)?;
        let (samples, features) = sizes(&entry.shape)?;
        // A matrix without a name carries its writer's default name, which is not informative.
        let name = if contents.format.holds_several { entry.name.clone() } else { "data".into() };
        let shape = entry.shape.axes().to_vec();
        let small = samples.saturating_mul(features as u64) <= SMALL.min(limit / 8);
        let dtype = values.element().word();
        let store = if values.is_direct() && !small {
            Store::File(values.clone())
        } else {
            check_memory(samples, features, limit)?;
            read_all(values)?
        };
        Ok(Self { name, samples, features, notes: Vec::new(), shape, dtype, store })
    }

    /// Identity of the matrix for a provenance. Reads all values.
    pub fn identity(&self) -> Result<TensorIdentity> {
        let sha256 = match &self.store {
            Store::File(values) => values.sha256()?,
            Store::Memory(_, sha256) => sha256.clone(),
        };
        Ok(TensorIdentity { dtype: self.dtype.into(), name: self.name.clone(), sha256, shape: self.shape.clone() })
    }

    /// Bytes of memory that the values occupy.
    pub fn memory(&self) -> u64 {
        match &self.store {
            Store::File(_) => 0,
            Store::Memory(values, _) => (values.len() as u64).saturating_mul(8),
        }
    }

    /// Appends the given samples to `out`, one after the other.
    pub fn read(&self, samples: &[u64], out: &mut Vec<f64>) -> Result<()> {
        let features = self.features;
        let mut bytes = Vec::new();
        // Adjacent samples are read together, as many as stay in the cache until they are widened.
        let together = (BYTES_OF_A_READ / (8 * features)).max(1);
        let runs = samples.chunk_by(|&before, &after| after == before + 1).flat_map(|run| run.chunks(together));
        for run in runs {
            match &self.store {
                Store::Memory(values, _) => {
                    let begin = to_usize(run[0]) * features;
                    out.extend_from_slice(&values[begin..begin + run.len() * features]);
                }
                Store::File(values) => {
                    let width = features as u64;
                    values
                        .read(run[0] * width, run.len() as u64 * width, &mut bytes)
                        .context("the data cannot be read")?;
                    values.element().widen(&bytes, out);
                }
            }
        }
        Ok(())
    }
}

/// Number of samples and of features.
fn sizes(shape: &Shape) -> Result<(u64, usize)> {
    let axes = shape.axes();
    ensure!(axes.len() >= 2, "its shape is {shape}: data must be samples x features");
    let features: u64 = axes[1..].iter().product();
    ensure!(axes[0] > 0 && features > 0, "its shape is {shape}: it has no values");
    Ok((axes[0], to_usize(features)))
}

/// Loads all values of a tensor, with their SHA-256.
fn read_all(values: &StoredTensor) -> Result<Store> {
    let (mut hash, mut all) = (Sha256::new(), Vec::new());
    values.each(BLOCK, &mut |bytes| {
        hash.update(bytes);
        values.element().widen(bytes, &mut all);
    })?;
    Ok(Store::Memory(all, text::hex(&hash.finalize())))
}
