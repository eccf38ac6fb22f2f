//! Samples by features: a matrix of a file, read a few rows at a time, and never by more than it is asked for.

use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use super::delimited::{self, TextOptions};
use super::values::{Encoding, Raw};
use super::{Contents, Entry, shown, shown_name, values};
use crate::law::in_memory;
use crate::plan::{BaseIdentity, Element, Shape, Stored};
use crate::text;

/// How many bytes of samples are read at a time, unless one has more.
const BYTES_OF_A_READ: usize = 1 << 16;
/// How many bytes are read at a time where all are.
const BLOCK: usize = 1 << 20;

/// No more values than this are kept in memory, wherever they are.
const SMALL: u64 = 1 << 22;

/// A matrix of n samples by so many features.
pub struct Table {
    /// Its name, or `data`.
    pub name: String,
    /// The number of samples.
    pub samples: u64,
    /// The number of features of each.
    pub features: usize,
    /// What was supposed about it.
    pub notes: Vec<String>,
    shape: Vec<u64>,
    /// The type of its values.
    dtype: &'static str,
    store: Store,
}

/// Where the values are.
enum Store {
    /// In a file, as they are stored.
    File(Raw, Numbers),
    /// In memory, with the SHA-256 of what was stored: where they are few, or a file holds them packed, by columns, or as text.
    Memory(Vec<f64>, String),
}

/// How numbers are stored.
#[derive(Clone, Copy)]
enum Numbers {
    Floats(Encoding),
    Whole(&'static Stored, WholeNumber),
}

/// A whole number of little-endian bytes as a double.
type WholeNumber = fn(&[u8]) -> f64;

impl Numbers {
    fn of(entry: &Entry) -> Result<Self> {
        let shown = || format!("{}: values of type {} are not read as data", shown_name(&entry.name), entry.type_word);
        match (entry.encoding, entry.element) {
            (Some(encoding), _) => Ok(Self::Floats(encoding)),
            (None, Some(Element::Stored(stored))) => Ok(Self::Whole(stored, whole(stored.word).with_context(shown)?)),
            _ => bail!(shown()),
        }
    }

    /// The size of one in bytes.
    fn size(self) -> usize {
        match self {
            Self::Floats(encoding) => in_memory(encoding.dtype.size()),
            Self::Whole(stored, _) => in_memory(stored.bits / 8),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Floats(encoding) => encoding.dtype.word(),
            Self::Whole(stored, _) => stored.word,
        }
    }

    /// Appends values of stored bytes.
    fn widen(self, bytes: &[u8], out: &mut Vec<f64>) {
        match self {
            Self::Floats(encoding) => values::widen(bytes, encoding, out),
            Self::Whole(_, value) => out.extend(bytes.chunks_exact(self.size()).map(value)),
        }
    }
}

/// What reads whole numbers of that type.
fn whole(word: &str) -> Option<WholeNumber> {
    /// The first bytes, which are there.
    fn first<const SIZE: usize>(bytes: &[u8]) -> [u8; SIZE] {
        bytes.first_chunk().copied().unwrap_or([0; SIZE])
    }
    #[expect(clippy::cast_precision_loss, reason = "data of more than 53 bits has no meaning here")]
    Some(match word {
        "u8" | "bool" => |bytes| bytes[0].into(),
        "i8" => |bytes| i8::from_le_bytes(first(bytes)).into(),
        "u16" => |bytes| u16::from_le_bytes(first(bytes)).into(),
        "i16" => |bytes| i16::from_le_bytes(first(bytes)).into(),
        "u32" => |bytes| u32::from_le_bytes(first(bytes)).into(),
        "i32" => |bytes| i32::from_le_bytes(first(bytes)).into(),
        "u64" => |bytes| u64::from_le_bytes(first(bytes)) as f64,
        "i64" => |bytes| i64::from_le_bytes(first(bytes)) as f64,
        _ => return None,
    })
}

/// Which matrix of a file is read, and how.
#[derive(Clone, Debug, Default)]
pub struct TableOptions {
    /// Its name; `None` for the only one.
    pub tensor: Option<String>,
    /// How it is read from text; `None` for the usual way.
    pub text: Option<TextOptions>,
}

impl Table {
    /// Opens a matrix of a file of weights, or of text. Axes after the first are taken together. What does not lie in the file row by
    /// row is read into at most `limit` bytes of memory. Errors name the file and its fault.
    pub fn open(path: &Path, options: &TableOptions, limit: u64) -> Result<Self> {
        let TableOptions { tensor, text } = options;
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
        let mut contents = Contents::open(path)?;
        let read =
            contents.number(name, "--data-tensor").and_then(|number| Self::of_entry(&mut contents, number, limit));
        read.map_err(|error| shown(path, &error))
    }

    fn of_entry(contents: &mut Contents, number: usize, limit: u64) -> Result<Self> {
        let entry = &contents.entries[number];
        let (numbers, fortran) = (Numbers::of(entry)?, entry.fortran);
        let (samples, features) = sizes(&entry.shape)?;
        // A matrix without a name has that of its writer's first tensor, which says nothing.
        let name = if contents.format == "npy" { "data".into() } else { entry.name.clone() };
        let shape = entry.shape.axes().to_vec();
        let small = samples.saturating_mul(features as u64) <= SMALL.min(limit / 8);
        let raw = contents.raw(number)?.filter(|_| !fortran && !small);
        let store = match raw {
            Some(raw) => Store::File(raw, numbers),
            None => {
                check_memory(samples, features, limit)?;
                let (values, sha256) = read_all(contents, number, numbers)?;
                Store::Memory(if fortran { by_rows(&values, &shape) } else { values }, sha256)
            }
        };
        Ok(Self { name, samples, features, notes: Vec::new(), shape, dtype: numbers.word(), store })
    }

    /// Which matrix it is: what a recipe keeps of it. Reads all of it.
    pub fn identity(&self) -> Result<BaseIdentity> {
        let sha256 = match &self.store {
            Store::File(raw, _) => hash(raw)?,
            Store::Memory(_, sha256) => sha256.clone(),
        };
        Ok(BaseIdentity { dtype: self.dtype.into(), name: self.name.clone(), sha256, shape: self.shape.clone() })
    }

    /// The bytes of memory that its values take.
    pub fn memory(&self) -> u64 {
        match &self.store {
            Store::File(..) => 0,
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
                    let begin = in_memory(run[0]) * features;
                    out.extend_from_slice(&values[begin..begin + run.len() * features]);
                }
                Store::File(raw, numbers) => {
                    let size = numbers.size() * features;
                    bytes.resize(run.len() * size, 0);
                    let place = raw.begin + run[0] * size as u64;
                    raw.file.read_exact_at(&mut bytes, place).context("the data cannot be read")?;
                    numbers.widen(&bytes, out);
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
    Ok((axes[0], in_memory(features)))
}

pub(super) fn check_memory(samples: u64, features: usize, limit: u64) -> Result<()> {
    let needed = samples.saturating_mul(features as u64).saturating_mul(8);
    ensure!(
        needed <= limit,
        "it is packed, by columns or text, and takes {} of memory, above the limit of {}: raise --max-memory, or store it as a plain .npy",
        text::bytes(needed),
        text::bytes(limit)
    );
    Ok(())
}

fn hash(raw: &Raw) -> Result<String> {
    let (mut hash, mut place, end) = (Sha256::new(), raw.begin, raw.begin + raw.length);
    let mut block = vec![0; BLOCK];
    while place < end {
        let block = &mut block[..in_memory((end - place).min(BLOCK as u64))];
        raw.file.read_exact_at(block, place).context("its values cannot be read")?;
        hash.update(&*block);
        place += block.len() as u64;
    }
    Ok(text::hex(&hash.finalize()))
}

fn read_all(contents: &mut Contents, number: usize, numbers: Numbers) -> Result<(Vec<f64>, String)> {
    let count = contents.entries[number].shape.count();
    let mut source = contents.bytes(number)?;
    let (mut hash, mut values, mut block) = (Sha256::new(), Vec::new(), vec![0; BLOCK]);
    let mut left = in_memory(count) * numbers.size();
    while left > 0 {
        let block = &mut block[..left.min(BLOCK)];
        source.read_exact(block).context("its values cannot be read")?;
        hash.update(&*block);
        numbers.widen(block, &mut values);
        left -= block.len();
    }
    // The end is where what is packed tells its checksum.
    ensure!(source.read(&mut [0]).context("its values cannot be read")? == 0, "bytes follow its values");
    Ok((values, text::hex(&hash.finalize())))
}

/// Values whose first axis varies fastest, row by row.
fn by_rows(values: &[f64], shape: &[u64]) -> Vec<f64> {
    let sizes: Vec<usize> = shape.iter().map(|&size| in_memory(size)).collect();
    let (mut out, mut index) = (Vec::with_capacity(values.len()), vec![0; sizes.len()]);
    for _ in 0..values.len() {
        out.push(values[index.iter().zip(&sizes).rev().fold(0, |place, (&at, &size)| place * size + at)]);
        for (at, &size) in index.iter_mut().zip(&sizes).rev() {
            *at = (*at + 1) % size;
            if *at != 0 {
                break;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_by_columns_are_turned() {
        assert_eq!(by_rows(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3]), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    }
}
