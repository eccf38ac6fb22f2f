//! Shared code: parts of a convolution, matrices of a tensor, and sizes.

use anyhow::{Context, Result, ensure};

use super::Site;
use crate::distribution::{RandomStreams, matrix};
use crate::tensor::{Axes, AxisRole, Unfolding, to_usize};

/// A convolution's weight, with the input, output and tap of each element.
#[derive(Clone, Debug)]
pub(super) struct Convolution {
    axes: Axes,
}

/// The position of an element: matrix, output, input and tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) matrix: usize,
    pub(super) output: usize,
    pub(super) input: usize,
    /// The index in the receptive field, the last kernel axis fastest.
    pub(super) tap: usize,
}

impl Convolution {
    /// The weight at a site. Errors if the layout has no inputs, outputs or receptive field.
    pub(super) fn new(site: &Site) -> Result<Self> {
        let (shape, layout) = (site.shape, site.layout);
        let rank = shape.rank();
        ensure!(rank >= 3, "this scheme needs three or more axes, not {rank}: use orthogonal");
        let axes = site.axes()?;
        for (role, word) in [(AxisRole::In, "input"), (AxisRole::Out, "output"), (AxisRole::Kernel, "kernel")] {
            axes.position(role).with_context(|| {
                format!("this scheme is for convolutions, but layout `{layout}` has no {word} axis")
            })?;
        }
        Ok(Self { axes })
    }

    /// Errors if there are more inputs than outputs: a convolution to fewer channels cannot preserve every norm.
    pub(super) fn check_no_more_inputs_than_outputs(&self) -> Result<()> {
        let (inputs, outputs) = (self.inputs(), self.outputs());
        ensure!(
            inputs <= outputs,
            "this scheme needs at least as many outputs as inputs, but there are {outputs} outputs and {inputs} inputs"
        );
        Ok(())
    }

    pub(super) fn matrices(&self) -> u64 {
        self.axes.product(|role| matches!(role, AxisRole::Batch | AxisRole::Group))
    }

    pub(super) fn inputs(&self) -> u64 {
        self.axes.product(|role| role == AxisRole::In)
    }

    pub(super) fn outputs(&self) -> u64 {
        self.axes.product(|role| role == AxisRole::Out)
    }

    pub(super) fn taps(&self) -> u64 {
        self.axes.product(|role| role == AxisRole::Kernel)
    }

    pub(super) fn count(&self) -> u64 {
        self.axes.product(|_| true)
    }

    /// The sizes of the receptive field.
    pub(super) fn kernel(&self) -> Vec<u64> {
        self.axes.iter().filter(|(role, _)| *role == AxisRole::Kernel).map(|(_, size)| size).collect()
    }

    /// The position of each element, row-major.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part> {
        (0..self.count()).map(|index| self.part(index))
    }

    fn part(&self, index: u64) -> Part {
        let place = self.axes.place(index, |role| match role {
            AxisRole::Batch | AxisRole::Group => 0,
            AxisRole::Out => 1,
            AxisRole::In => 2,
            AxisRole::Kernel => 3,
        });
        let [matrix, output, input, tap] = place.map(to_usize);
        Part { matrix, output, input, tap }
    }
}

/// A tensor of the row-major matrices `matrix(0)`, `matrix(1)`, ...; an empty tensor never calls it.
pub(super) fn tensor(unfolding: &Unfolding, matrix: impl Fn(u64) -> Vec<f64>) -> Vec<f64> {
    let mut matrices = Vec::with_capacity(to_usize(unfolding.count()));
    if unfolding.count() > 0 {
        (0..unfolding.matrices()).for_each(|number| matrices.extend(matrix(number)));
    }
    unfolding.tensor(&matrices)
}

/// A Haar-distributed matrix, row-major, with orthonormal rows or columns, whichever are fewer.
pub(super) fn haar(draws: &dyn RandomStreams, stream: u64, [rows, columns]: [usize; 2]) -> Vec<f64> {
    if rows == 0 || columns == 0 {
        Vec::new()
    } else if rows >= columns {
        matrix::transposed(&draws.orthonormal(stream, rows, columns), [columns, rows])
    } else {
        draws.orthonormal(stream, columns, rows)
    }
}

/// Multiplies values by a factor.
pub(super) fn scale(values: &mut [f64], factor: f64) {
    for value in values {
        *value *= factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Fans, Layout, Shape};

    #[test]
    fn parts_mean_the_same_in_every_layout() {
        let parts = |shape: &str, layout: &str| {
            let (shape, layout): (Shape, Layout) = (shape.parse().unwrap(), layout.parse().unwrap());
            let convolution = Convolution::new(&Site::new(&shape, &layout, Fans::default())).unwrap();
            assert_eq!((convolution.inputs(), convolution.outputs(), convolution.taps()), (3, 2, 20));
            assert_eq!(convolution.kernel(), [4, 5]);
            convolution.parts().collect::<Vec<Part>>()
        };
        let (torch, keras) = (parts("2x3x4x5", "torch"), parts("4x5x3x2", "keras"));
        assert_eq!(torch[0], Part { matrix: 0, output: 0, input: 0, tap: 0 });
        assert_eq!(torch[6], Part { matrix: 0, output: 0, input: 0, tap: 6 });
        assert_eq!(torch[119], Part { matrix: 0, output: 1, input: 2, tap: 19 });
        assert_eq!(keras[7], Part { matrix: 0, output: 1, input: 0, tap: 1 });
        assert!(torch.iter().all(|part| keras.contains(part)));
    }
}
