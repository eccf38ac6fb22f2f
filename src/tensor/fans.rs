//! The fans of a weight, from its axes.

use super::{Axes, AxisRole};

/// Fans of a weight; `None` for an unknown fan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fans {
    /// Number of inputs per output.
    pub fan_in: Option<u64>,
    /// Number of outputs per input.
    pub fan_out: Option<u64>,
}

impl Axes {
    /// Number of inputs per output: the product of the input and kernel axes. Batch and group axes do not count.
    /// `None` without an input or group axis.
    pub fn fan_in(&self) -> Option<u64> {
        self.fan(AxisRole::In)
    }

    /// Number of outputs per input: the product of the output and kernel axes. `None` without an output or group
    /// axis.
    pub fn fan_out(&self) -> Option<u64> {
        self.fan(AxisRole::Out)
    }

    fn fan(&self, side: AxisRole) -> Option<u64> {
        // A depthwise weight has groups of one input or output each, and no axis for that side.
        let known = self.has(|role| role == side) || self.has(|role| role == AxisRole::Group);
        known.then(|| self.product(|role| role == AxisRole::Kernel || role == side))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Layout;

    fn axes(layout: &str, shape: &str) -> Axes {
        let layout: Layout = layout.parse().unwrap();
        layout.axes(&shape.parse().unwrap()).unwrap()
    }

    #[track_caller]
    fn has_fans(axes: &Axes, fan_in: u64, fan_out: u64) {
        assert_eq!((axes.fan_in(), axes.fan_out()), (Some(fan_in), Some(fan_out)));
    }

    #[test]
    fn fans_follow_the_convention() {
        has_fans(&axes("io", "784x256"), 784, 256);
        has_fans(&axes("torch", "256x784"), 784, 256);
        has_fans(&axes("keras", "3x3x64x128"), 576, 1152);
        has_fans(&axes("torch", "128x64x3x3"), 576, 1152);
        has_fans(&axes("lasagne", "784x256"), 784, 256);
        has_fans(&axes("lasagne", "128x64x3x3"), 576, 1152);
        has_fans(&axes("c01b", "64x3x3x128"), 576, 1152);
        has_fans(&axes("mlx", "128x3x3x64"), 576, 1152);
    }

    #[test]
    fn letters_take_several_axes_of_one_kind_and_leave_batches_out() {
        has_fans(&axes("ioo", "512x8x64"), 512, 512);
        has_fans(&axes("bio", "12x64x32"), 64, 32);
        has_fans(&axes("goikk", "4x16x8x3x3"), 72, 144);
        has_fans(&axes("kkgo", "3x3x32x2"), 9, 18);
        assert_eq!(axes("oo", "3x4").fan_in(), None);
    }

    #[test]
    fn a_split_axis_counts_one_part() {
        has_fans(&axes("torch", "2304x768").split(3, 0).unwrap(), 768, 768);
        has_fans(&axes("io", "768x2304").split(3, 1).unwrap(), 768, 768);
        has_fans(&axes("oikk", "64x8x3x3").split(4, 0).unwrap(), 72, 144);
        assert!(axes("io", "768x2304").split(5, 0).is_err());
        assert!(axes("io", "768x2304").split(3, 2).is_err());
        assert!(axes("io", "768x2304").split(0, 1).is_err());
    }

    #[test]
    fn a_transposed_weight_goes_the_other_way() {
        has_fans(&axes("torch", "64x8x3x3").transposed(), 576, 72);
    }
}
