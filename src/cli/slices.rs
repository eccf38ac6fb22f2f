//! `--slice`: writes slices of tensors instead of the tensors.

use anyhow::{Context, Result};

use crate::plan::{Plan, SliceSpec};

/// The slices that are written.
#[derive(clap::Args)]
pub(super) struct Slices {
    /// Part of a tensor, as in w=0:128; repeatable
    ///
    /// w=0:128 takes rows, w=:,64:128 columns. The values equal those of the full tensor.
    #[arg(long = "slice", value_name = "NAME=RANGES", help_heading = super::help::OUTPUT)]
    cuts: Vec<SliceSpec>,
}

impl Slices {
    /// Replaces tensors of the plan by their slices.
    pub(super) fn of(&self, plan: Plan) -> Result<Plan> {
        plan.sliced(&self.cuts).context("--slice")
    }
}
