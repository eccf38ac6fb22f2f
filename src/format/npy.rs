//! `NumPy`'s `.npy`, version 1.0: one tensor, byte for byte what `numpy.save` writes. It has no room for a provenance.

use anyhow::{Result, ensure};

use super::{Format, Piece};
use crate::plan::{Plan, Tensor};
use crate::tensor::{DType, Element};

pub(super) const FORMAT: Format = Format {
    name: "npy",
    extensions: &["npy"],
    binary: true,
    several: false,
    summary: "NumPy array: numpy.load, one tensor",
    pieces,
    sidecar: |_| Ok(None),
    note,
    keeps: |stored| stored.numpy.is_some(),
    shard: None,
};

fn pieces(plan: &Plan) -> Result<Vec<Piece>> {
    ensure!(
        plan.tensors.len() == 1,
        ".npy holds one tensor, not {}: take .npz or .safetensors, or `-o DIR/` for a file each",
        plan.tensors.len()
    );
    Ok(vec![Piece::Bytes(header(&plan.tensors[0])?), Piece::Values(0)])
}

/// What `NumPy` users should know of a plan: its formats have no word for bfloat16.
pub(super) fn note(plan: &Plan) -> Option<String> {
    let brain = plan.tensors.iter().any(|tensor| tensor.element() == Element::Drawn(DType::BF16));
    brain.then(|| {
        "NumPy has no bfloat16: it loads these values as `V2`, which `.view(ml_dtypes.bfloat16)` makes numbers".into()
    })
}

/// The header of an array as `numpy.save` writes it. `npyz` has the words for types; its own header would be read alike, but
/// has other spaces and commas.
pub(super) fn header(tensor: &Tensor) -> Result<Vec<u8>> {
    let descriptor = npyz::DType::Plain(descriptor(tensor.element()).parse()?).descr();
    let shape = tuple(tensor.spec.shape.axes());
    let dictionary = format!("{{'descr': {descriptor}, 'fortran_order': False, 'shape': {shape}, }}");
    let growth = tensor.spec.shape.axes().first().map_or(0, |first| GROWTH - first.to_string().len());
    let unpadded = PREFIX + dictionary.len() + growth + 1;
    let length = (unpadded / ALIGNMENT + 1) * ALIGNMENT;

    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend(u16::try_from(length - PREFIX)?.to_le_bytes());
    header.extend(dictionary.into_bytes());
    header.resize(length - 1, b' ');
    header.push(b'\n');
    Ok(header)
}

/// Sizes as a Python tuple: `()`, `(3,)`, `(3, 4)`.
fn tuple(axes: &[u64]) -> String {
    match axes {
        [single] => format!("({single},)"),
        _ => format!("({})", axes.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// The magic, the version and the length that come before the dictionary.
const PREFIX: usize = 10;
const ALIGNMENT: usize = 64;
/// The digits that `NumPy` reserves for the first axis.
const GROWTH: usize = 21;

/// `NumPy`'s word for the type. It has none for bfloat16, whose bytes are stored as two bytes of no type; `ml_dtypes` and JAX
/// view them as what they are.
fn descriptor(element: Element) -> &'static str {
    match element {
        Element::Drawn(DType::F64) => "<f8",
        Element::Drawn(DType::F32) => "<f4",
        Element::Drawn(DType::F16) => "<f2",
        Element::Drawn(DType::BF16) => "<V2",
        // The format keeps none that has no word.
        Element::Stored(stored) => stored.numpy.unwrap_or("|V1"),
    }
}
