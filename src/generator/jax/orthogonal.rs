//! Distributions built from orthogonal matrices of JAX's normals.

use rand::Rng;

use super::elementwise;
use crate::distribution::{Joint, RandomStreams, matrix};
use crate::generator::elementwise::Elementwise;
use crate::generator::qr;
use crate::generator::source::Values;
use crate::generator::threefry::Key;
use crate::tensor::DType;

/// The values of such a distribution.
pub(super) fn whole(key: Key, distribution: &dyn Joint, dtype: DType, threads: usize) -> Values {
    Values::Doubles(distribution.draw(&Matrices { key, dtype, threads }))
}

/// Orthogonal matrices for a distribution. Each tensor has one key, and so one matrix.
struct Matrices {
    key: Key,
    dtype: DType,
    threads: usize,
}

impl RandomStreams for Matrices {
    fn orthonormal(&self, _: u64, longer: usize, shorter: usize) -> Vec<f64> {
        let mut normals = vec![0.0; longer * shorter];
        elementwise(self.key, Elementwise::STANDARD_NORMAL, self.dtype).fill_f64(0, &mut normals);
        let vectors = qr::orthonormal(&normals, longer, shorter, self.threads);
        // JAX transposes its matrix if there are more columns than rows, and so not a square one.
        if longer == shorter { matrix::transposed(&vectors, [longer, shorter]) } else { vectors }
    }

    fn normals(&self, _: u64, _: &mut [f64]) {
        unreachable!("JAX has no distribution that needs more than matrices")
    }

    fn signed_uniforms(&self, _: u64, _: &mut [f64]) {
        unreachable!("JAX has no distribution that needs more than matrices")
    }

    fn words(&self, _: u64) -> Box<dyn Rng> {
        unreachable!("JAX has no distribution that needs more than matrices")
    }
}
