//! The pseudo-likelihood of samples.

use rayon::prelude::*;

use super::{Rbm, Units};
use crate::matrix::{Factor, Matrix, Panels};
use crate::pretrain::activation::{Activation, exponentials};

impl Rbm {
    /// v W
    pub(super) fn sums(&self, visible: &Matrix<f32>) -> Matrix<f32> {
        let mut sums = Panels::default();
        let bias = vec![0.0; self.hidden_bias.len()];
        let hidden = Units { bias: &bias, activation: Activation::Linear, ..self.hidden() };
        hidden.respond(&Factor::from(visible), 1.0, &mut sums);
        sums.matrix()
    }

    /// The mean log-probability of one unit of a sample given the others, times the number of units. The sample's position chooses the
    /// unit. `sums` are those of v W.
    pub(super) fn pseudo_likelihood(&self, samples: &Matrix<f32>, sums: &Matrix<f32>) -> f64 {
        let (units, weight) = (samples.columns(), self.weight.matrix());
        let of_sample = |number: usize| {
            let (row, here) = (samples.row(number), sums.row(number));
            let unit = number.wrapping_mul(2_654_435_761) % units;
            // Flipping v_i changes each sum by this multiple of its weight.
            let step = 1.0 - 2.0 * row[unit];
            let there: Vec<f32> = here.iter().zip(weight.row(unit)).map(|(sum, weight)| sum + step * weight).collect();
            let energy = |sums: &[f32]| sum_of_softplus(sums, &self.hidden_bias);
            let apart = energy(&there) - energy(here) + f64::from(step) * f64::from(self.visible_bias[unit]);
            -softplus(apart)
        };
        let logs: Vec<f64> = (0..samples.rows()).into_par_iter().map(of_sample).collect();
        #[expect(clippy::cast_precision_loss, reason = "counts of samples and units")]
        let of_each = units as f64 / logs.len() as f64;
        logs.iter().sum::<f64>() * of_each
    }
}

/// The sum of log(1 + e^(x + b)): the positive parts, plus the logarithm of a product of factors from 1 to 2.
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

/// The number of factors up to 2 that are multiplied before a logarithm.
const FACTORS: usize = 256;

/// log(1 + e^x)
fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}
