//! The elementwise distributions of JAX in double precision (`jax_enable_x64`). Logarithms and tangents are those
//! of glibc, as in JAX.

use std::f64::consts::{LOG2_E, PI, SQRT_2};

use super::erf::erf;
use super::independent::Draw;
use crate::generator::glibc;

/// `jax.random.uniform(key, shape, float64, low, high) * factor`.
#[derive(Clone, Copy)]
pub(super) struct Uniform {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) factor: f64,
}

impl Draw for Uniform {
    type Value = f64;

    #[inline(always)]
    fn value(self, bits: u64) -> f64 {
        product(uniform(bits, self.low, self.high), self.factor)
    }
}

/// `jax.random.normal(key, shape, float64) * std + mean`.
#[derive(Clone, Copy)]
pub(super) struct Normal {
    pub(super) mean: f64,
    pub(super) std: f64,
}

impl Draw for Normal {
    type Value = f64;

    #[inline(always)]
    fn value(self, bits: u64) -> f64 {
        moved(erf_inv(uniform(bits, BEGIN, 1.0)) * SQRT_2, self.mean, self.std)
    }
}

/// `jax.random.truncated_normal(key, lower, upper, shape, float64) * std + mean`.
#[derive(Clone, Copy)]
pub(super) struct Truncated {
    shares: [f64; 2],
    cuts: [f64; 2],
    mean: f64,
    std: f64,
}

impl Truncated {
    /// The bounds are in standard deviations from the mean.
    pub(super) fn new(mean: f64, std: f64, cuts: [f64; 2]) -> Self {
        let shares = cuts.map(|cut| erf(cut * (1.0 / SQRT_2)));
        Self { shares, cuts: [cuts[0].next_up(), cuts[1].next_down()], mean, std }
    }
}

impl Draw for Truncated {
    type Value = f64;

    #[inline(always)]
    fn value(self, bits: u64) -> f64 {
        let standard = erf_inv(uniform(bits, self.shares[0], self.shares[1])) * SQRT_2;
        let raised = if standard < self.cuts[0] { self.cuts[0] } else { standard };
        moved(if raised > self.cuts[1] { self.cuts[1] } else { raised }, self.mean, self.std)
    }
}

/// `jax.random.exponential(key, shape, float64) / rate`; the compiler multiplies by the reciprocal.
#[derive(Clone, Copy)]
pub(super) struct Exponential {
    pub(super) rate: f64,
    /// True for a tensor of one element, whose division is not replaced.
    pub(super) alone: bool,
}

impl Draw for Exponential {
    type Value = f64;

    #[inline(always)]
    fn value(self, bits: u64) -> f64 {
        let standard = -log1p(-uniform(bits, 0.0, 1.0));
        if self.alone { product(standard / self.rate, 1.0) } else { product(standard, 1.0 / self.rate) }
    }
}

/// `jax.random.laplace(key, shape, float64) * scale + mean`.
#[derive(Clone, Copy)]
pub(super) struct Laplace {
    pub(super) mean: f64,
    pub(super) scale: f64,
}

impl Draw for Laplace {
    type Value = f64;

    #[inline(always)]
    fn value(self, bits: u64) -> f64 {
        let uniform = uniform(bits, BEGIN, 1.0);
        let sign = if uniform == 0.0 { uniform } else { 1f64.copysign(uniform) };
        moved(sign * log1p(-uniform.abs()), self.mean, self.scale)
    }
}

/// `jax.random.cauchy(key, shape, float64) * scale + median`.
#[derive(Clone, Copy)]
pub(super) struct Cauchy {
    pub(super) median: f64,
    pub(super) scale: f64,
}

impl Draw for Cauchy {
    type Value = f64;

    #[inline(always)]
    fn value(self, bits: u64) -> f64 {
        moved(glibc::tan(PI * (uniform(bits, f64::EPSILON, 1.0) - 0.5)), self.median, self.scale)
    }
}

/// `jax.random.lognormal(key, sigma, shape, float64)`; the compiler folds two factors into one.
#[derive(Clone, Copy)]
pub(super) struct LogNormal {
    factor: f64,
}

impl LogNormal {
    pub(super) fn new(sigma: f64) -> Self {
        Self { factor: sigma * SQRT_2 }
    }
}

impl Draw for LogNormal {
    type Value = f64;

    #[inline(always)]
    fn value(self, bits: u64) -> f64 {
        exp(erf_inv(uniform(bits, BEGIN, 1.0)) * self.factor)
    }
}

/// `jax.random.rademacher(key, shape, float64) * value`.
#[derive(Clone, Copy)]
pub(super) struct Sign {
    pub(super) value: f64,
}

impl Draw for Sign {
    type Value = f64;

    #[inline(always)]
    fn value(self, bits: u64) -> f64 {
        if uniform(bits, 0.0, 1.0) < 0.5 { self.value } else { -self.value }
    }
}

/// The double after -1.
const BEGIN: f64 = -1.0 + f64::EPSILON / 2.0;

/// A uniform value of [low, high].
#[inline(always)]
fn uniform(bits: u64, low: f64, high: f64) -> f64 {
    let fraction = f64::from_bits(bits >> 12 | 0x3ff0_0000_0000_0000) - 1.0;
    let value = fraction.mul_add(high - low, low);
    if value < low { low } else { value }
}

/// The product, or a signed 0 if it would be subnormal: JAX's compiler flushes those.
#[inline(always)]
fn product(a: f64, b: f64) -> f64 {
    let product = a * b;
    if product.abs() < f64::MIN_POSITIVE { 0f64.copysign(product) } else { product }
}

/// `standard * std + mean`. A mean of 0 is not added, since that would drop the sign of -0.
#[inline(always)]
fn moved(standard: f64, mean: f64, std: f64) -> f64 {
    let scaled = product(standard, std);
    if mean == 0.0 { scaled } else { scaled + mean }
}

/// Horner's rule with fused multiply-add; the highest coefficient first.
#[inline(always)]
fn polynomial<const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    let mut sum = coefficients[0];
    for &coefficient in &coefficients[1..] {
        sum = sum.mul_add(x, coefficient);
    }
    sum
}

const NUMERATOR: [f64; 7] = [
    4.52700008624452e-05,
    0.49854102823193375,
    6.578732594206104,
    29.911919328553072,
    60.94966798098779,
    57.11296359058554,
    20.039553499201283,
];

const DENOMINATOR: [f64; 7] = [
    1.0,
    15.062909083469192,
    83.04756596796722,
    221.76239823732857,
    309.09872225312057,
    216.42788614495947,
    60.11866049760384,
];

/// ln(1 + x) for -1 <= x <= 0 (Cephes `log1p`).
#[inline(always)]
fn log1p(x: f64) -> f64 {
    /// sqrt(2) - 1, the bound below which 1 + x loses too many digits.
    const SMALL: f64 = 0.41421356237309503;
    if x.abs() >= SMALL {
        return glibc::ln(1.0 + x);
    }
    let denominator = polynomial(x, DENOMINATOR);
    let numerator = polynomial(x, NUMERATOR);
    let square = x * x;
    let tail = (x * square) * (numerator / denominator);
    x + (-0.5f64).mul_add(square, tail)
}

/// The exponential (Cephes `exp`): a power of 2 times a rational function of the rest.
#[inline(always)]
fn exp(x: f64) -> f64 {
    /// Below the first it is 0, above the second infinite.
    const ENDS: [f64; 2] = [-708.396_418_532_264_1, 709.782_712_893_384];
    /// ln 2 as a short head with exact multiples, and a tail.
    const LN_2: [f64; 2] = [f64::from_bits(0x3fe6_2e40_0000_0000), f64::from_bits(0x3eb7_f7d1_cf79_abca)];
    const ABOVE: [f64; 3] = [f64::from_bits(0x3f20_89cd_d5e4_4be8), f64::from_bits(0x3f9f_06d1_0cca_2c7e), 1.0];
    const BELOW: [f64; 4] = [
        f64::from_bits(0x3ec9_2eb6_bc36_5fa0),
        f64::from_bits(0x3f64_ae39_b508_b6c0),
        f64::from_bits(0x3fcd_1709_9887_e074),
        2.0,
    ];
    if x < ENDS[0] {
        return 0.0;
    }
    if x > ENDS[1] {
        return f64::INFINITY;
    }
    let exponent = x.mul_add(LOG2_E, 0.5).floor();
    let rest = (-exponent).mul_add(LN_2[1], (-exponent).mul_add(LN_2[0], x));
    let square = rest * rest;
    let above = polynomial(square, ABOVE) * rest;
    let sum = (above / (polynomial(square, BELOW) - above)).mul_add(2.0, 1.0);
    #[expect(clippy::cast_possible_truncation, reason = "from -1022 to 1024")]
    let exponent = exponent as i32;
    // In two steps, since 2^1024 is above all numbers.
    sum * 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2)
}

/// The inverse error function (Giles 2010, Approximating the erfinv function).
#[inline(always)]
fn erf_inv(u: f64) -> f64 {
    let w = -log1p(u * -u);
    let sum = if w < 6.25 {
        polynomial(w - 3.125, CENTRE)
    } else if w < 16.0 {
        polynomial(w.sqrt() - 3.25, TAIL)
    } else {
        polynomial(w.sqrt() - 5.0, FAR)
    };
    u * if u.abs() == 1.0 { f64::INFINITY } else { sum }
}

const CENTRE: [f64; 23] = [
    -3.64441206401782e-21,
    -1.6850591381820166e-19,
    1.28584807152564e-18,
    1.1157877678025181e-17,
    -1.333171662854621e-16,
    2.0972767875968562e-17,
    6.637638134358324e-15,
    -4.054566272975207e-14,
    -8.151934197605472e-14,
    2.6335093153082323e-12,
    -1.2975133253453532e-11,
    -5.415412054294628e-11,
    1.0512122733215323e-09,
    -4.112633980346984e-09,
    -2.9070369957882005e-08,
    4.2347877827932404e-07,
    -1.3654692000834679e-06,
    -1.3882523362786469e-05,
    0.00018673420803405714,
    -0.000740702534166267,
    -0.006033670871430149,
    0.24015818242558962,
    1.6536545626831027,
];

const TAIL: [f64; 19] = [
    2.2137376921775787e-09,
    9.075656193888539e-08,
    -2.7517406297064545e-07,
    1.8239629214389228e-08,
    1.5027403968909828e-06,
    -4.013867526981546e-06,
    2.9234449089955446e-06,
    1.2475304481671779e-05,
    -4.7318229009055734e-05,
    6.828485145957318e-05,
    2.4031110387097894e-05,
    -0.0003550375203628475,
    0.0009532893797373805,
    -0.0016882755560235047,
    0.002491442096107851,
    -0.003751208507569241,
    0.005370914553590064,
    1.0052589676941592,
    3.0838856104922208,
];

const FAR: [f64; 17] = [
    -2.7109920616438573e-11,
    -2.555641816996525e-10,
    1.5076572693500548e-09,
    -3.789465440126737e-09,
    7.61570120807834e-09,
    -1.496002662714924e-08,
    2.914795345090108e-08,
    -6.771199775845234e-08,
    2.2900482228026655e-07,
    -9.9298272942317e-07,
    4.526062597223154e-06,
    -1.968177810553167e-05,
    7.599527703001776e-05,
    -0.00021503011930044477,
    -0.00013871931833623122,
    1.0103004648645344,
    4.849906401408584,
];
