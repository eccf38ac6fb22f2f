//! Raw values: those of each tensor little-endian from a multiple of 64 on, and nothing else. What they are stands in a
//! manifest beside the file, `FILE.json`, so that C, `numpy.memmap` and the external data of ONNX take them as they lie.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Format, Piece, Sidecar};
use crate::plan::Plan;
use crate::provenance::{self, Provenance};

pub(super) const FORMAT: Format = Format {
    name: "raw",
    extensions: &["raw"],
    binary: true,
    several: true,
    summary: "little-endian values, each tensor from a multiple of 64 on, and FILE.json that tells where: numpy.memmap, C, ONNX",
    pieces,
    sidecar,
    note: |_| None,
    keeps: |_| true,
    shard: None,
};

/// Where the values of a tensor may begin: a cache line, and as wide as any vector.
pub(crate) const ALIGNMENT: u64 = 64;
/// What is appended to the file's name for the manifest.
pub(crate) const SUFFIX: &str = ".json";
/// How a manifest begins.
pub(crate) const OPENING: &str = r#"{"format":"raw","#;

fn pieces(plan: &Plan) -> Result<Vec<Piece>> {
    let mut pieces = Vec::with_capacity(2 * plan.tensors.len());
    let mut end = 0;
    for (number, offset) in offsets(plan).enumerate() {
        let gap = usize::try_from(offset - end)?;
        if gap > 0 {
            pieces.push(Piece::Bytes(vec![0; gap]));
        }
        pieces.push(Piece::Values(number));
        end = offset + plan.tensors[number].bytes();
    }
    Ok(pieces)
}

/// Where each tensor begins.
fn offsets(plan: &Plan) -> impl Iterator<Item = u64> {
    plan.tensors.iter().scan(0u64, |end, tensor| {
        let offset = end.next_multiple_of(ALIGNMENT);
        *end = offset + tensor.bytes();
        Some(offset)
    })
}

/// The manifest: a line a tensor in the order of the file, and the provenance.
fn sidecar(plan: &Plan) -> Result<Option<Sidecar>> {
    let entries: Vec<String> = plan
        .tensors
        .iter()
        .zip(offsets(plan))
        .map(|(tensor, offset)| {
            let (name, shape) = (Value::from(tensor.spec.name.as_str()), json!(tensor.spec.shape.axes()));
            let (dtype, bytes) = (tensor.element().word(), tensor.bytes());
            format!("{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"offset\":{offset},\"bytes\":{bytes}}}")
        })
        .collect();
    let (key, provenance) = (provenance::KEY, Provenance::whole(plan).to_json()?);
    let text = format!("{OPENING}\n\"{key}\":{provenance},\n\"tensors\":{{\n{}\n}}}}\n", entries.join(",\n"));
    Ok(Some(Sidecar { suffix: SUFFIX, bytes: text.into_bytes() }))
}
