//! A tensor as a set of matrices.

use anyhow::{Result, ensure};

use super::{Axes, AxisRole};
use crate::tensor::to_usize;

/// A tensor unfolded into matrices, one per index on its batch and group axes. Rows are outputs; columns are inputs
/// times positions in the receptive field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfolding {
    axes: Axes,
}

/// Position of an element in an unfolding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixIndex {
    /// Index of the matrix.
    pub matrix: u64,
    /// Row: the output.
    pub row: u64,
    /// Column: the input and the position in the receptive field.
    pub column: u64,
}

impl Unfolding {
    /// Errors if the weight has no input axis or no output axis.
    pub fn new(axes: Axes) -> Result<Self> {
        ensure!(axes.has(|role| role == AxisRole::Out), "the layout names no output axis");
        ensure!(axes.has(|role| matches!(role, AxisRole::In | AxisRole::Kernel)), "the layout names no input axis");
        Ok(Self { axes })
    }

    /// Transposes every matrix: rows become inputs times positions in the receptive field.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self { axes: self.axes.with_sides_swapped() }
    }

    /// Number of matrices.
    pub fn matrices(&self) -> u64 {
        self.axes.product(|role| matches!(role, AxisRole::Batch | AxisRole::Group))
    }

    /// Rows of each matrix: one per output.
    pub fn rows(&self) -> u64 {
        self.axes.product(|role| role == AxisRole::Out)
    }

    /// Columns of each matrix: inputs times receptive field.
    pub fn columns(&self) -> u64 {
        self.axes.product(|role| matches!(role, AxisRole::In | AxisRole::Kernel))
    }

    /// Number of elements in all matrices.
    pub fn count(&self) -> u64 {
        self.axes.product(|_| true)
    }

    /// Position of element `index` (row-major) of the tensor.
    pub fn place(&self, index: u64) -> MatrixIndex {
        let [matrix, row, column] = self.axes.place(index, |role| match role {
            AxisRole::Batch | AxisRole::Group => 0,
            AxisRole::Out => 1,
            AxisRole::In | AxisRole::Kernel => 2,
        });
        MatrixIndex { matrix, row, column }
    }

    /// Positions of all elements, in the order of the tensor.
    pub fn places(&self) -> impl Iterator<Item = MatrixIndex> {
        (0..self.count()).map(|index| self.place(index))
    }

    /// Reorders values from matrices (row-major, one matrix after the other) to the order of the tensor.
    pub fn tensor(&self, matrices: &[f64]) -> Vec<f64> {
        let (rows, columns) = (self.rows(), self.columns());
        let at = |MatrixIndex { matrix, row, column }| to_usize((matrix * rows + row) * columns + column);
        self.places().map(|place| matrices[at(place)]).collect()
    }

    /// Calls `run(offset, length, place)` for each run of elements along the last axis. A run has `length` elements
    /// from `start + offset` on; all runs cover `count` elements. Within a run, each element's place exceeds the
    /// previous one by [`Unfolding::step`].
    pub fn for_each_run(&self, start: u64, count: u64, mut run: impl FnMut(u64, u64, MatrixIndex)) {
        let along = self.axes.iter().next_back().map_or(1, |(_, size)| size.max(1));
        let mut offset = 0;
        while offset < count {
            let index = start + offset;
            let length = (along - index % along).min(count - offset);
            run(offset, length, self.place(index));
            offset += length;
        }
    }

    /// Increment of the place along the last axis: one matrix, row or column.
    pub fn step(&self) -> MatrixIndex {
        let (matrix, row, column) = match self.axes.iter().next_back() {
            Some((AxisRole::Batch | AxisRole::Group, _)) => (1, 0, 0),
            Some((AxisRole::Out, _)) => (0, 1, 0),
            _ => (0, 0, 1),
        };
        MatrixIndex { matrix, row, column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Layout;

    fn unfolding(shape: &str, layout: &str) -> Unfolding {
        let layout: Layout = layout.parse().unwrap();
        Unfolding::new(layout.axes(&shape.parse().unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn every_element_has_a_place_of_its_own() {
        for (shape, layout) in [("3x4x5", "kio"), ("5x4x3", "oik"), ("2x3x4x5", "biko"), ("2x3x4", "ioo")] {
            let unfolding = unfolding(shape, layout);
            let count = unfolding.count();
            let mut seen = vec![false; usize::try_from(count).unwrap()];
            for index in 0..count {
                let MatrixIndex { matrix, row, column } = unfolding.place(index);
                assert!(row < unfolding.rows() && column < unfolding.columns());
                let at = (matrix * unfolding.rows() + row) * unfolding.columns() + column;
                assert!(!std::mem::replace(&mut seen[usize::try_from(at).unwrap()], true));
            }
        }
    }

    #[test]
    fn matrices_go_back_to_where_they_came_from() {
        // 0 .. 24 as two matrices of 3 inputs and 4 outputs, one column per input.
        let matrices: Vec<f64> = (0u8..24).map(f64::from).collect();
        let rows_first = unfolding("2x4x3", "boi").tensor(&matrices);
        assert_eq!(rows_first, matrices);
        let columns_first = unfolding("2x3x4", "bio").tensor(&matrices);
        assert_eq!(columns_first[..5], [0.0, 3.0, 6.0, 9.0, 1.0]);
        assert_eq!(columns_first[12..17], [12.0, 15.0, 18.0, 21.0, 13.0]);
    }

    #[test]
    fn torch_and_keras_unfold_the_same_weight_alike() {
        let (torch, keras) = (unfolding("7x5x3", "oik"), unfolding("3x5x7", "kio"));
        assert_eq!((torch.rows(), torch.columns()), (7, 15));
        assert_eq!((keras.rows(), keras.columns()), (7, 15));
    }

    #[test]
    fn a_transposed_unfolding_has_rows_for_columns() {
        for (shape, layout) in [("3x4x5", "kio"), ("5x4x3", "oik"), ("2x3x4x5", "biko"), ("2x3x4", "ioo")] {
            let unfolding = unfolding(shape, layout);
            let transposed = unfolding.clone().transposed();
            for index in 0..unfolding.count() {
                let MatrixIndex { matrix, row, column } = unfolding.place(index);
                assert_eq!(
                    transposed.place(index),
                    MatrixIndex { matrix, row: column, column: row },
                    "{shape} {layout}"
                );
            }
        }
    }

    #[test]
    fn runs_cover_the_range() {
        let unfolding = unfolding("3x4x5", "kio");
        let mut next = 7;
        unfolding.for_each_run(7, 31, |offset, length, place| {
            assert_eq!(7 + offset, next);
            assert_eq!(place, unfolding.place(next));
            next += length;
        });
        assert_eq!(next, 38);
    }
}
