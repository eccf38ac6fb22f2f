//! Denoising autoencoders with tied weights (Vincent et al. 2010, "Stacked denoising autoencoders"; the Deep Learning Tutorials). A
//! corrupted sample is encoded as y = s(x W + b) and decoded as z = t(y W' + b'). Steps reduce the loss between z and the clean sample.

use anyhow::Result;
use rayon::prelude::*;

use super::activation::Activation;
use super::input::Input;
use super::layer::{Layer, VALUES_OF_A_TASK, backward, forward};
use super::noise::Noise;
use super::options::{ACTIVATION, BATCH, EPOCHS, LEARNING_RATE, MOMENTUM, NOISE, WEIGHT_DECAY};
use super::{Job, Method, Trainer};
use crate::matrix::Matrix;
use crate::scheme::{Parameter, choice};
use crate::tensor::{to_f32, to_f64, to_usize};

choice! {
    enum Corruption { Masking = "masking", Gaussian = "gaussian" }
}
const CORRUPTION: Parameter<Corruption> =
    Parameter::new("corruption", "corruption of samples: masking sets values to 0, gaussian adds noise")
        .default("masking");
choice! {
    enum Loss { CrossEntropy = "cross-entropy", Squared = "squared" }
}
const LOSS: Parameter<Loss> =
    Parameter::new("loss", "reconstruction loss: cross-entropy for inputs in [0, 1], squared for any inputs")
        .default("cross-entropy");

pub(super) const METHOD: Method = Method {
    name: "dae",
    summary: "a stack of denoising autoencoders with tied weights",
    source: "Vincent et al. 2010, Stacked denoising autoencoders",
    parameters: &[
        &EPOCHS.default("10"),
        &BATCH.default("20"),
        &LEARNING_RATE.default("0.1"),
        &MOMENTUM,
        &WEIGHT_DECAY,
        &ACTIVATION.default("sigmoid"),
        &CORRUPTION,
        &NOISE,
        &LOSS,
    ],
    // The scheme of each activation in the tutorials and papers.
    scheme: |arguments| {
        Some(match arguments.optional(&ACTIVATION)? {
            Activation::Sigmoid => "sigmoid-uniform",
            Activation::Relu => "he-normal",
            Activation::Linear | Activation::Tanh => "glorot-uniform",
        })
    },
    workspace: |_| 0,
    centres: false,
    has_visible_bias: true,
    activation: |arguments| arguments.value(&ACTIVATION),
    unit_interval: |arguments| match arguments.optional(&LOSS)? {
        Loss::Squared => None,
        Loss::CrossEntropy => Some(
            "cross-entropy needs data in [0, 1]: use --scale minmax, --scale 255 for image bytes, or --loss squared",
        ),
    },
    check: |_| Ok(()),
    start: |job, _| Ok(Box::new(Autoencoder::start(job)?)),
};

struct Autoencoder {
    options: Options,
    parameters: Parameters,
    /// The previous step.
    step: Parameters,
    corruption: Noise,
    order: Noise,
}

struct Options {
    batch: usize,
    learning_rate: f32,
    momentum: f32,
    weight_decay: f32,
    noise: f32,
    masking: bool,
    encoder: Activation,
    /// The activation of reconstructions. With its loss, the slope is z - x.
    decoder: Activation,
}

/// The trained values, or slopes or steps of them.
struct Parameters {
    weight: Matrix<f32>,
    bias: Vec<f32>,
    visible_bias: Vec<f32>,
}

impl Parameters {
    fn zeros(inputs: usize, outputs: usize) -> Self {
        Self { weight: Matrix::zeros(inputs, outputs), bias: vec![0.0; outputs], visible_bias: vec![0.0; inputs] }
    }

    fn parts(&mut self) -> [&mut [f32]; 3] {
        [self.weight.values_mut(), &mut self.bias, &mut self.visible_bias]
    }
}

impl Options {
    fn read(job: &Job) -> Result<Self> {
        let arguments = job.arguments;
        let single = |option| arguments.value(option).map(to_f32);
        // Only the sigmoid has outputs in [0, 1] for the next layer.
        let encoder = arguments.value(&ACTIVATION)?;
        let squared = arguments.value(&LOSS)? == Loss::Squared || !(job.is_first || encoder == Activation::Sigmoid);
        Ok(Self {
            batch: to_usize(arguments.value(&BATCH)?),
            learning_rate: single(&LEARNING_RATE)?,
            momentum: single(&MOMENTUM)?,
            weight_decay: single(&WEIGHT_DECAY)?,
            noise: single(&NOISE)?,
            masking: arguments.value(&CORRUPTION)? == Corruption::Masking,
            encoder,
            decoder: if squared { Activation::Linear } else { Activation::Sigmoid },
        })
    }

    /// The mean over samples of half the squared error, or of the cross-entropy.
    fn loss(&self, samples: &Matrix<f32>, again: &Matrix<f32>) -> f64 {
        let of_each = |(&x, &z): (&f32, &f32)| {
            let (x, z) = (f64::from(x), f64::from(z));
            match self.decoder {
                Activation::Linear => 0.5 * (z - x) * (z - x),
                // In f32, 1 - z may be 0.
                _ => -x * libm::log(z.max(1e-12)) - (1.0 - x) * libm::log((1.0 - z).max(1e-12)),
            }
        };
        let sum: f64 = samples.values().iter().zip(again.values()).map(of_each).sum();
        sum / to_f64(samples.rows() as u64)
    }
}

impl Autoencoder {
    fn start(job: &Job) -> Result<Self> {
        let options = Options::read(job)?;
        let (inputs, outputs) = (job.initial.rows(), job.initial.columns());
        let corruption = match options.masking {
            true => Noise::uniform(job.seed, job.name, "corruption")?,
            false => Noise::normal(job.seed, job.name, "corruption")?,
        };
        Ok(Self {
            parameters: Parameters { weight: job.initial.clone(), ..Parameters::zeros(inputs, outputs) },
            step: Parameters::zeros(inputs, outputs),
            corruption,
            order: Noise::uniform(job.seed, job.name, "order")?,
            options,
        })
    }

    fn corrupted(&self, samples: &Matrix<f32>, step: u64) -> Matrix<f32> {
        let mut noise = Matrix::zeros(samples.rows(), samples.columns());
        self.corruption.fill(step * (self.options.batch * samples.columns()) as u64, noise.values_mut());
        let Options { masking, noise: size, .. } = self.options;
        for (noise, &value) in noise.values_mut().iter_mut().zip(samples.values()) {
            *noise = match masking {
                true => {
                    if *noise < size {
                        0.0
                    } else {
                        value
                    }
                }
                false => value + size * *noise,
            };
        }
        noise
    }

    /// The codes of corrupted samples, and the reconstructions.
    fn through(&self, corrupted: &Matrix<f32>) -> (Matrix<f32>, Matrix<f32>) {
        let Parameters { weight, bias, visible_bias } = &self.parameters;
        let code = forward(corrupted, weight, bias, self.options.encoder);
        let again = backward(&code, weight, visible_bias, self.options.decoder);
        (code, again)
    }

    /// The gradient of the mean loss.
    fn slopes(&self, samples: &Matrix<f32>, corrupted: &Matrix<f32>) -> Parameters {
        let (code, mut of_again) = self.through(corrupted);
        #[expect(clippy::cast_precision_loss, reason = "at most 10^6")]
        let share = 1.0 / samples.rows() as f32;
        of_again.values_mut().iter_mut().zip(samples.values()).for_each(|(again, &x)| *again = (*again - x) * share);
        let mut of_code = of_again.times(&self.parameters.weight);
        let encoder = self.options.encoder;
        of_code.values_mut().iter_mut().zip(code.values()).for_each(|(slope, &y)| *slope *= encoder.slope(y));
        let mut weight = corrupted.transposed_times(&of_code);
        weight.add_scaled(1.0, &of_again.transposed_times(&code));
        Parameters { weight, bias: of_code.sums(), visible_bias: of_again.sums() }
    }
}

impl Trainer for Autoencoder {
    fn epoch(&mut self, number: u64, input: &Input) -> Result<bool> {
        let order = self.order.shuffle(number, &input.training);
        let first = number * order.len().div_ceil(self.options.batch) as u64;
        let Options { batch, .. } = self.options;
        let work = batch * self.parameters.weight.values().len();
        input.batches(&order, batch, work, |step, samples| {
            let mut slopes = self.slopes(&samples, &self.corrupted(&samples, first + step));
            slopes.weight.add_scaled(self.options.weight_decay, &self.parameters.weight);
            let Options { momentum, learning_rate, .. } = self.options;
            let parts = self.parameters.parts().into_iter().zip(self.step.parts()).zip(slopes.parts());
            for ((values, steps), slopes) in parts {
                let tasks = values.par_chunks_mut(VALUES_OF_A_TASK).zip(steps.par_chunks_mut(VALUES_OF_A_TASK));
                tasks.zip(slopes.par_chunks(VALUES_OF_A_TASK)).for_each(|((values, steps), slopes)| {
                    for ((value, step), slope) in values.iter_mut().zip(steps).zip(slopes) {
                        *step = momentum * *step - learning_rate * slope;
                        *value += *step;
                    }
                });
            }
        })?;
        Ok(false)
    }

    fn measures(&self, input: &Input, samples: &[u64]) -> Result<Vec<(&'static str, f64)>> {
        let samples = &input.samples(samples)?;
        let (_, again) = self.through(samples);
        let name = if self.options.decoder == Activation::Linear { "squared error" } else { "cross-entropy" };
        Ok(vec![(name, self.options.loss(samples, &again))])
    }

    fn state(&mut self) -> Vec<(&'static str, &mut [f32])> {
        let names = ["weight", "bias", "visible_bias", "weight_step", "bias_step", "visible_bias_step"];
        names.into_iter().zip(self.parameters.parts().into_iter().chain(self.step.parts())).collect()
    }

    fn layer(&self) -> Layer {
        let Parameters { weight, bias, visible_bias } = &self.parameters;
        let bias = bias.iter().map(|&bias| bias.into()).collect();
        Layer { weight: weight.clone(), bias, visible_bias: Some(visible_bias.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: usize, step: usize, low: f32, high: f32) -> Vec<f32> {
        (0..count).map(|n| low + (high - low) * ((n * step + 3) % 23) as f32 / 22.0).collect()
    }

    #[test]
    fn slopes_are_those_of_finite_differences() {
        const INPUTS: usize = 7;
        const OUTPUTS: usize = 5;
        let name = "w".parse().unwrap();
        for encoder in [Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::Linear] {
            for decoder in [Activation::Sigmoid, Activation::Linear] {
                let mut learner = Autoencoder {
                    options: Options {
                        batch: 4,
                        learning_rate: 0.1,
                        momentum: 0.0,
                        weight_decay: 0.0,
                        noise: 0.3,
                        masking: true,
                        encoder,
                        decoder,
                    },
                    parameters: Parameters {
                        weight: Matrix::new(values(INPUTS * OUTPUTS, 5, -0.9, 0.8), OUTPUTS),
                        bias: values(OUTPUTS, 7, -0.5, 0.6),
                        visible_bias: values(INPUTS, 3, -0.4, 0.7),
                    },
                    step: Parameters::zeros(INPUTS, OUTPUTS),
                    corruption: Noise::uniform(1, &name, "corruption").unwrap(),
                    order: Noise::uniform(1, &name, "order").unwrap(),
                };
                let samples = Matrix::new(values(4 * INPUTS, 11, 0.0, 1.0), INPUTS);
                let corrupted = learner.corrupted(&samples, 0);
                assert_ne!(corrupted, samples);
                let mut slopes = learner.slopes(&samples, &corrupted);
                let slopes = slopes.parts().map(|part| part.to_vec());
                for (part, slopes) in slopes.iter().enumerate() {
                    for (number, &slope) in slopes.iter().enumerate() {
                        let step = 1.0 / 256.0;
                        let mut at = |offset: f32| {
                            learner.parameters.parts()[part][number] += offset;
                            let loss = learner.options.loss(&samples, &learner.through(&corrupted).1);
                            learner.parameters.parts()[part][number] -= offset;
                            loss
                        };
                        let expected = (at(step) - at(-step)) / f64::from(2.0 * step);
                        let close = (f64::from(slope) - expected).abs() < 3e-4 * (1.0 + expected.abs());
                        assert!(
                            close,
                            "{encoder:?}, {decoder:?}, part {part}, {number}: {slope}, and {expected} by differences"
                        );
                    }
                }
            }
        }
    }
}
