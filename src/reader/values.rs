//! Doubles to stored values, for formats of text.

use anyhow::{Result, ensure};
use half::{bf16, f16};

use crate::tensor::{DType, to_f32};

/// Appends a value as little-endian bytes. Errors where it does not fit the dtype.
pub(super) fn store(dtype: DType, value: f64, bytes: &mut Vec<u8>) -> Result<()> {
    let rounded = dtype.round(value);
    ensure!(rounded.is_finite(), "{value} does not fit {dtype}");
    match dtype {
        DType::F64 => bytes.extend(rounded.to_le_bytes()),
        DType::F32 => bytes.extend(to_f32(rounded).to_le_bytes()),
        DType::F16 => bytes.extend(f16::from_f64(rounded).to_le_bytes()),
        DType::BF16 => bytes.extend(bf16::from_f64(rounded).to_le_bytes()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_beyond_its_dtype_is_an_error() {
        assert!(store(DType::F32, 1e300, &mut Vec::new()).is_err());
        assert!(store(DType::F16, 65504.0, &mut Vec::new()).is_ok());
    }
}
