//! CRC-32 of values that threads write in any order.

use std::sync::Mutex;

use super::jobs::Job;
use crate::format::{Piece, Render};
use crate::parallel::lock;

/// Checksums of the values, for the pieces that need them.
pub(super) struct Checksums {
    /// Chunks of each `Values` piece; `None` if no piece needs checksums.
    pieces: Option<Mutex<Vec<Vec<Chunk>>>>,
}

/// Checksum of a part of a piece, ordered by its start.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Chunk {
    start: u64,
    checksum: u32,
    length: u64,
}

impl Checksums {
    pub(super) fn for_pieces(pieces: &[Piece]) -> Self {
        let asked = pieces.iter().any(|piece| matches!(piece, Piece::Checked(..)));
        let values = pieces.iter().filter(|piece| matches!(piece, Piece::Values(_) | Piece::Columns(_))).count();
        Self { pieces: asked.then(|| Mutex::new(vec![Vec::new(); values])) }
    }

    /// Adds the bytes of a job.
    pub(super) fn add(&self, job: &Job, bytes: &[u8]) {
        if let (Some(pieces), Piece::Values(_) | Piece::Columns(_)) = (&self.pieces, job.piece) {
            let chunk = Chunk { start: job.start, checksum: crc32fast::hash(bytes), length: bytes.len() as u64 };
            lock(pieces)[job.order].push(chunk);
        }
    }

    /// Renders a piece from the checksums, after the `Values` pieces that it depends on are written.
    pub(super) fn render(&self, render: &Render) -> Vec<u8> {
        render(&|piece| self.of_piece(piece))
    }

    fn of_piece(&self, piece: usize) -> u32 {
        let mut whole = crc32fast::Hasher::new();
        if let Some(pieces) = &self.pieces {
            let chunks = &mut lock(pieces)[piece];
            chunks.sort_unstable();
            for chunk in chunks.iter() {
                whole.combine(&crc32fast::Hasher::new_with_initial_len(chunk.checksum, chunk.length));
            }
        }
        whole.finalize()
    }
}
