//! Sizes of what laws keep in memory.

/// A size of what is in memory, or is about to be: the workspace of a law was found to be there.
#[expect(clippy::cast_possible_truncation, reason = "what is counted is in memory")]
pub fn in_memory(count: u64) -> usize {
    count as usize
}
