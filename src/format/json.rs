//! JSON: `{"fanin": provenance, "tensors": {NAME: {"dtype", "shape", "data": nested lists}}}`.

use std::io;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Format, Piece};
use crate::plan::{Plan, Tensor};
use crate::provenance::{self, Provenance};
use crate::show::shortest;
use crate::tensor::{DType, Element, Shape, to_f32};
use crate::text::bytes;

pub(super) const FORMAT: Format = Format {
    name: "json",
    extensions: &["json"],
    binary: false,
    several: true,
    summary: "JSON: any language; shortest digits that give the same bits back",
    pieces,
    sidecar: |_| Ok(None),
    note,
    keeps: |stored| stored.is_integer(),
    shard: None,
};

/// From how many elements on the user is told that there are shorter formats.
const MANY: u64 = 10_000_000;

fn note(plan: &Plan) -> Option<String> {
    let count: u64 = plan.tensors.iter().map(|tensor| tensor.spec.shape.count()).fold(0, u64::saturating_add);
    (count > MANY)
        .then(|| format!("JSON takes 11 bytes and more an element: about {} here", bytes(count.saturating_mul(11))))
}

fn pieces(plan: &Plan) -> Result<Vec<Piece>> {
    for tensor in &plan.tensors {
        let numbers = !tensor.spec.distribution.is_nan() || tensor.spec.shape.count() == 0;
        ensure!(numbers, "`{}` holds NaN, which JSON has no way to write: take another --format", tensor.spec.name);
    }
    let provenance = Provenance::whole(plan).to_json()?;
    let mut before = format!("{{\"{}\":{provenance},\n\"tensors\":{{", provenance::KEY);
    let mut pieces = Vec::with_capacity(2 * plan.tensors.len() + 1);
    for (number, tensor) in plan.tensors.iter().enumerate() {
        before += if number == 0 { "\n" } else { ",\n" };
        before += &opening(tensor);
        if tensor.spec.shape.count() == 0 {
            before += &empty(&tensor.spec.shape)?;
        } else {
            pieces.push(Piece::Bytes(std::mem::take(&mut before).into_bytes()));
            pieces.push(Piece::Text(number));
        }
        before += "}";
    }
    before += "\n}}\n";
    pieces.push(Piece::Bytes(before.into_bytes()));
    Ok(pieces)
}

fn opening(tensor: &Tensor) -> String {
    let name = Value::from(tensor.spec.name.as_str());
    let shape = json!(tensor.spec.shape.axes());
    format!("{name}:{{\"dtype\":\"{}\",\"shape\":{shape},\"data\":", numpy(tensor.element()))
}

/// `NumPy`'s name of a type, which is torch's too.
fn numpy(element: Element) -> &'static str {
    element.torch().unwrap_or(element.word())
}

/// The largest number of empty lists that are written for an empty tensor.
const MAX_EMPTY: u64 = 1 << 20;

/// The nested lists of a tensor without elements: as many empty ones as the axes before the first of size 0 make.
fn empty(shape: &Shape) -> Result<String> {
    let mut text = String::from("[]");
    let before: Vec<u64> = shape.axes().iter().copied().take_while(|&size| size > 0).collect();
    let lists: u64 = before.iter().product();
    ensure!(lists <= MAX_EMPTY, "shape {shape} would be {lists} empty lists in JSON: take another --format");
    for size in before.into_iter().rev() {
        text = format!("[{}]", vec![text; usize::try_from(size)?].join(","));
    }
    Ok(text)
}

/// Appends elements `start..` of a tensor, with the brackets and commas around them.
pub(crate) fn text(out: &mut Vec<u8>, shape: &Shape, dtype: DType, start: u64, values: &[f64]) {
    lists(out, shape, start, values.iter(), &|out, &value| number(out, dtype, value));
}

/// Appends elements `start..` of a tensor that is kept, of little-endian bytes. Errors if one is no number.
pub(crate) fn copied_text(
    out: &mut Vec<u8>,
    shape: &Shape,
    element: Element,
    start: u64,
    bytes: &[u8],
) -> io::Result<()> {
    if let Element::Drawn(dtype) = element {
        let mut values = Vec::new();
        element.widen(bytes, &mut values);
        if !values.iter().all(|value| value.is_finite()) {
            return Err(io::Error::other("a value that is kept is not finite, which JSON has no way to write"));
        }
        text(out, shape, dtype, start, &values);
        return Ok(());
    }
    let is_signed = element.word().starts_with('i');
    let size = usize::try_from(element.bytes(1)).map_err(io::Error::other)?;
    lists(out, shape, start, bytes.chunks_exact(size), &|out, bytes| match element.word() {
        "bool" => out.extend(if bytes[0] == 0 { &b"false"[..] } else { b"true" }),
        _ => out.extend(integer(bytes, is_signed).to_string().into_bytes()),
    });
    Ok(())
}

/// The integer of little-endian bytes.
fn integer(bytes: &[u8], is_signed: bool) -> i128 {
    let sign = if is_signed && bytes.last().is_some_and(|&last| last >= 0x80) { -1 } else { 0 };
    bytes.iter().rev().fold(sign, |number, &byte| number << 8 | i128::from(byte))
}

/// Appends elements `start..` of a tensor as `write` writes each, with the brackets and commas around them.
fn lists<T>(
    out: &mut Vec<u8>,
    shape: &Shape,
    start: u64,
    values: impl Iterator<Item = T>,
    write: &dyn Fn(&mut Vec<u8>, T),
) {
    // How many elements a list of each depth holds, innermost first.
    let lists: Vec<u64> = shape
        .axes()
        .iter()
        .rev()
        .scan(1, |product, size| {
            *product *= size;
            Some(*product)
        })
        .collect();
    for (index, value) in (start..).zip(values) {
        let opened = lists.iter().filter(|&&list| index.is_multiple_of(list)).count();
        match opened {
            0 if index > 0 => out.push(b','),
            _ if index > 0 => out.extend(b",\n"),
            _ => {}
        }
        out.extend(std::iter::repeat_n(b'[', opened));
        write(out, value);
        let closed = lists.iter().filter(|&&list| (index + 1).is_multiple_of(list)).count();
        out.extend(std::iter::repeat_n(b']', closed));
    }
}

fn number(out: &mut Vec<u8>, dtype: DType, value: f64) {
    let written = match dtype {
        DType::F64 => serde_json::to_writer(&mut *out, &value),
        DType::F32 => serde_json::to_writer(&mut *out, &to_f32(value)),
        DType::F16 | DType::BF16 => serde_json::to_writer(&mut *out, &shortest(value, dtype)),
    };
    debug_assert!(written.is_ok(), "a vector takes any bytes");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(shape: &str, cut: usize) -> String {
        let shape: Shape = shape.parse().unwrap();
        let values: Vec<f64> = (0u32..).take(usize::try_from(shape.count()).unwrap()).map(f64::from).collect();
        let mut bytes = Vec::new();
        let (first, second) = values.split_at(cut.min(values.len()));
        text(&mut bytes, &shape, DType::F32, 0, first);
        text(&mut bytes, &shape, DType::F32, first.len() as u64, second);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn lists_nest_as_the_shape_says_wherever_the_text_is_cut() {
        for cut in 0..12 {
            assert_eq!(written("2x3", cut), "[[0.0,1.0,2.0],\n[3.0,4.0,5.0]]");
            assert_eq!(written("2x2x2", cut), "[[[0.0,1.0],\n[2.0,3.0]],\n[[4.0,5.0],\n[6.0,7.0]]]");
            assert_eq!(written("3", cut), "[0.0,1.0,2.0]");
            assert_eq!(written("()", cut), "0.0");
        }
    }

    #[test]
    fn empty_tensors_keep_their_shape() {
        for (shape, text) in
            [("0", "[]"), ("0x5", "[]"), ("2x0", "[[],[]]"), ("2x0x3", "[[],[]]"), ("1x2x0", "[[[],[]]]")]
        {
            assert_eq!(empty(&shape.parse().unwrap()).unwrap(), text);
        }
        assert!(empty(&"1000000000x0".parse().unwrap()).is_err());
    }
}
