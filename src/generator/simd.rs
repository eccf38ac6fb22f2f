//! The width of the vector code. Whatever the width, the bits are the same: lanes are independent elements, and nothing is
//! fused. The widest that the CPU has is taken; the environment variable `FANIN_CPU` (`baseline`, `avx2` or `avx512`) caps it.

use std::sync::OnceLock;

use pulp::{Arch, WithSimd};

fn widest() -> Arch {
    static WIDEST: OnceLock<Arch> = OnceLock::new();
    *WIDEST.get_or_init(|| match std::env::var("FANIN_CPU").as_deref() {
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
