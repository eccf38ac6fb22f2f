//! Incomplete beta and gamma functions, with the same bits on every machine.

use super::normal;

/// The regularised incomplete beta function: the distribution function of the beta distribution.
pub fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    // The continued fraction converges slowly above the mean.
    if x > (a + 1.0) / (a + b + 2.0) {
        return (1.0 - beta(1.0 - x, b, a)).max(0.0);
    }
    let scale = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
    libm::exp(scale + a * libm::log(x) + b * libm::log1p(-x)) * fraction(x, a, b) / a
}

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), by the method of Lentz (1976).
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..20_000u32 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

/// A value of a continued fraction, or a tiny number instead of a 0 to divide by.
fn away(value: f64) -> f64 {
    const LEAST: f64 = 1e-300;
    if value.abs() < LEAST { LEAST } else { value }
}

/// The regularised lower incomplete gamma function: the distribution function of the gamma distribution with scale 1. For a large shape its
/// cube root is normal (Wilson and Hilferty 1931), to 1e-8.
pub fn gamma(x: f64, shape: f64) -> f64 {
    const LARGE: f64 = 1e6;
    if x <= 0.0 {
        return 0.0;
    }
    if shape >= LARGE {
        return normal::lower((libm::cbrt(x / shape) - (1.0 - 1.0 / (9.0 * shape))) * 3.0 * shape.sqrt());
    }
    let scale = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 {
        let mut term = 1.0 / shape;
        let mut sum = term;
        for step in 1..20_000u32 {
            term *= x / (shape + f64::from(step));
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        return scale * sum;
    }
    // The continued fraction of the upper function (Abramowitz and Stegun 6.5.31).
    let mut b = x + 1.0 - shape;
    let (mut c, mut d) = (1e300, 1.0 / away(b));
    let mut value = d;
    for step in 1..20_000u32 {
        let m = f64::from(step);
        let term = -m * (m - shape);
        b += 2.0;
        d = 1.0 / away(b + term * d);
        c = away(b + term / c);
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    1.0 - scale * value
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected numbers from SciPy.

    #[test]
    fn the_incomplete_beta_function_is_that_of_scipy() {
        for (x, a, b, expected) in [
            (0.3, 0.5, 1.0, 0.5477225575051661),
            (0.02, 0.5, 31.5, 0.7388643892964317),
            (0.9, 2.5, 0.5, 0.48958974456442755),
            (1e-06, 0.5, 500.0, 0.025220823043776385),
        ] {
            assert!((beta(x, a, b) / expected - 1.0).abs() < 1e-12, "{x}, {a}, {b}: {}", beta(x, a, b));
        }
    }

    #[test]
    fn the_incomplete_gamma_function_is_that_of_scipy() {
        for (x, shape, expected) in [
            (0.01, 0.1, 0.6626212599544796),
            (0.5, 2.5, 0.03743422675270361),
            (3.0, 2.5, 0.6937810815867212),
            (20.0, 2.5, 0.99999985066321),
            (1000.0, 1010.0, 0.38010487476705734),
            (1.0, 1.0, 0.6321205588285577),
        ] {
            assert!((gamma(x, shape) / expected - 1.0).abs() < 1e-12, "{x}, {shape}: {}", gamma(x, shape));
        }
        assert!((gamma(1_000_500.0, 1e6) - 0.691_550_475_771_497_2).abs() < 1e-8);
        assert_eq!((gamma(0.0, 2.0), gamma(1e4, 2.0)), (0.0, 1.0));
    }
}
