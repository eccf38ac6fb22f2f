//! The elementwise laws of JAX in double precision (`jax_enable_x64`). Logarithms and exponentials are those of the platform's
//! C library, as in JAX.

use std::f64::consts::SQRT_2;

use super::independent::DrawWide;

/// `jax.random.uniform(key, shape, float64, low, high) * factor`.
#[derive(Clone, Copy)]
pub(super) struct Uniform {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) factor: f64,
}

impl DrawWide for Uniform {
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

impl DrawWide for Normal {
    #[inline(always)]
    fn value(self, bits: u64) -> f64 {
        /// The number next to -1.
        const BEGIN: f64 = -1.0 + f64::EPSILON / 2.0;
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
    /// The cuts are in standard deviations from the mean.
    pub(super) fn new(mean: f64, std: f64, cuts: [f64; 2]) -> Self {
        let shares = cuts.map(|cut| libm::erf(cut * (1.0 / SQRT_2)));
        Self { shares, cuts: [cuts[0].next_up(), cuts[1].next_down()], mean, std }
    }
}

impl DrawWide for Truncated {
    #[inline(always)]
    fn value(self, bits: u64) -> f64 {
        let standard = erf_inv(uniform(bits, self.shares[0], self.shares[1])) * SQRT_2;
        let raised = if standard < self.cuts[0] { self.cuts[0] } else { standard };
        moved(if raised > self.cuts[1] { self.cuts[1] } else { raised }, self.mean, self.std)
    }
}

/// A uniform value of [low, high].
#[inline(always)]
fn uniform(bits: u64, low: f64, high: f64) -> f64 {
    let fraction = f64::from_bits(bits >> 12 | 0x3ff0_0000_0000_0000) - 1.0;
    let value = fraction.mul_add(high - low, low);
    if value < low { low } else { value }
}

/// The product, or 0 with its sign where it would be subnormal: the compiler of JAX keeps no such numbers.
#[inline(always)]
fn product(a: f64, b: f64) -> f64 {
    let product = a * b;
    if product.abs() < f64::MIN_POSITIVE { 0f64.copysign(product) } else { product }
}

/// A standard normal, scaled and then moved: a mean of 0 is not added, since it would take the sign from a zero.
#[inline(always)]
fn moved(standard: f64, mean: f64, std: f64) -> f64 {
    let scaled = product(standard, std);
    if mean == 0.0 { scaled } else { scaled + mean }
}

/// Horner's rule, every step fused; the coefficient of the highest power first.
#[inline(always)]
fn polynomial<const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    let mut sum = coefficients[0];
    for &coefficient in &coefficients[1..] {
        sum = sum.mul_add(x, coefficient);
    }
    sum
}

const NUMERATOR: [f64; 7] = [
    4.5270000862445199635215e-5,
    4.9854102823193375972212e-1,
    6.5787325942061044846969,
    2.9911919328553073277375e1,
    6.0949667980987787057556e1,
    5.7112963590585538103336e1,
    2.0039553499201281259648e1,
];

const DENOMINATOR: [f64; 7] = [
    1.0,
    1.5062909083469192043167e1,
    8.3047565967967209469434e1,
    2.2176239823732856465394e2,
    3.0909872225312059774938e2,
    2.1642788614495947685003e2,
    6.0118660497603843919306e1,
];

/// ln(1 + x) for -1 <= x <= 0 (Cephes `log1p`).
#[inline(always)]
fn log1p(x: f64) -> f64 {
    /// sqrt(2) - 1: where the sum 1 + x begins to say too little.
    const SMALL: f64 = 0.41421356237309504880;
    if x.abs() >= SMALL {
        return (1.0 + x).ln();
    }
    let denominator = polynomial(x, DENOMINATOR);
    let numerator = polynomial(x, NUMERATOR);
    let square = x * x;
    let tail = (x * square) * (numerator / denominator);
    x + (-0.5f64).mul_add(square, tail)
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
    -3.6444120640178196996e-21,
    -1.685059138182016589e-19,
    1.2858480715256400167e-18,
    1.115787767802518096e-17,
    -1.333171662854620906e-16,
    2.0972767875968561637e-17,
    6.6376381343583238325e-15,
    -4.0545662729752068639e-14,
    -8.1519341976054721522e-14,
    2.6335093153082322977e-12,
    -1.2975133253453532498e-11,
    -5.4154120542946279317e-11,
    1.051212273321532285e-09,
    -4.1126339803469836976e-09,
    -2.9070369957882005086e-08,
    4.2347877827932403518e-07,
    -1.3654692000834678645e-06,
    -1.3882523362786468719e-05,
    0.0001867342080340571352,
    -0.00074070253416626697512,
    -0.0060336708714301490533,
    0.24015818242558961693,
    1.6536545626831027356,
];

const TAIL: [f64; 19] = [
    2.2137376921775787049e-09,
    9.0756561938885390979e-08,
    -2.7517406297064545428e-07,
    1.8239629214389227755e-08,
    1.5027403968909827627e-06,
    -4.013867526981545969e-06,
    2.9234449089955446044e-06,
    1.2475304481671778723e-05,
    -4.7318229009055733981e-05,
    6.8284851459573175448e-05,
    2.4031110387097893999e-05,
    -0.0003550375203628474796,
    0.00095328937973738049703,
    -0.0016882755560235047313,
    0.0024914420961078508066,
    -0.0037512085075692412107,
    0.005370914553590063617,
    1.0052589676941592334,
    3.0838856104922207635,
];

const FAR: [f64; 17] = [
    -2.7109920616438573243e-11,
    -2.5556418169965252055e-10,
    1.5076572693500548083e-09,
    -3.7894654401267369937e-09,
    7.6157012080783393804e-09,
    -1.4960026627149240478e-08,
    2.9147953450901080826e-08,
    -6.7711997758452339498e-08,
    2.2900482228026654717e-07,
    -9.9298272942317002539e-07,
    4.5260625972231537039e-06,
    -1.9681778105531670567e-05,
    7.5995277030017761139e-05,
    -0.00021503011930044477347,
    -0.00013871931833623122026,
    1.0103004648645344373,
    4.8499064014085844221,
];
