//! The progress of a run, and the tensors of its checkpoint. A checksum over all of them detects damage.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use super::history::History;
use super::layer::Layer;
use crate::generator::NATIVE;
use crate::matrix::Matrix;
use crate::plan::{Common, DrawnTensor, Plan, TrainedTensor};
use crate::reader::Contents;
use crate::tensor::{DType, Fans, Layout, Seed, Shape, to_f32, to_usize};

/// The progress of a run.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The trained layers.
    pub done: Vec<Layer>,
    /// The finished epochs of the next layer.
    pub epochs: u64,
    /// The state of that layer.
    pub state: BTreeMap<String, Vec<f32>>,
}

/// The SHA-256 of everything that determines the values of a run.
pub type Run = [u8; 32];

/// The tensor of the run's bytes and the epochs that are done.
const RUN: &str = "run";
/// The tensor of the checksum's bytes.
const CHECKSUM: &str = "checksum";
/// The prefixes of the state's parts and of the measurements.
const STATE: &str = "state.";
const MEASURED: &str = "measured.";

/// The tensors of a checkpoint by name.
type Held = BTreeMap<String, Stored>;

/// A tensor of a checkpoint.
struct Stored {
    values: Numbers,
    columns: usize,
}

enum Numbers {
    Singles(Vec<f32>),
    Doubles(Vec<f64>),
}

impl Progress {
    /// The tensors of a checkpoint.
    pub fn plan(self, history: &History, run: &Run) -> Result<Plan> {
        #[expect(clippy::cast_precision_loss, reason = "at most 10^9")]
        let head = bytes(run).chain([self.epochs as f64]).collect();
        let mut held = Held::from([(RUN.into(), Stored::doubles(head))]);
        for (number, layer) in self.done.into_iter().enumerate() {
            let mut add = |part, stored| held.insert(format!("layer.{number}.{part}"), stored);
            let columns = layer.weight.columns();
            add("weight", Stored { values: Numbers::Singles(layer.weight.into_values()), columns });
            add("bias", Stored::doubles(layer.bias));
            layer.visible_bias.map(|bias| add("visible_bias", Stored::singles(bias)));
        }
        held.extend(self.state.into_iter().map(|(name, values)| (format!("{STATE}{name}"), Stored::singles(values))));
        held.extend(history.series().map(|(name, values)| (format!("{MEASURED}{name}"), Stored::doubles(values))));
        held.insert(CHECKSUM.into(), Stored::doubles(bytes(&checksum(&held)).collect()));
        let tensors = held.into_iter().map(|(name, stored)| stored.tensor(&name));
        Plan::new(NATIVE, Seed::default(), tensors.collect::<Result<Vec<_>>>()?)
    }

    /// Reads the tensors that [`Progress::plan`] made. Errors if they are damaged or of another run.
    pub fn read(path: &Path, run: &Run) -> Result<(Self, History)> {
        let mut held = read(path)?;
        let stored = held.remove(CHECKSUM).and_then(Stored::into_doubles);
        let is_whole = stored.is_some_and(|stored| stored.into_iter().eq(bytes(&checksum(&held))));
        ensure!(is_whole, "it is damaged, or from another version: remove it to start again");
        let mut head = held.remove(RUN).and_then(Stored::into_doubles).unwrap_or_default();
        let epochs = head.pop().unwrap_or_default();
        let same = head.into_iter().eq(bytes(run));
        ensure!(same, "it is from a run with other data, options, sizes or seed");
        let incomplete = "a part of a layer is missing";
        let mut done = Vec::new();
        while let Some(weight) = held.remove(&format!("layer.{}.weight", done.len())) {
            let mut part = |part| held.remove(&format!("layer.{}.{part}", done.len()));
            let bias = part("bias").and_then(Stored::into_doubles).context(incomplete)?;
            let visible_bias = part("visible_bias").and_then(Stored::into_singles);
            let columns = weight.columns;
            let weight = Matrix::new(weight.into_singles().context(incomplete)?, columns);
            done.push(Layer { weight, bias, visible_bias });
        }
        let (mut state, mut series) = (BTreeMap::new(), Vec::new());
        for (name, stored) in held {
            if let Some(name) = name.strip_prefix(STATE) {
                state.insert(name.into(), stored.into_singles().context(incomplete)?);
            } else if let Some(name) = name.strip_prefix(MEASURED) {
                series.push((name.into(), stored.into_doubles().context(incomplete)?));
            }
        }
        let history = History::from_series(series.into_iter()).context("its measurements are inconsistent")?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, by the checksum")]
        Ok((Self { done, epochs: epochs as u64, state }, history))
    }
}

fn bytes(bytes: &[u8; 32]) -> impl Iterator<Item = f64> {
    bytes.iter().map(|&byte| byte.into())
}

fn read(path: &Path) -> Result<Held> {
    let contents = Contents::open(path)?;
    let mut held = Held::new();
    for number in 0..contents.entries.len() {
        let entry = &contents.entries[number];
        let columns = entry.shape.axes().get(1).map_or(1, |&columns| to_usize(columns));
        let (name, double) = (entry.name.clone(), entry.dtype() == Some(DType::F64));
        let mut values = if double { Numbers::Doubles(Vec::new()) } else { Numbers::Singles(Vec::new()) };
        contents.read(number, &mut |chunk| match &mut values {
            Numbers::Doubles(values) => values.extend_from_slice(chunk),
            Numbers::Singles(values) => values.extend(chunk.iter().map(|&value| to_f32(value))),
        })?;
        held.insert(name, Stored { values, columns });
    }
    Ok(held)
}

/// SHA-256 over the name, size and values of each tensor.
fn checksum(held: &Held) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (name, Stored { values, columns }) in held {
        let (kind, count) = match values {
            Numbers::Singles(values) => (4, values.len()),
            Numbers::Doubles(values) => (8, values.len()),
        };
        hash.update(format!("{}:{name},{kind},{count},{columns};", name.len()));
        match values {
            Numbers::Singles(values) => update(&mut hash, values, f32::to_le_bytes),
            Numbers::Doubles(values) => update(&mut hash, values, f64::to_le_bytes),
        }
    }
    hash.finalize().into()
}

fn update<T: Copy, const SIZE: usize>(hash: &mut Sha256, values: &[T], bytes: impl Fn(T) -> [u8; SIZE]) {
    for values in values.chunks(1 << 12) {
        hash.update(values.iter().flat_map(|&value| bytes(value)).collect::<Vec<u8>>());
    }
}

impl Stored {
    fn singles(values: Vec<f32>) -> Self {
        Self { values: Numbers::Singles(values), columns: 1 }
    }

    fn doubles(values: Vec<f64>) -> Self {
        Self { values: Numbers::Doubles(values), columns: 1 }
    }

    fn into_singles(self) -> Option<Vec<f32>> {
        match self.values {
            Numbers::Singles(values) => Some(values),
            Numbers::Doubles(_) => None,
        }
    }

    fn into_doubles(self) -> Option<Vec<f64>> {
        match self.values {
            Numbers::Doubles(values) => Some(values),
            Numbers::Singles(_) => None,
        }
    }

    fn tensor(self, name: &str) -> Result<TrainedTensor> {
        let (dtype, count) = match &self.values {
            Numbers::Singles(values) => (DType::F32, values.len()),
            Numbers::Doubles(values) => (DType::F64, values.len()),
        };
        let common =
            Common { dtype: dtype.into(), layout: Layout::default(), fans: Fans::default(), generator: NATIVE };
        let sizes = match self.columns {
            1 => vec![count],
            columns => vec![count / columns, columns],
        };
        let shape = Shape::new(sizes.into_iter().map(|size| size as u64).collect())?;
        let tensor = DrawnTensor::new(name.parse()?, shape, "zeros", &common)?;
        let values = match self.values {
            Numbers::Singles(values) => values.into(),
            Numbers::Doubles(values) => values.into(),
        };
        TrainedTensor::new(tensor, None, values)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::history::Report;
    use super::*;
    use crate::format::Format;
    use crate::writer::{self, Existing, FileOptions, Settings};

    fn progress() -> (Progress, History) {
        let singles = |count: u16| (0..count).map(|n| f32::from(n) / 7.0 - 1.0).collect::<Vec<f32>>();
        let layer =
            Layer { weight: Matrix::new(singles(6), 2), bias: vec![0.25, -0.0], visible_bias: Some(singles(3)) };
        let state = BTreeMap::from([("weight".to_string(), singles(4)), ("step".to_string(), vec![f32::MIN_POSITIVE])]);
        let mut history = History::default();
        let (training, held_out) = (vec![("error", 0.1)], Vec::new());
        history.add(&Report {
            layer: 0,
            layers: 2,
            epoch: 1,
            epochs: 1,
            training,
            held_out,
            explained: Vec::new(),
            seconds: 0.5,
        });
        (Progress { done: vec![layer], epochs: 70_000, state }, history)
    }

    #[test]
    fn every_flipped_bit_is_refused_or_harmless() {
        let (progress, history) = progress();
        let plan = progress.clone().plan(&history, &[7; 32]).unwrap();
        let pieces = Format::of_checkpoints().unwrap().pieces(&plan).unwrap();
        let path = std::env::temp_dir().join(format!("fanin-checkpoint-{}", std::process::id()));
        let options = FileOptions { existing: Existing::Replace, fsync: false };
        writer::write_file(&plan, &pieces, &path, options, &Settings { threads: &|| 1, progress: &|_| () }).unwrap();
        let whole = format!("{:?}", (&progress, &history));
        let read = |run| Progress::read(&path, run).map(|read| format!("{:?}", (&read.0, &read.1)));
        assert_eq!(read(&[7; 32]).unwrap(), whole);
        assert!(read(&[8; 32]).unwrap_err().to_string().contains("a run with other data"));
        let mut bytes = fs::read(&path).unwrap();
        let mut refused = 0;
        for at in 0..bytes.len() {
            // Each bit of the value bytes in turn.
            let bit = 1 << (at % 8);
            bytes[at] ^= bit;
            fs::write(&path, &bytes).unwrap();
            let read = read(&[7; 32]);
            refused += usize::from(read.is_err());
            assert!(read.is_err() || read.is_ok_and(|read| read == whole), "byte {at}");
            bytes[at] ^= bit;
        }
        fs::remove_file(path).unwrap();
        assert!(refused > bytes.len() / 2, "{refused} of {}", bytes.len());
    }
}
