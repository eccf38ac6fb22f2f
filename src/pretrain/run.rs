//! A run: layer by layer, epoch by epoch.

use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};

use super::input::{Input, Scale};
use super::layer::Layer;
use super::noise::Noise;
use super::survey::DataSummary;
use super::{Job, MethodSpec, Progress, Request, Trainer};
use crate::matrix::Matrix;
use crate::reader::Dataset;
use crate::tensor::Name;

/// At most so many of the samples that are learned from are measured after an epoch.
pub(super) const MEASURED: usize = 4096;

/// What is to be trained.
pub struct Training<'a> {
    /// How.
    pub asked: &'a MethodSpec,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The data.
    pub table: &'a Dataset,
    /// What the data is like.
    pub survey: &'a DataSummary,
    /// The layers, first to last.
    pub layers: Vec<Start>,
    /// How many bytes of samples may be kept in memory.
    pub memory: u64,
}

/// Where a layer starts.
pub struct Start {
    /// The name of its weight.
    pub name: Name,
    /// Inputs x outputs.
    pub weight: Matrix<f32>,
}

/// Whoever looks on.
pub trait TrainingObserver {
    /// Whether it wants to hear of every epoch; otherwise it hears of the last.
    fn looks(&self) -> bool;

    /// Hears how an epoch went.
    fn epoch(&mut self, report: &Report) -> Result<()>;

    /// May keep how far the run has come.
    fn keep(&mut self, progress: &mut dyn FnMut() -> Progress) -> Result<()>;
}

/// How an epoch went.
pub struct Report {
    /// The layer, from 0.
    pub layer: usize,
    /// How many layers there are.
    pub layers: usize,
    /// The epoch, from 1.
    pub epoch: u64,
    /// How many there are at most.
    pub epochs: u64,
    /// Means over samples that are learned from, each with its name.
    pub training: Vec<(&'static str, f64)>,
    /// The same over those that were held out; empty where none were.
    pub held_out: Vec<(&'static str, f64)>,
    /// How long it took, measuring included.
    pub seconds: f64,
}

impl Training<'_> {
    /// Trains all layers, from where a run stopped.
    pub fn run(&self, from: Progress, watch: &mut dyn TrainingObserver) -> Result<Vec<Layer>> {
        let MethodSpec { method, arguments } = self.asked;
        let scale = Scale::new(arguments, self.survey);
        let scaled = scale.as_ref().map(|scale| self.survey.scaled(scale));
        let (training, held_out) = self.share_out()?;
        let data = scaled.as_ref().unwrap_or(self.survey);
        data.check_range()?;
        (method.check)(&Request { arguments, data, layers: &self.layers, samples: training.len() })?;
        let activation = (method.activation)(arguments);
        let Progress { done, mut epochs, mut state } = from;
        let mut input =
            Input { table: self.table, scale, below: done, activation, training, held_out, memory: self.memory };
        for (number, start) in self.layers.iter().enumerate().skip(input.below.len()) {
            let initial = start.weight.clone();
            let job = Job { arguments, seed: self.seed, name: &start.name, is_first: number == 0, initial };
            let mut trainer = (method.start)(&job, &input)?;
            restore(trainer.as_mut(), &state)?;
            self.layer(number, trainer.as_mut(), std::mem::take(&mut epochs), &input, watch)?;
            input.below.push(trainer.layer());
            state.clear();
        }
        Ok(input.below)
    }

    /// The samples that are learned from, and those that are held out.
    fn share_out(&self) -> Result<(Vec<u64>, Vec<u64>)> {
        let mut samples: Vec<u64> = (0..self.table.samples).collect();
        let share = self.asked.arguments.number("validation")?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of them"
        )]
        let apart = (samples.len() as f64 * share) as usize;
        if apart > 0 {
            samples = Noise::uniform(self.seed, &self.layers[0].name, "validation")?.shuffle(0, &samples);
        }
        let mut held_out = samples.split_off(samples.len() - apart);
        samples.sort_unstable();
        held_out.sort_unstable();
        ensure!(
            samples.len() > 1,
            "{} of {} samples is left to learn from: two are needed",
            samples.len(),
            self.table.samples
        );
        Ok((samples, held_out))
    }

    fn layer(
        &self,
        layer: usize,
        trainer: &mut dyn Trainer,
        done: u64,
        input: &Input,
        watch: &mut dyn TrainingObserver,
    ) -> Result<()> {
        let epochs = self.asked.arguments.optional_count("epochs").unwrap_or(1);
        let step = input.training.len().div_ceil(MEASURED);
        let measured: Vec<u64> = input.training.iter().copied().step_by(step).collect();
        for epoch in done..epochs {
            let started = Instant::now();
            let settled = trainer.epoch(epoch, input)?;
            let epoch = epoch + 1;
            let diverged = |name: &str, value: f64| {
                anyhow!("layer {layer}: after epoch {epoch} the {name} is {value}: {}", self.remedy())
            };
            if watch.looks() || settled || epoch == epochs {
                let training = trainer.measures(input, &measured)?;
                if let Some((name, value)) = training.iter().find(|(_, value)| !value.is_finite()) {
                    return Err(diverged(name, *value));
                }
                let held_out = Self::held_out(trainer, input)?;
                let seconds = started.elapsed().as_secs_f64();
                watch.epoch(&Report {
                    layer,
                    layers: self.layers.len(),
                    epoch,
                    epochs,
                    training,
                    held_out,
                    seconds,
                })?;
            }
            for (name, values) in trainer.state() {
                if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                    return Err(diverged(name, (*value).into()));
                }
            }
            if settled {
                break;
            }
            watch.keep(&mut || {
                let state = trainer.state().into_iter().map(|(name, values)| (name.to_string(), values.to_vec()));
                Progress { done: input.below.clone(), epochs: epoch, state: state.collect() }
            })?;
        }
        Ok(())
    }

    /// The measures of the samples that were held out.
    fn held_out(trainer: &dyn Trainer, input: &Input) -> Result<Vec<(&'static str, f64)>> {
        let mut means: Vec<(&'static str, f64)> = Vec::new();
        for block in input.held_out.chunks(MEASURED) {
            #[expect(clippy::cast_precision_loss, reason = "counts of samples")]
            let share = block.len() as f64 / input.held_out.len() as f64;
            let measures = trainer.measures(input, block)?;
            if means.is_empty() {
                means = measures.iter().map(|&(name, _)| (name, 0.0)).collect();
            }
            means.iter_mut().zip(measures).for_each(|(mean, (_, value))| mean.1 += share * value);
        }
        Ok(means)
    }

    /// What to do where a run diverges.
    fn remedy(&self) -> String {
        match self.asked.arguments.optional_number("learning-rate") {
            Some(rate) if self.asked.arguments.word("scale") == Some("none") => {
                format!("it diverges: take a --learning-rate below {rate}, or --scale")
            }
            Some(rate) => format!("it diverges: take a --learning-rate below {rate}"),
            None => "it overflows: take --scale standard".into(),
        }
    }
}

/// Gives a layer in training the state of another run.
fn restore(trainer: &mut dyn Trainer, state: &std::collections::BTreeMap<String, Vec<f32>>) -> Result<()> {
    if state.is_empty() {
        return Ok(());
    }
    for (name, values) in trainer.state() {
        let kept = state.get(name).filter(|kept| kept.len() == values.len());
        values.copy_from_slice(
            kept.with_context(|| format!("the checkpoint is damaged: it has no {name} of {} values", values.len()))?,
        );
    }
    Ok(())
}
