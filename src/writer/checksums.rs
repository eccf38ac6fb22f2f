//! The CRC-32 of values that threads write in any order.

use std::sync::Mutex;

use super::jobs::{Job, Work};
use super::{Piece, lock};

/// The checksums of the values, where a piece asks for them.
pub(super) struct Checksums {
    /// Those of each `Values` piece, chunk by chunk; `None` where no piece asks.
    pieces: Option<Mutex<Vec<Vec<Chunk>>>>,
}

/// The checksum of a part of a piece. Ordered by where it starts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Chunk {
    start: u64,
    checksum: u32,
    length: u64,
}

impl Checksums {
    pub(super) fn for_pieces(pieces: &[Piece]) -> Self {
        let asked = pieces.iter().any(|piece| matches!(piece, Piece::Checked(..)));
        let values = pieces.iter().filter(|piece| matches!(piece, Piece::Values(_))).count();
        Self { pieces: asked.then(|| Mutex::new(vec![Vec::new(); values])) }
    }

    /// Takes in the bytes of a job.
    pub(super) fn add(&self, job: &Job, bytes: &[u8]) {
        if let (Some(pieces), &Work::Values { start, order, .. }) = (&self.pieces, &job.work) {
            let chunk = Chunk { start, checksum: crc32fast::hash(bytes), length: bytes.len() as u64 };
            lock(pieces)[order].push(chunk);
        }
    }

    /// The checksum of each `Values` piece, as far as they are written.
    pub(super) fn finished(&self) -> Vec<u32> {
        let Some(pieces) = &self.pieces else { return Vec::new() };
        lock(pieces).iter_mut().map(|chunks| joined(chunks)).collect()
    }
}

fn joined(chunks: &mut [Chunk]) -> u32 {
    chunks.sort_unstable();
    let mut whole = crc32fast::Hasher::new();
    for chunk in chunks.iter() {
        whole.combine(&crc32fast::Hasher::new_with_initial_len(chunk.checksum, chunk.length));
    }
    whole.finalize()
}
