//! Encodes numbers as little-endian bytes of a dtype, in reused buffers.

use std::io;
use std::mem;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use pulp::{Simd, WithSimd};

use crate::format;
use crate::generator::Source;
use crate::simd::dispatch;
use crate::tensor::{DType, Element, Shape, StoredTensor, to_bfloat16};

/// Number of `f32` values drawn at a time before a conversion to another dtype. It fits a core's cache, amortises the
/// overhead of a run, and is a multiple of every tile.
const IN_CACHE: usize = 1 << 15;

fn reserve<T>(buffer: &mut Vec<T>, count: usize) -> io::Result<()> {
    Ok(buffer.try_reserve_exact(count.saturating_sub(buffer.len()))?)
}

/// Reused buffers for the bytes of one job at a time. Buffers of numbers only grow, and may be longer than their
/// content.
#[derive(Default)]
pub struct Encoder {
    singles: Vec<f32>,
    doubles: Vec<f64>,
    halves: Vec<u16>,
    bytes: Vec<u8>,
    made: Made,
}

/// The buffer that holds the latest result, and its number of elements.
#[derive(Default)]
enum Made {
    Singles(usize),
    Doubles(usize),
    Halves(usize),
    #[default]
    Bytes,
}

impl Encoder {
    /// Result of the latest [`Self::values`], [`Self::copies`] or [`Self::text`].
    pub fn bytes(&self) -> &[u8] {
        match self.made {
            Made::Singles(count) => bytemuck::cast_slice(&self.singles[..count]),
            Made::Doubles(count) => bytemuck::cast_slice(&self.doubles[..count]),
            Made::Halves(count) => bytemuck::cast_slice(&self.halves[..count]),
            Made::Bytes => &self.bytes,
        }
    }

    /// Reserves room for `count` elements of a type. Errors if memory is exhausted.
    pub(super) fn reserve(&mut self, element: Element, count: usize) -> io::Result<()> {
        match element.computed_in() {
            DType::F64 => reserve(&mut self.doubles, count),
            DType::F32 => reserve(&mut self.singles, count),
            DType::F16 | DType::BF16 => reserve(&mut self.halves, count),
        }
    }

    /// Encodes elements `start..start + count` as little-endian bytes. Half-precision values are rounded once from
    /// single precision, to nearest, ties to even.
    pub fn values(&mut self, source: &dyn Source, element: Element, start: u64, count: usize) {
        let Some(dtype) = element.dtype() else { return self.integers(source, element, start, count) };
        self.made = match dtype {
            DType::F64 => {
                to_little_endian(self.doubles(source, start, count), |value| f64::from_bits(value.to_bits().to_le()));
                Made::Doubles(count)
            }
            DType::F32 => {
                to_little_endian(self.singles(source, start, count), |value| f32::from_bits(value.to_bits().to_le()));
                Made::Singles(count)
            }
            DType::F16 | DType::BF16 => {
                to_little_endian(self.halves(source, dtype, start, count), u16::to_le);
                Made::Halves(count)
            }
        };
    }

    fn integers(&mut self, source: &dyn Source, element: Element, start: u64, count: usize) {
        self.doubles(source, start, count);
        self.bytes.clear();
        element.narrow(&self.doubles[..count], &mut self.bytes);
        self.made = Made::Bytes;
    }

    /// Encodes elements `start..start + count` of a copied tensor.
    pub fn copies(&mut self, stored: &StoredTensor, start: u64, count: usize) -> io::Result<()> {
        self.made = Made::Bytes;
        stored.read(start, count as u64, &mut self.bytes)
    }

    /// Encodes elements `start..start + count` as JSON text. Errors for NaN and infinities.
    pub fn text(
        &mut self,
        source: &dyn Source,
        shape: &Shape,
        element: Element,
        start: u64,
        count: usize,
    ) -> io::Result<()> {
        match element.dtype() {
            Some(dtype) => {
                self.widened(source, dtype, start, count);
                self.bytes.clear();
                format::text(&mut self.bytes, shape, dtype, start, &self.doubles[..count]);
                self.made = Made::Bytes;
                Ok(())
            }
            None => {
                self.integers(source, element, start, count);
                let bytes = mem::take(&mut self.bytes);
                format::copied_text(&mut self.bytes, shape, element, start, &bytes)
            }
        }
    }

    /// Encodes elements `start..start + count` of a copied tensor as JSON text.
    pub fn text_of_copies(&mut self, stored: &StoredTensor, shape: &Shape, start: u64, count: usize) -> io::Result<()> {
        let mut bytes = Vec::new();
        stored.read(start, count as u64, &mut bytes)?;
        self.bytes.clear();
        self.made = Made::Bytes;
        format::copied_text(&mut self.bytes, shape, stored.element(), start, &bytes)
    }

    /// Elements `start..start + count`, rounded to the dtype and widened to `f64`. Invalidates the previous result.
    pub fn widened(&mut self, source: &dyn Source, dtype: DType, start: u64, count: usize) -> &[f64] {
        if dtype == DType::F64 {
            return self.doubles(source, start, count);
        }
        self.singles(source, start, count);
        let doubles = room(&mut self.doubles, count);
        for (double, &single) in doubles.iter_mut().zip(&self.singles) {
            *double = dtype.round(single.into());
        }
        doubles
    }

    fn singles(&mut self, source: &dyn Source, start: u64, count: usize) -> &mut [f32] {
        let singles = room(&mut self.singles, count);
        source.fill_f32(start, singles);
        singles
    }

    fn doubles(&mut self, source: &dyn Source, start: u64, count: usize) -> &mut [f64] {
        let doubles = room(&mut self.doubles, count);
        source.fill_f64(start, doubles);
        doubles
    }

    fn halves(&mut self, source: &dyn Source, dtype: DType, start: u64, count: usize) -> &mut [u16] {
        let halves = room(&mut self.halves, count);
        if dtype == DType::BF16 && source.fill_bf16(start, bytemuck::cast_slice_mut(halves)) {
            return halves;
        }
        for (halves, start) in halves.chunks_mut(IN_CACHE).zip((start..).step_by(IN_CACHE)) {
            let singles = room(&mut self.singles, halves.len());
            source.fill_f32(start, singles);
            match dtype {
                DType::F16 => bytemuck::cast_slice_mut::<u16, f16>(halves).convert_from_f32_slice(singles),
                _ => dispatch(ToBfloat16 { singles, out: bytemuck::cast_slice_mut(halves) }),
            }
        }
        halves
    }
}

/// The first `count` elements of a buffer, which grows if it is shorter.
fn room<T: Copy + Default>(buffer: &mut Vec<T>, count: usize) -> &mut [T] {
    if buffer.len() < count {
        buffer.resize(count, T::default());
    }
    &mut buffer[..count]
}

/// Converts numbers to little-endian order on big-endian machines.
fn to_little_endian<T: Copy>(values: &mut [T], reorder: fn(T) -> T) {
    if cfg!(target_endian = "big") {
        for value in values {
            *value = reorder(*value);
        }
    }
}

struct ToBfloat16<'a> {
    singles: &'a [f32],
    out: &'a mut [bf16],
}

impl WithSimd for ToBfloat16<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        to_bfloat16(simd, self.singles, self.out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::available;

    #[test]
    fn bfloat16_rounds_as_the_half_crate_does() {
        let singles: Vec<f32> = (0..100_000u32).map(|n| f32::from_bits(n.wrapping_mul(2_654_435_761))).collect();
        let finite: Vec<f32> = singles.into_iter().filter(|single| bf16::from_f32(*single).is_finite()).collect();
        let exact: Vec<bf16> = finite.iter().copied().map(bf16::from_f32).collect();
        for width in available() {
            let (mut out, mut nan) = (vec![bf16::ZERO; finite.len()], [bf16::ZERO]);
            width.dispatch(ToBfloat16 { singles: &finite, out: &mut out });
            let wrong = finite.iter().zip(&exact).zip(out).find(|((_, exact), out)| exact.to_bits() != out.to_bits());
            assert_eq!(wrong, None);
            width.dispatch(ToBfloat16 { singles: &[f32::NAN], out: &mut nan });
            assert!(nan[0].is_nan());
        }
    }
}
