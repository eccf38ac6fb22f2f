//! Distributions in double precision: two words give a uniform value.

use std::f64::consts::PI;

use super::groups::Draw;
use crate::generator::glibc;
use crate::generator::philox::Philox;

/// `tf.random.stateless_uniform`.
pub(super) struct Uniform {
    pub(super) words: Philox,
    pub(super) low: f64,
    pub(super) span: f64,
}

impl Draw for Uniform {
    type Value = f64;
    type Group = [f64; 2];

    #[inline(always)]
    fn group(&self, number: u64) -> [f64; 2] {
        fractions(self.words.block(number)).map(|fraction| fraction * self.span + self.low)
    }
}

/// `tf.random.stateless_normal`.
pub(super) struct Normal {
    pub(super) words: Philox,
    pub(super) mean: f64,
    pub(super) std: f64,
}

impl Draw for Normal {
    type Value = f64;
    type Group = [f64; 2];

    #[inline(always)]
    fn group(&self, number: u64) -> [f64; 2] {
        normals(self.words.block(number)).map(|standard| standard * self.std + self.mean)
    }
}

/// `tf.random.stateless_truncated_normal`: each group has 128 blocks and uses their first normals within two standard deviations.
pub(super) struct Truncated {
    pub(super) words: Philox,
    pub(super) mean: f64,
    pub(super) std: f64,
}

impl Truncated {
    /// The number of blocks reserved for a group.
    const BLOCKS: u64 = 128;
}

impl Draw for Truncated {
    type Value = f64;
    type Group = [f64; 2];

    #[inline(always)]
    fn group(&self, number: u64) -> [f64; 2] {
        let mut group = [0.0; 2];
        let mut taken = 0;
        for block in number * Self::BLOCKS.. {
            for standard in normals(self.words.block(block)) {
                if standard.abs() < 2.0 {
                    group[taken] = standard * self.std + self.mean;
                    taken += 1;
                    if taken == group.len() {
                        return group;
                    }
                }
            }
        }
        group
    }
}

/// Two uniform values in [0, 1) with 52 bits.
#[inline(always)]
fn fractions([a, b, c, d]: [u32; 4]) -> [f64; 2] {
    let fraction = |high: u32, low: u32| {
        f64::from_bits(0x3ff0_0000_0000_0000 | u64::from(high & 0xf_ffff) << 32 | u64::from(low)) - 1.0
    };
    [fraction(a, b), fraction(c, d)]
}

/// Two standard normals by Box-Muller, the sine first.
#[inline(always)]
fn normals(block: [u32; 4]) -> [f64; 2] {
    const LEAST: f64 = 1e-7;
    let [first, second] = fractions(block);
    let radius = (-2.0 * glibc::ln(if first < LEAST { LEAST } else { first })).sqrt();
    let angle = 2.0 * PI * second;
    [glibc::sin(angle) * radius, glibc::cos(angle) * radius]
}
