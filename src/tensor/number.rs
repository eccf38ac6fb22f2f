//! Numbers from one machine type to another.

/// A count as a double; exact up to 2^53, which covers every [`crate::tensor::Shape`].
#[expect(clippy::cast_precision_loss, reason = "counts end at 2^48")]
pub fn to_f64(count: u64) -> f64 {
    count as f64
}

/// A size of what is in memory, or is about to be: the workspace of a distribution was found to be there.
#[expect(clippy::cast_possible_truncation, reason = "what is counted is in memory")]
pub fn to_usize(count: u64) -> usize {
    count as usize
}

/// The nearest single of a double, ties to even.
#[expect(clippy::cast_possible_truncation, reason = "rounds to nearest even")]
pub fn to_f32(value: f64) -> f32 {
    value as f32
}
