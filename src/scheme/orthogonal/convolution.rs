//! Norm-preserving convolutions that use all taps.

use std::sync::Arc;

use anyhow::ensure;

use super::parts::Convolution;
use super::{EMPTY, GAIN, Requires, SLOPE, Scheme, example_on};
use crate::distribution::{Distribution, Joint, Moments, RandomStreams, bytes_of, matrix, panels};
use crate::tensor::to_usize;

pub(super) const ROW: Scheme = Scheme {
    name: "conv-orthogonal",
    summary: "a convolution that preserves the norm of every input under circular padding",
    formula: "gain Q * B_1 * ... * B_(k-1), * the convolution of matrices; Q has orthonormal Haar rows, inputs x outputs; each B is [P, I - P] along each kernel axis in turn, with a random projection P = V V' for each, V some columns of a Haar matrix, each chosen with probability 1/2",
    source: "Xiao et al. 2018, Dynamical isometry and a mean field theory of CNNs (algorithm 1); TensorFlow 1, ConvolutionOrthogonal1D, 2D and 3D",
    ranks: "three or more axes; kernel axes of equal size",
    parameters: &[&GAIN, &SLOPE],
    bare: Some(GAIN.name),
    aliases: &["convolution-orthogonal"],
    requires: Requires::Matrices,
    example: example_on("conv-orthogonal", "3x3x5x8", "keras"),
    distribution: |arguments, site| {
        let convolution = Convolution::new(site)?;
        convolution.check_no_more_inputs_than_outputs()?;
        let kernel = convolution.kernel();
        ensure!(
            kernel.iter().all(|size| *size == kernel[0]),
            "the kernel axes have sizes {kernel:?}: they must be equal"
        );
        Ok(Distribution::Joint(Arc::new(ConvOrthogonal { gain: arguments.gain()?, convolution })))
    },
    ..EMPTY
};

#[derive(Debug)]
struct ConvOrthogonal {
    gain: f64,
    convolution: Convolution,
}

impl Moments for ConvOrthogonal {
    fn mean(&self) -> Option<f64> {
        Some(0.0)
    }

    fn max_abs(&self) -> f64 {
        self.gain.abs()
    }
}

impl Joint for ConvOrthogonal {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let Self { gain, convolution } = self;
        if convolution.count() == 0 {
            return Vec::new();
        }
        let outputs = to_usize(convolution.outputs());
        let size = to_usize(convolution.inputs()) * outputs;
        let taps: Vec<Vec<f64>> = (0..convolution.matrices()).map(|matrix| self.taps(draws, matrix)).collect();
        let parts = convolution.parts();
        parts.map(|part| gain * taps[part.matrix][part.tap * size + part.input * outputs + part.output]).collect()
    }

    fn workspace(&self) -> u64 {
        let (inputs, outputs) = (self.convolution.inputs(), self.convolution.outputs());
        // The values twice, a projection as two matrices, and a tap with its products.
        bytes_of(&[&[2, self.convolution.count()], &[2, outputs, outputs], &[3, inputs, outputs], &panels(outputs)])
    }
}

impl ConvOrthogonal {
    /// The taps of weight `number`, each an inputs x outputs matrix.
    fn taps(&self, draws: &dyn RandomStreams, number: u64) -> Vec<f64> {
        let (kernel, outputs) = (self.convolution.kernel(), to_usize(self.convolution.outputs()));
        let size = to_usize(self.convolution.inputs()) * outputs;
        let steps = (kernel[0] - 1) * kernel.len() as u64;
        let mut streams = number * (2 * steps + 1)..;
        let mut stream = || streams.next().unwrap_or_default();
        let mut taps = draws.orthonormal(stream(), outputs, size / outputs);
        taps.resize(to_usize(self.convolution.taps()) * size, 0.0);
        for _ in 1..kernel[0] {
            let mut stride = to_usize(self.convolution.taps());
            for axis in &kernel {
                let along = to_usize(*axis);
                stride /= along;
                let projection = Projection::draw(draws, stream(), stream(), outputs);
                // Starts at the last tap, so that each reads the previous one unmodified.
                for tap in (0..taps.len() / size).rev() {
                    let (before, from) = taps.split_at_mut(tap * size);
                    let first = (tap / stride).is_multiple_of(along);
                    let before = (!first).then(|| &before[(tap - stride) * size..][..size]);
                    projection.convolve(before, &mut from[..size]);
                }
            }
        }
        taps
    }
}

/// A random projection `V V'` of `size` dimensions onto a subspace.
struct Projection {
    columns: Vec<f64>,
    rows: Vec<f64>,
    size: usize,
    rank: usize,
}

impl Projection {
    fn draw(draws: &dyn RandomStreams, coins: u64, stream: u64, size: usize) -> Self {
        let mut words = draws.words(coins);
        let rank = (0..size).filter(|_| words.next_u32() >> 31 == 1).count();
        let rows = if rank == 0 { Vec::new() } else { draws.orthonormal(stream, size, rank) };
        Self { columns: matrix::transposed(&rows, [rank, size]), rows, size, rank }
    }

    /// Convolves `[P, I - P]` with the taps along an axis; gives tap `tap P + before (I - P)`, where `before` precedes it.
    fn convolve(&self, before: Option<&[f64]>, tap: &mut [f64]) {
        let Self { columns, rows, size, rank } = self;
        if let Some(before) = before {
            tap.iter_mut().zip(before).for_each(|(tap, before)| *tap -= before);
        }
        // Most taps are zero still while the first blocks are convolved.
        if tap.iter().any(|value| *value != 0.0) {
            let inputs = tap.len() / size;
            let coordinates = matrix::product(tap, columns, [inputs, *size, *rank]);
            tap.copy_from_slice(&matrix::product(&coordinates, rows, [inputs, *rank, *size]));
        }
        if let Some(before) = before {
            tap.iter_mut().zip(before).for_each(|(tap, before)| *tap += before);
        }
    }
}
