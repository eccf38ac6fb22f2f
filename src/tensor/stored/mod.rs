//! Stored values of a tensor: the one place that converts any axis order, byte order and type.

mod backing;
mod gather;
mod recent;

use std::hash::Hash;
use std::io;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

pub use backing::{Backing, InMemory, Origin, OriginReader, unique};
pub use recent::Recent;

use super::{Element, Shape};
use gather::{Boxes, gather};

/// Location, order and type of a tensor's values in a file.
#[derive(Clone, Debug)]
pub struct StoredTensor {
    backing: Arc<dyn Backing>,
    /// Unique key for caches.
    id: u64,
    /// Byte offset of element 0.
    offset: u64,
    element: Element,
    shape: Shape,
    /// Stride of each axis, in elements.
    strides: Vec<u64>,
    /// Length of the contiguous runs in C order, in elements.
    run: u64,
    big_endian: bool,
    negated: bool,
    conjugated: bool,
}

/// Runs of at least this many bytes are read directly into place.
const LONG_RUN: u64 = 1 << 12;
/// Other values are gathered in panels of this many bytes. A cache shared by all tensors holds the last few.
const PANEL: u64 = 1 << 26;
static PANELS: Recent<(u64, u64), Vec<u8>> = Recent::new(2 * PANEL);
/// Largest number of elements of a tensor whose elements share storage, through strides of 0 or overlaps.
const MAX_REPEATED: u64 = 1 << 32;
/// Number of elements widened at a time, small enough for the cache.
const CHUNK: u64 = 1 << 13;

impl StoredTensor {
    /// Contiguous little-endian values in C order from the byte `offset` on. Errors if some are missing.
    pub fn new(backing: Arc<dyn Backing>, offset: u64, element: Element, shape: Shape) -> Result<Self> {
        let strides = c_order(shape.axes());
        Self::strided(backing, offset, element, shape, strides)
    }

    /// Like [`Self::new`], with a stride in elements for each axis: 0 repeats an axis. Errors if some values are
    /// missing.
    pub fn strided(
        backing: Arc<dyn Backing>,
        offset: u64,
        element: Element,
        shape: Shape,
        strides: Vec<u64>,
    ) -> Result<Self> {
        ensure!(strides.len() == shape.rank(), "shape {shape} has {} strides", strides.len());
        let (count, held) = (shape.count(), backing.length());
        let last = shape
            .axes()
            .iter()
            .zip(&strides)
            .try_fold(0u64, |last, (&size, &stride)| last.checked_add(size.saturating_sub(1).checked_mul(stride)?));
        let elements = if count == 0 { Some(0) } else { last.and_then(|last| last.checked_add(1)) };
        let end = elements.and_then(|elements| elements.checked_mul(element.bits())?.div_ceil(8).checked_add(offset));
        ensure!(
            end.is_some_and(|end| end <= held),
            "shape {shape} of {} needs more than its {held} bytes",
            element.word()
        );
        let repeated = elements.is_some_and(|elements| elements < count);
        ensure!(!repeated || count <= MAX_REPEATED, "shape {shape} repeats its values to more than 2^32 elements");
        let run = neighbours(shape.axes(), &strides);
        ensure!(run == count || element.bits().is_multiple_of(8), "{} values are not contiguous", element.word());
        let plain = Self {
            backing,
            id: unique(),
            offset,
            element,
            shape,
            strides,
            run,
            big_endian: false,
            negated: false,
            conjugated: false,
        };
        Ok(plain)
    }

    /// Changes to Fortran order: the first axis varies fastest.
    #[must_use]
    pub fn in_fortran_order(mut self) -> Self {
        let mut stride = 1;
        for (place, &size) in self.strides.iter_mut().zip(self.shape.axes()) {
            *place = stride;
            stride *= size.max(1);
        }
        self.run = neighbours(self.shape.axes(), &self.strides);
        self
    }

    /// Reverses the axes. In C order, the result holds the values of `self` in Fortran order.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let (shape, strides): (_, Vec<u64>) = (self.shape.reversed(), self.strides.iter().rev().copied().collect());
        let run = neighbours(shape.axes(), &strides);
        Self { id: unique(), shape, strides, run, ..self.clone() }
    }

    /// Sets the byte order of each number.
    #[must_use]
    pub fn in_big_endian(self, big_endian: bool) -> Self {
        Self { big_endian: big_endian && self.element.part() > 1, ..self }
    }

    /// Negates every value on reading.
    #[must_use]
    pub fn negated(self, negated: bool) -> Self {
        Self { negated, ..self }
    }

    /// Conjugates every value on reading, which changes complex values only.
    #[must_use]
    pub fn conjugated(self, conjugated: bool) -> Self {
        Self { conjugated: conjugated && self.element.is_complex(), ..self }
    }

    /// The part of this shape that begins at `start` on each axis, which must lie inside. Errors if elements are smaller than a byte.
    pub fn slice(&self, start: &[u64], shape: &Shape) -> Result<Self> {
        let offset: u64 = start.iter().zip(&self.strides).map(|(start, stride)| start * stride).sum();
        ensure!(
            self.element.bits().is_multiple_of(8),
            "{} values do not start on a byte boundary",
            self.element.word()
        );
        let offset = self.offset + self.element.bytes(offset);
        let backing = Arc::clone(&self.backing);
        let part = Self::strided(backing, offset, self.element, shape.clone(), self.strides.clone())?;
        let Self { big_endian, negated, conjugated, .. } = *self;
        Ok(Self { big_endian, negated, conjugated, ..part })
    }

    /// Element type.
    pub fn element(&self) -> Element {
        self.element
    }

    /// Its shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Size of the values in bytes, each stored once.
    pub fn bytes(&self) -> u64 {
        self.element.bytes(self.shape.count())
    }

    /// Address and order of the values in storage, equal for tensors that share all of them.
    pub fn location(&self) -> impl Hash + Eq + use<> {
        let backing = Arc::as_ptr(&self.backing).cast::<()>().addr();
        (backing, self.offset, self.shape.axes().to_vec(), self.strides.clone())
    }

    /// True if a part can be read without reading others: the values are in C order and not compressed.
    pub fn is_direct(&self) -> bool {
        self.run == self.shape.count() && self.backing.is_direct()
    }

    /// Errors if the underlying file has changed since it was opened.
    pub fn check_unchanged(&self) -> io::Result<()> {
        self.backing.check_unchanged()
    }

    /// Reads elements `first..first + count` in C order as little-endian bytes, replacing the content of `bytes`. May
    /// be called from any thread.
    pub fn read(&self, first: u64, count: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.resize(usize::try_from(self.element.bytes(count)).map_err(io::Error::other)?, 0);
        if bytes.is_empty() {
            // Even an empty member may be damaged.
            return self.backing.read(&mut [], self.offset);
        }
        if self.run == self.shape.count() {
            self.backing.read(bytes, self.offset + self.element.bytes(first))?;
        } else if self.element.bytes(self.run) >= LONG_RUN {
            self.runs(first, bytes)?;
        } else {
            self.panels(first, bytes)?;
        }
        self.finish(bytes);
        Ok(())
    }

    /// Passes all values to `visit` in chunks, widened to `f64`, in C order. Errors if the type is not supported or
    /// the values are damaged.
    pub fn widened(&self, visit: &mut dyn FnMut(&[f64])) -> Result<()> {
        ensure!(self.element.is_number(), "values of type {} cannot be read as numbers", self.element.word());
        let (mut values, mut first, count) = (Vec::new(), 0, self.shape.count());
        self.each(CHUNK, &mut |bytes| {
            values.clear();
            self.element.widen(bytes, &mut values);
            visit(&values);
            first += values.len() as u64;
        })?;
        ensure!(first == count, "{first} of its {count} values were read");
        Ok(())
    }

    /// Passes all values to `visit` as little-endian bytes in C order, `chunk` elements at a time.
    pub fn each(&self, chunk: u64, visit: &mut dyn FnMut(&[u8])) -> Result<()> {
        let (mut bytes, mut first, count) = (Vec::new(), 0, self.shape.count());
        // Empty values are read once too, because their checksum may be wrong.
        loop {
            let some = chunk.min(count - first);
            self.read(first, some, &mut bytes).context("its values cannot be read")?;
            visit(&bytes);
            first += some;
            if first >= count {
                return Ok(());
            }
        }
    }

    /// Reads run by run.
    fn runs(&self, first: u64, bytes: &mut [u8]) -> io::Result<()> {
        let size = self.element.bytes(1);
        let (mut next, mut rest) = (first, bytes);
        while !rest.is_empty() {
            let length = (self.run - next % self.run) * size;
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
            let (run, after) = rest.split_at_mut(length);
            self.backing.read(run, self.offset + self.place(next) * size)?;
            next += length as u64 / size;
            rest = after;
        }
        Ok(())
    }

    /// Offset in elements from element 0 to an element in C order.
    fn place(&self, element: u64) -> u64 {
        let (mut rest, mut place) = (element, 0);
        for (&size, &stride) in self.shape.axes().iter().zip(&self.strides).rev() {
            place += rest % size * stride;
            rest /= size;
        }
        place
    }

    /// Copies from cached panels of gathered elements.
    fn panels(&self, first: u64, bytes: &mut [u8]) -> io::Result<()> {
        let size = self.element.bytes(1);
        let (mut next, mut rest) = (first, bytes);
        while !rest.is_empty() {
            let elements = PANEL / size;
            let number = next / elements;
            let panel = PANELS.get((self.id, number), || {
                let panel = self.panel(number * elements, elements.min(self.shape.count() - number * elements))?;
                let weight = panel.len() as u64;
                Ok((panel, weight))
            })?;
            let begin = usize::try_from((next - number * elements) * size).map_err(io::Error::other)?;
            let length = rest.len().min(panel.len() - begin);
            let (part, after) = rest.split_at_mut(length);
            part.copy_from_slice(&panel[begin..begin + length]);
            next += length as u64 / size;
            rest = after;
        }
        Ok(())
    }

    fn panel(&self, first: u64, count: u64) -> io::Result<Vec<u8>> {
        let size = self.element.bytes(1);
        let mut panel = vec![0; usize::try_from(count * size).map_err(io::Error::other)?];
        let mut rest = panel.as_mut_slice();
        for part in Boxes::new(self.shape.axes(), first, count) {
            let length = usize::try_from(part.count() * size).map_err(io::Error::other)?;
            let (out, after) = rest.split_at_mut(length);
            gather(&*self.backing, self.offset, size, &part.steps(&self.strides), out)?;
            rest = after;
        }
        Ok(panel)
    }

    /// Converts to little-endian, and negates and conjugates if requested.
    fn finish(&self, bytes: &mut [u8]) {
        let part = self.element.part();
        if self.big_endian {
            bytes.chunks_exact_mut(part).for_each(<[u8]>::reverse);
        }
        if self.negated && !self.element.is_float() {
            bytes.chunks_exact_mut(part).for_each(negate);
        } else if self.negated {
            bytes.iter_mut().skip(part - 1).step_by(part).for_each(|byte| *byte ^= 0x80);
        }
        if self.conjugated {
            bytes.iter_mut().skip(2 * part - 1).step_by(2 * part).for_each(|byte| *byte ^= 0x80);
        }
    }
}

/// Two's complement of a little-endian number.
fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for byte in bytes {
        (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
    }
}

/// Strides of C order, in elements.
fn c_order(axes: &[u64]) -> Vec<u64> {
    let mut strides = vec![1; axes.len()];
    for axis in (1..axes.len()).rev() {
        strides[axis - 1] = strides[axis] * axes[axis].max(1);
    }
    strides
}

/// Length of the contiguous runs in C order. Equals the number of elements if all are contiguous.
fn neighbours(axes: &[u64], strides: &[u64]) -> u64 {
    if axes.contains(&0) {
        return 0;
    }
    let mut run = 1;
    for (&size, &stride) in axes.iter().zip(strides).rev() {
        // The stride of an axis of size 1 has no effect.
        if size > 1 && stride != run {
            break;
        }
        run *= size;
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::DType;

    fn shape(axes: &[u64]) -> Shape {
        Shape::new(axes.to_vec()).unwrap()
    }

    /// Bytes 0, 1, 2, ... as a tensor of bytes.
    fn bytes(axes: &[u64], strides: &[u64], offset: u64) -> Result<StoredTensor> {
        let backing = Arc::new(InMemory((0..=255).collect()));
        let element = Element::of_word("u8").unwrap();
        StoredTensor::strided(backing, offset, element, shape(axes), strides.to_vec())
    }

    fn read(tensor: &StoredTensor, first: u64, count: u64) -> Vec<u8> {
        let mut out = vec![9; 3];
        tensor.read(first, count, &mut out).unwrap();
        out
    }

    #[test]
    fn any_order_is_read_as_c_order_whatever_the_part() {
        type Case = (&'static [u64], &'static [u64], u64, &'static [u8]);
        let cases: [Case; 7] = [
            (&[2, 3], &[3, 1], 4, &[4, 5, 6, 7, 8, 9]),
            (&[2, 3], &[1, 2], 0, &[0, 2, 4, 1, 3, 5]),
            (&[3, 2], &[10, 3], 1, &[1, 4, 11, 14, 21, 24]),
            (&[2, 3], &[0, 1], 5, &[5, 6, 7, 5, 6, 7]),
            (&[2, 2, 2], &[1, 4, 2], 0, &[0, 2, 4, 6, 1, 3, 5, 7]),
            (&[1, 4], &[99, 50], 2, &[2, 52, 102, 152]),
            (&[], &[], 7, &[7]),
        ];
        for (axes, strides, offset, expected) in cases {
            let tensor = bytes(axes, strides, offset).unwrap();
            let count = expected.len() as u64;
            for first in 0..count {
                for part in 0..=count - first {
                    let begin = usize::try_from(first).unwrap();
                    let wanted = &expected[begin..begin + usize::try_from(part).unwrap()];
                    assert_eq!(read(&tensor, first, part), wanted, "{axes:?} {strides:?} {first} {part}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_all_there_is_refused() {
        assert!(bytes(&[16, 16], &[16, 1], 0).is_ok());
        assert!(bytes(&[16, 16], &[16, 1], 1).is_err());
        assert!(bytes(&[2, 2], &[254, 1], 0).is_ok());
        assert!(bytes(&[2, 2], &[255, 1], 0).is_err());
        assert!(bytes(&[2, 2], &[u64::MAX, 1], 0).is_err());
        assert!(bytes(&[1 << 40], &[0], 0).is_err());
        assert!(bytes(&[2, 2], &[1], 0).is_err());
        assert!(bytes(&[0, 2], &[u64::MAX, 1], 256).is_ok());
    }

    #[test]
    fn a_slice_of_any_order_is_a_tensor() {
        let fortran = bytes(&[4, 5], &[1, 4], 2).unwrap();
        assert_eq!(read(&fortran.slice(&[1, 2], &shape(&[2, 3])).unwrap(), 0, 6), [11, 15, 19, 12, 16, 20]);
        let plain = bytes(&[4, 5], &[5, 1], 0).unwrap();
        assert_eq!(read(&plain.reversed(), 0, 20), read(&bytes(&[5, 4], &[1, 5], 0).unwrap(), 0, 20));
        assert_eq!(read(&plain.slice(&[2, 3], &shape(&[2, 2])).unwrap(), 1, 3), [14, 18, 19]);
    }

    #[test]
    fn byte_order_sign_and_conjugate_are_those_of_each_part() {
        let held = |element: Element, bytes: Vec<u8>, count| {
            StoredTensor::new(Arc::new(InMemory(bytes)), 0, element, shape(&[count])).unwrap()
        };
        let single = held(Element::Drawn(DType::F32), [1f32, -2.0].map(f32::to_be_bytes).concat(), 2);
        let single = single.in_big_endian(true).negated(true);
        assert_eq!(read(&single, 0, 2), [-1f32, 2.0].map(f32::to_le_bytes).concat());
        let complex = held(Element::of_word("c64").unwrap(), [1f32, 2.0, 3.0, -4.0].map(f32::to_be_bytes).concat(), 2);
        let complex = complex.in_big_endian(true).conjugated(true);
        assert_eq!(read(&complex, 0, 2), [1f32, -2.0, 3.0, 4.0].map(f32::to_le_bytes).concat());
        assert_eq!(read(&complex.negated(true), 1, 1), [-3f32, -4.0].map(f32::to_le_bytes).concat());
        let whole =
            held(Element::of_word("i16").unwrap(), [256i16, -3].map(i16::to_le_bytes).concat(), 2).negated(true);
        assert_eq!(read(&whole, 0, 2), [-256i16, 3].map(i16::to_le_bytes).concat());
        // In a floating-point type of one byte, the highest bit is the sign.
        assert_eq!(read(&held(Element::of_word("f8_e4m3").unwrap(), vec![0x38], 1).negated(true), 0, 1), [0xb8]);
    }
}
