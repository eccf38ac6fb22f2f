//! What the native generator promises whatever the distribution.

use fanin::distribution::Distribution;
use fanin::generator::Source;
use fanin::scheme;
use fanin::tensor::{DType, Name};

use crate::draw;
use crate::{ball, continuous, directions, discrete, elementwise, fills, isometry, orthogonal, sparse};

/// Whole numbers that look random, for places to cut at (Marsaglia 2003, Xorshift RNGs).
fn places() -> impl FnMut(u64) -> u64 {
    let mut state = 88_172_645_463_325_252u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

/// Every expression of the other tests, with layouts that make it interesting.
fn tensors() -> Vec<(&'static str, &'static str, &'static str)> {
    let rows = elementwise::rows().into_iter().map(|(expression, _)| (expression, "61x83", "io"));
    let placed = isometry::ROWS.iter().chain(directions::SQUARE).chain(fills::ROWS).copied();
    let further = continuous::EXPRESSIONS.iter().chain(discrete::EXPRESSIONS);
    let rows = rows.chain(further.map(|&expression| (expression, "61x83", "io")));
    let matrices = orthogonal::EXPRESSIONS.into_iter().chain(sparse::EXPRESSIONS).chain(sparse::EXTRA_CASES);
    let matrices = matrices.chain(directions::EXPRESSIONS.iter().copied()).chain(ball::EXPRESSIONS);
    let layouts =
        [("io", "40x101"), ("torch", "40x101"), ("keras", "3x3x20x23"), ("bio", "5x30x29"), ("oib", "30x29x5")];
    let matrices = matrices.flat_map(|expression| layouts.map(|(layout, shape)| (expression, shape, layout)));
    rows.chain(matrices).chain(placed).collect()
}

/// Compares random slices with the full tensor, in f32 and in f64.
fn assert_slices(
    what: &str,
    source: &dyn Source,
    singles: &[f32],
    doubles: &[f64],
    place: &mut impl FnMut(u64) -> u64,
) {
    for trial in 0..40 {
        let start = place(singles.len() as u64 + 1);
        let rest = singles.len() as u64 - start;
        // Long ones and short ones.
        let count = place(if trial % 2 == 0 { rest + 1 } else { rest.min(20) + 1 }) as usize;
        let range = start as usize..start as usize + count;
        assert_eq!(draw::singles(source, start, count), singles[range.clone()], "{what} {range:?}");
        assert_eq!(draw::doubles(source, start, count), doubles[range.clone()], "{what} {range:?}");
    }
}

#[test]
fn any_slice_is_the_slice_of_the_full_tensor() {
    let mut place = places();
    for (expression, shape, layout) in tensors() {
        for dtype in [DType::F32, DType::F64] {
            let tensor = draw::tensor(expression, shape, layout, dtype);
            let count = usize::try_from(tensor.shape().count()).unwrap();
            let (whole, again) = (draw::open(6, &tensor), draw::open_with(6, &tensor, 3));
            let (singles, doubles) = (draw::singles(&*whole, 0, count), draw::doubles(&*whole, 0, count));
            let what = format!("{expression} of {shape} in {layout}, {dtype}:");
            assert_slices(&what, &*again, &singles, &doubles, &mut place);
        }
    }
}

#[test]
fn slices_agree_at_the_far_end_of_the_largest_tensor() {
    let mut place = places();
    for expression in ["normal", "uniform", "truncated-normal", "truncated-normal:std=1,low=3", "constant:2"] {
        let tensor = draw::tensor(expression, "281474976710656", "io", DType::F32);
        let (source, first) = (draw::open(6, &tensor), (1 << 48) - 5000);
        let (singles, doubles) = (draw::singles(&*source, first, 5000), draw::doubles(&*source, first, 5000));
        for _ in 0..100 {
            let start = place(5000);
            let range = start as usize..(start + place(5001 - start)) as usize;
            assert_eq!(draw::singles(&*source, first + start, range.len()), singles[range.clone()], "{expression}");
            assert_eq!(draw::doubles(&*source, first + start, range.len()), doubles[range], "{expression}");
        }
    }
}

#[test]
fn twice_the_gain_is_exactly_twice_the_numbers() {
    for (one, two) in [
        ("normal:std=0.03", "normal:std=0.06"),
        ("normal:std=0.03,mean=0.1", "normal:std=0.06,mean=0.2"),
        ("uniform:0.03", "uniform:0.06"),
        ("uniform:low=-1,high=3", "uniform:low=-2,high=6"),
        ("uniform:std=0.7", "uniform:std=1.4"),
        ("glorot-normal:gain=1", "glorot-normal:gain=2"),
        ("glorot-uniform:gain=1", "glorot-uniform:gain=2"),
        ("glorot:gain=0.3", "glorot:gain=0.6"),
        ("he-normal:gain=1", "he-normal:gain=2"),
        ("he-uniform:gain=1.5,mode=fan-avg", "he-uniform:gain=3,mode=fan-avg"),
        ("he:gain=1,distribution=truncated-normal", "he:gain=2,distribution=truncated-normal"),
        ("variance-scaling:scale=0.7", "variance-scaling:scale=2.8"),
        ("truncated-normal:std=0.3", "truncated-normal:std=0.6"),
        ("truncated-normal:std=0.3,low=0.7,high=1.1", "truncated-normal:std=0.6,low=1.4,high=2.2"),
        ("orthogonal:gain=1,method=svd", "orthogonal:gain=2,method=svd"),
        ("orthogonal:gain=1,method=householder", "orthogonal:gain=2,method=householder"),
        ("sparse:nonzeros=3,std=0.3", "sparse:nonzeros=3,std=0.6"),
        ("sparse:nonzeros=3,std=0.3,mean=1", "sparse:nonzeros=3,std=0.6,mean=2"),
        ("sparse-bernoulli:density=0.2,std=0.3", "sparse-bernoulli:density=0.2,std=0.6"),
        ("orthogonal-random-features:std=1", "orthogonal-random-features:std=2"),
        ("glorot-orthogonal:scale=0.5", "glorot-orthogonal:scale=2"),
        ("nguyen-widrow:factor=0.7", "nguyen-widrow:factor=1.4"),
    ] {
        for dtype in [DType::F32, DType::F64] {
            let [single, double] =
                [one, two].map(|expression| draw::whole(6, &draw::tensor(expression, "64x96", "io", dtype)));
            let unequal = single.iter().zip(&double).find(|(single, double)| 2.0 * *single != **double);
            assert_eq!(unequal, None, "{one} and {two} in {dtype}");
        }
    }
}

#[test]
fn aliases_give_equal_numbers() {
    let mut compared = 0;
    for scheme in scheme::all() {
        let (example, shape, layout) = scheme.example.on("32x48");
        let tensor = |expression: &str| draw::tensor(expression, shape, layout, DType::F32);
        // Their bits, which a NaN has too.
        let numbers =
            |expression: &str| draw::whole(6, &tensor(expression)).into_iter().map(f64::to_bits).collect::<Vec<_>>();
        let (expected, arguments) = (numbers(example), example.strip_prefix(scheme.name).unwrap());
        // A bare name of frameworks alone has their meaning, which tests/values/spellings.rs compares.
        for alias in scheme.aliases {
            let meant = scheme::resolve(&format!("{alias}{arguments}")).unwrap();
            assert_eq!(meant.scheme.name, scheme.name, "{alias}");
            assert!(numbers(&format!("{alias}{arguments}")) == expected, "{alias} is not {}", scheme.name);
            compared += 1;
        }
        for spelling in scheme.framework_aliases() {
            // A name with required parameters needs those of the example.
            let arguments = if spelling.means == scheme.name { arguments } else { "" };
            let qualified = format!("{}.{}{arguments}", spelling.framework, spelling.name);
            let means = format!("{}{arguments}", spelling.means);
            assert!(numbers(&qualified) == numbers(&means), "{qualified} is not {means}");
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn equal_distributions_with_different_names_give_equal_values() {
    for (one, other) in [
        ("he-normal", "variance-scaling:scale=2,distribution=normal"),
        ("lecun-uniform", "he-uniform:gain=1"),
        ("glorot", "glorot-uniform"),
        ("rbm", "normal:std=0.01"),
        ("sigmoid-uniform", "glorot-uniform:gain=4"),
        ("uniform:0.05", "uniform:low=-0.05,high=0.05"),
        ("truncated-normal", "truncated-normal:std=0.01,low=-0.02,high=0.02"),
        ("sparse:nonzeros=4", "sparse:density=0.125"),
        ("sparse:nonzeros=4", "sparse:nonzeros=4,unit=output,mean=0"),
        ("orthogonal", "orthogonal:mode=embedding"),
    ] {
        let [one_s, others] =
            [one, other].map(|expression| draw::whole(6, &draw::tensor(expression, "32x48", "io", DType::F32)));
        assert_eq!(one_s, others, "{one} and {other}");
    }
}

#[test]
fn a_truncated_normal_equals_the_normal_inside_the_cuts() {
    let [plain, cut] = ["normal:std=0.01", "truncated-normal:std=0.01"]
        .map(|expression| draw::whole(6, &draw::tensor(expression, "1000000", "io", DType::F32)));
    let kept = plain.iter().zip(&cut).filter(|(plain, _)| plain.abs() < 0.0199);
    assert!(kept.clone().count() > 950_000);
    assert!(kept.clone().all(|(plain, cut)| plain == cut));
}

#[test]
fn only_seed_and_name_change_a_random_tensor() {
    for (expression, shape, layout) in tensors() {
        let tensor = draw::tensor(expression, shape, layout, DType::F32);
        let other = draw::named(Name::unnamed(1).as_str(), expression, shape, layout, DType::F32);
        let values = draw::whole(6, &tensor);
        let random = !matches!(tensor.distribution(), Distribution::Constant { .. } | Distribution::Deterministic(_))
            && tensor.distribution().std() != Some(0.0);
        assert_eq!(draw::whole(6, &tensor), values);
        assert_eq!(draw::whole(7, &tensor) != values, random, "{expression} of another seed");
        assert_eq!(draw::whole(6, &other) != values, random, "{expression} of another name");
    }
}
