//! The seed options of all commands that draw.

use anyhow::Result;

use crate::format::Format;
use crate::generator::{Generator, NATIVE};
use crate::model::SeedRequest;
use crate::tensor::{Layout, Seed};

/// The seed and its framework.
#[derive(clap::Args)]
#[command(next_help_heading = super::help::NUMBERS)]
pub(super) struct DrawingOptions {
    /// Random seed: 0 to 2^64-1, or `random` [default: 0]
    ///
    /// Decimal, or hexadecimal after 0x. With --like, any seed that the framework accepts: negative, 128-bit, or several joined by
    /// commas. With --like jax, steps after the seed derive a key: `--seed 0,fold-in=3,split=2/4` is `split(fold_in(key(0), 3), 4)[2]`. With --like numpy, `--seed 0,split=2/4` is
    /// `SeedSequence(0).spawn(4)[2]`.
    #[arg(long, allow_negative_numbers = true, allow_hyphen_values = true)]
    seed: Option<Seed>,
    /// Reproduce the values of torch, numpy, jax, ...
    ///
    /// The values are equal bit for bit. The framework's defaults and layout apply. `fanin list generators` lists the frameworks.
    #[arg(long, value_name = "FRAMEWORK", value_parser = crate::plan::like)]
    like: Option<&'static Generator>,
}

impl DrawingOptions {
    /// The generator of the values.
    pub(super) fn generator(&self) -> &'static Generator {
        self.like.unwrap_or(NATIVE)
    }

    pub(super) fn seed(&self) -> Seed {
        self.seed.clone().unwrap_or_default()
    }

    /// True if a seed was given.
    pub(super) fn has_seed(&self) -> bool {
        self.seed.is_some()
    }

    /// The seed and generator that override a recipe's.
    pub(super) fn asked(&self) -> SeedRequest {
        SeedRequest { seed: self.seed.clone(), like: self.like }
    }

    /// The name of a given option.
    pub(super) fn given(&self) -> Option<&'static str> {
        let options = [(self.seed.is_some(), "--seed"), (self.like.is_some(), "--like")];
        options.into_iter().find_map(|(given, option)| given.then_some(option))
    }

    /// The requested layout, else that of the framework, else that of the format.
    pub(super) fn layout(&self, asked: Option<&Layout>, format: Option<&Format>) -> Result<Layout> {
        match (asked, crate::plan::parity_table(self.generator())) {
            (Some(layout), _) => Ok(layout.clone()),
            (None, Some(like)) => like.layout.parse(),
            (None, None) => default_layout(format),
        }
    }
}

/// The layout of a format's files, if nothing else sets it.
pub(super) fn default_layout(format: Option<&Format>) -> Result<Layout> {
    Ok(format.map(Format::layout).transpose()?.flatten().unwrap_or_default())
}
