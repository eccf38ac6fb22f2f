//! Zip archives, for the formats based on them.

mod end;
mod read;
mod write;

pub(super) use read::{Archive, Members, open};
pub(super) use write::{ArchiveWriter, Content};
