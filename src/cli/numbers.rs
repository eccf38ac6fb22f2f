//! Which numbers are drawn: the options that every command that draws has in common.

use anyhow::Result;

use crate::generator::{Generator, NATIVE};
use crate::plan::{Layout, Seed, Step, fold_in, split};

/// The seed, and whose numbers it stands for.
#[derive(clap::Args)]
pub(super) struct Numbers {
    /// Where the numbers come from: 0 to 2^64-1, 0x hexadecimal, or `random`; 0 where nothing says it. With --like, what that
    /// framework takes: -1, a number of 128 bits, several joined by commas
    #[arg(long, allow_negative_numbers = true, allow_hyphen_values = true)]
    seed: Option<Seed>,
    /// The very numbers of a framework, by its meaning of each name and in its layout: torch, numpy, jax, ... (`fanin list generators`)
    #[arg(long, value_name = "FRAMEWORK", value_parser = Generator::like)]
    like: Option<&'static Generator>,
    /// With --like jax: the key is split(key, N)[I]; may stand several times, each of the key before
    #[arg(long, value_name = "I/N", value_parser = split)]
    split: Vec<Step>,
    /// With --like jax: the key is `fold_in(key, N)`, after any --split; may stand several times
    #[arg(long, value_name = "N", value_parser = fold_in)]
    fold_in: Vec<Step>,
}

impl Numbers {
    /// The generator of a framework's numbers, where one was named.
    pub(super) fn like(&self) -> Option<&'static Generator> {
        self.like
    }

    /// What draws the numbers.
    pub(super) fn generator(&self) -> &'static Generator {
        self.like.unwrap_or(NATIVE)
    }

    /// The seed, `before` where none was given, and what is derived from it.
    pub(super) fn seed(&self, before: Option<Seed>) -> Option<Seed> {
        let steps: Vec<Step> = self.split.iter().chain(&self.fold_in).copied().collect();
        let seed = self.seed.clone().or(before);
        if steps.is_empty() { seed } else { Some(seed.unwrap_or_default().then(steps)) }
    }

    /// The layout that was asked for, or that of the framework, or the default one.
    pub(super) fn layout(&self, asked: Option<&Layout>) -> Result<Layout> {
        match (asked, self.generator().like_table()) {
            (Some(layout), _) => Ok(layout.clone()),
            (None, Some(like)) => like.layout.parse(),
            (None, None) => Ok(Layout::default()),
        }
    }
}
