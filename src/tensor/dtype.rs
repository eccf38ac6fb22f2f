//! Element types that schemes draw.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};
use half::{bf16, f16};

use super::bfloat16::round_to_bfloat16;
use super::number::{sticky, to_f32};
use crate::text::did_you_mean;

/// Element type of a drawn tensor; always stored little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// IEEE binary64.
    F64,
    /// IEEE binary32.
    F32,
    /// IEEE binary16.
    F16,
    /// bfloat16: the upper half of a binary32.
    BF16,
}

impl DType {
    /// All dtypes, widest first.
    pub const ALL: [Self; 4] = [Self::F64, Self::F32, Self::F16, Self::BF16];

    /// Name on the command line and in provenance.
    pub fn word(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
        }
    }

    /// Name in `NumPy`, or in `ml_dtypes` for bfloat16.
    pub fn numpy(self) -> &'static str {
        match self {
            Self::F64 => "float64",
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::BF16 => "bfloat16",
        }
    }

    /// Other names of it, in C, torch and on processors, without case.
    fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::F64 => &["double", "fp64"],
            Self::F32 => &["float", "single", "fp32"],
            Self::F16 => &["half", "fp16"],
            Self::BF16 => &[],
        }
    }

    /// Size of an element in bytes.
    pub fn size(self) -> u64 {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
        }
    }

    /// Number of stored mantissa bits.
    pub fn mantissa_bits(self) -> u32 {
        match self {
            Self::F64 => 52,
            Self::F32 => 23,
            Self::F16 => 10,
            Self::BF16 => 7,
        }
    }

    /// Largest finite value.
    pub fn max(self) -> f64 {
        match self {
            Self::F64 => f64::MAX,
            Self::F32 => f32::MAX.into(),
            Self::F16 => f16::MAX.into(),
            Self::BF16 => bf16::MAX.into(),
        }
    }

    /// Smallest positive normal value.
    pub fn least_normal(self) -> f64 {
        match self {
            Self::F64 => f64::MIN_POSITIVE,
            Self::F32 | Self::BF16 => f32::MIN_POSITIVE.into(),
            Self::F16 => f16::MIN_POSITIVE.into(),
        }
    }

    /// Rounds to this type, to nearest, ties to even; infinite if `value` overflows.
    pub fn round(self, value: f64) -> f64 {
        match self {
            Self::F64 => value,
            Self::F32 => f64::from(to_f32(value)),
            Self::F16 => f16::from_f64(sticky(value)).into(),
            Self::BF16 => round_to_bfloat16(value).into(),
        }
    }

    /// Smallest value of this type that is at least `bound`.
    pub fn round_up(self, bound: f64) -> f64 {
        let near = self.round(bound);
        if near < bound { self.next_up(near) } else { near }
    }

    /// Largest value of this type that is at most `bound`.
    pub fn round_down(self, bound: f64) -> f64 {
        -self.round_up(-bound)
    }

    /// Next larger value of this type. `value` must be representable.
    pub fn next_up(self, value: f64) -> f64 {
        match self {
            Self::F64 => value.next_up(),
            Self::F32 => to_f32(value).next_up().into(),
            Self::F16 => f16::from_bits(next_up_bits(f16::from_f64(value).to_bits())).into(),
            Self::BF16 => bf16::from_bits(next_up_bits(bf16::from_f64(value).to_bits())).into(),
        }
    }
}

/// Bits of the next larger 16-bit floating-point number.
fn next_up_bits(bits: u16) -> u16 {
    match bits {
        0x8000 => 1,
        _ if bits < 0x8000 => bits + 1,
        _ => bits - 1,
    }
}

impl FromStr for DType {
    type Err = anyhow::Error;

    /// Parses any name of a type, in any case; a module before it is left out, as in `torch.float32`.
    fn from_str(text: &str) -> Result<Self> {
        let word = text.rsplit('.').next().unwrap_or(text).to_lowercase();
        let names = |dtype: &Self| [dtype.word(), dtype.numpy()].contains(&&*word) || dtype.aliases().contains(&&*word);
        let found = Self::ALL.into_iter().find(names);
        match found {
            Some(dtype) => Ok(dtype),
            None => bail!(
                "unknown dtype `{text}`: use f64, f32, f16 or bf16{}",
                did_you_mean(text, Self::ALL.map(Self::word))
            ),
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_just_past_a_tie_are_not_taken_for_it() {
        assert_eq!(DType::BF16.round(1.0 + 2f64.powi(-8)), 1.0);
        assert_eq!(DType::BF16.round(1.0 + 2f64.powi(-8) + 2f64.powi(-52)), 1.0 + 2f64.powi(-7));
        assert_eq!(DType::BF16.round(1.0 + 2f64.powi(-8) + 2f64.powi(-23)), 1.0 + 2f64.powi(-7));
        assert_eq!(DType::F16.round(1.0 + 2f64.powi(-11) + 2f64.powi(-52)), 1.0 + 2f64.powi(-10));
        // Just below the tie; rounding to a single first would reach the tie.
        assert_eq!(DType::F16.round(1.0 + 2f64.powi(-11) - 2f64.powi(-30)), 1.0);
        assert_eq!(DType::BF16.round(1.0 + 2f64.powi(-8) - 2f64.powi(-40)), 1.0);
    }

    #[test]
    fn bounds_are_rounded_inward() {
        for dtype in DType::ALL {
            for bound in [0.1, -0.1, 1.0, 0.0, 1e-30, -3.0e-7, 100.3] {
                let (up, down) = (dtype.round_up(bound), dtype.round_down(bound));
                assert!(down <= bound && bound <= up, "{dtype}: {down} <= {bound} <= {up}");
                assert!(dtype.round(up) == up && dtype.round(down) == down);
            }
        }
        assert_eq!(DType::F16.round_up(1e-30), 2f64.powi(-24));
    }
}
