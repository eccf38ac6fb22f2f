//! Activations. Exponentials are polynomials, so that the bits are the same on every machine.

use pulp::{Simd, WithSimd};

use crate::scheme::choice;
use crate::simd::dispatch;

choice! {
    /// The activation after a layer.
    pub(super) enum Activation {
        /// x
        Linear = "linear",
        /// max(x, 0)
        Relu = "relu",
        /// 1 / (1 + e^-x)
        Sigmoid = "sigmoid",
        /// The hyperbolic tangent.
        Tanh = "tanh",
    }
}

impl Activation {
    pub(super) fn apply(self, values: &mut [f32]) {
        if self != Self::Linear {
            dispatch(Apply { activation: self, values });
        }
    }

    /// Adds a bias to the first values of each row, then applies the activation.
    pub(super) fn apply_with(self, bias: &[f32], rows: &mut [f32], width: usize) {
        dispatch(ApplyWith { activation: self, bias, rows, width });
    }

    /// The derivative as a function of the output.
    pub(super) fn slope(self, y: f32) -> f32 {
        match self {
            Self::Linear => 1.0,
            Self::Relu => f32::from(y > 0.0),
            Self::Sigmoid => y * (1.0 - y),
            Self::Tanh => 1.0 - y * y,
        }
    }
}

struct Apply<'a> {
    activation: Activation,
    values: &'a mut [f32],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        match self.activation {
            Activation::Linear => {}
            Activation::Relu => self.values.iter_mut().for_each(|x| *x = x.max(0.0)),
            Activation::Sigmoid => self.values.iter_mut().for_each(|x| *x = sigmoid(*x)),
            Activation::Tanh => self.values.iter_mut().for_each(|x| *x = 2.0 * sigmoid(2.0 * *x) - 1.0),
        }
    }
}

struct ApplyWith<'a> {
    activation: Activation,
    bias: &'a [f32],
    rows: &'a mut [f32],
    width: usize,
}

impl WithSimd for ApplyWith<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in self.rows.chunks_exact_mut(self.width.max(1)) {
            row.iter_mut().zip(self.bias).for_each(|(value, bias)| *value += bias);
        }
        Apply { activation: self.activation, values: self.rows }.with_simd(simd);
    }
}

/// [`exp`] of each value.
pub(super) fn exponentials(values: &mut [f32]) {
    dispatch(Exponentials(values));
}

struct Exponentials<'a>(&'a mut [f32]);

impl WithSimd for Exponentials<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.0.iter_mut().for_each(|x| *x = exp(*x));
    }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// e^x to about 2 units in the last place, with x clipped to [-87, 88].
///
/// x = n ln 2 + r, and e^r is its Taylor series up to the seventh power, of which the next term is below 1e-9.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding it rounds to an integer in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, so that n times the first is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut sum = 1.0 / 5040.0;
    for factor in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * r + factor;
    }
    let power = f32::from_bits((shifted.to_bits().wrapping_add(127)) << 23);
    sum * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_are_those_of_double_precision() {
        for step in -4000i16..4000 {
            let x = f32::from(step) / 100.0;
            let wide = f64::from(x);
            for (activation, expected) in [
                (Activation::Sigmoid, 1.0 / (1.0 + libm::exp(-wide))),
                (Activation::Tanh, libm::tanh(wide)),
                (Activation::Relu, wide.max(0.0)),
                (Activation::Linear, wide),
            ] {
                let mut values = [x; 9];
                activation.apply(&mut values);
                assert!(
                    values.iter().all(|&y| (f64::from(y) - expected).abs() < 2e-7),
                    "{activation:?} of {x}: {values:?}"
                );
            }
        }
    }

    #[test]
    fn far_values_are_finite() {
        for x in [-1e30, -1e3, 1e3, 1e30, f32::MAX] {
            let mut values = [x];
            Activation::Sigmoid.apply(&mut values);
            assert!((0.0..=1.0).contains(&values[0]), "{values:?}");
        }
    }
}
