//! The axes of a weight and their roles, from which fans and unfoldings are derived.

use anyhow::{Context, Result, ensure};

use super::Shape;

/// Role of an axis of a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AxisRole {
    /// Inputs of the layer: letter `i`.
    In,
    /// Outputs of the layer: letter `o`.
    Out,
    /// Positions in the receptive field of a convolution: letter `k`.
    Kernel,
    /// Independent weights side by side, such as attention heads: letter `b`.
    Batch,
    /// Groups of a grouped convolution, as a separate axis: letter `g`.
    Group,
}

impl AxisRole {
    pub(super) fn from_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'i' => Self::In,
            'o' => Self::Out,
            'k' => Self::Kernel,
            'b' => Self::Batch,
            'g' => Self::Group,
            _ => return None,
        })
    }
}

/// Axes of a weight in order, each with its role and its size. A split axis counts as two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes(Vec<(AxisRole, u64)>);

impl Axes {
    pub(super) fn new(roles: impl Iterator<Item = AxisRole>, shape: &Shape) -> Self {
        Self(roles.zip(shape.axes().iter().copied()).collect())
    }

    /// Swaps inputs and outputs, as for a transposed convolution.
    #[must_use]
    pub fn transposed(mut self) -> Self {
        for (role, _) in &mut self.0 {
            *role = match *role {
                AxisRole::In => AxisRole::Out,
                AxisRole::Out => AxisRole::In,
                other => other,
            };
        }
        self
    }

    /// Axes of the transposed matrix: outputs become inputs; inputs and receptive field become outputs.
    #[must_use]
    pub(super) fn with_sides_swapped(mut self) -> Self {
        for (role, _) in &mut self.0 {
            *role = match *role {
                AxisRole::In | AxisRole::Kernel => AxisRole::Out,
                AxisRole::Out => AxisRole::In,
                other => other,
            };
        }
        self
    }

    /// Splits axis `number` into `parts` weights side by side. Errors if the axis does not exist, or if its size is not
    /// a multiple of `parts`.
    pub fn split(mut self, parts: u64, number: usize) -> Result<Self> {
        let rank = self.0.len();
        let (role, size) =
            *self.0.get(number).with_context(|| format!("no axis {number}: the tensor has {rank} axes"))?;
        ensure!(parts > 0, "it must be 1 or more");
        let divides = parts <= size.max(1) && size % parts == 0;
        ensure!(divides, "axis {number} has size {size}, not a multiple of {parts}");
        self.0.splice(number..=number, [(AxisRole::Batch, parts), (role, size / parts)]);
        Ok(self)
    }

    /// Position of the first axis with this role.
    pub fn position(&self, wanted: AxisRole) -> Option<usize> {
        self.0.iter().position(|(role, _)| *role == wanted)
    }

    /// True if an axis has a matching role.
    pub fn has(&self, kind: impl Fn(AxisRole) -> bool) -> bool {
        self.0.iter().any(|(role, _)| kind(*role))
    }

    /// Product of the sizes of the axes with a matching role.
    pub fn product(&self, kind: impl Fn(AxisRole) -> bool) -> u64 {
        self.0.iter().filter(|(role, _)| kind(*role)).map(|(_, size)| size).product()
    }

    /// Coordinates of element `index` (row-major): role, size and coordinate of each axis, last axis first.
    pub fn coordinates(&self, mut index: u64) -> impl Iterator<Item = (AxisRole, u64, u64)> {
        self.iter().rev().map(move |(role, size)| {
            let at = index % size;
            index /= size;
            (role, size, at)
        })
    }

    /// Combined position of element `index` (row-major) along each of several kinds of axes. The last axis of a kind
    /// varies fastest.
    pub fn place<const KINDS: usize>(&self, index: u64, kind: impl Fn(AxisRole) -> usize) -> [u64; KINDS] {
        let (mut place, mut stride) = ([0; KINDS], [1; KINDS]);
        for (role, size, at) in self.coordinates(index) {
            let kind = kind(role);
            place[kind] += at * stride[kind];
            stride[kind] *= size;
        }
        place
    }

    /// Output and input channel of element `index`.
    pub fn channels(&self, index: u64) -> (u64, u64) {
        let [output, input, _] = self.place(index, |role| match role {
            AxisRole::Out => 0,
            AxisRole::In => 1,
            AxisRole::Kernel | AxisRole::Batch | AxisRole::Group => 2,
        });
        (output, input)
    }

    /// Iterates over the axes, first to last.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (AxisRole, u64)> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Layout;

    #[test]
    fn coordinates_count_from_the_last_axis() {
        let layout: Layout = "oik".parse().unwrap();
        let weight = layout.axes(&"5x4x3".parse().unwrap()).unwrap().split(5, 0).unwrap();
        let places: Vec<_> = weight.coordinates(4 * 12 + 2 * 3 + 1).collect();
        assert_eq!(
            places,
            [(AxisRole::Kernel, 3, 1), (AxisRole::In, 4, 2), (AxisRole::Out, 1, 0), (AxisRole::Batch, 5, 4)]
        );
    }
}
