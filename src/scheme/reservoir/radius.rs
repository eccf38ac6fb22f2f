//! The spectral radius of a matrix that may be sparse, and scaling to another radius.

use nalgebra::linalg::balancing::balance_parlett_reinsch;
use nalgebra::{DMatrix, Schur};

use super::balance::{balance, tilt};
use super::condition::condition;
use crate::tensor::to_f64;

/// A spectral radius below this fraction of the largest element is redrawn. A matrix without cycles has radius 0 and cannot be scaled, and
/// a nearly acyclic one would get huge values.
pub(super) const LEAST: f64 = 1e-3;

/// Scales an `n` x `n` matrix to a spectral radius. Returns false and leaves the matrix unchanged if its own radius is
/// unknown or below [`LEAST`].
pub(super) fn scale_to_radius(matrix: &mut [f64], n: usize, radius: f64) -> bool {
    let largest = matrix.iter().fold(0f64, |largest, value| largest.max(value.abs()));
    let Some(found) = spectral_radius(matrix, n).filter(|&found| found > LEAST * largest) else { return false };
    let scale = radius / found;
    for value in matrix {
        // For the tiniest numbers, only the scale is beyond the range of doubles.
        *value = if scale.is_finite() { *value * scale } else { *value / found * radius };
    }
    true
}

/// The largest magnitude of an eigenvalue of an `n` x `n` matrix; `None` if the iteration fails.
///
/// The eigenvalues are computed per strongly connected component of its graph. So the radius of an acyclic matrix is exactly 0; iterating
/// on the full matrix would miss it by far.
pub(super) fn spectral_radius(matrix: &[f64], n: usize) -> Option<f64> {
    let mut largest = 0f64;
    for component in components(matrix, n) {
        largest = largest.max(radius_of(&component, matrix, n)?);
    }
    Some(largest)
}

/// The spectral radius of one strongly connected component.
fn radius_of(units: &[usize], matrix: &[f64], n: usize) -> Option<f64> {
    if let [unit] = *units {
        return Some(matrix[unit * n + unit].abs());
    }
    let size = units.len();
    let mut block: Vec<f64> = Vec::with_capacity(size * size);
    // By columns, as the decomposition holds them.
    for &from in units {
        block.extend(units.iter().map(|&to| matrix[to * n + from]));
    }
    // Squares of what is very large or very small would leave the range of doubles; powers of two change no digit.
    let largest = block.iter().fold(0f64, |largest, weight| largest.max(weight.abs()));
    let exponent = libm::ilogb(largest);
    for weight in &mut block {
        *weight = libm::scalbn(*weight, -exponent);
    }
    let weights = block.iter().filter(|&&weight| weight != 0.0);
    if weights.clone().count() == size {
        // One cycle: its eigenvalues are the roots of the product of its weights.
        let logarithms: f64 = weights.map(|weight| libm::log(weight.abs())).sum();
        return Some(libm::scalbn(libm::exp(logarithms / to_f64(size as u64)), exponent));
    }
    if let Some(radius) = tridiagonal(&block, size) {
        return Some(libm::scalbn(radius, exponent));
    }
    let mut best = measured(block.clone(), size);
    // Far from a normal matrix rounding would find the pseudospectrum, which scales of the units bring nearer to the spectrum.
    for nearer in [balance, tilt] {
        if best.as_ref().is_some_and(Measured::is_certain) {
            break;
        }
        nearer(&mut block, size);
        let found = measured(block.clone(), size);
        best = best.into_iter().chain(found).min_by(|one, other| one.error.total_cmp(&other.error));
    }
    best.map(|best| libm::scalbn(best.radius, exponent))
}

/// A spectral radius with its rounding error.
struct Measured {
    radius: f64,
    /// The estimated relative error.
    error: f64,
}

impl Measured {
    /// True if it is accurate to single precision.
    fn is_certain(&self) -> bool {
        self.error <= 1e-8
    }
}

/// The spectral radius by the real Schur form; `None` if that fails.
fn measured(block: Vec<f64>, size: usize) -> Option<Measured> {
    // Units on different scales are balanced, as LAPACK does before computing eigenvalues.
    let mut block = DMatrix::from_vec(size, size, block);
    balance_parlett_reinsch(&mut block);
    reflect(block.as_mut_slice(), size);
    // The limit ends an iteration that does not converge; a few steps for each eigenvalue are usual.
    let schur = Schur::try_new(block, f64::EPSILON, 100 * size)?;
    let eigenvalues = schur.complex_eigenvalues();
    let magnitudes = eigenvalues.iter().map(|value| (value.re * value.re + value.im * value.im).sqrt());
    let (place, radius) = magnitudes.enumerate().fold((0, 0.0), |most, next| if next.1 > most.1 { next } else { most });
    let (_, form) = schur.unpack();
    let length = form.iter().map(|value| value * value).sum::<f64>().sqrt();
    let error = f64::EPSILON * length * condition(&form, place, eigenvalues[place]) / radius;
    let error = if error.is_nan() { f64::INFINITY } else { error };
    radius.is_finite().then_some(Measured { radius, error })
}

/// The spectral radius of a tridiagonal Toeplitz matrix, whose eigenvalues are a + 2 sqrt(b c) cos(k pi / (n + 1)); `None` for others.
fn tridiagonal(block: &[f64], size: usize) -> Option<f64> {
    let at = |to: usize, from: usize| block[from * size + to];
    let (middle, below, above) = (at(0, 0), at(1, 0), at(0, 1));
    let expected = |to: usize, from: usize| match (to.checked_sub(from), from.checked_sub(to)) {
        (Some(0), _) => middle,
        (Some(1), _) => below,
        (_, Some(1)) => above,
        _ => 0.0,
    };
    let fits = (0..size).all(|from| (0..size).all(|to| at(to, from) == expected(to, from)));
    let reach = 2.0 * libm::cos(std::f64::consts::PI / to_f64(size as u64 + 1));
    let (same, magnitude) = ((below > 0.0) == (above > 0.0), below.abs().sqrt() * above.abs().sqrt());
    let radius = if same { middle.abs() + reach * magnitude } else { libm::hypot(middle, reach * magnitude) };
    fits.then_some(radius)
}

/// Replaces a matrix by H A H with a reflection H, which has the same eigenvalues and no zeros. The eigenvalue iteration stalls on some 0/1
/// matrices, such as that of a cycle.
fn reflect(block: &mut [f64], size: usize) {
    // An axis in no special direction: the fractional parts of the multiples of the golden ratio, plus 1.
    let axis: Vec<f64> = (1..=size).map(|place| 1.0 + (to_f64(place as u64) * 0.618_033_988_749_894_9) % 1.0).collect();
    let factor = 2.0 / axis.iter().map(|part| part * part).sum::<f64>();
    let across = |line: &mut dyn FnMut(usize) -> usize, block: &mut [f64]| {
        let along: f64 = axis.iter().enumerate().map(|(place, part)| part * block[line(place)]).sum();
        axis.iter().enumerate().for_each(|(place, part)| block[line(place)] -= factor * along * part);
    };
    for number in 0..size {
        across(&mut |place| number * size + place, block);
    }
    for number in 0..size {
        across(&mut |place| place * size + number, block);
    }
}

/// The strongly connected components of the graph of a matrix (Tarjan 1972), without recursion.
fn components(matrix: &[f64], n: usize) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let (mut numbers, mut lowest, mut waiting) = (vec![NEW; n], vec![0; n], vec![false; n]);
    let (mut stack, mut components, mut count) = (Vec::new(), Vec::new(), 0);
    // The path that is walked: a unit, and the next that it may lead to.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for root in 0..n {
        if numbers[root] == NEW {
            path.push((root, 0));
        }
        while let Some(&(unit, next)) = path.last() {
            if next == 0 {
                (numbers[unit], lowest[unit], waiting[unit]) = (count, count, true);
                stack.push(unit);
                count += 1;
            }
            let led_to = (next..n).find(|&other| {
                let leads = matrix[unit * n + other] != 0.0 && other != unit;
                if leads && numbers[other] != NEW && waiting[other] {
                    lowest[unit] = lowest[unit].min(numbers[other]);
                }
                leads && numbers[other] == NEW
            });
            if let Some(other) = led_to {
                if let Some(top) = path.last_mut() {
                    top.1 = other + 1;
                }
                path.push((other, 0));
                continue;
            }
            path.pop();
            if let Some(&(before, _)) = path.last() {
                lowest[before] = lowest[before].min(lowest[unit]);
            }
            if lowest[unit] == numbers[unit] {
                let mut component = Vec::new();
                while let Some(other) = stack.pop() {
                    waiting[other] = false;
                    component.push(other);
                    if other == unit {
                        break;
                    }
                }
                component.sort_unstable();
                components.push(component);
            }
        }
    }
    components
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(n: usize, weight: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut matrix = vec![0.0; n * n];
        (0..n).for_each(|unit| matrix[(unit + 1) % n * n + unit] = weight(unit));
        matrix
    }

    #[track_caller]
    fn has_radius(matrix: &[f64], n: usize, expected: f64) {
        let found = spectral_radius(matrix, n).unwrap();
        assert!((found - expected).abs() <= 1e-12 * expected, "{found} is not {expected}");
    }

    #[test]
    fn the_radius_of_small_matrices_is_known() {
        has_radius(&[], 0, 0.0);
        has_radius(&[-3.0], 1, 3.0);
        has_radius(&[1.0, 2.0, 3.0, 4.0], 2, 2.5 + 8.25f64.sqrt());
        // A rotation, which has no real eigenvalue, and a triangular matrix, whose eigenvalues are its diagonal.
        has_radius(&[0.6, -0.8, 0.8, 0.6], 2, 1.0);
        has_radius(&[1.0, 0.0, 0.0, 5.0, -2.0, 0.0, 5.0, 5.0, 0.5], 3, 2.0);
    }

    #[test]
    fn a_matrix_without_cycles_has_radius_zero_however_large_it_is() {
        let n = 200;
        let matrix: Vec<f64> = (0..n * n).map(|at| if at / n > at % n { 1.0 } else { 0.0 }).collect();
        assert_eq!(spectral_radius(&matrix, n), Some(0.0));
    }

    #[test]
    fn cycles_and_their_unions_are_solved() {
        has_radius(&ring(50, |_| -0.7), 50, 0.7);
        has_radius(&ring(3, |unit| [1.0, 8.0, 27.0][unit]), 3, 6.0);
        // Two ways round, and a jump: eigenvalues 2 cos and a circulant's, by the roots of unity.
        for n in [4, 5, 64, 101] {
            let mut both = ring(n, |_| 0.5);
            (0..n).for_each(|unit| both[unit * n + (unit + 1) % n] += 0.5);
            has_radius(&both, n, 1.0);
        }
        let n = 60;
        let mut jumps = ring(n, |_| 1.0);
        (0..n).for_each(|unit| jumps[(unit + 7) % n * n + unit] = 1.0);
        // The cycle's lengths 1 and 7 differ by 6, which divides 60: six eigenvalues share the greatest magnitude.
        has_radius(&jumps, n, 2.0);
    }

    /// A Toeplitz matrix: `weights` by the offset of the target unit from the source.
    fn toeplitz(n: usize, weights: &[(isize, f64)]) -> Vec<f64> {
        let mut matrix = vec![0.0; n * n];
        for &(ahead, weight) in weights {
            for from in 0..n {
                if let Some(to) = from.checked_add_signed(ahead).filter(|&to| to < n) {
                    matrix[to * n + from] = weight;
                }
            }
        }
        matrix
    }

    #[test]
    fn lines_that_lead_back_have_the_radius_of_the_closed_form() {
        for (n, middle, ahead, back) in
            [(60, 0.0, 1.0, 0.01), (200, 0.0, 1.0, 0.01), (80, 0.1, 1.0, 1e-9), (50, -0.3, -0.5, 2.0)]
        {
            let reach = 2.0 * f64::sqrt(f64::abs(ahead * back)) * (std::f64::consts::PI / to_f64(n as u64 + 1)).cos();
            let expected = if ahead * back > 0.0 { f64::abs(middle) + reach } else { f64::hypot(middle, reach) };
            has_radius(&toeplitz(n, &[(0, middle), (1, ahead), (-1, back)]), n, expected);
        }
    }

    /// The expected values are those of FLINT's `acb_mat.eig` with 8 n bits.
    #[test]
    fn matrices_far_from_normal_have_their_own_radius_and_not_that_of_the_pseudospectrum() {
        #[track_caller]
        fn is_near(matrix: &[f64], n: usize, expected: f64) {
            let found = spectral_radius(matrix, n).unwrap();
            assert!((found - expected).abs() <= 1e-9 * expected, "{found} is not {expected}");
        }
        // Cases in which the smallest sum of squares suffices, and in which the largest singular value must be minimised.
        is_near(&toeplitz(60, &[(2, 1.0), (-3, 0.01)]), 60, 0.308_283_106_231_619_7);
        is_near(&toeplitz(60, &[(1, 1.0), (-2, 1e-4), (0, 0.2)]), 60, 0.287_490_452_802_101_9);
        is_near(&toeplitz(90, &WIDE), 90, 0.908_620_480_615_894_4);
        // Each line has different weights.
        let mut uneven = toeplitz(50, &[(1, 1.0), (-1, 1e-3), (0, 0.1)]);
        uneven.iter_mut().enumerate().for_each(|(at, weight)| *weight *= 1.0 + to_f64(at as u64 * 7 % 5) / 10.0);
        is_near(&uneven, 50, 0.198_641_586_536_938_9);
    }

    const WIDE: [(isize, f64); 8] =
        [(4, -0.416), (3, 0.51), (2, -0.096), (1, -0.334), (0, 0.133), (-1, 0.495), (-2, 0.021), (-3, 0.064)];
}
