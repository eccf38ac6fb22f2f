//! Samples by features: a matrix of a file, read a few rows at a time, and never by more than it is asked for.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use super::delimited::{self, TextOptions};
use super::{Contents, check_memory, shown};
use crate::format::{Entry, shown_name};
use crate::tensor::{Shape, StoredTensor, TensorIdentity, to_usize};
use crate::text;

/// How many bytes of samples are read at a time, unless one has more.
const BYTES_OF_A_READ: usize = 1 << 16;
/// The number of values that are read at a time if all are.
const BLOCK: u64 = 1 << 17;

/// No more values than this are kept in memory, wherever they are.
const SMALL: u64 = 1 << 22;

/// A matrix of n samples by so many features.
pub struct Dataset {
    /// Its name, or `data`.
    pub name: String,
    /// The number of samples.
    pub samples: u64,
    /// The number of features of each.
    pub features: usize,
    /// The assumptions about it.
    pub notes: Vec<String>,
    shape: Vec<u64>,
    /// The type of its values.
    dtype: &'static str,
    store: Store,
}

/// Where the values are.
enum Store {
    /// In a file, any rows of which are read alone.
    File(StoredTensor),
    /// In memory, with the SHA-256 of what was stored: where they are few, or a file holds them packed, in another order or as text.
    Memory(Vec<f64>, String),
}

/// The values of a tensor that are data: real numbers.
fn numbers(entry: &Entry) -> Result<&StoredTensor> {
    let values = entry.values()?;
    let read = values.element().is_number() && !values.element().is_complex();
    ensure!(read, "{}: values of type {} are not read as data", shown_name(&entry.name), entry.type_word);
    Ok(values)
}

/// The matrix of a file that is read, and its form.
#[derive(Clone, Debug, Default)]
pub struct DatasetOptions {
    /// Its name; `None` for the only one.
    pub tensor: Option<String>,
    /// The options for reading it from text; `None` for the defaults.
    pub text: Option<TextOptions>,
}

impl Dataset {
    /// Opens a matrix of a file of weights, or of text. Axes after the first are taken together. What does not lie in the file row by
    /// row is read into at most `limit` bytes of memory. Errors name the file and its fault.
    pub fn open(path: &Path, options: &DatasetOptions, limit: u64) -> Result<Self> {
        let DatasetOptions { tensor, text } = options;
        if delimited::is_text(path).map_err(|error| shown(path, &error))? {
            ensure!(tensor.is_none(), "`{}`: text has no names for matrices: leave out --data-tensor", path.display());
            let read = delimited::read(path, &text.clone().unwrap_or_default(), limit);
            return read.map(Self::of_text).map_err(|error| shown(path, &error));
        }
        ensure!(text.is_none(), "`{}`: it is no text: --delimiter and --columns have no meaning", path.display());
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
        // A matrix without a name has that of its writer's first tensor, which says nothing.
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

    /// Which matrix it is: what a provenance keeps of it. Reads all of it.
    pub fn identity(&self) -> Result<TensorIdentity> {
        let sha256 = match &self.store {
            Store::File(values) => values.sha256()?,
            Store::Memory(_, sha256) => sha256.clone(),
        };
        Ok(TensorIdentity { dtype: self.dtype.into(), name: self.name.clone(), sha256, shape: self.shape.clone() })
    }

    /// The bytes of memory that its values take.
    pub fn memory(&self) -> u64 {
        match &self.store {
            Store::File(_) => 0,
            Store::Memory(values, _) => (values.len() as u64).saturating_mul(8),
        }
    }

    /// Appends these samples, one after the other.
    pub fn read(&self, samples: &[u64], out: &mut Vec<f64>) -> Result<()> {
        let features = self.features;
        let mut bytes = Vec::new();
        // Samples that lie side by side are read together, as many as stay in the cache until they are widened.
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

/// The samples and the features of a shape.
fn sizes(shape: &Shape) -> Result<(u64, usize)> {
    let axes = shape.axes();
    ensure!(axes.len() >= 2, "its shape is {shape}: data is samples x features");
    let features: u64 = axes[1..].iter().product();
    ensure!(axes[0] > 0 && features > 0, "its shape is {shape}: there is no value in it");
    Ok((axes[0], to_usize(features)))
}

/// All values of a tensor, and their SHA-256.
fn read_all(values: &StoredTensor) -> Result<Store> {
    let (mut hash, mut all) = (Sha256::new(), Vec::new());
    values.each(BLOCK, &mut |bytes| {
        hash.update(bytes);
        values.element().widen(bytes, &mut all);
    })?;
    Ok(Store::Memory(all, text::hex(&hash.finalize())))
}
