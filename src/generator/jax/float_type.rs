//! JAX's types with fewer than 64 bits. Values are held as singles, and each operation of a half type is rounded to it.

use crate::tensor::{DType, to_f32};

/// A type: its rounding and its use of random bits.
pub(super) trait FloatType: Copy + Send + Sync + 'static {
    /// Minus the largest number below 1, the lower bound of the uniforms for normals.
    const BEGIN: f32;

    /// The nearest value of this type, ties to even.
    fn round(value: f32) -> f32;

    /// A fraction in [0, 1): a number in [1, 2) from the bits, minus 1.
    fn fraction(bits: u32) -> f32;

    /// `factor * span + low`.
    fn affine(factor: f32, span: f32, low: f32) -> f32 {
        Self::round(Self::round(factor * span) + low)
    }

    /// The next value of this type towards infinity.
    fn next_up(value: f32) -> f32;

    /// A parameter in this type, as by `jax.numpy.array(value, dtype)`: to bfloat16 via single precision.
    fn setting(value: f64) -> f32 {
        Self::round(to_f32(value))
    }

    /// The product, or a signed 0 if it would be subnormal as a single: JAX's compiler flushes those.
    #[inline(always)]
    fn product(a: f32, b: f32) -> f32 {
        let product = Self::round(a * b);
        if product.abs() < f32::MIN_POSITIVE { 0f32.copysign(product) } else { product }
    }

    /// The product of a value and two constants; JAX's compiler folds the constants into one.
    #[inline(always)]
    fn scaled_twice(value: f32, first: f32, second: f32) -> f32 {
        Self::round(value * Self::round(first * second))
    }

    /// The quotient by a constant, which JAX's compiler replaces by a product.
    #[inline(always)]
    fn quotient(a: f32, b: f32) -> f32 {
        Self::product(a, Self::round(1.0 / b))
    }
}

/// IEEE binary32.
#[derive(Clone, Copy)]
pub(super) struct F32;

impl FloatType for F32 {
    const BEGIN: f32 = -0.99999994;

    #[inline(always)]
    fn round(value: f32) -> f32 {
        value
    }

    #[inline(always)]
    fn fraction(bits: u32) -> f32 {
        f32::from_bits(bits >> 9 | 0x3f80_0000) - 1.0
    }

    /// JAX's compiler fuses it for this type.
    #[inline(always)]
    fn affine(factor: f32, span: f32, low: f32) -> f32 {
        factor.mul_add(span, low)
    }

    fn next_up(value: f32) -> f32 {
        value.next_up()
    }
}

/// bfloat16.
#[derive(Clone, Copy)]
pub(super) struct Bf16;

impl FloatType for Bf16 {
    const BEGIN: f32 = -0.99609375;

    /// The compiler keeps the division for this type.
    #[inline(always)]
    fn quotient(a: f32, b: f32) -> f32 {
        Self::product(a / b, 1.0)
    }

    /// For this type the constants are not folded.
    #[inline(always)]
    fn scaled_twice(value: f32, first: f32, second: f32) -> f32 {
        Self::round(Self::round(value * first) * second)
    }

    #[inline(always)]
    fn round(value: f32) -> f32 {
        round_bits(value, 16)
    }

    /// This type draws eight random bits and uses seven.
    #[inline(always)]
    fn fraction(bits: u32) -> f32 {
        f32::from_bits((bits & 0xff) >> 1 << 16 | 0x3f80_0000) - 1.0
    }

    fn next_up(value: f32) -> f32 {
        next_up(DType::BF16, value)
    }
}

/// IEEE binary16.
#[derive(Clone, Copy)]
pub(super) struct F16;

impl FloatType for F16 {
    const BEGIN: f32 = -0.9995117;

    #[inline(always)]
    fn round(value: f32) -> f32 {
        /// The smallest normal number; the spacing below it is that of singles just below 1.
        const SMALLEST_NORMAL: f32 = 1.0 / 16384.0;
        /// Larger numbers round to infinity: half a step above the largest number.
        const INFINITE: f32 = 65520.0;
        let magnitude = value.abs();
        let normal = if magnitude < INFINITE { round_bits(magnitude, 13) } else { f32::INFINITY };
        let rounded = if magnitude < SMALLEST_NORMAL { (magnitude + 0.5) - 0.5 } else { normal };
        rounded.copysign(value)
    }

    /// This type draws sixteen random bits and uses ten.
    #[inline(always)]
    fn fraction(bits: u32) -> f32 {
        f32::from_bits((bits & 0xffff) >> 6 << 13 | 0x3f80_0000) - 1.0
    }

    fn setting(value: f64) -> f32 {
        to_f32(DType::F16.round(value))
    }

    fn next_up(value: f32) -> f32 {
        next_up(DType::F16, value)
    }
}

/// Rounds off the last `bits` bits of a mantissa, ties to even; a carry increments the exponent.
#[inline(always)]
fn round_bits(value: f32, bits: u32) -> f32 {
    let word = value.to_bits();
    let half_less = (1 << (bits - 1)) - 1;
    let rounded = word.wrapping_add(half_less).wrapping_add(word >> bits & 1);
    f32::from_bits(rounded >> bits << bits)
}

fn next_up(dtype: DType, value: f32) -> f32 {
    if value == f32::NEG_INFINITY { to_f32(-dtype.max()) } else { to_f32(dtype.next_up(value.into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_as_the_half_crate_rounds_them() {
        for word in
            (0..u32::MAX).step_by(4099).chain([0, 0x8000_0000, 0x477f_efff, 0x477f_f000, 0x3880_0000, 0x387f_ffff])
        {
            let value = f32::from_bits(word);
            if !value.is_nan() {
                assert_eq!(F16::round(value).to_bits(), half::f16::from_f32(value).to_f32().to_bits(), "{value:e}");
                assert_eq!(Bf16::round(value).to_bits(), half::bf16::from_f32(value).to_f32().to_bits(), "{value:e}");
            }
        }
    }
}
