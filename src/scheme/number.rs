//! Numbers as people type them: decimals, and exact products, quotients, powers and square roots of them and of pi.
//!
//! A value is `±sqrt(fraction * pi^k)` until the end, so that it is rounded once: `sqrt(2)/2` is the double nearest to it.

/// The longest text of an expression, in bytes; it bounds the depth of its parentheses.
const LONGEST: usize = 100;

/// Parses a finite number: a decimal, or an expression such as `5/3`, `1/sqrt(3)`, `2**-5` or `math.sqrt(2/pi)`.
pub(crate) fn number(text: &str) -> Option<f64> {
    if let Ok(decimal) = text.parse::<f64>() {
        return Some(decimal).filter(|value| value.is_finite());
    }
    if text.len() > LONGEST {
        return None;
    }
    let mut reader = Reader(text.trim());
    let value = reader.product()?;
    if reader.0.is_empty() { value.nearest() } else { None }
}

/// The rest of an expression.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn takes(&mut self, sign: &str) -> bool {
        let rest = self.0.strip_prefix(sign).map(str::trim_start);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn product(&mut self) -> Option<Exact> {
        let mut value = self.power()?;
        loop {
            if self.takes("*") {
                value = value.times(self.power()?)?;
            } else if self.takes("/") {
                value = value.times(self.power()?.inverse()?)?;
            } else {
                return Some(value);
            }
        }
    }

    /// A value with an optional minus sign and an optional power, which binds more strongly.
    fn power(&mut self) -> Option<Exact> {
        let negative = self.takes("-");
        let base = self.atom()?;
        let value = if self.takes("**") || self.takes("^") { base.power(self.power()?)? } else { base };
        Some(Exact { negative: value.negative != negative, ..value })
    }

    fn atom(&mut self) -> Option<Exact> {
        if self.takes("(") {
            let value = self.product()?;
            return self.takes(")").then_some(value);
        }
        let end = self.0.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(self.0.len());
        match self.0[..end].rsplit('.').next()? {
            "pi" => {
                self.0 = self.0[end..].trim_start();
                Some(Exact { negative: false, square: Fraction::ONE, pis: 2 })
            }
            "sqrt" => {
                self.0 = self.0[end..].trim_start();
                if self.0.starts_with('(') { self.atom()?.root() } else { None }
            }
            _ => self.decimal(),
        }
    }

    /// Digits with an optional point and an optional exponent.
    fn decimal(&mut self) -> Option<Exact> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (mut text, mut exponent) = (self.0[..digits(self.0)].to_string(), 0i32);
        let mut rest = &self.0[text.len()..];
        if let Some(fraction) = rest.strip_prefix('.') {
            let count = digits(fraction);
            text.push_str(&fraction[..count]);
            (exponent, rest) = (-i32::try_from(count).ok()?, &fraction[count..]);
        }
        if let Some(power) = rest.strip_prefix(['e', 'E']) {
            let sign = usize::from(power.starts_with(['-', '+']));
            let end = sign + digits(&power[sign..]);
            (exponent, rest) = (exponent.checked_add(power[..end].parse().ok()?)?, &power[end..]);
        }
        let integer = Fraction::new(text.parse().ok()?, 1)?;
        self.0 = rest.trim_start();
        let ten = Fraction::new(10, 1)?.power(exponent)?;
        Exact { negative: false, square: integer.times(ten)?.power(2)?, pis: 0 }.into()
    }
}

/// The number `±sqrt(square * pi^pis)`.
#[derive(Clone, Copy)]
struct Exact {
    negative: bool,
    square: Fraction,
    pis: i32,
}

impl Exact {
    fn times(self, other: Self) -> Option<Self> {
        let (square, pis) = (self.square.times(other.square)?, self.pis.checked_add(other.pis)?);
        Some(Self { negative: self.negative != other.negative, square, pis })
    }

    fn inverse(self) -> Option<Self> {
        Some(Self { square: self.square.inverse()?, pis: self.pis.checked_neg()?, ..self })
    }

    /// The square root, if it has this form too.
    fn root(self) -> Option<Self> {
        let (square, is_even) = (self.square.root()?, self.pis % 2 == 0);
        (is_even && !(self.negative && square.over > 0)).then_some(Self { square, pis: self.pis / 2, negative: false })
    }

    /// A power, if the exponent is a multiple of 1/2.
    fn power(self, exponent: Self) -> Option<Self> {
        let twice = exponent.square.times(Fraction::new(4, 1)?)?.root()?;
        let magnitude = i32::try_from(twice.over).ok().filter(|_| exponent.pis == 0 && twice.under == 1)?;
        let twice = if exponent.negative { -magnitude } else { magnitude };
        let power = |n: i32| {
            let (negative, pis) = (self.negative && n % 2 != 0, self.pis.checked_mul(n)?);
            Some(Self { negative, square: self.square.power(n)?, pis })
        };
        if twice % 2 == 0 { power(twice / 2) } else { power(twice)?.root() }
    }

    /// The nearest double. `None` if the known digits of pi do not decide it.
    fn nearest(self) -> Option<f64> {
        let rounded = |pi: Fraction| Some(self.square.times(pi.power(self.pis)?)?.nearest_root());
        let [below, above] = PI.map(rounded);
        let magnitude = below.filter(|_| below == above)?;
        Some(if self.negative { -magnitude } else { magnitude })
    }
}

/// Convergents below and above pi.
const PI: [Fraction; 2] = [
    Fraction { over: 8_958_937_768_937, under: 2_851_718_461_558 },
    Fraction { over: 5_371_151_992_734, under: 1_709_690_779_483 },
];

/// A non-negative fraction in lowest terms.
#[derive(Clone, Copy)]
struct Fraction {
    over: u128,
    under: u128,
}

impl Fraction {
    const ONE: Self = Self { over: 1, under: 1 };
    /// The exclusive limit of both terms.
    const LIMIT: u128 = 1 << 126;

    /// `None` if a term exceeds the limit.
    fn new(over: u128, under: u128) -> Option<Self> {
        (over < Self::LIMIT && under < Self::LIMIT).then_some(Self { over, under })
    }

    fn times(self, other: Self) -> Option<Self> {
        let (one, two) = (gcd(self.over, other.under), gcd(other.over, self.under));
        let over = (self.over / one).checked_mul(other.over / two)?;
        Self::new(over, (self.under / two).checked_mul(other.under / one)?)
    }

    fn inverse(self) -> Option<Self> {
        (self.over > 0).then_some(Self { over: self.under, under: self.over })
    }

    fn power(self, exponent: i32) -> Option<Self> {
        let base = if exponent < 0 { self.inverse()? } else { self };
        // Any other base exceeds the limit soon.
        let is_trivial = base.over <= 1 && base.under == 1;
        let times = if is_trivial { exponent.unsigned_abs().min(1) } else { exponent.unsigned_abs() };
        (0..times).try_fold(Self::ONE, |power, _| power.times(base))
    }

    /// The square root, if it is a fraction.
    fn root(self) -> Option<Self> {
        let (over, under) = (self.over.isqrt(), self.under.isqrt());
        (over * over == self.over && under * under == self.under).then_some(Self { over, under })
    }

    /// The double nearest to the square root, ties to even.
    fn nearest_root(self) -> f64 {
        let Self { over, under } = self;
        if over == 0 {
            return 0.0;
        }
        // The quotient times 4^shift has 125 to 127 bits, so its root has 63 or 64.
        let bits = |term: u128| u128::BITS - term.leading_zeros();
        let shift = (126 + bits(under) - bits(over)) / 2;
        let (mut quotient, mut rest) = (over / under, over % under);
        for _ in 0..2 * shift {
            rest <<= 1;
            quotient = quotient << 1 | u128::from(rest >= under);
            rest = if rest >= under { rest - under } else { rest };
        }
        let root = quotient.isqrt();
        let is_exact = rest == 0 && root * root == quotient;
        #[expect(clippy::cast_precision_loss, reason = "the only rounding; a last bit marks what lies below it")]
        let mantissa = (root << 1 | u128::from(!is_exact)) as f64;
        mantissa * 0.5f64.powi(i32::try_from(shift + 1).unwrap_or(i32::MAX))
    }
}

fn gcd(one: u128, other: u128) -> u128 {
    if other == 0 { one.max(1) } else { gcd(other, one % other) }
}

#[cfg(test)]
mod tests {
    use super::number;
    use std::f64::consts::PI;

    #[test]
    fn expressions_are_rounded_once_to_the_nearest_double() {
        // The expected values are those of 60-digit arithmetic, rounded.
        for (text, expected) in [
            ("sqrt(2)", std::f64::consts::SQRT_2),
            ("5/3", 1.666_666_666_666_666_7),
            ("1/sqrt(3)", 0.577_350_269_189_625_7),
            ("sqrt(2)/2", std::f64::consts::FRAC_1_SQRT_2),
            ("-sqrt(2/5)", -0.632_455_532_033_675_9),
            ("math.sqrt(5)", 2.236_067_977_499_79),
            ("np.sqrt( 2 / (784) )", 0.050_507_627_227_610_54),
            ("pi", PI),
            ("-pi/2", -PI / 2.0),
            ("pi/180", 0.017_453_292_519_943_295),
            ("1/pi", std::f64::consts::FRAC_1_PI),
            ("math.pi", PI),
            ("sqrt(2/pi)", 0.797_884_560_802_865_4),
            ("sqrt(2*pi)", 2.506_628_274_631_000_7),
            ("2**-5", 0.031_25),
            ("5**0.5", 2.236_067_977_499_79),
            ("2^(1/2)", std::f64::consts::SQRT_2),
            ("-2^2", -4.0),
            ("(-2)^3", -8.0),
            ("1e-2*3", 0.03),
            (".5*.5", 0.25),
            ("0*2", 0.0),
            ("sqrt(0)", 0.0),
            ("2/3*3/2", 1.0),
            ("1/10", 0.1),
            ("123456789/1000", 123_456.789),
        ] {
            assert_eq!(number(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn roots_of_fractions_agree_with_the_processor() {
        for n in 1..2000u32 {
            assert_eq!(number(&format!("sqrt({n})")), Some(f64::from(n).sqrt()), "{n}");
            assert_eq!(number(&format!("{n}/7")), Some(f64::from(n) / 7.0), "{n}");
            assert_eq!(number(&format!("1/{n}")), Some(1.0 / f64::from(n)), "{n}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "nan",
            "inf",
            "-inf",
            "1e999",
            "abc",
            "0x10",
            "1/0",
            "sqrt(-1)",
            "sqrt 2",
            "sqrt()",
            "2*",
            "*2",
            "(2",
            "2)",
            "1+1",
            "2^pi",
            "2^0.3",
            "sqrt(sqrt(2))",
            "10^99",
            "pi^9",
            "pi^1073741823*pi",
            "1/(pi^2)^-536870912",
            "2 3",
            "1e",
            "e",
            "2**9999999999",
            "1//2",
            "--",
        ] {
            assert_eq!(number(text), None, "{text:?} was taken");
        }
        assert_eq!(number(&"(".repeat(1 << 20)), None);
        assert_eq!(number(&format!("{}2{}", "(".repeat(49), ")".repeat(49))), Some(2.0));
    }
}
