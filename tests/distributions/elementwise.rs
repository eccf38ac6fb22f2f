//! Every elementwise distribution: distribution, moments, bounds.

use fanin::tensor::DType;

use crate::draw;
use crate::reference::Reference;
use crate::sample::{Fault, faults};

/// Fans that differ, and elements enough that an error of 1 % in the standard deviation is seen by every check.
const SHAPE: &str = "1000x2000";
const FAN_IN: f64 = 1000.0;
const FAN_OUT: f64 = 2000.0;

/// Expressions, and the distributions that they stand for on [`SHAPE`].
pub(crate) fn rows() -> Vec<(&'static str, Reference)> {
    let mut rows = plain();
    rows.extend(scaled());
    rows.extend(truncated());
    rows.extend(frameworks());
    rows.extend(deep());
    rows
}

fn plain() -> Vec<(&'static str, Reference)> {
    let uniform = |low, high| Reference::Uniform { low, high };
    let root = 3f64.sqrt();
    vec![
        ("zeros", Reference::Constant(0.0)),
        ("ones", Reference::Constant(1.0)),
        ("constant:0.1", Reference::Constant(0.1)),
        ("constant:-3", Reference::Constant(-3.0)),
        ("prior-bias", Reference::Constant(-99f64.ln())),
        ("normal", Reference::normal(0.01)),
        ("normal:0.02", Reference::normal(0.02)),
        ("rbm:std=0.1", Reference::normal(0.1)),
        ("normal:std=0.5,mean=-2", Reference::Normal { mean: -2.0, std: 0.5 }),
        ("normal:std=1e-36", Reference::normal(1e-36)),
        ("uniform", Reference::uniform(0.01)),
        ("uniform:0.05", Reference::uniform(0.05)),
        ("uniform:low=-1,high=3", uniform(-1.0, 3.0)),
        ("uniform:low=0,high=1", uniform(0.0, 1.0)),
        ("standard-normal", Reference::normal(1.0)),
        ("standard-uniform", uniform(0.0, 1.0)),
        ("uniform:low=1,high=1.5", uniform(1.0, 1.5)),
        ("uniform:std=0.02", uniform(-0.02 * root, 0.02 * root)),
        ("uniform:std=0.02,mean=0.1", uniform(0.1 - 0.02 * root, 0.1 + 0.02 * root)),
        ("uniform:range=1e-36", Reference::uniform(1e-36)),
    ]
}

fn scaled() -> Vec<(&'static str, Reference)> {
    let normal = |variance: f64| Reference::normal(variance.sqrt());
    let uniform = |variance: f64| Reference::uniform((3.0 * variance).sqrt());
    let truncated = |variance: f64| Reference::corrected(0.0, variance.sqrt(), -2.0, 2.0);
    let (sum, root) = (FAN_IN + FAN_OUT, (FAN_IN * FAN_OUT).sqrt());
    vec![
        ("lecun-normal", normal(1.0 / FAN_IN)),
        ("lecun-uniform", uniform(1.0 / FAN_IN)),
        ("lecun", normal(1.0 / FAN_IN)),
        ("lecun:distribution=uniform", uniform(1.0 / FAN_IN)),
        ("lecun:distribution=truncated-normal", truncated(1.0 / FAN_IN)),
        ("glorot-normal", normal(2.0 / sum)),
        ("glorot-normal:gain=tanh", normal(25.0 / 9.0 * 2.0 / sum)),
        ("glorot-uniform", Reference::uniform((6.0 / sum).sqrt())),
        ("glorot-uniform:gain=relu", Reference::uniform((12.0 / sum).sqrt())),
        ("glorot", uniform(2.0 / sum)),
        ("glorot:distribution=normal", normal(2.0 / sum)),
        ("sigmoid-uniform", Reference::uniform(4.0 * (6.0 / sum).sqrt())),
        ("he-normal", normal(2.0 / FAN_IN)),
        ("he-normal:mode=fan-out", normal(2.0 / FAN_OUT)),
        ("he-normal:mode=fan-avg", normal(4.0 / sum)),
        ("he-normal:mode=fan-geo-avg", normal(2.0 / root)),
        ("he-normal:gain=leaky-relu,slope=0.2", normal(2.0 / 1.04 / FAN_IN)),
        ("he-uniform", Reference::uniform((6.0 / FAN_IN).sqrt())),
        ("he-uniform:mode=fan-out", uniform(2.0 / FAN_OUT)),
        ("he-uniform:mode=fan-avg", uniform(4.0 / sum)),
        ("he-uniform:mode=fan-geo-avg,gain=1", uniform(1.0 / root)),
        ("he", normal(2.0 / FAN_IN)),
        ("he:distribution=uniform", uniform(2.0 / FAN_IN)),
        ("he:distribution=truncated-normal,mode=fan-out", truncated(2.0 / FAN_OUT)),
        ("variance-scaling", truncated(1.0 / FAN_IN)),
        ("variance-scaling:scale=2,distribution=normal", normal(2.0 / FAN_IN)),
        ("variance-scaling:scale=0.5,mode=fan-avg,distribution=uniform", uniform(1.0 / sum)),
        ("variance-scaling:scale=3,mode=fan-out,distribution=truncated-normal", truncated(3.0 / FAN_OUT)),
    ]
}

fn truncated() -> Vec<(&'static str, Reference)> {
    let open = f64::INFINITY;
    let cut = |mean, std, low, high| Reference::Truncated { mean, std, low, high };
    vec![
        ("truncated-normal", Reference::cut_at_sigmas(0.0, 0.01, -2.0, 2.0)),
        ("truncated-normal:std=1,low=-2,high=2", cut(0.0, 1.0, -2.0, 2.0)),
        ("truncated-normal:std=0.5,mean=0.25,low=0,high=1", cut(0.25, 0.5, 0.0, 1.0)),
        ("truncated-normal:std=1,low=0", cut(0.0, 1.0, 0.0, open)),
        ("truncated-normal:std=1,high=1.5", cut(0.0, 1.0, -open, 1.5)),
        ("truncated-normal:std=1,mean=1,high=0", cut(1.0, 1.0, -open, 0.0)),
        ("truncated-normal:std=0.02,low-sigma=-1,high-sigma=3", Reference::cut_at_sigmas(0.0, 0.02, -1.0, 3.0)),
        ("truncated-normal:std=0.02,corrected=true", Reference::corrected(0.0, 0.02, -2.0, 2.0)),
        (
            "truncated-normal:std=0.02,mean=0.1,low-sigma=-1,high-sigma=3,corrected=true",
            Reference::corrected(0.1, 0.02, -1.0, 3.0),
        ),
        (
            "truncated-normal:std=0.02,low-sigma=1,high-sigma=1.001,corrected=true",
            Reference::corrected(0.0, 0.02, 1.0, 1.001),
        ),
        ("truncated-normal:std=0.01,low=0.05", cut(0.0, 0.01, 0.05, open)),
        ("truncated-normal:std=0.01,high=-0.05", cut(0.0, 0.01, -open, -0.05)),
        ("truncated-normal:std=0.01,low=0.05,high=0.0505", cut(0.0, 0.01, 0.05, 0.0505)),
        ("truncated-normal:std=1,low=-0.1,high=0.15", cut(0.0, 1.0, -0.1, 0.15)),
        ("truncated-normal:std=1,low=0.5,high=0.501", cut(0.0, 1.0, 0.5, 0.501)),
    ]
}

/// What single frameworks and networks start from.
fn frameworks() -> Vec<(&'static str, Reference)> {
    let elements = FAN_IN * FAN_OUT;
    vec![
        ("fan-in-uniform", Reference::uniform(1.0 / FAN_IN.sqrt())),
        ("uniform-unit-scaling", Reference::uniform((3.0 / FAN_IN).sqrt())),
        ("uniform-unit-scaling:factor=1.43", Reference::uniform(1.43 * (3.0 / FAN_IN).sqrt())),
        ("scaled-uniform", Reference::uniform(1.0 / elements.sqrt())),
        ("rnn-uniform:gates=1", Reference::uniform(1.0 / FAN_OUT.sqrt())),
        ("rnn-uniform:hidden=77", Reference::uniform(1.0 / 77f64.sqrt())),
        ("magnitude-scaling", Reference::uniform((6.0 / (FAN_IN + FAN_OUT)).sqrt())),
        ("magnitude-scaling:distribution=normal", Reference::normal((6.0 / (FAN_IN + FAN_OUT)).sqrt())),
        ("magnitude-scaling:magnitude=2,mode=fan-in", Reference::uniform((2.0 / FAN_IN).sqrt())),
        ("xavier-legacy", Reference::normal(1.0 / (FAN_IN + FAN_OUT).sqrt())),
        ("glorot-uniform:pool=4", Reference::uniform((6.0 / (FAN_IN + FAN_OUT / 4.0)).sqrt())),
        ("variance-scaling:corrected=false", Reference::cut_at_sigmas(0.0, 1.0 / FAN_IN.sqrt(), -2.0, 2.0)),
        ("dl4j.LECUN_UNIFORM", Reference::uniform(3.0 / FAN_IN.sqrt())),
        ("siren", Reference::uniform((6.0 / FAN_IN).sqrt() / 30.0)),
        ("siren:first=true", Reference::uniform(1.0 / FAN_IN)),
        ("fourier-features", Reference::normal(10.0)),
        ("embedding", Reference::normal(1.0)),
        ("embedding:scaled=true", Reference::normal(1.0 / FAN_OUT.sqrt())),
    ]
}

/// Scales that follow from the depth.
fn deep() -> Vec<(&'static str, Reference)> {
    let glorot = (2.0 / (FAN_IN + FAN_OUT)).sqrt();
    let quarter = |layers: f64| 1.0 / layers.sqrt().sqrt();
    vec![
        ("fixup:layers=16", Reference::normal((2.0 / FAN_OUT).sqrt() / 4.0)),
        ("fixup:layers=16,branch=3,mode=fan-in", Reference::normal((2.0 / FAN_IN).sqrt() / 2.0)),
        ("t-fixup:layers=6", Reference::uniform(0.67 * quarter(6.0) * 3f64.sqrt() * glorot)),
        ("t-fixup:layers=6,part=decoder", Reference::uniform(quarter(54.0) * 3f64.sqrt() * glorot)),
        ("t-fixup:layers=6,part=embedding", Reference::normal(quarter(54.0) / FAN_OUT.sqrt())),
        ("deepnorm:layers=12", Reference::normal(quarter(96.0) * glorot)),
        ("deepnorm:encoder=4,decoder=16,part=encoder", Reference::normal(0.87 * quarter(8.0) * glorot)),
        ("deepnorm:encoder=4,decoder=16,part=decoder", Reference::normal(quarter(192.0) * glorot)),
        ("small-init", Reference::normal((0.4 / FAN_IN).sqrt())),
        ("small-init:dim=10", Reference::normal(0.2)),
        ("wang-init:layers=12", Reference::normal(1.0 / (6.0 * FAN_IN.sqrt()))),
        ("depth-scaled:layers=12", Reference::normal(0.02 / 24f64.sqrt())),
        ("depth-scaled:layers=9,residuals=1,std=0.3", Reference::normal(0.1)),
    ]
}

#[test]
fn distributions_have_the_parameters_of_their_formulas() {
    for (expression, reference) in rows() {
        let distribution = draw::tensor(expression, SHAPE, "io", DType::F64).distribution().clone();
        let (moments, scale) = (reference.moments(), reference.scale());
        for (word, found, expected) in
            [("mean", distribution.mean(), moments.mean), ("standard deviation", distribution.std(), moments.std)]
        {
            let found = found.unwrap_or_else(|| panic!("{expression} has no {word}"));
            let allowed = 1e-9 * if word == "mean" { scale } else { moments.std };
            assert!((found - expected).abs() <= allowed, "{expression}: the {word} is {found}, not {expected}");
        }
        let ends = |bounds: Option<(f64, f64)>| bounds.map_or([0.0; 2], |(low, high)| [low, high]);
        for (found, expected) in ends(distribution.bounds()).into_iter().zip(ends(reference.bounds())) {
            let equal = found == expected || (found - expected).abs() <= 1e-9 * scale;
            assert!(equal, "{expression}: a bound is {found}, not {expected}");
        }
    }
}

/// What is wrong with the numbers of an expression, each changed by `plant`, which gets the distribution's mean too.
fn faults_of(
    (expression, reference): (&str, Reference),
    shape: &str,
    dtype: DType,
    plant: fn(f64, f64) -> f64,
) -> Vec<Fault> {
    let tensor = draw::tensor(expression, shape, "io", dtype);
    let mean = reference.moments().mean;
    let values = draw::whole(7, &tensor).into_iter().map(|value| plant(value, mean));
    match reference {
        Reference::Constant(value) => {
            values.filter(|&drawn| drawn != dtype.round(value)).map(Fault::Outside).take(1).collect()
        }
        // The formula's bounds may be off by a rounding; those of the distribution are what no value may pass.
        _ => faults(&reference, tensor.distribution().bounds(), values),
    }
}

fn assert_distributions_hold(dtype: DType) {
    for row in rows() {
        let faults = faults_of(row, SHAPE, dtype, |value, _| value);
        assert!(faults.is_empty(), "{} in {dtype}: {faults:?}", row.0);
    }
}

#[test]
fn numbers_follow_their_distributions_in_single_precision() {
    assert_distributions_hold(DType::F32);
}

#[test]
fn numbers_follow_their_distributions_in_double_precision() {
    assert_distributions_hold(DType::F64);
}

fn has_distance(faults: &[Fault]) -> bool {
    faults.iter().any(|fault| matches!(fault, Fault::Distance(_)))
}

fn has_moment(faults: &[Fault], wanted: i32) -> bool {
    faults.iter().any(|fault| matches!(*fault, Fault::Moment(power, _) if power == wanted))
}

#[test]
fn an_error_of_one_percent_in_the_standard_deviation_is_found_in_every_distribution() {
    for row in rows() {
        let faults = faults_of(row, SHAPE, DType::F32, |value, mean| mean + 1.01 * (value - mean));
        if !matches!(row.1, Reference::Constant(_)) {
            let found = has_distance(&faults) && has_moment(&faults, 2);
            assert!(found, "{}: {faults:?}", row.0);
        }
        if row.1.bounds().is_some() {
            assert!(faults.iter().any(|fault| matches!(fault, Fault::Outside(_))), "{}: {faults:?}", row.0);
        }
    }
}

#[test]
fn an_error_of_the_mean_of_one_percent_of_the_standard_deviation_is_found() {
    for row in [("normal:std=1", Reference::normal(1.0)), ("uniform:std=1", Reference::uniform(3f64.sqrt()))] {
        let faults = faults_of(row, SHAPE, DType::F32, |value, _| value + 0.01);
        assert!(has_distance(&faults) && has_moment(&faults, 1), "{}: {faults:?}", row.0);
    }
}

#[test]
fn skewness_and_kurtosis_that_are_off_by_one_percent_of_their_scale_are_found() {
    let row = ("normal:std=1", Reference::normal(1.0));
    // Hermite polynomials, so that the lower moments stay what they are.
    let skew = faults_of(row, SHAPE, DType::F32, |z, _| z + 0.005 * (z * z - 1.0));
    assert!(has_moment(&skew, 3) && !has_moment(&skew, 2), "{skew:?}");
    let heavy = faults_of(row, SHAPE, DType::F32, |z, _| z + 0.003 * (z * z * z - 3.0 * z));
    assert!(has_moment(&heavy, 4) && !has_moment(&heavy, 2), "{heavy:?}");
}

#[test]
fn one_value_past_a_bound_by_one_unit_in_the_last_place_is_found() {
    let faults = faults(&Reference::uniform(0.25), Some((-0.25, 0.25)), [0.1, -0.2, 0.25f64.next_up(), 0.2]);
    assert!(faults.contains(&Fault::Outside(0.25f64.next_up())), "{faults:?}");
}

#[test]
fn fans_that_are_swapped_are_found() {
    let mut swapped = 0;
    for row in rows() {
        let distribution = |shape| format!("{:?}", draw::tensor(row.0, shape, "io", DType::F32).distribution());
        if distribution(SHAPE) == distribution("2000x1000") {
            continue;
        }
        swapped += 1;
        let faults = faults_of(row, "2000x1000", DType::F32, |value, _| value);
        assert!(has_distance(&faults) && has_moment(&faults, 2), "{}: {faults:?}", row.0);
    }
    assert_eq!(swapped, 32, "rows whose scale is that of one fan");
}
