use std::f64::consts::{PI, TAU};

use super::*;

/// A function in double precision, its arguments from uniform words, and the hash of its results for the first of them.
type Double = (&'static str, fn(f64) -> f64, fn(f64) -> f64, fn(u64) -> f64, u64);
/// A function in single precision with all arguments between two, and the hash of every 65,521st result.
type Single = (&'static str, fn(f32) -> f32, fn(f32) -> f32, [f32; 2], u64);

const DOUBLES: &[Double] = &[
    ("log", ln, f64::ln, unit, 0xf055_72e1_33a7_46ab),
    ("log of any number", ln, f64::ln, |word| f64::from_bits((1 << 52) + word % (0x7fe << 52)), 0x2668_47ba_c06b_ee05),
    ("log near 1", ln, f64::ln, |word| 0.9 + 0.2 * unit(word), 0x8d71_91c7_5caf_589e),
    ("log1p", ln_1p, f64::ln_1p, |word| -unit(word), 0x6fc8_7705_2793_deff),
    ("log1p near 0", ln_1p, f64::ln_1p, |word| -unit(word) * small(word), 0x496b_773f_c0fa_d2f3),
    ("exp", exp, f64::exp, |word| 1023.9 * (unit(word) - 0.5), 0x2337_5ecf_29d2_b555),
    ("exp near 0", exp, f64::exp, |word| -8.0 * unit(word) * small(word), 0x0686_b391_e49b_b44d),
    ("sin", sin, f64::sin, |word| TAU * unit(word), 0xea82_10d6_29d0_bb9f),
    ("sin near 0", sin, f64::sin, |word| unit(word) * small(word), 0xd0aa_3f2b_e280_cca8),
    ("sin far away", sin, f64::sin, |word| 1e8 * unit(word), 0xe2b3_79ce_9149_f48f),
    ("cos", cos, f64::cos, |word| TAU * unit(word), 0x1056_0f85_b688_8c73),
    ("cos near 0", cos, f64::cos, |word| unit(word) * small(word), 0x1cda_a9d2_f8ea_a7cb),
    ("cos far away", cos, f64::cos, |word| 1e8 * unit(word), 0xb0e1_4540_c962_8126),
    ("tan", tan, f64::tan, |word| PI * (unit(word) - 0.5), 0xf866_5c6b_586d_8a4c),
    ("tan near 0", tan, f64::tan, |word| (unit(word) - 0.5) * small(word), 0xb7b9_27f4_e6e6_84cd),
    ("tan far away", tan, f64::tan, |word| 50.0 * (unit(word) - 0.5), 0x198b_1299_323e_3369),
    ("pow 1.7", |x| pow(x, 1.7), |x| x.powf(1.7), |word| 1.0 - unit(word), 0x49f7_ddaf_9bc7_9ce1),
    ("pow 33", |x| pow(x, 33.0), |x| x.powf(33.0), |word| 1.0 - unit(word), 0x11d6_4267_c37d_ade8),
    ("pow 725", |x| pow(x, 725.0), |x| x.powf(725.0), |word| 1.0 - unit(word), 0x6305_3da7_5c54_50ee),
];

const SINGLES: &[Single] = &[
    ("logf", single::ln, f32::ln, [f32::MIN_POSITIVE, f32::MAX], 0x9bab_8790_ba02_7e3f),
    ("log1pf", single::ln_1p, f32::ln_1p, [-0.0, -0.99999994], 0xcbe0_30a3_9409_571b),
    ("sinf", |x| single::sin_cos(x)[0], f32::sin, [0.0, 119.99], 0xf280_d926_5750_03ef),
    ("cosf", |x| single::sin_cos(x)[1], f32::cos, [0.0, 119.99], 0x9ccd_6b9d_3f62_f47f),
    ("tanf", single::tan, f32::tan, [0.0, 119.99], 0xd097_d237_c173_605f),
    ("tanf of negative numbers", single::tan, f32::tan, [-0.0, -119.99], 0x4e6a_aedf_b25f_0b54),
    ("powf 1.7", |x| single::pow(x, 1.7), |x| x.powf(1.7), [f32::MIN_POSITIVE, 1.0], 0x92bd_5779_da0d_67d8),
    ("powf 725", |x| single::pow(x, 725.0), |x| x.powf(725.0), [f32::MIN_POSITIVE, 1.0], 0x1bec_96fa_9332_0d6a),
];

/// A uniform value in [0, 1).
fn unit(word: u64) -> f64 {
    crate::tensor::to_f64(word >> 11) / 9_007_199_254_740_992.0
}

/// A power of 2 from 1 to 2^-63.
fn small(word: u64) -> f64 {
    f64::from_bits((1023 - (word & 63)) << 52)
}

/// Random words.
fn words() -> impl Iterator<Item = u64> {
    (0u64..).map(|number| {
        let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    })
}

/// Every so many of the numbers between two of the same sign.
fn between([from, to]: [f32; 2], step: usize) -> impl Iterator<Item = f32> {
    (from.to_bits()..=to.to_bits()).step_by(step).map(f32::from_bits)
}

/// A hash of the bits of results.
fn hash(bits: impl Iterator<Item = u64>) -> u64 {
    bits.fold(0xcbf2_9ce4_8422_2325, |hash, bits| (hash ^ bits).wrapping_mul(0x0100_0000_01b3).rotate_left(29))
}

#[test]
fn results_have_the_bits_of_glibc() {
    for &(name, function, _, argument, wanted) in DOUBLES {
        let results = words().take(20_000).map(|word| function(argument(word)).to_bits());
        assert_eq!(hash(results), wanted, "{name}");
    }
    for &(name, function, _, range, wanted) in SINGLES {
        let results = between(range, 65_521).map(|x| function(x).to_bits().into());
        assert_eq!(hash(results), wanted, "{name}");
    }
}

#[test]
fn results_at_the_ends_of_ranges_are_those_of_glibc() {
    assert_eq!((ln(0.0), ln(1.0).to_bits()), (f64::NEG_INFINITY, 0));
    assert_eq!((single::ln(0.0), single::ln(1.0).to_bits()), (f32::NEG_INFINITY, 0));
    for zero in [0.0, -0.0] {
        assert_eq!([ln_1p(zero), tan(zero)].map(f64::to_bits), [f64::to_bits(zero); 2]);
    }
    assert_eq!((exp(0.0), cos(0.0), sin(0.0)), (1.0, 1.0, 0.0));
    for y in [1.0, 2.5, 1e300, f64::INFINITY] {
        assert_eq!((pow(1.0, y), single::pow(1.0, y as f32)), (1.0, 1.0), "{y}");
    }
    assert_eq!((pow(0.5, f64::INFINITY), single::pow(0.5, f32::INFINITY)), (0.0, 0.0));
    assert_eq!((pow(0.5, 1074.0), pow(0.5, 1076.0), single::pow(0.5, 149.0)), (5e-324, 0.0, 1e-45));
}

/// Compares with the C library of this machine: 10^8 arguments in double precision, and all in single precision.
#[test]
#[ignore = "takes minutes; scripts/quality runs it on glibc"]
fn results_are_those_of_this_machines_library() {
    let mut different = 0;
    let mut report = |name, arguments: usize, found: usize| {
        println!("| `{name}` | {arguments} | {found} |");
        different += found;
    };
    for &(name, function, library, argument, _) in DOUBLES {
        let differs = |word: &u64| function(argument(*word)).to_bits() != library(argument(*word)).to_bits();
        report(name, 100_000_000, words().take(100_000_000).filter(differs).count());
    }
    for &(name, function, library, range, _) in SINGLES {
        let differs = |x: &f32| function(*x).to_bits() != library(*x).to_bits();
        report(name, between(range, 1).count(), between(range, 1).filter(differs).count());
    }
    assert_eq!(different, 0);
}
