//! How far a run has come, and the tensors of a file that tell it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::layer::Layer;
use crate::generator::NATIVE;
use crate::law::in_memory;
use crate::matrix::Matrix;
use crate::plan::{Common, DType, Fans, Layout, Plan, Seed, Shape, Tensor, narrow};
use crate::reader::Contents;

/// How far a run has come.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The layers that are done.
    pub done: Vec<Layer>,
    /// How often the layer after those has gone through all samples.
    pub epochs: u64,
    /// All that it must know to go on.
    pub state: BTreeMap<String, Vec<f32>>,
}

/// What tells a run apart from any other: a SHA-256.
pub(super) type Run = [u8; 32];

/// The tensor that tells which run a file is of, and where it stands.
const RUN: &str = "run";
/// What stands before the name of a part of the state.
const STATE: &str = "state.";

impl Progress {
    /// A file's tensors.
    pub fn plan(&self, run: &Run) -> Result<Plan> {
        let mut tensors = vec![tensor(RUN, head(run, self.epochs), 1)?];
        for (number, layer) in self.done.iter().enumerate() {
            let name = |part| format!("layer.{number}.{part}");
            tensors.push(tensor(&name("weight"), layer.weight.values().to_vec(), layer.weight.columns())?);
            tensors.push(tensor(&name("bias"), layer.bias.clone(), 1)?);
            if let Some(bias) = &layer.visible_bias {
                tensors.push(tensor(&name("visible_bias"), bias.clone(), 1)?);
            }
        }
        for (name, values) in &self.state {
            tensors.push(tensor(&format!("{STATE}{name}"), values.clone(), 1)?);
        }
        Plan::new(NATIVE, Seed::default(), tensors)
    }

    /// Reads what [`Progress::plan`] wrote. Errors where it is of another run.
    pub fn read(path: &Path, run: &Run) -> Result<Self> {
        let contents = Contents::open(path)?;
        let mut held = BTreeMap::new();
        for number in 0..contents.entries.len() {
            let mut values = Vec::new();
            contents.read(number, &mut |chunk| values.extend(chunk.iter().map(|&value| narrow(value))))?;
            let entry = &contents.entries[number];
            let columns = entry.shape.axes().get(1).map_or(1, |&columns| in_memory(columns));
            held.insert(entry.name.clone(), Matrix::new(values, columns));
        }
        let told = held.remove(RUN).map(|matrix| matrix.values().to_vec()).unwrap_or_default();
        let epochs = epochs(&told);
        ensure!(told == head(run, epochs), "it is of another run: of other data, options, sizes or another seed");
        let mut done = Vec::new();
        while let Some(weight) = held.remove(&format!("layer.{}.weight", done.len())) {
            let mut part =
                |part| held.remove(&format!("layer.{}.{part}", done.len())).map(|matrix| matrix.values().to_vec());
            let bias = part("bias").context("it has a weight without its bias")?;
            done.push(Layer { weight, bias, visible_bias: part("visible_bias") });
        }
        let state =
            held.iter().filter_map(|(name, values)| Some((name.strip_prefix(STATE)?.into(), values.values().to_vec())));
        Ok(Self { done, epochs, state: state.collect() })
    }
}

/// The bytes of a run and the two halves of a count of epochs, each of which a single holds exactly.
fn head(run: &Run, epochs: u64) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "a half is what is wanted")]
    let halves = [(epochs >> 16) as u16, epochs as u16];
    run.iter().map(|&byte| f32::from(byte)).chain(halves.map(f32::from)).collect()
}

/// The count of epochs of such a head, 0 where it is none.
fn epochs(head: &[f32]) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is no count is told by the comparison"
    )]
    head.iter().skip(size_of::<Run>()).fold(0, |count, &half| count << 16 | u64::from(half as u16))
}

fn tensor(name: &str, values: Vec<f32>, columns: usize) -> Result<Tensor> {
    let common = Common { dtype: DType::F32, layout: Layout::default(), fans: Fans::default(), generator: NATIVE };
    let sizes = match columns {
        1 => vec![values.len()],
        _ => vec![values.len() / columns, columns],
    };
    let shape = Shape::new(sizes.into_iter().map(|size| size as u64).collect())?;
    Ok(Tensor::new(name.parse()?, shape, "zeros", &common)?.holding(values, None))
}
