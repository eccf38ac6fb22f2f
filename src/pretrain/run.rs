//! A run: layer by layer, epoch by epoch.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};

use super::history::Report;
use super::input::Input;
use super::layer::Layer;
use super::options::{EPOCHS, LEARNING_RATE, SCALE, ScaleOption, VALIDATION};
use super::progress::Progress;
use super::scale::Scale;
use super::summary::{DataSummary, FeatureStats};
use super::validation::{Split, train_validation_split};
use super::{Job, MethodSpec, Request, Trainer};
use crate::matrix::Matrix;
use crate::reader::Dataset;
use crate::tensor::{DType, Name};

/// The maximum number of training samples that are measured after an epoch.
pub(super) const MEASURED: usize = 4096;

/// A run before it starts.
pub struct Training<'a> {
    /// The method with its options.
    pub method: &'a MethodSpec,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The samples.
    pub table: &'a Dataset,
    /// Statistics of all samples.
    pub data: &'a DataSummary,
    /// The layers, first to last.
    pub layers: Vec<InitialWeight>,
    /// The type of the written weights.
    pub dtype: DType,
    /// The maximum number of bytes of samples in memory.
    pub memory: u64,
}

/// The weight of a layer before training.
pub struct InitialWeight {
    /// The name of the tensor.
    pub name: Name,
    /// Inputs x outputs.
    pub weight: Matrix<f32>,
}

/// Receives the events of a run.
pub trait TrainingObserver {
    /// True if it needs a report of every epoch, not only of each layer's last.
    fn every_epoch(&self) -> bool;

    /// Receives notes for the user about the data.
    fn notes(&mut self, notes: Vec<String>);

    /// Receives the measurements of an epoch.
    fn epoch(&mut self, report: &Report) -> Result<()>;

    /// May write a checkpoint after an epoch.
    fn checkpoint(&mut self, progress: &mut dyn FnMut() -> Progress) -> Result<()>;
}

impl Training<'_> {
    /// Trains all layers, from the progress of an earlier run.
    pub fn run(&self, from: Progress, observer: &mut dyn TrainingObserver) -> Result<Vec<Layer>> {
        let MethodSpec { method, arguments } = self.method;
        let Some(InitialWeight { name: first, .. }) = self.layers.first() else { return Ok(from.done) };
        let share = arguments.value(&VALIDATION)?;
        let Split { training, held_out } = train_validation_split(self.table.samples, share, self.seed, first)?;
        let (scale, clips) = self.scale(&training, &held_out, observer)?;
        (method.check)(&Request { arguments, layers: &self.layers, samples: training.len() })?;
        let activation = (method.activation)(arguments)?;
        let Progress { done, mut epochs, mut state } = from;
        let mut input =
            Input { table: self.table, scale, clips, below: done, activation, training, held_out, memory: self.memory };
        for (number, layer) in self.layers.iter().enumerate().skip(input.below.len()) {
            let initial = layer.weight.clone();
            let job = Job { arguments, seed: self.seed, name: &layer.name, is_first: number == 0, initial };
            let mut trainer = (method.start)(&job, &input)?;
            restore(trainer.as_mut(), &state)?;
            self.layer(number, trainer.as_mut(), std::mem::take(&mut epochs), &input, observer)?;
            input.below.push(trainer.layer());
            state.clear();
        }
        Ok(input.below)
    }

    /// The scale, fitted on the training samples; and true if validation samples must be clipped to [0, 1]. Errors if the method cannot
    /// take the scaled data.
    fn scale(
        &self,
        training: &[u64],
        held_out: &[u64],
        observer: &mut dyn TrainingObserver,
    ) -> Result<(Option<Scale>, bool)> {
        let MethodSpec { method, arguments } = self.method;
        let all = &self.data.features;
        let is_fitted = Scale::is_fitted(arguments) && !held_out.is_empty();
        let fitted = is_fitted.then(|| FeatureStats::from_samples(self.table, training)).transpose()?;
        let fitted = fitted.as_ref().unwrap_or(all);
        let Some(scale) = Scale::fit(arguments, fitted) else {
            observer.notes(self.method.notes(all, all, self.dtype));
            all.check_range()?;
            self.check_unit_interval(all)?;
            return Ok((None, false));
        };
        let scaled = scale.stats(all);
        observer.notes(self.method.notes(all, &scaled, self.dtype));
        scaled.check_range()?;
        self.check_unit_interval(&scale.stats(fitted))?;
        let outside = scaled.outside_unit_interval();
        let clips = outside > 0 && (method.unit_interval)(arguments).is_some();
        if clips {
            let features = all.low.len();
            observer.notes(vec![format!(
                "{outside} of {features} features exceed the range of the training samples: validation clips them to [0, 1]"
            )]);
        }
        Ok((Some(scale), clips))
    }

    fn check_unit_interval(&self, stats: &FeatureStats) -> Result<()> {
        match (self.method.method.unit_interval)(&self.method.arguments) {
            Some(need) => stats.check_unit_interval(need),
            None => Ok(()),
        }
    }

    fn layer(
        &self,
        layer: usize,
        trainer: &mut dyn Trainer,
        done: u64,
        input: &Input,
        observer: &mut dyn TrainingObserver,
    ) -> Result<()> {
        let epochs = self.method.arguments.if_listed(&EPOCHS).unwrap_or(1);
        let step = input.training.len().div_ceil(MEASURED);
        let measured: Vec<u64> = input.training.iter().copied().step_by(step).collect();
        for epoch in done..epochs {
            let started = Instant::now();
            let converged = trainer.epoch(epoch, input)?;
            let epoch = epoch + 1;
            let diverged = |name: &str, value: f64| {
                anyhow!("layer {layer}: after epoch {epoch} the {name} is {value}: {}", self.remedy())
            };
            if observer.every_epoch() || converged || epoch == epochs {
                let training = trainer.measures(input, &measured)?;
                if let Some((name, value)) = training.iter().find(|(_, value)| !value.is_finite()) {
                    return Err(diverged(name, *value));
                }
                let held_out = Self::held_out(trainer, input)?;
                let seconds = started.elapsed().as_secs_f64();
                observer.epoch(&Report {
                    layer,
                    layers: self.layers.len(),
                    epoch,
                    epochs,
                    training,
                    held_out,
                    explained: trainer.explained(),
                    seconds,
                })?;
            }
            for (name, values) in trainer.state() {
                if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                    return Err(diverged(name, (*value).into()));
                }
            }
            if converged {
                break;
            }
            observer.checkpoint(&mut || {
                let state = trainer.state().into_iter().map(|(name, values)| (name.to_string(), values.to_vec()));
                Progress { done: input.below.clone(), epochs: epoch, state: state.collect() }
            })?;
        }
        Ok(())
    }

    /// Means over the validation samples.
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

    /// The error message after a non-finite value.
    fn remedy(&self) -> String {
        match self.method.arguments.if_listed(&LEARNING_RATE) {
            Some(rate) if self.method.arguments.optional(&SCALE) == Some(ScaleOption::None) => {
                format!("training diverges: use a --learning-rate below {rate}, or --scale")
            }
            Some(rate) => format!("training diverges: use a --learning-rate below {rate}"),
            None => "training overflows: use --scale standard".into(),
        }
    }
}

/// Restores the state of an interrupted run.
fn restore(trainer: &mut dyn Trainer, state: &BTreeMap<String, Vec<f32>>) -> Result<()> {
    if state.is_empty() {
        return Ok(());
    }
    for (name, values) in trainer.state() {
        let stored = state.get(name).filter(|stored| stored.len() == values.len());
        values.copy_from_slice(
            stored
                .with_context(|| format!("the checkpoint is damaged: it has no {name} of {} values", values.len()))?,
        );
    }
    Ok(())
}
