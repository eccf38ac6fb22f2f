//! The samples held out for validation.

use anyhow::{Result, ensure};

use super::noise::Noise;
use crate::tensor::Name;

/// The numbers of the training samples and of the held-out ones.
pub(super) struct Split {
    pub(super) training: Vec<u64>,
    pub(super) held_out: Vec<u64>,
}

/// Holds out a share of the samples at random, by the seed and the name of the first layer.
pub(super) fn train_validation_split(samples: u64, share: f64, seed: u64, first_layer: &Name) -> Result<Split> {
    let mut training: Vec<u64> = (0..samples).collect();
    let held_out_count = held_out_count(training.len(), share);
    if held_out_count > 0 {
        training = Noise::uniform(seed, first_layer, "validation")?.shuffle(0, &training);
    }
    let mut held_out = training.split_off(training.len() - held_out_count);
    training.sort_unstable();
    held_out.sort_unstable();
    ensure!(
        training.len() > 1,
        "only {} of {samples} samples remain for training: at least 2 are needed",
        training.len()
    );
    Ok(Split { training, held_out })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of them"
)]
fn held_out_count(samples: usize, share: f64) -> usize {
    (samples as f64 * share) as usize
}
