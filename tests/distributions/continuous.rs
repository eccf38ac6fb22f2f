//! Continuous distributions other than uniform and normal, against distribution functions written independently here.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, PI};

use fanin::tensor::{DType, Name};
use fanin::writer::Encoder;

use crate::draw;
use crate::sample::{CRITICAL, distance};

/// The probability of a value up to x.
type Cdf = Box<dyn Fn(f64) -> f64>;

/// Expressions, and what every distribution test of the program draws of them.
pub(crate) const EXPRESSIONS: &[&str] = &[
    "laplace:scale=0.01",
    "laplace:scale=2,mean=-1",
    "exponential:rate=4",
    "gamma:shape=2.5,scale=0.1",
    "gamma:shape=1,scale=3",
    "gamma:shape=0.5,scale=1",
    "gamma:shape=0.3,scale=2",
    "log-normal:sigma=0.5,mu=-3",
    "log-uniform",
    "log-uniform:low=2,high=2.5",
    "cauchy:scale=0.001,limit=0.1",
    "cauchy:scale=2,median=1",
    "student-t:dof=3,scale=0.01,limit=0.2",
    "student-t:dof=1,scale=1",
    "student-t:dof=1.5,scale=1",
    "student-t:dof=2,scale=1",
    "student-t:dof=5,scale=0.1,mean=3",
];

/// The distribution that an expression stands for.
fn cdf(expression: &str) -> Cdf {
    match expression {
        "laplace:scale=0.01" => laplace(0.0, 0.01),
        "laplace:scale=2,mean=-1" => laplace(-1.0, 2.0),
        "exponential:rate=4" => Box::new(|x| -(-4.0 * x).exp_m1()),
        "gamma:shape=2.5,scale=0.1" => Box::new(|x| {
            let x = x / 0.1;
            libm::erf(x.sqrt()) - (-x).exp() * x.sqrt() * (2.0 + 4.0 / 3.0 * x) / PI.sqrt()
        }),
        "gamma:shape=1,scale=3" => Box::new(|x| -(-x / 3.0).exp_m1()),
        "gamma:shape=0.5,scale=1" => Box::new(|x| libm::erf(x.sqrt())),
        // In y = x^shape the density is exp(-y^(1 / shape)), which has no pole.
        "gamma:shape=0.3,scale=2" => {
            let below = cumulative(0.0, 4.0, |y| (-y.powf(1.0 / 0.3)).exp());
            Box::new(move |x| below((x / 2.0).powf(0.3)))
        }
        "log-normal:sigma=0.5,mu=-3" => Box::new(|x| 0.5 * libm::erfc(-(x.ln() + 3.0) / 0.5 * FRAC_1_SQRT_2)),
        "log-uniform" => Box::new(|x| (x / 0.001).ln() / 100f64.ln()),
        "log-uniform:low=2,high=2.5" => Box::new(|x| (x / 2.0).ln() / 1.25f64.ln()),
        "cauchy:scale=0.001,limit=0.1" => cut(student(1.0), 0.0, 0.001, 0.1),
        "cauchy:scale=2,median=1" => cut(student(1.0), 1.0, 2.0, f64::INFINITY),
        "student-t:dof=3,scale=0.01,limit=0.2" => cut(student(3.0), 0.0, 0.01, 0.2),
        "student-t:dof=1,scale=1" => student(1.0),
        "student-t:dof=1.5,scale=1" => student(1.5),
        "student-t:dof=2,scale=1" => student(2.0),
        "student-t:dof=5,scale=0.1,mean=3" => cut(student(5.0), 3.0, 0.1, f64::INFINITY),
        other => panic!("{other} is not in the table"),
    }
}

fn laplace(mean: f64, scale: f64) -> Cdf {
    Box::new(move |x| {
        let tail = 0.5 * (-(x - mean).abs() / scale).exp();
        if x < mean { tail } else { 1.0 - tail }
    })
}

/// Student's distribution: the angle of tangent x / sqrt(dof) has a density of cos^(dof - 1).
fn student(dof: f64) -> Cdf {
    let below = cumulative(-FRAC_PI_2, FRAC_PI_2, move |angle| angle.cos().max(0.0).powf(dof - 1.0));
    Box::new(move |x| below((x / dof.sqrt()).atan()))
}

/// A symmetric distribution moved, scaled, and cut at a distance from its centre.
fn cut(distribution: Cdf, centre: f64, scale: f64, limit: f64) -> Cdf {
    let (from, to) = (distribution(-limit / scale), distribution(limit / scale));
    Box::new(move |x| (distribution((x - centre) / scale) - from) / (to - from))
}

/// The share of the integral of a density over [a, b] that lies below x.
fn cumulative(a: f64, b: f64, density: impl Fn(f64) -> f64) -> impl Fn(f64) -> f64 {
    const STEPS: usize = 1 << 16;
    let step = (b - a) / STEPS as f64;
    let mut sums = vec![0.0; STEPS + 1];
    for n in 0..STEPS {
        let from = a + step * n as f64;
        let simpson = density(from) + 4.0 * density(from + 0.5 * step) + density(from + step);
        sums[n + 1] = sums[n] + simpson / 6.0;
    }
    move |x| {
        let at = ((x - a) / step).clamp(0.0, STEPS as f64);
        let n = (at as usize).min(STEPS - 1);
        (sums[n] + (at - n as f64) * (sums[n + 1] - sums[n])) / sums[STEPS]
    }
}

const COUNT: usize = 1 << 19;

fn values(expression: &str, dtype: DType) -> Vec<f64> {
    draw::whole(3, &draw::tensor(expression, "1024x512", "io", dtype))
}

#[test]
fn numbers_follow_their_distributions_and_an_error_of_three_percent_in_the_scale_is_found() {
    let critical = CRITICAL / (COUNT as f64).sqrt();
    for &expression in EXPRESSIONS {
        let cdf = cdf(expression);
        for dtype in [DType::F64, DType::F32] {
            let drawn = values(expression, dtype);
            let middle = {
                let mut sorted = drawn.clone();
                *sorted.select_nth_unstable_by(COUNT / 2, f64::total_cmp).1
            };
            // A scale about the centre; about 0 for positive distributions.
            let centre = if cdf(0.0) > 0.0 || middle < 0.0 || expression.contains("mean") { middle } else { 0.0 };
            let wider = drawn.iter().map(|x| centre + 1.03 * (x - centre)).collect();
            let far = distance(drawn, &cdf);
            assert!(far <= critical, "{expression} in {dtype}: {far} is above {critical}");
            let far = distance(wider, &cdf);
            assert!(far > critical, "{expression} in {dtype}: an error of 3 % gives {far} only");
        }
    }
}

#[test]
fn means_and_standard_deviations_are_the_expected_ones() {
    let (mut means, mut stds) = (0, 0);
    for &expression in EXPRESSIONS {
        let distribution = draw::tensor(expression, "1024x512", "io", DType::F64).distribution().clone();
        let drawn = values(expression, DType::F64);
        let count = drawn.len() as f64;
        let moment = |centre: f64, power| drawn.iter().map(|x| (x - centre).powi(power)).sum::<f64>() / count;
        let mean = moment(0.0, 1);
        let (variance, fourth) = (moment(mean, 2), moment(mean, 4));
        let infinite = expression.contains("dof=1.5");
        if let Some(expected) = distribution.mean().filter(|_| !infinite) {
            let error = (mean - expected) / (variance / count).sqrt();
            assert!(error.abs() < 5.0, "{expression}: the mean is {mean}, not {expected}");
            means += 1;
        }
        if let Some(expected) = distribution.std() {
            let error = (variance - expected * expected) / ((fourth - variance * variance) / count).sqrt();
            assert!(error.abs() < 5.0, "{expression}: the variance is {variance}, not {}", expected * expected);
            stds += 1;
        }
    }
    assert_eq!((means, stds), (14, 13));
}

#[test]
fn no_value_is_out_of_bounds_or_above_the_stated_maximum() {
    for &expression in EXPRESSIONS {
        for dtype in DType::ALL {
            let distribution = draw::tensor(expression, "1", "io", DType::F64).distribution().clone();
            if distribution.fits(dtype).is_err() {
                assert_eq!(dtype, DType::F16, "{expression}");
                continue;
            }
            let tensor = draw::tensor(expression, "300x1000", "io", dtype);
            let mut encoder = Encoder::default();
            let (low, high) = distribution.bounds().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
            for &value in encoder.widened(&*draw::open(9, &tensor), dtype, 0, 300_000) {
                assert!(low <= value && value <= high, "{expression} in {dtype}: {value}");
                assert!(value.abs() <= dtype.round(distribution.max_abs()), "{expression} in {dtype}: {value}");
            }
        }
    }
}

#[test]
fn a_tail_that_does_not_fit_is_refused_unless_it_is_cut() {
    let fits = |expression, dtype| draw::tensor(expression, "9", "io", DType::F64).distribution().fits(dtype).is_ok();
    for (expression, refused) in [
        ("cauchy:scale=1", &[DType::F16][..]),
        ("cauchy:scale=1,limit=60000", &[]),
        ("student-t:dof=5,scale=1", &[DType::F16]),
        ("student-t:dof=5,scale=1,limit=100", &[]),
        ("student-t:dof=0.2,scale=1", &[DType::F32, DType::F16, DType::BF16]),
        ("student-t:dof=0.1,scale=1,limit=1", &[]),
        ("log-normal:sigma=1", &[]),
        ("log-normal:sigma=2", &[DType::F16]),
        ("log-normal:sigma=20", &[DType::F32, DType::F16, DType::BF16]),
        ("laplace:scale=2000", &[DType::F16]),
        ("gamma:shape=0.001,scale=1", &[]),
        ("gamma:shape=70000,scale=1", &[DType::F16]),
    ] {
        for dtype in DType::ALL {
            assert_eq!(fits(expression, dtype), !refused.contains(&dtype), "{expression} in {dtype}");
        }
    }
}

#[test]
fn a_distribution_of_few_degrees_of_freedom_is_drawn_within_its_limit() {
    let drawn = draw::whole(1, &draw::tensor("student-t:dof=0.1,scale=1,limit=1", "20000", "io", DType::F32));
    assert!(drawn.iter().all(|value| value.abs() <= 1.0));
}

#[test]
fn values_are_independent_of_their_neighbours_and_of_those_of_other_names() {
    for &expression in EXPRESSIONS {
        let cdf = cdf(expression);
        let other = draw::named(Name::unnamed(1).as_str(), expression, "200000", "io", DType::F64);
        let [one, other] = [draw::tensor(expression, "200000", "io", DType::F64), other]
            .map(|tensor| draw::whole(5, &tensor).into_iter().map(&cdf).collect::<Vec<f64>>());
        // The ranks are uniform on [0, 1]: their variance is 1 / 12.
        let correlation = |pairs: &mut dyn Iterator<Item = (&f64, &f64)>| {
            let terms: Vec<f64> = pairs.map(|(a, b)| (a - 0.5) * (b - 0.5) * 12.0).collect();
            terms.iter().sum::<f64>() / (terms.len() as f64).sqrt()
        };
        for apart in [1, 2, 512] {
            let found = correlation(&mut one.iter().zip(&one[apart..]));
            assert!(found.abs() < 4.5, "{expression}, {apart} apart: {found} standard errors");
        }
        let found = correlation(&mut one.iter().zip(&other));
        assert!(found.abs() < 4.5, "{expression} and another name: {found} standard errors");
    }
}
