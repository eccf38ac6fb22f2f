//! Convolutions that are zero except at the centre.

use std::sync::Arc;

use anyhow::Result;

use super::parts::Convolution;
use super::{Arguments, EMPTY, GAIN, Requires, SLOPE, Scheme, Site, example_on};
use crate::distribution::{Distribution, Joint, Moments, RandomStreams, bytes_of, panels};
use crate::statistics::marginal::Marginal;
use crate::tensor::{to_f64, to_usize};

pub(super) const ROW: Scheme = Scheme {
    name: "delta-orthogonal",
    summary: "a convolution that is an orthogonal matrix at its centre and zero elsewhere",
    formula: "w[tap, i, o] = gain Q[i, o] at tap (k-1)/2, rounded down, of every kernel axis, else 0; the rows of Q are orthonormal and Haar-distributed; inputs <= outputs",
    source: "Xiao, Bahri, Sohl-Dickstein, Schoenholz and Pennington 2018, Dynamical isometry and a mean field theory of CNNs (algorithm 2)",
    ranks: "three or more axes, with a kernel axis",
    parameters: &[&GAIN, &SLOPE],
    bare: Some(GAIN.name),
    requires: Requires::Matrices,
    example: example_on("delta-orthogonal", "3x3x5x8", "keras"),
    distribution: delta_orthogonal,
    ..EMPTY
};

pub(in crate::scheme) fn delta_orthogonal(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let convolution = Convolution::new(site)?;
    convolution.check_no_more_inputs_than_outputs()?;
    Ok(Distribution::Joint(Arc::new(DeltaOrthogonal { gain: arguments.gain()?, convolution })))
}

#[derive(Debug)]
struct DeltaOrthogonal {
    gain: f64,
    convolution: Convolution,
}

impl DeltaOrthogonal {
    /// The central tap; left of the middle along axes of even size.
    fn centre(&self) -> u64 {
        self.convolution.kernel().iter().fold(0, |tap, size| tap * size + size.saturating_sub(1) / 2)
    }
}

impl Moments for DeltaOrthogonal {
    fn mean(&self) -> Option<f64> {
        Some(0.0)
    }

    fn marginal(&self) -> Option<Marginal> {
        let off_centre = 1.0 - 1.0 / to_f64(self.convolution.taps().max(1));
        Some(Marginal::coordinate(self.gain.abs(), self.convolution.outputs()).or_zero(off_centre))
    }

    fn max_abs(&self) -> f64 {
        self.gain.abs()
    }
}

impl Joint for DeltaOrthogonal {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let Self { gain, convolution } = self;
        if convolution.count() == 0 {
            return Vec::new();
        }
        let (inputs, outputs) = (to_usize(convolution.inputs()), to_usize(convolution.outputs()));
        let rows = (0..convolution.matrices()).map(|matrix| draws.orthonormal(matrix, outputs, inputs));
        let (rows, centre): (Vec<Vec<f64>>, _) = (rows.collect(), to_usize(self.centre()));
        let value = |part: super::parts::Part| {
            let row = part.input * outputs;
            if part.tap == centre { gain * rows[part.matrix][row + part.output] } else { 0.0 }
        };
        convolution.parts().map(value).collect()
    }

    fn workspace(&self) -> u64 {
        let (matrices, outputs) = (self.convolution.matrices(), self.convolution.outputs());
        // The zeros among the values, the matrices, and what it takes to make one.
        bytes_of(&[&[self.convolution.count()], &[matrices, self.convolution.inputs(), outputs], &panels(outputs)])
    }

    fn is_of_matrices(&self) -> bool {
        true
    }
}
