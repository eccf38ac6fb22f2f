//! Convolutions with orthonormal filters in the frequency domain.

use std::sync::Arc;

use anyhow::ensure;

use super::parts::{Convolution, scale};
use super::{EMPTY, Parameter, Requires, Scheme, example_on};
use crate::distribution::{Distribution, Joint, Moments, NORMAL_REACH, RandomStreams, bytes_of, matrix, panels};
use crate::tensor::{to_f64, to_usize};

const NOISE: Parameter<f64> =
    Parameter::new("noise", "the standard deviation of the noise before rescaling, above 0").default("0.05");

pub(super) const ROW: Scheme = Scheme {
    name: "convolution-aware",
    summary: "filters with orthonormal spectra for each output, plus a little noise, with He's variance",
    formula: "for each output, its inputs' spectra are rows of Haar matrices of the s frequencies of a real transform, s rows each (of N(0, noise^2) if s = 1); filter = their inverse transform + N(0, noise^2); all multiplied by one factor that makes the variance over the weight 2 / fan_in",
    source: "Aghajanyan 2017, Convolution aware initialization; keras-contrib ConvolutionAware",
    ranks: "three or more axes, with a kernel axis",
    parameters: &[&NOISE],
    requires: Requires::Fans,
    example: example_on("convolution-aware", "3x3x5x8", "keras"),
    distribution: |arguments, site| {
        let convolution = Convolution::new(site)?;
        let weight = [convolution.inputs(), convolution.outputs(), convolution.taps()];
        ensure!(weight != [1, 1, 1], "a weight of one element has no variance: use he-normal");
        let variance = 2.0 / to_f64(site.fan_in()?.max(1));
        let noise = arguments.value(&NOISE)?;
        ensure!(
            (1e-30..=1e30).contains(&noise),
            "noise is {}: it must lie between 1e-30 and 1e30",
            arguments.text(&NOISE)
        );
        Ok(Distribution::Joint(Arc::new(ConvolutionAware { noise, variance, convolution })))
    },
    ..EMPTY
};

#[derive(Debug)]
struct ConvolutionAware {
    noise: f64,
    variance: f64,
    convolution: Convolution,
}

impl Moments for ConvolutionAware {
    fn mean(&self) -> Option<f64> {
        Some(0.0)
    }

    fn max_abs(&self) -> f64 {
        NORMAL_REACH * self.variance.sqrt()
    }
}

impl Joint for ConvolutionAware {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let convolution = &self.convolution;
        if convolution.count() == 0 {
            return Vec::new();
        }
        let [inputs, outputs, taps] = [convolution.inputs(), convolution.outputs(), convolution.taps()].map(to_usize);
        let inverse = inverse_transform(&convolution.kernel());
        let weight = |number: u64| {
            let mut values = Vec::with_capacity(inputs * outputs * taps);
            for output in 0..convolution.outputs() {
                values.extend(self.filters(draws, number * convolution.outputs() + output, &inverse));
            }
            let factor = (self.variance / variance(&values)).sqrt();
            scale(&mut values, factor);
            values
        };
        let weights: Vec<Vec<f64>> = (0..convolution.matrices()).map(weight).collect();
        let parts = convolution.parts();
        parts.map(|part| weights[part.matrix][(part.output * inputs + part.input) * taps + part.tap]).collect()
    }

    fn workspace(&self) -> u64 {
        let (inputs, taps) = (self.convolution.inputs(), self.convolution.taps());
        let frequencies = frequencies(&self.convolution.kernel()).iter().product();
        // The values twice; the transform; one output's spectra (a block of them twice) and its filters with their noise.
        bytes_of(&[
            &[2, self.convolution.count()],
            &[frequencies, taps],
            &[2, inputs, frequencies],
            &[2, inputs, taps],
            &panels(frequencies),
        ])
    }
}

impl ConvolutionAware {
    /// The filters of output `output`, before rescaling: inputs x taps.
    fn filters(&self, draws: &dyn RandomStreams, output: u64, inverse: &[f64]) -> Vec<f64> {
        let [inputs, taps] = [self.convolution.inputs(), self.convolution.taps()].map(to_usize);
        let frequencies = inverse.len() / taps;
        let blocks = inputs.div_ceil(frequencies) as u64;
        // Even streams draw spectra, odd ones noise.
        let spectrum = |block: u64| 2 * (output * blocks + block);
        let spectra = if frequencies == 1 {
            self.normals(draws, spectrum(0), inputs)
        } else {
            let mut rows = Vec::with_capacity(inputs * frequencies);
            for block in 0..blocks {
                let count = frequencies.min(inputs - to_usize(block) * frequencies);
                rows.extend(draws.orthonormal(spectrum(block), frequencies, count));
            }
            rows
        };
        let filters = matrix::product(&spectra, inverse, [inputs, frequencies, taps]);
        let noise = self.normals(draws, 2 * output + 1, inputs * taps);
        filters.into_iter().zip(noise).map(|(value, noise)| value + noise).collect()
    }

    fn normals(&self, draws: &dyn RandomStreams, stream: u64, count: usize) -> Vec<f64> {
        let mut normals = vec![0.0; count];
        draws.normals(stream, &mut normals);
        scale(&mut normals, self.noise);
        normals
    }
}

/// The number of frequencies of a real transform along each axis. The last axis has half, since the others mirror those.
fn frequencies(kernel: &[u64]) -> Vec<u64> {
    let mut frequencies = kernel.to_vec();
    frequencies.iter_mut().next_back().into_iter().for_each(|last| *last = *last / 2 + 1);
    frequencies
}

/// The inverse transform of real spectra as a matrix: frequencies x taps.
fn inverse_transform(kernel: &[u64]) -> Vec<f64> {
    let (taps, frequencies): (u64, _) = (kernel.iter().product(), frequencies(kernel));
    let mut matrix = Vec::with_capacity(to_usize(frequencies.iter().product::<u64>() * taps));
    for frequency in 0..frequencies.iter().product() {
        for tap in 0..taps {
            let (mut frequency_left, mut tap_left, mut turns, mut last) = (frequency, tap, 0.0, None);
            for (size, count) in kernel.iter().zip(&frequencies).rev() {
                let along = frequency_left % count;
                turns += to_f64(along * (tap_left % size) % size) / to_f64(*size);
                // The last axis comes first: a frequency there also counts for its mirror image, if that is another.
                last.get_or_insert(if along == 0 || 2 * along == *size { 1.0 } else { 2.0 });
                (frequency_left, tap_left) = (frequency_left / count, tap_left / size);
            }
            let weight = last.unwrap_or(1.0) / to_f64(taps);
            matrix.push(weight * libm::cos(2.0 * std::f64::consts::PI * turns));
        }
    }
    matrix
}

/// The population variance.
fn variance(values: &[f64]) -> f64 {
    let count = to_f64(values.len() as u64);
    let mean = values.iter().sum::<f64>() / count;
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.fft.irfftn(X, kernel)` of numpy 2.4.6, with `X_j` = ((7 j + 3) mod 11 - 5) / 4.
    const NUMPY: &[(&[u64], &[f64])] = &[
        (
            &[5],
            &[
                0.5,
                -0.026_393_202_250_021_022,
                -0.473_606_797_749_979,
                -0.473_606_797_749_979,
                -0.026_393_202_250_021_022,
            ],
        ),
        (&[4], &[0.5625, -0.1875, -0.6875, -0.1875]),
        (
            &[2, 3],
            &[0.125, -0.125, -0.125, 0.541_666_666_666_666_6, -0.458_333_333_333_333_3, -0.458_333_333_333_333_3],
        ),
        (
            &[3, 4],
            &[
                0.3125,
                -0.1875,
                -0.6875,
                -0.1875,
                0.125,
                -0.036_084_391_824_351_61,
                0.0,
                0.036_084_391_824_351_61,
                0.125,
                0.036_084_391_824_351_61,
                0.0,
                -0.036_084_391_824_351_61,
            ],
        ),
    ];

    #[test]
    fn the_inverse_transform_is_that_of_numpy() {
        for (kernel, expected) in NUMPY {
            let frequencies = frequencies(kernel).into_iter().product();
            let spectrum: Vec<f64> = (0..frequencies).map(|j| (to_f64((7 * j + 3) % 11) - 5.0) / 4.0).collect();
            let sizes = [1, to_usize(frequencies), expected.len()];
            let found = matrix::product(&spectrum, &inverse_transform(kernel), sizes);
            for (found, expected) in found.iter().zip(*expected) {
                assert!((found - expected).abs() < 1e-15, "{kernel:?}: {found} is not {expected}");
            }
        }
    }
}
