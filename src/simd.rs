//! The width of the vector code. It does not change the bits: lanes are independent elements, and only exact products are fused. The CPU's
//! widest is used; the environment variable `FANIN_CPU` (`baseline`, `avx2` or `avx512`) caps it.

use std::env;
use std::sync::OnceLock;

use anyhow::{Result, ensure};
use pulp::{Arch, Simd, WithSimd};

/// The environment variable that caps the width.
const CAP: &str = "FANIN_CPU";
const CAPS: [&str; 3] = ["baseline", "avx2", "avx512"];

/// Errors if the cap on the width is an unknown word.
pub fn check_width() -> Result<()> {
    let Some(cap) = env::var_os(CAP) else { return Ok(()) };
    let known = CAPS.iter().any(|word| cap == *word);
    ensure!(known, "unknown {CAP} `{}`: use {}", cap.display(), CAPS.join(", "));
    Ok(())
}

fn widest() -> Arch {
    static WIDEST: OnceLock<Arch> = OnceLock::new();
    *WIDEST.get_or_init(|| match env::var(CAP).as_deref() {
        Ok("baseline") => Arch::Scalar,
        #[cfg(target_arch = "x86_64")]
        Ok("avx2") => pulp::x86::V3::try_new().map_or(Arch::Scalar, Arch::V3),
        _ => Arch::new(),
    })
}

/// Runs `operation` with the widest allowed vectors: the only entry into vector code.
pub fn dispatch<Operation: WithSimd>(operation: Operation) -> Operation::Output {
    widest().dispatch(operation)
}

/// Packs bytes of 0 or 1 into a word, the first in the lowest bit.
#[inline(always)]
pub fn bits_of(bytes: &[u8; 64]) -> u64 {
    // The product moves the lowest bit of byte i to bit 56 + i.
    let eight = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    bytes.as_chunks().0.iter().zip(0..).fold(0, |bits, (bytes, number)| bits | eight(bytes) << (8 * number))
}

/// The numbers outside closed bounds, as bits of a word, the first the lowest. No number may be NaN.
#[inline(always)]
pub fn bits_outside<S: Simd>(simd: S, numbers: &[f32; 64], low: f32, high: f32) -> u64 {
    let vectors = S::as_simd_f32s(numbers).0;
    let (low, high) = (simd.splat_f32s(low), simd.splat_f32s(high));
    let outside = |z| simd.or_m32s(simd.less_than_f32s(z, low), simd.greater_than_f32s(z, high));
    // Masks of AVX-512 are bits already.
    if S::F32_LANES == 16 && size_of::<S::m32s>() == size_of::<u16>() {
        return vectors.iter().rev().fold(0, |bits, &z| {
            let mask = outside(z);
            let &[lower, upper] = bytemuck::bytes_of(&mask) else { unreachable!("two bytes") };
            bits << 16 | u64::from(u16::from_le_bytes([lower, upper]))
        });
    }
    let mut lanes = [0u32; 64];
    for (lanes, &z) in S::as_mut_simd_u32s(&mut lanes).0.iter_mut().zip(vectors) {
        *lanes = simd.select_u32s(outside(z), simd.splat_u32s(1), simd.splat_u32s(0));
    }
    let mut bytes = [0; 64];
    for (byte, lane) in bytes.iter_mut().zip(lanes) {
        *byte = u8::from(lane != 0);
    }
    bits_of(&bytes)
}

/// Every width of this machine, for tests that compare them.
#[cfg(test)]
pub(crate) fn available() -> Vec<Arch> {
    let mut widths = vec![Arch::Scalar];
    #[cfg(target_arch = "x86_64")]
    {
        widths.extend(pulp::x86::V3::try_new().map(Arch::V3));
        widths.extend(pulp::x86::V4::try_new().map(Arch::V4));
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Outside<'a>(&'a [f32; 64], f32, f32);

    impl WithSimd for Outside<'_> {
        type Output = u64;

        fn with_simd<S: Simd>(self, simd: S) -> u64 {
            bits_outside(simd, self.0, self.1, self.2)
        }
    }

    #[test]
    fn every_width_finds_the_same_numbers_outside_bounds() {
        let numbers: [f32; 64] = std::array::from_fn(|number| (number * 29 % 64) as f32 - 31.5);
        for (low, high) in [(-2.0, 2.0), (-31.5, 31.5), (0.5, 0.5), (f32::NEG_INFINITY, 10.0), (40.0, 50.0)] {
            let outside = |number: f32| number < low || number > high;
            let wanted = numbers.iter().rev().fold(0, |bits, &number| bits << 1 | u64::from(outside(number)));
            for width in available() {
                assert_eq!(width.dispatch(Outside(&numbers, low, high)), wanted, "{low}, {high}: {width:?}");
            }
        }
    }
}
