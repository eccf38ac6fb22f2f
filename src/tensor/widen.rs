//! Widens stored little-endian numbers to `f64`.

use half::{bf16, f16};

use super::DType;

/// Appends an `f64` for each little-endian element.
pub(super) type Widen = fn(&[u8], &mut Vec<f64>);

pub(super) fn drawn(dtype: DType) -> Widen {
    match dtype {
        DType::F64 => |bytes, values| each(bytes, values, f64::from_le_bytes),
        DType::F32 => |bytes, values| each(bytes, values, |bytes| f32::from_le_bytes(bytes).into()),
        DType::F16 => |bytes, values| each(bytes, values, |bytes| f16::from_le_bytes(bytes).into()),
        DType::BF16 => |bytes, values| each(bytes, values, |bytes| bf16::from_le_bytes(bytes).into()),
    }
}

fn each<const SIZE: usize>(bytes: &[u8], values: &mut Vec<f64>, value: impl Fn([u8; SIZE]) -> f64) {
    let (elements, _) = bytes.as_chunks::<SIZE>();
    values.extend(elements.iter().map(|&element| value(element)));
}

pub(super) fn bools(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |[byte]| f64::from(u8::from(byte != 0)));
}

pub(super) fn u8s(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |[byte]| byte.into());
}

pub(super) fn i8s(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |bytes| i8::from_le_bytes(bytes).into());
}

pub(super) fn u16s(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |bytes| u16::from_le_bytes(bytes).into());
}

pub(super) fn i16s(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |bytes| i16::from_le_bytes(bytes).into());
}

pub(super) fn u32s(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |bytes| u32::from_le_bytes(bytes).into());
}

pub(super) fn i32s(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |bytes| i32::from_le_bytes(bytes).into());
}

#[expect(clippy::cast_precision_loss, reason = "figures and data of more than 53 bits are rounded")]
pub(super) fn u64s(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |bytes| u64::from_le_bytes(bytes) as f64);
}

#[expect(clippy::cast_precision_loss, reason = "figures and data of more than 53 bits are rounded")]
pub(super) fn i64s(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |bytes| i64::from_le_bytes(bytes) as f64);
}

pub(super) fn c128s(bytes: &[u8], values: &mut Vec<f64>) {
    magnitudes::<16, 8>(bytes, values, f64::from_le_bytes);
}

pub(super) fn c64s(bytes: &[u8], values: &mut Vec<f64>) {
    magnitudes::<8, 4>(bytes, values, |part| f32::from_le_bytes(part).into());
}

pub(super) fn c32s(bytes: &[u8], values: &mut Vec<f64>) {
    magnitudes::<4, 2>(bytes, values, |part| f16::from_le_bytes(part).into());
}

fn magnitudes<const SIZE: usize, const PART: usize>(
    bytes: &[u8],
    values: &mut Vec<f64>,
    value: impl Fn([u8; PART]) -> f64,
) {
    each::<SIZE>(bytes, values, |pair| {
        let (parts, _) = pair.as_chunks::<PART>();
        libm::hypot(value(parts[0]), value(parts[1]))
    });
}

/// Powers of two: only an exponent.
pub(super) fn e8m0s(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |[byte]| if byte == 0xff { f64::NAN } else { 2f64.powi(i32::from(byte) - 127) });
}

pub(super) fn e4m3s(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |[byte]| if byte & 0x7f == 0x7f { f64::NAN } else { small(byte, 3, 7) });
}

/// The upper half of an `f16`.
pub(super) fn e5m2s(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |[byte]| f16::from_bits(u16::from(byte) << 8).into());
}

pub(super) fn e4m3fnuzs(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |[byte]| if byte == 0x80 { f64::NAN } else { small(byte, 3, 8) });
}

pub(super) fn e5m2fnuzs(bytes: &[u8], values: &mut Vec<f64>) {
    each(bytes, values, |[byte]| if byte == 0x80 { f64::NAN } else { small(byte, 2, 16) });
}

/// Finite value of a sign bit, an exponent with this bias, and `mantissa_bits` bits of mantissa.
fn small(byte: u8, mantissa_bits: i32, bias: i32) -> f64 {
    let exponent = i32::from(byte & 0x7f) >> mantissa_bits;
    let mantissa = f64::from(i32::from(byte) & ((1 << mantissa_bits) - 1));
    let unit = 2f64.powi(exponent.max(1) - bias - mantissa_bits);
    let implicit = if exponent > 0 { 2f64.powi(mantissa_bits) } else { 0.0 };
    let value = (implicit + mantissa) * unit;
    if byte < 0x80 { value } else { -value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(widen: Widen, byte: u8) -> f64 {
        let mut values = Vec::new();
        widen(&[byte], &mut values);
        values[0]
    }

    #[test]
    fn eight_bits_are_the_numbers_of_their_formats() {
        let cases: [(Widen, u8, f64); 16] = [
            (e4m3s, 0x38, 1.0),
            (e4m3s, 0xb8, -1.0),
            (e4m3s, 0x7e, 448.0),
            (e4m3s, 0x01, 0.001953125),
            (e4m3s, 0x08, 0.015625),
            (e5m2s, 0x3c, 1.0),
            (e5m2s, 0x7b, 57344.0),
            (e5m2s, 0x01, 1.52587890625e-05),
            (e5m2s, 0xfc, f64::NEG_INFINITY),
            (e4m3fnuzs, 0x7f, 240.0),
            (e4m3fnuzs, 0x40, 1.0),
            (e5m2fnuzs, 0x7f, 57344.0),
            (e5m2fnuzs, 0x40, 1.0),
            (e8m0s, 127, 1.0),
            (e8m0s, 0, 5.877471754111438e-39),
            (e8m0s, 254, 1.7014118346046923e+38),
        ];
        for (widen, byte, value) in cases {
            assert_eq!(one(widen, byte), value, "{byte:#x}");
        }
        let nans: [(Widen, u8); 6] =
            [(e4m3s, 0x7f), (e4m3s, 0xff), (e5m2s, 0x7d), (e4m3fnuzs, 0x80), (e5m2fnuzs, 0x80), (e8m0s, 0xff)];
        for (widen, byte) in nans {
            assert!(one(widen, byte).is_nan(), "{byte:#x}");
        }
    }

    #[test]
    fn complex_numbers_widen_to_their_magnitude() {
        let mut values = Vec::new();
        c64s(&[3f32, -4.0].map(f32::to_le_bytes).concat(), &mut values);
        c128s(&[5f64, 12.0].map(f64::to_le_bytes).concat(), &mut values);
        assert_eq!(values, [5.0, 13.0]);
    }
}
