//! The elementwise distributions of JAX in single and half precision, as it computes them outside `jax.jit`.

use std::f64::consts::{PI, SQRT_2};
use std::marker::PhantomData;

use super::float_type::{F32, FloatType};
use super::independent::Draw;
use super::special;
use crate::generator::glibc;

/// `jax.random.uniform(key, shape, dtype, low, high) * factor`.
#[derive(Clone, Copy)]
pub(super) struct Uniform<F> {
    interval: Interval<F>,
    factor: f32,
}

impl<F: FloatType> Uniform<F> {
    pub(super) fn new(low: f64, high: f64, factor: f64) -> Self {
        Self { interval: Interval::new(F::setting(low), F::setting(high)), factor: F::product(F::setting(factor), 1.0) }
    }
}

impl<F: FloatType> Draw for Uniform<F> {
    type Value = f32;

    #[inline(always)]
    fn value(self, bits: u32) -> f32 {
        F::product(self.interval.value(bits), self.factor)
    }
}

/// `jax.random.normal(key, shape, dtype) * std + mean`.
#[derive(Clone, Copy)]
pub(super) struct Normal<F> {
    uniform: Interval<F>,
    tail: Tail<F>,
}

impl<F: FloatType> Normal<F> {
    pub(super) fn new(mean: f64, std: f64) -> Self {
        Self { uniform: Interval::new(F::BEGIN, 1.0), tail: Tail::new(mean, std) }
    }
}

impl<F: FloatType> Draw for Normal<F> {
    type Value = f32;

    #[inline(always)]
    fn value(self, bits: u32) -> f32 {
        self.tail.moved(self.tail.standard(self.uniform.value(bits)))
    }
}

/// `jax.random.truncated_normal(key, lower, upper, shape, dtype) * std + mean`.
#[derive(Clone, Copy)]
pub(super) struct Truncated<F> {
    uniform: Interval<F>,
    least: f32,
    most: f32,
    tail: Tail<F>,
}

impl<F: FloatType> Truncated<F> {
    /// The bounds are in standard deviations from the mean.
    pub(super) fn new(mean: f64, std: f64, [lower, upper]: [f64; 2]) -> Self {
        let [lower, upper] = [lower, upper].map(F::setting);
        // The compiler makes a division by a constant a product.
        let per_root = F::round(1.0 / F::setting(SQRT_2));
        let share = |cut: f32| F::round(special::erf(F::round(cut * per_root)));
        Self {
            uniform: Interval::new(share(lower), share(upper)),
            least: F::next_up(lower),
            most: -F::next_up(-upper),
            tail: Tail::new(mean, std),
        }
    }
}

impl<F: FloatType> Draw for Truncated<F> {
    type Value = f32;

    #[inline(always)]
    fn value(self, bits: u32) -> f32 {
        let standard = self.tail.standard(self.uniform.value(bits));
        let raised = if standard < self.least { self.least } else { standard };
        self.tail.moved(if raised > self.most { self.most } else { raised })
    }
}

/// `jax.random.exponential(key, shape, dtype) / rate`.
#[derive(Clone, Copy)]
pub(super) struct Exponential<F> {
    uniform: Interval<F>,
    rate: f32,
    /// True for a tensor of one element, whose division is not replaced.
    alone: bool,
}

impl<F: FloatType> Exponential<F> {
    pub(super) fn new(rate: f64, alone: bool) -> Self {
        Self { uniform: Interval::new(0.0, 1.0), rate: F::setting(rate), alone }
    }
}

impl<F: FloatType> Draw for Exponential<F> {
    type Value = f32;

    #[inline(always)]
    fn value(self, bits: u32) -> f32 {
        let standard = -F::round(special::log1p(-self.uniform.value(bits)));
        if self.alone { F::product(standard / self.rate, 1.0) } else { F::quotient(standard, self.rate) }
    }
}

/// `jax.random.laplace(key, shape, dtype) * scale + mean`.
#[derive(Clone, Copy)]
pub(super) struct Laplace<F> {
    uniform: Interval<F>,
    tail: Tail<F>,
}

impl<F: FloatType> Laplace<F> {
    pub(super) fn new(mean: f64, scale: f64) -> Self {
        Self { uniform: Interval::new(F::BEGIN, 1.0), tail: Tail::new(mean, scale) }
    }
}

impl<F: FloatType> Draw for Laplace<F> {
    type Value = f32;

    #[inline(always)]
    fn value(self, bits: u32) -> f32 {
        let uniform = self.uniform.value(bits);
        let sign = if uniform == 0.0 { uniform } else { 1f32.copysign(uniform) };
        self.tail.moved(sign * F::round(special::log1p(-uniform.abs())))
    }
}

/// `jax.random.cauchy(key, shape, dtype) * scale + median`.
#[derive(Clone, Copy)]
pub(super) struct Cauchy<F> {
    uniform: Interval<F>,
    pi: f32,
    tail: Tail<F>,
}

impl<F: FloatType> Cauchy<F> {
    pub(super) fn new(median: f64, scale: f64) -> Self {
        // From the step between the numbers above 1, which is two of those below it.
        let step = 2.0 * (1.0 + F::BEGIN);
        Self { uniform: Interval::new(step, 1.0), pi: F::setting(PI), tail: Tail::new(median, scale) }
    }
}

impl<F: FloatType> Draw for Cauchy<F> {
    type Value = f32;

    #[inline(always)]
    fn value(self, bits: u32) -> f32 {
        let angle = F::round(self.pi * F::round(self.uniform.value(bits) - 0.5));
        self.tail.moved(F::round(glibc::single::tan(angle)))
    }
}

/// `jax.random.lognormal(key, sigma, shape, dtype)`.
#[derive(Clone, Copy)]
pub(super) struct LogNormal<F> {
    uniform: Interval<F>,
    sigma: f32,
    root: f32,
}

impl<F: FloatType> LogNormal<F> {
    pub(super) fn new(sigma: f64) -> Self {
        Self { uniform: Interval::new(F::BEGIN, 1.0), sigma: F::setting(sigma), root: F::setting(SQRT_2) }
    }
}

impl<F: FloatType> Draw for LogNormal<F> {
    type Value = f32;

    #[inline(always)]
    fn value(self, bits: u32) -> f32 {
        let standard = F::round(special::erf_inv(self.uniform.value(bits)));
        F::round(special::exp(F::scaled_twice(standard, self.root, self.sigma)))
    }
}

/// `jax.random.rademacher(key, shape, dtype) * value`, from single-precision uniforms for every dtype.
#[derive(Clone, Copy)]
pub(super) struct Sign<F> {
    value: f32,
    format: PhantomData<F>,
}

impl<F: FloatType> Sign<F> {
    pub(super) fn new(value: f64) -> Self {
        Self { value: F::product(F::setting(value), 1.0), format: PhantomData }
    }
}

impl<F: FloatType> Draw for Sign<F> {
    type Value = f32;

    #[inline(always)]
    fn value(self, bits: u32) -> f32 {
        if F32::fraction(bits) < 0.5 { self.value } else { -self.value }
    }
}

/// A uniform value of [low, low + span].
#[derive(Clone, Copy)]
struct Interval<F> {
    low: f32,
    span: f32,
    format: PhantomData<F>,
}

impl<F: FloatType> Interval<F> {
    fn new(low: f32, high: f32) -> Self {
        Self { low, span: F::round(high - low), format: PhantomData }
    }

    #[inline(always)]
    fn value(self, bits: u32) -> f32 {
        let value = F::affine(F::fraction(bits), self.span, self.low);
        if value < self.low { self.low } else { value }
    }
}

/// Maps uniform values to normals.
#[derive(Clone, Copy)]
struct Tail<F> {
    root: f32,
    std: f32,
    mean: f32,
    format: PhantomData<F>,
}

impl<F: FloatType> Tail<F> {
    fn new(mean: f64, std: f64) -> Self {
        let std = F::product(F::setting(std), 1.0);
        Self { root: F::setting(SQRT_2), std, mean: F::setting(mean), format: PhantomData }
    }

    /// A standard normal from a uniform value on (-1, 1).
    #[inline(always)]
    fn standard(self, uniform: f32) -> f32 {
        F::round(F::round(special::erf_inv(uniform)) * self.root)
    }

    /// `standard * std + mean`. A mean of 0 is not added, since that would drop the sign of -0.
    #[inline(always)]
    fn moved(self, standard: f32) -> f32 {
        let scaled = F::product(standard, self.std);
        if self.mean == 0.0 { scaled } else { F::round(scaled + self.mean) }
    }
}
