//! Which numbers are drawn: the options that every command that draws has in common.

use anyhow::Result;

use crate::generator::{Generator, NATIVE};
use crate::model::SeedRequest;
use crate::tensor::{Layout, Seed};

/// The seed, and whose numbers it stands for.
#[derive(clap::Args)]
pub(super) struct SeedOptions {
    /// Where the numbers come from: 0 to 2^64-1, 0x hexadecimal, or `random`; 0 where nothing says it. With --like, what that
    /// framework takes: -1, a number of 128 bits, several joined by commas
    #[arg(long, allow_negative_numbers = true, allow_hyphen_values = true)]
    seed: Option<Seed>,
    /// The very numbers of a framework, by its meaning of each name and in its layout: torch, numpy, jax, ... (`fanin list generators`)
    #[arg(long, value_name = "FRAMEWORK", value_parser = Generator::like)]
    like: Option<&'static Generator>,
}

impl SeedOptions {
    /// What draws the numbers.
    pub(super) fn generator(&self) -> &'static Generator {
        self.like.unwrap_or(NATIVE)
    }

    pub(super) fn seed(&self) -> Seed {
        self.seed.clone().unwrap_or_default()
    }

    /// Whether a seed was given.
    pub(super) fn has_seed(&self) -> bool {
        self.seed.is_some()
    }

    /// What a model is to be drawn by, in place of what its recipe says.
    pub(super) fn asked(&self) -> SeedRequest {
        SeedRequest { seed: self.seed.clone(), like: self.like }
    }

    /// An option of these that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let options = [(self.seed.is_some(), "--seed"), (self.like.is_some(), "--like")];
        options.into_iter().find_map(|(given, option)| given.then_some(option))
    }

    /// The layout that was asked for, or that of the framework, or the default one.
    pub(super) fn layout(&self, asked: Option<&Layout>) -> Result<Layout> {
        match (asked, crate::plan::parity_table(self.generator())) {
            (Some(layout), _) => Ok(layout.clone()),
            (None, Some(like)) => like.layout.parse(),
            (None, None) => Ok(Layout::default()),
        }
    }
}
