//! safetensors: the length of a JSON header, the header, and the values, byte for byte in the order and alignment of
//! `safetensors.torch.save_file`. (The official crate holds each tensor whole and writes metadata in random order.)

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Format, Piece};
use crate::plan::{Plan, Tensor};
use crate::provenance::{self, Provenance};
use crate::tensor::Element;

pub(super) const FORMAT: Format = Format {
    name: "safetensors",
    extensions: &["safetensors"],
    binary: true,
    several: true,
    summary: "safetensors: PyTorch, Hugging Face, JAX, MLX, candle, burn; any number of tensors",
    pieces,
    sidecar: |_| Ok(None),
    note: |_| None,
    keeps: |stored| stored.safetensors,
    shard: Some(shard),
};

/// The longest header that readers take.
const MAX_HEADER: usize = 100_000_000;

/// The key of the hash of a whole plan, in a file that holds a part of it.
const WHOLE_PLAN: &str = "fanin_plan";

fn pieces(plan: &Plan) -> Result<Vec<Piece>> {
    shard(plan, None)
}

/// The pieces of a file that holds a part of a plan, which it tells by the hash of the whole.
fn shard(plan: &Plan, whole: Option<&str>) -> Result<Vec<Piece>> {
    let mut order: Vec<usize> = (0..plan.tensors.len()).collect();
    order.sort_by_key(|&number| (rank(plan.tensors[number].element()), &plan.tensors[number].spec.name));
    let header = header(plan, &order, whole)?;
    let mut opening = (header.len() as u64).to_le_bytes().to_vec();
    opening.extend(header);
    let values = order.into_iter().map(Piece::Values);
    Ok(std::iter::once(Piece::Bytes(opening)).chain(values).collect())
}

/// The types in the order of the file: the widest first, so that all tensors stay aligned.
const ORDER: [&str; 22] = [
    "u64",
    "i64",
    "f64",
    "c64",
    "f32",
    "u32",
    "i32",
    "bf16",
    "f16",
    "u16",
    "i16",
    "f8_e8m0",
    "f8_e4m3",
    "f8_e5m2",
    "f8_e4m3fnuz",
    "f8_e5m2fnuz",
    "i8",
    "u8",
    "f6_e3m2",
    "f6_e2m3",
    "f4",
    "bool",
];

/// The place of a type in the file.
fn rank(element: Element) -> usize {
    ORDER.iter().position(|&word| word == element.word()).unwrap_or(0)
}

fn header(plan: &Plan, order: &[usize], whole: Option<&str>) -> Result<Vec<u8>> {
    let provenance = Value::from(Provenance::whole(plan).to_json()?);
    let whole = whole.map(|hash| format!(",\"{WHOLE_PLAN}\":\"{hash}\"")).unwrap_or_default();
    let mut text = format!("{{\"__metadata__\":{{\"{}\":{provenance}{whole},\"format\":\"pt\"}}", provenance::KEY);
    let mut begin = 0u64;
    for tensor in order.iter().map(|&number| &plan.tensors[number]) {
        let end = begin + tensor.bytes();
        let _ = write!(text, ",{}", entry(tensor, begin, end));
        begin = end;
    }
    text.push('}');
    let mut header = text.into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    ensure!(
        header.len() <= MAX_HEADER,
        "{} tensors make a header of {} bytes, above the 100,000,000 that safetensors readers take",
        order.len(),
        header.len()
    );
    Ok(header)
}

fn entry(tensor: &Tensor, begin: u64, end: u64) -> String {
    let (name, shape) = (Value::from(tensor.spec.name.as_str()), json!(tensor.spec.shape.axes()));
    let dtype = tensor.element().word().to_uppercase();
    format!("{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[{begin},{end}]}}")
}
