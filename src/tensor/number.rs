//! Conversions between machine types.

/// Converts a count to `f64`; exact up to 2^53, which covers every [`crate::tensor::Shape`].
#[expect(clippy::cast_precision_loss, reason = "counts end at 2^48")]
pub fn to_f64(count: u64) -> f64 {
    count as f64
}

/// Converts the size of data in memory, or of a workspace that is known to fit.
#[expect(clippy::cast_possible_truncation, reason = "what is counted is in memory")]
pub fn to_usize(count: u64) -> usize {
    count as usize
}

/// Rounds to the nearest `f32`, ties to even.
#[expect(clippy::cast_possible_truncation, reason = "rounds to nearest even")]
pub fn to_f32(value: f64) -> f32 {
    value as f32
}

/// Collects the lower half of a double into one sticky bit. The `half` crate looks only at the upper half, or rounds
/// through a single on CPUs with an instruction for that. With this bit, both find the right side of a tie.
pub(super) fn sticky(value: f64) -> f64 {
    const LOWER: u64 = 0xffff_ffff;
    let bits = value.to_bits();
    f64::from_bits(bits & !LOWER | u64::from(bits & LOWER != 0) << 32)
}
