//! The kernel tap that carries channels, and the channels of an element on it.

use super::{Parameter, choice};
use crate::tensor::{Axes, AxisRole};

choice! {
    /// The non-zero positions along each kernel axis.
    pub(super) enum Tap {
        /// The centre; for even sizes, the position before the middle.
        Left = "left",
        /// The centre; for even sizes, the position after the middle.
        Right = "right",
        /// All positions.
        Every = "every",
    }
}

pub(super) const CENTRE: Parameter<Tap> = Parameter::new(
    "centre",
    "the tap of each kernel axis: the centre (left or right of the middle if the size is even), or every tap",
)
.default("left");

impl Tap {
    fn holds(self, size: u64, at: u64) -> bool {
        match self {
            Self::Left => at == (size - 1) / 2,
            Self::Right => at == size / 2,
            Self::Every => true,
        }
    }

    /// The output and input of element `index`; `None` off the tap.
    pub(super) fn channels(self, axes: &Axes, index: u64) -> Option<(u64, u64)> {
        let on_it = axes.coordinates(index).all(|(role, size, at)| role != AxisRole::Kernel || self.holds(size, at));
        on_it.then(|| axes.channels(index))
    }
}

/// The numbers of outputs and inputs of a weight, without kernel axes.
pub(super) fn widths(axes: &Axes) -> (u64, u64) {
    (axes.product(|role| role == AxisRole::Out), axes.product(|role| role == AxisRole::In))
}

/// The number of kernel axes of a weight.
pub(super) fn kernel_axes(axes: &Axes) -> usize {
    axes.iter().filter(|(role, _)| *role == AxisRole::Kernel).count()
}
