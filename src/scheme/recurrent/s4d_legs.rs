//! The eigenvalues of the normal part of the `HiPPO` matrix of Legendre polynomials.

use nalgebra::DMatrix;

use crate::distribution::{Joint, Moments, RandomStreams, bytes_of};
use crate::tensor::{to_f64, to_usize};

/// The imaginary parts, in descending order, along the last axis of a tensor.
#[derive(Debug)]
pub(super) struct LegS {
    /// The number of eigenvalues, one of each conjugate pair.
    pub(super) eigenvalues: u64,
    pub(super) count: u64,
}

impl Moments for LegS {
    fn max_abs(&self) -> f64 {
        // The sum of the squares of all eigenvalues is at most that of the matrix, N^4 / 4, and each occurs twice.
        let states = 2.0 * to_f64(self.eigenvalues);
        states * states / 8f64.sqrt()
    }
}

impl Joint for LegS {
    fn draw(&self, _: &dyn RandomStreams) -> Vec<f64> {
        let (eigenvalues, count) = (to_usize(self.eigenvalues), to_usize(self.count));
        if count == 0 {
            return Vec::new();
        }
        let norm = |state: usize| to_f64(2 * state as u64 + 1);
        let skew = DMatrix::from_fn(2 * eigenvalues, 2 * eigenvalues, |i, j| match i.cmp(&j) {
            std::cmp::Ordering::Greater => -0.5 * (norm(i) * norm(j)).sqrt(),
            std::cmp::Ordering::Equal => 0.0,
            std::cmp::Ordering::Less => 0.5 * (norm(i) * norm(j)).sqrt(),
        });
        // The eigenvalues of a skew-symmetric matrix are plus and minus i times its singular values, which come in pairs.
        let mut sizes: Vec<f64> = skew.singular_values().iter().copied().collect();
        sizes.sort_unstable_by(|one, other| other.total_cmp(one));
        sizes.chunks_exact(2).map(|pair| f64::midpoint(pair[0], pair[1])).cycle().take(count).collect()
    }

    fn workspace(&self) -> u64 {
        if self.count == 0 {
            return 0;
        }
        // The matrix and a copy of it that is decomposed, its singular values several times over, and the tensor.
        let states = self.eigenvalues.saturating_mul(2);
        bytes_of(&[&[2, states, states], &[8, states], &[self.count]])
    }
}
