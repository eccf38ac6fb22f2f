//! Normals truncated to unlikely intervals: narrow or far out. Each element rejects proposals from its own address (Robert 1995, Simulation
//! of truncated normal variables).

use rand_distr::{Distribution, OpenClosed01};

use super::words::Words;
use crate::generator::Source;
use crate::tensor::to_f32;

/// The plane of the first attempt; later ones follow at this distance, clear of all other planes.
const PROPOSALS: u64 = 6;
const PLANES_AN_ATTEMPT: u64 = 8;

/// N(mean, std²) between `cuts` (in sigma), inside the closed `bounds` of the dtype.
pub(super) struct Tails {
    pub(super) words: Words,
    pub(super) mean: f64,
    pub(super) std: f64,
    pub(super) cuts: (f64, f64),
    pub(super) bounds: (f64, f64),
}

impl Tails {
    fn value(&self, index: u64) -> f64 {
        (self.standard(index) * self.std + self.mean).clamp(self.bounds.0, self.bounds.1)
    }

    /// A standard normal within the cuts.
    fn standard(&self, index: u64) -> f64 {
        let (a, b) = self.cuts;
        if b < 0.0 {
            // The lower tail is the upper one mirrored.
            return -self.reject(index, Proposal::new(-b, -a));
        }
        self.reject(index, Proposal::new(a, b))
    }

    fn reject(&self, index: u64, proposal: Proposal) -> f64 {
        for attempt in 0.. {
            let mut words = self.words.block(PROPOSALS + attempt * PLANES_AN_ATTEMPT, index);
            let [place, chance]: [f64; 2] = std::array::from_fn(|_| OpenClosed01.sample(&mut words));
            if let Some(z) = proposal.accept(place, chance) {
                return z;
            }
        }
        unreachable!("the attempts do not end")
    }
}

impl Source for Tails {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        for (value, index) in out.iter_mut().zip(start..) {
            *value = to_f32(self.value(index));
        }
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        for (value, index) in out.iter_mut().zip(start..) {
            *value = self.value(index);
        }
    }
}

/// The proposals for a normal on [a, b], b > 0.
#[derive(Clone, Copy)]
enum Proposal {
    /// Uniform on [a, b], accepted by the density relative to its maximum there, at `mode`.
    Uniform { a: f64, b: f64, mode: f64 },
    /// a + an exponential of this rate, for an interval that extends far into the tail.
    Exponential { a: f64, b: f64, rate: f64 },
}

impl Proposal {
    fn new(a: f64, b: f64) -> Self {
        // The rate that accepts most often, and the width from which the exponential beats the uniform (Robert 1995).
        let rate = f64::midpoint(a, (a * a + 4.0).sqrt());
        let width = libm::exp(0.5 + (a * a - a * (a * a + 4.0).sqrt()) / 4.0) / rate;
        match a > 0.0 && b - a > width {
            true => Self::Exponential { a, b, rate },
            false => Self::Uniform { a, b, mode: a.max(0.0) },
        }
    }

    /// The candidate at `place` in (0, 1], if `chance` in (0, 1] accepts it.
    fn accept(&self, place: f64, chance: f64) -> Option<f64> {
        let (z, log_density) = match *self {
            Self::Uniform { a, b, mode } => {
                let z = a + (b - a) * place;
                (z, 0.5 * (mode - z) * (mode + z))
            }
            Self::Exponential { a, b, rate } => {
                let z = a - libm::log(place) / rate;
                (z <= b).then_some((z, -0.5 * (z - rate) * (z - rate)))?
            }
        };
        (libm::log(chance) <= log_density).then_some(z)
    }
}
