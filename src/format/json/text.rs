//! Writes the values of a tensor as nested JSON lists, starting at any element.

use std::io;

use crate::show::shortest;
use crate::tensor::{DType, Element, Shape, to_f32};

/// Appends elements from `start` on, with the surrounding brackets and commas.
pub(crate) fn text(out: &mut Vec<u8>, shape: &Shape, dtype: DType, start: u64, values: &[f64]) {
    lists(out, shape, start, values.iter(), &|out, &value| number(out, dtype, value));
}

/// Appends elements `start..` of a copied tensor from little-endian bytes. Errors for NaN and infinities.
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
            return Err(io::Error::other(
                "a copied value is not finite, which JSON cannot represent: use another --format",
            ));
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

fn integer(bytes: &[u8], is_signed: bool) -> i128 {
    let sign = if is_signed && bytes.last().is_some_and(|&last| last >= 0x80) { -1 } else { 0 };
    bytes.iter().rev().fold(sign, |number, &byte| number << 8 | i128::from(byte))
}

/// Appends elements `start..` of a tensor by `write`, with the brackets and commas around them.
fn lists<T>(
    out: &mut Vec<u8>,
    shape: &Shape,
    start: u64,
    values: impl Iterator<Item = T>,
    write: &dyn Fn(&mut Vec<u8>, T),
) {
    // Number of elements in a list of each depth, innermost first.
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
}
