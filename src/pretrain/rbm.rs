//! Restricted Boltzmann machines by contrastive divergence, as in Hinton 2010, "A practical guide to training restricted
//! Boltzmann machines": units v and h of energy -a'v - b'h - v'Wh, and steps along <v h'> of the data less that of the model, whose
//! samples come from k steps of Gibbs sampling, from the data (CD-k) or from chains that go on (PCD, Tieleman 2008).

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::activation::{Activation, exponentials};
use super::input::{Input, Survey, in_order};
use super::layer::{Layer, VALUES_OF_A_TASK, finish};
use super::noise::Noise;
use super::options::{batch, epochs, learning_rate, momentum, weight_decay};
use super::{Job, Method, Trainer};
use crate::law::in_memory;
use crate::matrix::{Factor, Matrix};
use crate::plan::narrow;
use crate::scheme::{Arguments, Kind, Parameter};

pub(super) const METHOD: Method = Method {
    name: "rbm",
    summary: "a stack of restricted Boltzmann machines, trained by contrastive divergence",
    source: "Hinton 2010, A practical guide to training restricted Boltzmann machines",
    parameters: &[
        epochs("10"),
        batch("10"),
        learning_rate("0.1"),
        momentum("0"),
        weight_decay("0"),
        Parameter {
            name: "cd-k",
            kind: Kind::Count,
            default: Some("1"),
            help: "how many steps of Gibbs sampling make a sample of the model",
        },
        Parameter {
            name: "persistent",
            kind: Kind::Flag,
            default: Some("false"),
            help: "go on with the samples of the step before, and not from the data",
        },
        Parameter {
            name: "visible",
            kind: Kind::Choice(&["bernoulli", "gaussian"]),
            default: Some("bernoulli"),
            help: "the units of the data: of 0 to 1, or of any value with standard deviation 1",
        },
        Parameter {
            name: "sparsity",
            kind: Kind::Number,
            default: Some("0.1"),
            help: "how often a hidden unit should be on",
        },
        Parameter {
            name: "sparsity-cost",
            kind: Kind::Number,
            default: Some("0"),
            help: "how much a hidden unit is drawn there, times the learning rate",
        },
    ],
    scheme: |_| Some("normal:std=0.01"),
    workspace: |_| 0,
    has_visible_bias: true,
    activation: |_| Activation::Sigmoid,
    check,
    start: |job, input| Ok(Box::new(Rbm::start(job, input)?)),
};

fn check(arguments: &Arguments, data: &Survey) -> Result<()> {
    match is_gaussian(arguments) {
        true => Ok(()),
        false => {
            data.check_unit_interval().context("Bernoulli units take 0 to 1: --scale minmax, or --visible gaussian")
        }
    }
}

fn is_gaussian(arguments: &Arguments) -> bool {
    arguments.word("visible") == Some("gaussian")
}

struct Rbm {
    options: Options,
    weight: Matrix<f32>,
    visible_bias: Vec<f32>,
    hidden_bias: Vec<f32>,
    /// The steps before: of the weights, and of both biases.
    weight_step: Matrix<f32>,
    visible_step: Vec<f32>,
    hidden_step: Vec<f32>,
    /// The hidden units of the chains that go on; empty where none do.
    chains: Matrix<f32>,
    hidden_noise: Noise,
    visible_noise: Noise,
    order: Noise,
    /// Room for the transpose of the weights, and for their slopes.
    transposed: Matrix<f32>,
    slopes: Matrix<f32>,
}

/// Multiplications that are worth a part of its own of a batch.
const WORK_OF_A_PART: usize = 4_000_000;

/// Where the random numbers of some of a batch's samples are found.
#[derive(Clone, Copy)]
struct Draws {
    /// The number of the batch among all.
    step: u64,
    /// The first of the samples in it.
    first: usize,
}

/// What a step goes by, a sample a row.
struct Sampled {
    /// The chances of hidden units by the data.
    of_data: Matrix<f32>,
    /// Visible units of the model.
    visible: Factor<'static>,
    /// The chances of hidden units by those.
    of_model: Matrix<f32>,
    /// The hidden units that the chains go on with.
    chains: Matrix<f32>,
}

impl Sampled {
    fn stacked(parts: Vec<Self>) -> Self {
        let [mut of_data, mut of_model, mut chains] = [(); 3].map(|()| Vec::with_capacity(parts.len()));
        let mut visible = Vec::with_capacity(parts.len());
        for part in parts {
            of_data.push(part.of_data);
            visible.push(part.visible);
            of_model.push(part.of_model);
            chains.push(part.chains);
        }
        let [of_data, of_model, chains] = [of_data, of_model, chains].map(Matrix::stacked);
        Self { of_data, visible: Factor::stacked(visible), of_model, chains }
    }
}

struct Options {
    batch: usize,
    learning_rate: f32,
    momentum: f32,
    weight_decay: f32,
    gibbs_steps: u64,
    /// What makes visible units of their sums.
    visible: Activation,
    sparsity: f32,
    sparsity_cost: f32,
}

impl Options {
    fn read(job: &Job) -> Result<Self> {
        let arguments = job.arguments;
        let single = |name| Ok::<_, anyhow::Error>(narrow(arguments.number(name)?));
        let gaussian = job.is_first && is_gaussian(arguments);
        Ok(Self {
            batch: in_memory(arguments.optional_count("batch").unwrap_or(1)),
            learning_rate: single("learning-rate")?,
            momentum: single("momentum")?,
            weight_decay: single("weight-decay")?,
            gibbs_steps: arguments.optional_count("cd-k").unwrap_or(1),
            visible: if gaussian { Activation::Linear } else { Activation::Sigmoid },
            sparsity: single("sparsity")?,
            sparsity_cost: single("sparsity-cost")?,
        })
    }
}

impl Rbm {
    /// Visible biases are log(p / (1 - p)) of the share p of samples in which a unit is on, inside of [1/2n, 1 - 1/2n]; those of
    /// Gaussian units are their means. Hidden biases are 0.
    fn start(job: &Job, input: &Input) -> Result<Self> {
        let options = Options::read(job)?;
        let (inputs, outputs) = (job.initial.rows(), job.initial.columns());
        let mut sums = vec![0.0; inputs];
        in_order(
            &input.training,
            inputs,
            |block| Ok(sums_of(&input.samples(block)?)),
            |of_block| sums.iter_mut().zip(of_block).for_each(|(sum, of_block)| *sum += of_block),
        )?;
        #[expect(clippy::cast_precision_loss, reason = "a count of samples")]
        let count = input.training.len() as f64;
        let bias = |sum: f64| match options.visible {
            Activation::Linear => narrow(sum / count),
            _ => {
                let share = (sum / count).clamp(0.5 / count, 1.0 - 0.5 / count);
                narrow(libm::log(share / (1.0 - share)))
            }
        };
        let chains = if job.arguments.flag("persistent") { options.batch } else { 0 };
        Ok(Self {
            visible_bias: sums.into_iter().map(bias).collect(),
            hidden_bias: vec![0.0; outputs],
            weight_step: Matrix::zeros(inputs, outputs),
            visible_step: vec![0.0; inputs],
            hidden_step: vec![0.0; outputs],
            chains: Matrix::zeros(chains, outputs),
            weight: job.initial.clone(),
            hidden_noise: Noise::uniform(job.seed, job.name, "hidden units")?,
            visible_noise: match options.visible {
                Activation::Linear => Noise::normal(job.seed, job.name, "visible units")?,
                _ => Noise::uniform(job.seed, job.name, "visible units")?,
            },
            order: Noise::uniform(job.seed, job.name, "order")?,
            transposed: Matrix::default(),
            slopes: Matrix::default(),
            options,
        })
    }

    /// The chances that hidden units are on.
    fn hidden(&self, visible: &Factor) -> Matrix<f32> {
        self.hidden_of(visible.times(&self.weight))
    }

    fn hidden_of(&self, sums: Matrix<f32>) -> Matrix<f32> {
        finish(sums, &self.hidden_bias, Activation::Sigmoid)
    }

    /// The chances that visible units are on, or their means, by the transpose of the weights.
    fn visible(&self, hidden: &Factor, transposed: &Matrix<f32>) -> Matrix<f32> {
        finish(hidden.times(transposed), &self.visible_bias, self.options.visible)
    }

    /// One step from a batch, which has that number among all steps.
    fn learn(&mut self, data: Matrix<f32>, number: u64) {
        let rows = data.rows().max(self.chains.rows());
        let work = rows * self.weight.values().len();
        // By the work, and not by the threads, on which no bit may hang.
        let parts = (work / WORK_OF_A_PART).clamp(1, rows);
        let size = rows.div_ceil(parts);
        let data = Factor::from(data);
        let mut transposed = std::mem::take(&mut self.transposed);
        self.weight.transpose_into(&mut transposed);
        let part = |part| {
            let first = part * size;
            let of_data = self.hidden_of(data.part_times(first, size, &self.weight));
            self.sample(of_data, self.chains.part(first, size), Draws { step: number, first }, &transposed)
        };
        let parts: Vec<Sampled> = (0..parts).into_par_iter().map(part).collect();
        let sampled = Sampled::stacked(parts);
        self.transposed = transposed;
        self.step(data, sampled);
    }

    /// The statistics of some of a batch's samples, and of samples of the model from there or from where the chains were.
    fn sample(&self, of_data: Matrix<f32>, chains: Matrix<f32>, draws: Draws, transposed: &Matrix<f32>) -> Sampled {
        let persistent = self.chains.rows() > 0;
        let mut hidden = if persistent { chains } else { self.sampled_hidden(&of_data, draws, 0) };
        let (mut visible, mut of_model) = (Factor::from(Matrix::default()), Matrix::default());
        for step in 1..=self.options.gibbs_steps {
            let means = self.visible(&Factor::from(&hidden), transposed);
            visible = Factor::from(self.sampled_visible(means, draws, step));
            of_model = self.hidden(&visible);
            if persistent || step < self.options.gibbs_steps {
                hidden = self.sampled_hidden(&of_model, draws, step);
            }
        }
        let chains = if persistent { hidden } else { Matrix::zeros(0, self.weight.columns()) };
        Sampled { of_data, visible, of_model, chains }
    }

    /// A step along what the data's statistics have over those of the model, of the weights and of both biases.
    fn step(&mut self, data: Factor, sampled: Sampled) {
        let Sampled { mut of_data, visible, mut of_model, chains } = sampled;
        let Options { learning_rate, momentum, weight_decay, sparsity, sparsity_cost, .. } = self.options;
        #[expect(clippy::cast_precision_loss, reason = "at most 10^6")]
        let [of_batch, of_chains] = [of_data.rows(), of_model.rows()].map(|rows| 1.0 / rows as f32);
        for (values, share) in [(&mut of_data, of_batch), (&mut of_model, -of_chains)] {
            values.values_mut().iter_mut().for_each(|value| *value *= share);
        }
        let units = of_data.sums().into_iter().zip(of_model.sums());
        for ((step, bias), (on, less)) in self.hidden_step.iter_mut().zip(&mut self.hidden_bias).zip(units) {
            let slope = on + less + sparsity_cost * (sparsity - on);
            *step = momentum * *step + learning_rate * slope;
            *bias += *step;
        }
        let units = data.matrix().sums().into_iter().zip(visible.matrix().sums());
        for ((step, bias), (data, visible)) in self.visible_step.iter_mut().zip(&mut self.visible_bias).zip(units) {
            *step = momentum * *step + learning_rate * (data * of_batch - visible * of_chains);
            *bias += *step;
        }
        // The model's share has its sign already, so that both make one product.
        let hidden = Matrix::stacked([of_data, of_model]);
        Factor::stacked(vec![data, visible]).transposed_times_into(&hidden, &mut self.slopes);
        let weights = self.weight.values_mut().par_chunks_mut(VALUES_OF_A_TASK);
        let steps = self.weight_step.values_mut().par_chunks_mut(VALUES_OF_A_TASK).zip(weights);
        steps.zip(self.slopes.values().par_chunks(VALUES_OF_A_TASK)).for_each(|((steps, weights), slopes)| {
            for ((step, weight), slope) in steps.iter_mut().zip(weights).zip(slopes) {
                *step = momentum * *step + learning_rate * (slope - weight_decay * *weight);
                *weight += *step;
            }
        });
        self.chains = chains;
    }

    fn sampled_hidden(&self, chances: &Matrix<f32>, draws: Draws, draw: u64) -> Matrix<f32> {
        let mut units = Matrix::zeros(chances.rows(), chances.columns());
        self.hidden_noise.fill(self.address(draws, draw, chances.columns()), units.values_mut());
        units
            .values_mut()
            .iter_mut()
            .zip(chances.values())
            .for_each(|(unit, chance)| *unit = f32::from(*unit < *chance));
        units
    }

    fn sampled_visible(&self, mut means: Matrix<f32>, draws: Draws, draw: u64) -> Matrix<f32> {
        let mut noise = vec![0.0; means.values().len()];
        self.visible_noise.fill(self.address(draws, draw, means.columns()), &mut noise);
        let units = means.values_mut().iter_mut().zip(&noise);
        match self.options.visible {
            Activation::Linear => units.for_each(|(unit, noise)| *unit += noise),
            _ => units.for_each(|(unit, noise)| *unit = f32::from(noise < unit)),
        }
        means
    }

    /// Where the random numbers of a draw begin: a last batch that is smaller leaves some out.
    fn address(&self, draws: Draws, draw: u64, units: usize) -> u64 {
        let rows = (draws.step * (self.options.gibbs_steps + 1) + draw) * self.options.batch as u64;
        (rows + draws.first as u64) * units as u64
    }

    /// -a'v - sum log(1 + e^(b + v W)), each sample's.
    fn free_energies(&self, visible: &Matrix<f32>) -> Vec<f64> {
        let sums = Factor::from(visible).times(&self.weight);
        let energy = |(visible, sums): (&[f32], &[f32])| {
            let shift: f64 = visible.iter().zip(&self.visible_bias).map(|(&v, &a)| f64::from(v) * f64::from(a)).sum();
            -shift - sum_of_softplus(sums, &self.hidden_bias)
        };
        let rows = visible.values().par_chunks(visible.columns()).zip(sums.values().par_chunks(sums.columns()));
        rows.map(energy).collect()
    }

    /// The mean of the log of how likely one unit of a sample is, given the others, times the number of units; which unit it is
    /// goes by the sample's place.
    fn pseudo_likelihood(&self, samples: &Matrix<f32>) -> f64 {
        let mut flipped = samples.clone();
        let units = samples.columns();
        for (number, row) in flipped.each_row_mut().enumerate() {
            let unit = &mut row[number.wrapping_mul(2_654_435_761) % units];
            *unit = 1.0 - *unit;
        }
        let (here, there) = (self.free_energies(samples), self.free_energies(&flipped));
        let logs = here.iter().zip(&there).map(|(here, there)| -softplus(here - there));
        #[expect(clippy::cast_precision_loss, reason = "counts of samples and units")]
        let of_each = units as f64 / here.len() as f64;
        logs.sum::<f64>() * of_each
    }
}

impl Trainer for Rbm {
    fn epoch(&mut self, number: u64, input: &Input) -> Result<bool> {
        let order = self.order.shuffle(number, &input.training);
        let Options { batch, .. } = self.options;
        let first = number * order.len().div_ceil(batch) as u64;
        let work = batch * self.weight.values().len();
        input.batches(&order, batch, work, |step, samples| self.learn(samples, first + step))?;
        Ok(false)
    }

    fn measures(&self, samples: &Matrix<f32>) -> Vec<(&'static str, f64)> {
        let hidden = self.hidden(&Factor::from(samples));
        let again = self.visible(&Factor::from(hidden), &self.weight.transposed());
        let squares = samples.values().iter().zip(again.values()).map(|(x, y)| f64::from(x - y) * f64::from(x - y));
        #[expect(clippy::cast_precision_loss, reason = "a count of values")]
        let error = squares.sum::<f64>() / samples.values().len() as f64;
        let mut measures = vec![("reconstruction error", error)];
        if self.options.visible == Activation::Sigmoid {
            measures.push(("pseudo-likelihood", self.pseudo_likelihood(samples)));
        }
        measures
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
            weight: self.weight.clone(),
            bias: self.hidden_bias.clone(),
            visible_bias: Some(self.visible_bias.clone()),
        }
    }
}

/// The sum of each unit over samples.
fn sums_of(samples: &Matrix<f32>) -> Vec<f64> {
    let mut sums = vec![0.0; samples.columns()];
    for row in samples.each_row() {
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    sums
}

/// The sum of log(1 + e^(x + b)): of each its part above 0, and the log of a product of the rest, whose factors lie between 1 and 2.
fn sum_of_softplus(sums: &[f32], biases: &[f32]) -> f64 {
    let (mut above, mut logs) = (0.0, 0.0);
    for (sums, biases) in sums.chunks(FACTORS).zip(biases.chunks(FACTORS)) {
        let mut factors = [f32::NEG_INFINITY; FACTORS];
        for ((factor, &sum), &bias) in factors.iter_mut().zip(sums).zip(biases) {
            let x = sum + bias;
            above += f64::from(x.max(0.0));
            *factor = -x.abs();
        }
        exponentials(&mut factors[..sums.len()]);
        logs +=
            libm::log(factors[..sums.len()].iter().fold(1.0, |product, &factor| product * (1.0 + f64::from(factor))));
    }
    above + logs
}

/// How many factors of at most 2 are multiplied before a logarithm is taken.
const FACTORS: usize = 256;

/// log(1 + e^x)
fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

#[cfg(test)]
mod tests;
