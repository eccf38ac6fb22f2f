//! A double with `libm` functions, for the distributions of `rand_distr`. They are generic over [`num_traits::Float`], and its functions on
//! `f64` are the platform's.

use std::cmp::Ordering;
use std::f64::consts;
use std::num::FpCategory;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Rem, Sub};

use num_traits::{Float, FloatConst, Num, NumCast, One, ToPrimitive, Zero};
use rand::Rng;
use rand_distr::{Distribution, Exp1, Open01, StandardNormal, StandardUniform};

use super::sampling;

/// A double whose computations have the same bits on every machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LibmF64(pub f64);

impl Distribution<LibmF64> for StandardUniform {
    fn sample<R: Rng + ?Sized>(&self, words: &mut R) -> LibmF64 {
        LibmF64(sampling::unit(words))
    }
}

impl Distribution<LibmF64> for Open01 {
    fn sample<R: Rng + ?Sized>(&self, words: &mut R) -> LibmF64 {
        LibmF64(sampling::open_unit(words))
    }
}

impl Distribution<LibmF64> for Exp1 {
    fn sample<R: Rng + ?Sized>(&self, words: &mut R) -> LibmF64 {
        LibmF64(sampling::exponential(words))
    }
}

impl Distribution<LibmF64> for StandardNormal {
    fn sample<R: Rng + ?Sized>(&self, words: &mut R) -> LibmF64 {
        LibmF64(sampling::normal(words))
    }
}

impl PartialOrd for LibmF64 {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.0.partial_cmp(&other.0)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident,)+) => {$(
        impl $trait for LibmF64 {
            type Output = Self;

            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0))
            }
        }
    )+};
}

operators! { Add add, Sub sub, Mul mul, Div div, Rem rem, }

impl AddAssign for LibmF64 {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Neg for LibmF64 {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Zero for LibmF64 {
    fn zero() -> Self {
        Self(0.0)
    }

    fn is_zero(&self) -> bool {
        self.0 == 0.0
    }
}

impl One for LibmF64 {
    fn one() -> Self {
        Self(1.0)
    }
}

impl Num for LibmF64 {
    type FromStrRadixErr = <f64 as Num>::FromStrRadixErr;

    fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
        f64::from_str_radix(text, radix).map(Self)
    }
}

impl ToPrimitive for LibmF64 {
    fn to_i64(&self) -> Option<i64> {
        self.0.to_i64()
    }

    fn to_u64(&self) -> Option<u64> {
        self.0.to_u64()
    }

    fn to_f64(&self) -> Option<f64> {
        Some(self.0)
    }
}

impl NumCast for LibmF64 {
    fn from<T: ToPrimitive>(number: T) -> Option<Self> {
        number.to_f64().map(Self)
    }
}

macro_rules! constants {
    ($($name:ident)+) => {
        impl FloatConst for LibmF64 {
            $(fn $name() -> Self {
                Self(consts::$name)
            })+
        }
    };
}

constants! {
    E FRAC_1_PI FRAC_1_SQRT_2 FRAC_2_PI FRAC_2_SQRT_PI FRAC_PI_2 FRAC_PI_3 FRAC_PI_4 FRAC_PI_6 FRAC_PI_8 LN_10 LN_2
    LOG10_E LOG2_E PI SQRT_2
}

/// The methods of [`Float`], by their signatures.
macro_rules! methods {
    (
        values $($value:ident = $constant:expr,)+;
        tests $($test:ident)+;
        exact $($exact:ident)+;
        libm $($unary:ident = $function:ident,)+;
        libm of two $($binary:ident = $of_two:ident,)+;
    ) => {
        $(fn $value() -> Self {
            Self($constant)
        })+
        $(fn $test(self) -> bool {
            self.0.$test()
        })+
        $(fn $exact(self) -> Self {
            Self(self.0.$exact())
        })+
        $(fn $unary(self) -> Self {
            Self(libm::$function(self.0))
        })+
        $(fn $binary(self, other: Self) -> Self {
            Self(libm::$of_two(self.0, other.0))
        })+
    };
}

impl Float for LibmF64 {
    methods! {
        values
            nan = f64::NAN, infinity = f64::INFINITY, neg_infinity = f64::NEG_INFINITY, neg_zero = -0.0,
            min_value = f64::MIN, min_positive_value = f64::MIN_POSITIVE, epsilon = f64::EPSILON,
            max_value = f64::MAX,;
        tests is_nan is_infinite is_finite is_normal is_sign_positive is_sign_negative;
        exact abs signum recip sqrt;
        libm
            floor = floor, ceil = ceil, round = round, trunc = trunc, exp = exp, exp2 = exp2, ln = log, log2 = log2,
            log10 = log10, cbrt = cbrt, sin = sin, cos = cos, tan = tan, asin = asin, acos = acos, atan = atan,
            exp_m1 = expm1, ln_1p = log1p, sinh = sinh, cosh = cosh, tanh = tanh, asinh = asinh, acosh = acosh,
            atanh = atanh,;
        libm of two
            powf = pow, max = fmax, min = fmin, abs_sub = fdim, hypot = hypot, atan2 = atan2,;
    }

    fn classify(self) -> FpCategory {
        self.0.classify()
    }

    fn fract(self) -> Self {
        self - self.trunc()
    }

    /// Rounds twice, which is portable.
    fn mul_add(self, factor: Self, term: Self) -> Self {
        self * factor + term
    }

    fn powi(self, exponent: i32) -> Self {
        self.powf(Self(exponent.into()))
    }

    fn log(self, base: Self) -> Self {
        self.ln() / base.ln()
    }

    fn sin_cos(self) -> (Self, Self) {
        (self.sin(), self.cos())
    }

    fn integer_decode(self) -> (u64, i16, i8) {
        self.0.integer_decode()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_and_functions_are_those_of_doubles() {
        let (x, y) = (LibmF64(7.5), LibmF64(-2.0));
        assert_eq!([x + y, x - y, x * y, x / y, x % y].map(|value| value.0), [5.5, 9.5, -15.0, -3.75, 1.5]);
        assert_eq!(LibmF64(2.0).powi(-3), LibmF64(0.125));
        assert_eq!(x.fract(), LibmF64(0.5));
        assert_eq!(<LibmF64 as NumCast>::from(3u8), Some(LibmF64(3.0)));
        assert!((LibmF64(0.5).tan().0 - 0.5f64.tan()).abs() < 1e-15);
    }
}
