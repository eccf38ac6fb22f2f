//! Elements of the `HiPPO` matrices: x' = A x + B u tracks the coefficients of the past of u in a basis of functions.

use std::f64::consts::{PI, SQRT_2};

use crate::distribution::{Deterministic, Moments};
use crate::tensor::to_f64;

/// The basis, and the measure that weights the past.
#[derive(Clone, Copy, Debug)]
pub(super) enum Measure {
    /// Legendre polynomials over the whole past, uniformly weighted.
    LegS,
    /// The normal part of [`Measure::LegS`]: it has orthogonal eigenvectors.
    LegSD,
    /// Legendre polynomials over a window of length 2.
    LegT,
    /// [`Measure::LegT`] in the scaling of the Legendre memory unit, over a window of length 1.
    Lmu,
    /// Laguerre polynomials: the past fades exponentially.
    LagT { beta: f64 },
    /// [`Measure::LagT`] with a tilt.
    TiltedLagT { beta: f64 },
    /// Generalised Laguerre polynomials with a tilt.
    GeneralizedLagT { alpha: f64, beta: f64 },
    /// Sines and cosines over a window.
    Fourier,
    /// The normal part of [`Measure::Fourier`], with doubled frequencies.
    FourierDiagonal,
    /// Sines and cosines over a decaying past.
    FourierDecay,
}

impl Measure {
    /// True if states are pairs of a cosine and a sine.
    pub(super) fn is_paired(self) -> bool {
        matches!(self, Self::Fourier | Self::FourierDiagonal | Self::FourierDecay)
    }

    /// True if A is 0 above its diagonal.
    fn is_triangular(self) -> bool {
        matches!(self, Self::LegS | Self::LagT { .. } | Self::TiltedLagT { .. } | Self::GeneralizedLagT { .. })
    }

    /// Row `i` and column `j` of A.
    fn matrix(self, i: u64, j: u64) -> f64 {
        if i < j && self.is_triangular() {
            return 0.0;
        }
        match self {
            Self::LegS if i == j => -to_f64(i + 1),
            Self::LegSD | Self::LagT { .. } | Self::FourierDiagonal if i == j => -0.5,
            Self::TiltedLagT { beta } | Self::GeneralizedLagT { beta, .. } if i == j => -(1.0 + beta) / 2.0,
            Self::LegS => -root_of_norms(i, j),
            Self::LegSD => 0.5 * root_of_norms(i, j) * if i < j { 1.0 } else { -1.0 },
            Self::LegT => -0.5 * root_of_norms(i, j) * if i < j { alternating(j - i) } else { 1.0 },
            Self::Lmu => to_f64(2 * i + 1) * if i < j { -1.0 } else { -alternating(i - j) },
            Self::LagT { .. } | Self::TiltedLagT { .. } => -1.0,
            Self::GeneralizedLagT { alpha, .. } => -libm::exp(log_norm(j, alpha) - log_norm(i, alpha)),
            Self::Fourier => rotation(i, j, PI) - wave_product(i, j),
            Self::FourierDiagonal => rotation(i, j, 2.0 * PI),
            Self::FourierDecay => rotation(i, j, PI) - 0.5 * wave_product(i, j),
        }
    }

    /// Element `i` of B.
    fn vector(self, i: u64) -> f64 {
        let norm = to_f64(2 * i + 1);
        match self {
            Self::LegS => norm.sqrt(),
            Self::LegSD | Self::LegT => 0.5 * norm.sqrt(),
            Self::Lmu => alternating(i) * norm,
            Self::LagT { beta } | Self::TiltedLagT { beta } => beta,
            Self::GeneralizedLagT { alpha, beta } => {
                let scale = libm::pow(beta, (1.0 - alpha) / 2.0);
                scale * libm::exp(log_norm(i, alpha) - libm::lgamma(alpha + 1.0) - 0.5 * libm::lgamma(1.0 - alpha))
            }
            Self::Fourier | Self::FourierDiagonal => wave(i),
            Self::FourierDecay => 0.5 * wave(i),
        }
    }
}

/// sqrt(2 i + 1) sqrt(2 j + 1), rounded once.
fn root_of_norms(i: u64, j: u64) -> f64 {
    (to_f64(2 * i + 1) * to_f64(2 * j + 1)).sqrt()
}

/// (-1)^n.
fn alternating(n: u64) -> f64 {
    if n.is_multiple_of(2) { 1.0 } else { -1.0 }
}

/// Half the logarithm of gamma(n + alpha + 1) / gamma(n + 1), the squared norm of a generalised Laguerre polynomial.
fn log_norm(n: u64, alpha: f64) -> f64 {
    let x = to_f64(n) + 1.0;
    if n < 16 {
        return 0.5 * (libm::lgamma(x + alpha) - libm::lgamma(x));
    }
    // The two logarithms are large and near each other: the difference of their series keeps the digits.
    let near = (x + alpha - 0.5) * libm::log1p(alpha / x) + alpha * (libm::log(x) - 1.0);
    0.5 * (near + (stirling_series(x + alpha) - stirling_series(x)))
}

/// The difference of ln gamma(x) and (x - 1/2) ln x - x + ln(2 pi) / 2, for x of 16 and more.
fn stirling_series(x: f64) -> f64 {
    let square = x * x;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square) / square)
        / x
}

/// The coefficients of a unit impulse: 1 for the constant, sqrt(2) for a cosine, 0 for a sine.
fn wave(i: u64) -> f64 {
    match i {
        0 => 1.0,
        _ if i.is_multiple_of(2) => SQRT_2,
        _ => 0.0,
    }
}

/// wave(i) wave(j), with no root squared.
fn wave_product(i: u64, j: u64) -> f64 {
    let (one, other) = (wave(i), wave(j));
    if one == SQRT_2 && other == SQRT_2 { 2.0 } else { one * other }
}

/// The block of the states 2k and 2k + 1, a rotation of speed `unit` k.
fn rotation(i: u64, j: u64, unit: f64) -> f64 {
    let speed = unit * to_f64(i / 2);
    match (i % 2, j % 2) {
        _ if i / 2 != j / 2 => 0.0,
        (0, 1) => -speed,
        (1, 0) => speed,
        _ => 0.0,
    }
}

/// A, repeated along the axes before the last two.
#[derive(Debug)]
pub(super) struct Matrix {
    pub(super) measure: Measure,
    pub(super) size: u64,
    pub(super) scale: f64,
    /// True for layers that multiply by the matrix from the right.
    pub(super) transposed: bool,
}

impl Matrix {
    fn element(&self, i: u64, j: u64) -> f64 {
        // Adding zero makes -0 into 0.
        self.scale * if self.transposed { self.measure.matrix(j, i) } else { self.measure.matrix(i, j) } + 0.0
    }
}

impl Moments for Matrix {
    fn max_abs(&self) -> f64 {
        let pairs = ends(self.size).into_iter().flat_map(|i| ends(self.size).into_iter().map(move |j| (i, j)));
        pairs.map(|(i, j)| self.element(i, j).abs()).fold(0.0, f64::max)
    }
}

impl Deterministic for Matrix {
    fn value(&self, index: u64) -> f64 {
        self.element(index / self.size % self.size, index % self.size)
    }
}

/// B, repeated along the axes before the last.
#[derive(Debug)]
pub(super) struct Vector {
    pub(super) measure: Measure,
    pub(super) size: u64,
    pub(super) scale: f64,
}

impl Moments for Vector {
    fn max_abs(&self) -> f64 {
        ends(self.size).into_iter().map(|i| (self.scale * self.measure.vector(i)).abs()).fold(0.0, f64::max)
    }
}

impl Deterministic for Vector {
    fn value(&self, index: u64) -> f64 {
        self.scale * self.measure.vector(index % self.size) + 0.0
    }
}

/// Candidates for the states with the largest elements, in every measure.
fn ends(size: u64) -> [u64; 4] {
    let last = size.saturating_sub(1);
    [0, 1.min(last), last.saturating_sub(1), last]
}
