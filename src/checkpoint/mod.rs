//! Files of a plan: shards with their index, sidecars, hashes and a statement about them, and the ranks that write them.

mod files;
mod rank;
mod shards;
mod statement;
mod write;

pub use files::{Files, PlannedFile};
pub use rank::{Rank, RankOption};
pub use shards::Division;
pub use statement::Statement;
pub use write::WriteSummary;
