//! Stored values to doubles, a chunk at a time.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use anyhow::{Context, Result, ensure};
use half::{bf16, f16};

use crate::plan::DType;

/// How many elements are read at a time: few enough to stay in the cache.
const CHUNK: u64 = 1 << 13;

/// How the values of a tensor are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) dtype: DType,
    pub(super) big_endian: bool,
}

impl Encoding {
    /// The encoding of every format but `.npy`, which has others too.
    pub(super) fn little(dtype: DType) -> Self {
        Self { dtype, big_endian: false }
    }
}

/// Access to the stored values of a file's tensors.
pub(super) trait Values: Send {
    /// The bytes of the tensor with this number, and nothing else.
    fn open(&mut self, number: usize) -> Result<Box<dyn Read + Send + '_>>;

    /// Where they lie as they are, for readers that take any part of them at any time; `None` where they are packed.
    fn raw(&mut self, _number: usize) -> Result<Option<Raw>> {
        Ok(None)
    }
}

/// Where the values of a tensor lie in a file, byte for byte.
pub struct Raw {
    /// The file.
    pub file: File,
    /// Where they begin.
    pub begin: u64,
    /// How many bytes they are.
    pub length: u64,
}

/// Values that lie in a file as they are.
pub(super) struct InFile {
    pub(super) file: File,
    /// Where those of each tensor begin, and how many bytes they are.
    pub(super) places: Vec<(u64, u64)>,
}

impl Values for InFile {
    fn open(&mut self, number: usize) -> Result<Box<dyn Read + Send + '_>> {
        let (begin, length) = self.places[number];
        self.file.seek(SeekFrom::Start(begin))?;
        Ok(Box::new((&self.file).take(length)))
    }

    fn raw(&mut self, number: usize) -> Result<Option<Raw>> {
        let (begin, length) = self.places[number];
        Ok(Some(Raw { file: self.file.try_clone()?, begin, length }))
    }
}

/// Hands `count` values over in chunks, widened.
pub(super) fn read(source: &mut dyn Read, encoding: Encoding, count: u64, visit: &mut dyn FnMut(&[f64])) -> Result<()> {
    let mut bytes = vec![0; usize::try_from(count.min(CHUNK) * encoding.dtype.size())?];
    let mut values = Vec::new();
    let mut left = count;
    while left > 0 {
        let elements = left.min(CHUNK);
        let bytes = &mut bytes[..usize::try_from(elements * encoding.dtype.size())?];
        source.read_exact(bytes).context("its values cannot be read")?;
        values.clear();
        widen(bytes, encoding, &mut values);
        visit(&values);
        left -= elements;
    }
    // An archive compares its checksum where its member ends.
    let after = source.read(&mut [0]).context("its values cannot be read")?;
    ensure!(after == 0, "bytes follow its values");
    Ok(())
}

/// Appends stored values, widened.
pub(super) fn widen(bytes: &[u8], encoding: Encoding, values: &mut Vec<f64>) {
    let big = encoding.big_endian;
    match encoding.dtype {
        DType::F64 => each(bytes, big, values, f64::from_le_bytes),
        DType::F32 => each(bytes, big, values, |bytes| f32::from_le_bytes(bytes).into()),
        DType::F16 => each(bytes, big, values, |bytes| f16::from_le_bytes(bytes).into()),
        DType::BF16 => each(bytes, big, values, |bytes| bf16::from_le_bytes(bytes).into()),
    }
}

fn each<const SIZE: usize>(bytes: &[u8], big_endian: bool, values: &mut Vec<f64>, value: impl Fn([u8; SIZE]) -> f64) {
    let (elements, _) = bytes.as_chunks::<SIZE>();
    if big_endian {
        values.extend(elements.iter().map(|&(mut element)| {
            element.reverse();
            value(element)
        }));
    } else {
        values.extend(elements.iter().map(|&element| value(element)));
    }
}

/// Appends values as [`read`] takes them. Errors where one does not fit the dtype.
pub(super) fn store(dtype: DType, values: &[f64], bytes: &mut Vec<u8>) -> Result<()> {
    for &value in values {
        let rounded = dtype.round(value);
        ensure!(rounded.is_finite(), "{value} does not fit {dtype}");
        match dtype {
            DType::F64 => bytes.extend(rounded.to_le_bytes()),
            DType::F32 => bytes.extend(crate::plan::narrow(rounded).to_le_bytes()),
            DType::F16 => bytes.extend(f16::from_f64(rounded).to_le_bytes()),
            DType::BF16 => bytes.extend(bf16::from_f64(rounded).to_le_bytes()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widened(mut source: &[u8], encoding: Encoding, count: u64) -> Result<Vec<f64>> {
        let mut all = Vec::new();
        read(&mut source, encoding, count, &mut |chunk| all.extend_from_slice(chunk))?;
        Ok(all)
    }

    #[test]
    fn what_is_stored_is_read_whatever_the_chunks() {
        for dtype in DType::ALL {
            let values: Vec<f64> = (0u32..20_000).map(|n| dtype.round(f64::from(n) / 64.0 - 99.0)).collect();
            let mut bytes = Vec::new();
            store(dtype, &values, &mut bytes).unwrap();
            assert_eq!(widened(&bytes, Encoding::little(dtype), 20_000).unwrap(), values);
            let size = usize::try_from(dtype.size()).unwrap();
            bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
            assert_eq!(widened(&bytes, Encoding { dtype, big_endian: true }, 20_000).unwrap(), values);
        }
    }

    #[test]
    fn too_few_and_too_many_bytes_are_errors() {
        let little = Encoding::little(DType::F32);
        assert!(widened(&[0; 8], little, 2).is_ok());
        assert!(widened(&[0; 7], little, 2).is_err());
        assert!(widened(&[0; 9], little, 2).is_err());
        assert!(widened(&[], little, 0).unwrap().is_empty());
    }

    #[test]
    fn a_value_beyond_its_dtype_is_an_error() {
        assert!(store(DType::F32, &[1e300], &mut Vec::new()).is_err());
        assert!(store(DType::F16, &[65504.0], &mut Vec::new()).is_ok());
    }
}
