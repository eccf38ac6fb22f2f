//! Restricted Boltzmann machines by contrastive divergence (Hinton 2010, "A practical guide to training restricted Boltzmann
//! machines"). Units v and h have the energy -a'v - b'h - v'Wh. A step follows <v h'> of the data minus <v h'> of the model. Samples of
//! the model come from k steps of Gibbs sampling, from the data (CD-k) or from persistent chains (PCD, Tieleman 2008).

mod likelihood;
mod units;

use std::mem::take;

use anyhow::Result;
use rayon::prelude::*;

use super::activation::Activation;
use super::blocks::both;
use super::input::Input;
use super::layer::{Layer, VALUES_OF_A_TASK};
use super::noise::Noise;
use super::options::{BATCH, CD_K, EPOCHS, LEARNING_RATE, MOMENTUM, SPARSITY, SPARSITY_COST, WEIGHT_DECAY};
use super::sample_cache::SampleCache;
use super::{Job, Method, Trainer};
use crate::matrix::{Bits, Factor, Matrix, Panels};
use crate::scheme::{Arguments, Parameter, choice};
use crate::tensor::{to_f32, to_usize};
use units::{Draw, Units, add_products};

const PERSISTENT: Parameter<bool> =
    Parameter::new("persistent", "continue the Gibbs chains of the previous step instead of starting from the data")
        .default("false");
choice! {
    enum Visible { Bernoulli = "bernoulli", Gaussian = "gaussian" }
}
const VISIBLE: Parameter<Visible> = Parameter::new(
    "visible",
    "visible units: bernoulli for data in [0, 1], gaussian for data with standard deviation 1",
)
.default("bernoulli");

pub(super) const METHOD: Method = Method {
    name: "rbm",
    summary: "a stack of restricted Boltzmann machines, trained by contrastive divergence",
    source: "Hinton 2010, A practical guide to training restricted Boltzmann machines",
    parameters: &[
        &EPOCHS.default("10"),
        &BATCH.default("10"),
        &LEARNING_RATE.default("0.1"),
        &MOMENTUM,
        &WEIGHT_DECAY,
        &CD_K,
        &PERSISTENT,
        &VISIBLE,
        &SPARSITY,
        &SPARSITY_COST,
    ],
    scheme: |_| Some("normal:std=0.01"),
    workspace: |_| 0,
    centres: false,
    has_visible_bias: true,
    activation: |_| Ok(Activation::Sigmoid),
    unit_interval: |arguments| {
        let fix = "Bernoulli units need data in [0, 1]: use --scale minmax, --scale 255 for image bytes, or --visible gaussian";
        (!is_gaussian(arguments)).then_some(fix)
    },
    check: |_| Ok(()),
    start: |job, input| Ok(Box::new(Rbm::start(job, input)?)),
};

fn is_gaussian(arguments: &Arguments) -> bool {
    arguments.optional(&VISIBLE) == Some(Visible::Gaussian)
}

struct Rbm {
    options: Options,
    weight: Panels,
    visible_bias: Vec<f32>,
    hidden_bias: Vec<f32>,
    /// The previous steps. Weight steps are empty without momentum and weight decay.
    weight_step: Panels,
    visible_step: Vec<f32>,
    hidden_step: Vec<f32>,
    /// The hidden units of persistent chains, between epochs; empty without them.
    chains: Panels,
    hidden_noise: Noise,
    visible_noise: Noise,
    order: Noise,
    kept: SampleCache,
    buffers: Buffers,
}

/// Buffers that every step reuses.
#[derive(Default)]
struct Buffers {
    transposed: Panels,
    /// The probabilities of hidden units for the data.
    of_data: Panels,
    /// The same for samples of the model.
    of_model: Panels,
}

struct Options {
    batch: usize,
    learning_rate: f32,
    momentum: f32,
    weight_decay: f32,
    gibbs_steps: u64,
    visible: Activation,
    sparsity: f32,
    sparsity_cost: f32,
}

impl Options {
    fn read(job: &Job) -> Result<Self> {
        let arguments = job.arguments;
        let single = |option| arguments.value(option).map(to_f32);
        let gaussian = job.is_first && is_gaussian(arguments);
        Ok(Self {
            batch: to_usize(arguments.value(&BATCH)?),
            learning_rate: single(&LEARNING_RATE)?,
            momentum: single(&MOMENTUM)?,
            weight_decay: single(&WEIGHT_DECAY)?,
            gibbs_steps: arguments.value(&CD_K)?,
            visible: if gaussian { Activation::Linear } else { Activation::Sigmoid },
            sparsity: single(&SPARSITY)?,
            sparsity_cost: single(&SPARSITY_COST)?,
        })
    }

    /// True without momentum and weight decay: steps are then added to the weights directly.
    fn steps_are_slopes(&self) -> bool {
        self.momentum == 0.0 && self.weight_decay == 0.0
    }
}

impl Rbm {
    /// Visible biases start at log(p / (1 - p)); p is the fraction of samples in which a unit is on, clipped to [1/2n, 1 - 1/2n]. Those of
    /// Gaussian units start at their means, and hidden biases at 0.
    fn start(job: &Job, input: &Input) -> Result<Self> {
        let options = Options::read(job)?;
        let (inputs, outputs) = (job.initial.rows(), job.initial.columns());
        let (kept, sums) = SampleCache::new(input, inputs)?;
        #[expect(clippy::cast_precision_loss, reason = "a count of samples")]
        let count = input.training.len() as f64;
        let bias = |sum: f64| match options.visible {
            Activation::Linear => to_f32(sum / count),
            _ => {
                let share = (sum / count).clamp(0.5 / count, 1.0 - 0.5 / count);
                to_f32(libm::log(share / (1.0 - share)))
            }
        };
        let chains = if job.arguments.flag(&PERSISTENT) { options.batch } else { 0 };
        let kept_steps = if options.steps_are_slopes() { 0 } else { inputs };
        Ok(Self {
            visible_bias: sums.into_iter().map(bias).collect(),
            hidden_bias: vec![0.0; outputs],
            weight_step: Panels::zeros(kept_steps, outputs),
            visible_step: vec![0.0; inputs],
            hidden_step: vec![0.0; outputs],
            chains: Panels::zeros(chains, outputs),
            weight: Panels::of(&job.initial),
            hidden_noise: Noise::uniform(job.seed, job.name, "hidden units")?,
            visible_noise: match options.visible {
                Activation::Linear => Noise::normal(job.seed, job.name, "visible units")?,
                _ => Noise::uniform(job.seed, job.name, "visible units")?,
            },
            order: Noise::uniform(job.seed, job.name, "order")?,
            kept,
            buffers: Buffers::default(),
            options,
        })
    }

    /// The hidden units, given visible units.
    fn hidden(&self) -> Units<'_> {
        Units { weight: &self.weight, bias: &self.hidden_bias, activation: Activation::Sigmoid }
    }

    /// The visible units, given hidden units and the transposed weights.
    fn visible<'a>(&'a self, transposed: &'a Panels) -> Units<'a> {
        Units { weight: transposed, bias: &self.visible_bias, activation: self.options.visible }
    }

    /// One step from a batch and the chains, if persistent. `number` counts all steps.
    fn learn(&mut self, data: impl FnOnce() -> Factor + Send, chains: &mut Option<Bits>, number: u64) {
        let Options { batch, gibbs_steps, .. } = self.options;
        let mut buffers = take(&mut self.buffers);
        let work = batch * self.weight.values().len();
        let (data, ()) = both(work, data, || self.weight.transpose_into(&mut buffers.transposed));
        let (hidden, visible) = (self.hidden(), self.visible(&buffers.transposed));
        // The random numbers of a step of sampling: hidden units before visible units, or after them with persistent chains.
        let draw = |noise, step| Draw { noise, number: number * gibbs_steps + step, batch };
        let (of_hidden, of_visible) = (|step| draw(&self.hidden_noise, step), |step| draw(&self.visible_noise, step));
        // With rate and sign in the probabilities, products of statistics are added to the weights directly.
        let of_batch = share(self.options.learning_rate, data.rows());
        let (mut sample, of_chains) = match chains.take() {
            Some(chains) => {
                let chains = Factor::Bits(chains);
                let respond = || hidden.respond(&data, of_batch, &mut buffers.of_data);
                let ((), sample) = both(work, respond, || visible.draw(&chains, of_visible(0)));
                (sample, share(self.options.learning_rate, chains.rows()))
            }
            None => {
                let states = hidden.respond_and_draw(&data, of_hidden(0), of_batch, &mut buffers.of_data);
                (visible.draw(&Factor::Bits(states), of_visible(0)), of_batch)
            }
        };
        let persistent = self.chains.rows() > 0;
        for step in 1..gibbs_steps {
            let of_step = of_hidden(if persistent { step - 1 } else { step });
            let states = Factor::Bits(hidden.respond_and_draw(&sample, of_step, 1.0, &mut buffers.of_model));
            sample = visible.draw(&states, of_visible(step));
        }
        let last = || match persistent {
            true => {
                Some(hidden.respond_and_draw(&sample, of_hidden(gibbs_steps - 1), -of_chains, &mut buffers.of_model))
            }
            false => {
                hidden.respond(&sample, -of_chains, &mut buffers.of_model);
                None
            }
        };
        let (states, turned) = both(work, last, || [data.turned(), sample.turned()]);
        *chains = states;
        self.step(turned, &mut buffers);
        self.buffers = buffers;
    }

    /// A step of weights and biases, along the statistics of the data minus those of the model. Each has visible units x samples with
    /// their sums. The buffers have the probabilities of hidden units, times the learning rate of a sample.
    fn step(&mut self, [data, model]: [(Factor, Vec<f32>); 2], buffers: &mut Buffers) {
        let Options { learning_rate, momentum, weight_decay, sparsity, sparsity_cost, .. } = self.options;
        let [of_batch, of_chains] =
            [&buffers.of_data, &buffers.of_model].map(|units| share(learning_rate, units.rows()));
        let units = buffers.of_data.sums().into_iter().zip(buffers.of_model.sums());
        for ((step, bias), (on, less)) in self.hidden_step.iter_mut().zip(&mut self.hidden_bias).zip(units) {
            *step = momentum * *step + (on + less + sparsity_cost * (learning_rate * sparsity - on));
            *bias += *step;
        }
        let units = data.1.iter().zip(&model.1);
        for ((step, bias), (data, model)) in self.visible_step.iter_mut().zip(&mut self.visible_bias).zip(units) {
            *step = momentum * *step + (data * of_batch - model * of_chains);
            *bias += *step;
        }
        let statistics = [(&data.0, &buffers.of_data), (&model.0, &buffers.of_model)];
        if self.options.steps_are_slopes() {
            return add_products(statistics, &mut self.weight);
        }
        let decay = learning_rate * weight_decay;
        let weights = self.weight.values().par_chunks(VALUES_OF_A_TASK);
        self.weight_step.values_mut().par_chunks_mut(VALUES_OF_A_TASK).zip(weights).for_each(|(steps, weights)| {
            steps.iter_mut().zip(weights).for_each(|(step, weight)| *step = momentum * *step - decay * weight);
        });
        add_products(statistics, &mut self.weight_step);
        let steps = self.weight_step.values().par_chunks(VALUES_OF_A_TASK);
        self.weight.values_mut().par_chunks_mut(VALUES_OF_A_TASK).zip(steps).for_each(|(weights, steps)| {
            weights.iter_mut().zip(steps).for_each(|(weight, step)| *weight += step);
        });
    }
}

/// The learning rate of one sample.
fn share(learning_rate: f32, samples: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "at most 10^6")]
    let samples = samples as f32;
    learning_rate / samples
}

impl Trainer for Rbm {
    fn epoch(&mut self, number: u64, input: &Input) -> Result<bool> {
        let places: Vec<u64> = (0..input.training.len() as u64).collect();
        let order = self.order.shuffle(number, &places);
        let batch = self.options.batch;
        let first = number * order.len().div_ceil(batch) as u64;
        let mut chains = Bits::of(&self.chains.matrix()).filter(|chains| chains.rows() > 0);
        if self.kept.is_nothing() {
            let samples: Vec<u64> = order.iter().map(|&place| input.training[to_usize(place)]).collect();
            let work = batch * self.weight.values().len();
            let learn = |step, samples: Matrix<f32>| self.learn(|| Factor::from(&samples), &mut chains, first + step);
            input.batches(&samples, batch, work, learn)?;
        } else {
            let kept = take(&mut self.kept);
            for (step, places) in (first..).zip(order.chunks(batch)) {
                self.learn(|| kept.samples(places), &mut chains, step);
            }
            self.kept = kept;
        }
        if let Some(chains) = chains {
            self.chains = Panels::of(&chains.matrix());
        }
        Ok(false)
    }

    fn measures(&self, input: &Input, samples: &[u64]) -> Result<Vec<(&'static str, f64)>> {
        let samples = &input.samples(samples)?;
        let mut hidden = Panels::default();
        self.hidden().respond(&Factor::from(samples), 1.0, &mut hidden);
        let (mut transposed, mut again) = (Panels::default(), Panels::default());
        self.weight.transpose_into(&mut transposed);
        self.visible(&transposed).respond(&Factor::Values(hidden), 1.0, &mut again);
        let again = again.matrix();
        let squares = samples.values().iter().zip(again.values()).map(|(x, y)| f64::from(x - y) * f64::from(x - y));
        #[expect(clippy::cast_precision_loss, reason = "a count of values")]
        let error = squares.sum::<f64>() / samples.values().len() as f64;
        let mut measures = vec![("reconstruction error", error)];
        if self.options.visible == Activation::Sigmoid {
            measures.push(("pseudo-likelihood", self.pseudo_likelihood(samples, &self.sums(samples))));
        }
        Ok(measures)
    }

    fn state(&mut self) -> Vec<(&'static str, &mut [f32])> {
        vec![
            ("weight", self.weight.values_mut()),
            ("visible_bias", &mut self.visible_bias),
            ("hidden_bias", &mut self.hidden_bias),
            ("weight_step", self.weight_step.values_mut()),
            ("visible_step", &mut self.visible_step),
            ("hidden_step", &mut self.hidden_step),
            ("chains", self.chains.values_mut()),
        ]
    }

    fn layer(&self) -> Layer {
        Layer {
            weight: self.weight.matrix(),
            bias: self.hidden_bias.iter().map(|&bias| bias.into()).collect(),
            visible_bias: Some(self.visible_bias.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
