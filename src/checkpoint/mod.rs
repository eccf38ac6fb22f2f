//! Files of a plan: shards with their index, sidecars and hashes, and the ranks that write them.

mod files;
mod rank;
mod shards;
mod write;

pub use files::{Files, PlannedFile};
pub use rank::{Rank, RankOption};
pub use shards::Division;
pub use write::WriteSummary;
