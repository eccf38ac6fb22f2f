//! The width of the vector code. Whatever the width, the bits are the same: lanes are independent elements, and nothing is
//! fused. The widest that the CPU has is taken; the environment variable `FANIN_CPU` (`baseline`, `avx2` or `avx512`) caps it.

use std::env;
use std::sync::OnceLock;

use anyhow::{Result, ensure};
use pulp::{Arch, WithSimd};

/// What caps the width.
const CAP: &str = "FANIN_CPU";
const CAPS: [&str; 3] = ["baseline", "avx2", "avx512"];

/// Errors where the width is capped by a word that is none.
pub fn check_width() -> Result<()> {
    let Some(cap) = env::var_os(CAP) else { return Ok(()) };
    let known = CAPS.iter().any(|word| cap == *word);
    ensure!(known, "{CAP} is `{}`, and may be {}", cap.display(), CAPS.join(", "));
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

/// Runs `operation` with the widest vectors that are allowed: the one way into vector code.
pub fn dispatch<Operation: WithSimd>(operation: Operation) -> Operation::Output {
    widest().dispatch(operation)
}

/// Bytes of 0 or 1 as the bits of a word, the first the lowest.
#[inline(always)]
pub fn bits_of(bytes: &[u8; 64]) -> u64 {
    // The product moves the lowest bit of byte i to bit 56 + i.
    let eight = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    bytes.as_chunks().0.iter().zip(0..).fold(0, |bits, (bytes, number)| bits | eight(bytes) << (8 * number))
}

/// Every width that this machine has, for tests that compare them.
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
