//! `--slice`: parts of tensors in place of the whole.

use anyhow::{Context, Result};

use crate::plan::{Plan, SliceSpec};

/// Which parts of tensors are written.
#[derive(clap::Args)]
pub(super) struct Slices {
    /// Write only this part of a tensor, with the values that the whole has there: w=0:128 (rows), w=:,64:128 (columns)
    #[arg(long = "slice", value_name = "NAME=ROWS[,COLUMNS...]")]
    cuts: Vec<SliceSpec>,
}

impl Slices {
    /// The plan with the slices in place of the tensors that they are of.
    pub(super) fn of(&self, plan: Plan) -> Result<Plan> {
        plan.sliced(&self.cuts).context("--slice")
    }
}
