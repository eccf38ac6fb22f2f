//! A dtype changes only the rounding.

use fanin::generator::Source;
use fanin::tensor::{DType, to_f32};
use fanin::writer::Encoder;
use half::{bf16, f16};

use crate::draw;
use crate::elementwise;
use crate::reference::Reference;

const COUNT: usize = 200_000;

/// A half-precision type: its binary digits, and the exponent of its least number.
#[derive(Clone, Copy)]
struct Half {
    dtype: DType,
    digits: i32,
    least: i32,
}

const HALVES: [Half; 2] =
    [Half { dtype: DType::F16, digits: 11, least: -24 }, Half { dtype: DType::BF16, digits: 8, least: -133 }];

impl Half {
    /// A number with its excess digits taken by `round`.
    fn rounded(self, value: f64, round: fn(f64) -> f64) -> f64 {
        let exponent = libm::ilogb(value).saturating_sub(self.digits - 1).max(self.least);
        let step = libm::ldexp(1.0, exponent);
        if value.is_finite() { round(value / step) * step } else { value }
    }
}

/// The values of a half-precision tensor as they stand in a file.
fn encoded(source: &dyn Source, dtype: DType, count: usize) -> Vec<f64> {
    let mut encoder = Encoder::default();
    encoder.values(source, dtype.into(), 0, count);
    let bits = encoder.bytes().chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    match dtype {
        DType::F16 => bits.map(|bits| f16::from_bits(bits).to_f64()).collect(),
        _ => bits.map(|bits| bf16::from_bits(bits).to_f64()).collect(),
    }
}

#[test]
fn half_precision_is_single_precision_rounded_once_and_moved_inside_the_bounds() {
    let (mut moved, mut left_out) = (0, 0);
    for half in HALVES {
        for (expression, _) in elementwise::rows() {
            let tensor = |dtype| draw::tensor(expression, "1500x2000", "io", dtype);
            let single = tensor(DType::F32);
            if single.distribution().fits(half.dtype).is_err() {
                left_out += 1;
                continue;
            }
            let (low, high) = single.distribution().bounds().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
            let (low, high) = (half.rounded(low, f64::ceil), half.rounded(high, f64::floor));
            let singles = draw::singles(&*draw::open(3, &single), 0, COUNT);
            let values = encoded(&*draw::open(3, &tensor(half.dtype)), half.dtype, COUNT);
            for (value, single) in values.into_iter().zip(singles) {
                let near = half.rounded(single.into(), f64::round_ties_even);
                moved += u32::from(!(low..=high).contains(&near));
                assert_eq!(value, near.clamp(low, high), "{expression} in {}: {single} became {value}", half.dtype);
            }
        }
    }
    assert!(moved > 1000, "only {moved} values had to be moved inside their bounds");
    assert_eq!(left_out, 1, "of all distributions, one has bounds between which bf16 has no number");
}

/// The largest difference between double and single precision over the distribution's scale times max(1, |z|), in units of the
/// promised 2^-20.
fn largest_difference(reference: &Reference, singles: &[f32], doubles: &[f64]) -> f64 {
    let (mean, scale) = (centre(reference), reference.scale());
    let differences = singles.iter().zip(doubles).map(|(&single, &double)| {
        let z = (double - mean) / scale;
        (double - f64::from(single)).abs() / (scale * z.abs().max(1.0)) * 2f64.powi(20)
    });
    differences.fold(0.0, f64::max)
}

/// What z is counted from: the mean before any cut.
fn centre(reference: &Reference) -> f64 {
    match *reference {
        Reference::Normal { mean, .. } | Reference::Truncated { mean, .. } => mean,
        _ => reference.moments().mean,
    }
}

fn both(expression: &str, start: u64, count: usize) -> (Vec<f32>, Vec<f64>) {
    let [single, double] =
        [DType::F32, DType::F64].map(|dtype| draw::open(5, &draw::tensor(expression, "4096x65536", "io", dtype)));
    (draw::singles(&*single, start, count), draw::doubles(&*double, start, count))
}

#[test]
fn double_precision_continues_single_precision_in_every_distribution() {
    for (expression, reference) in elementwise::rows() {
        let [single, double] = [DType::F32, DType::F64].map(|dtype| draw::tensor(expression, "1500x2000", "io", dtype));
        let singles = draw::singles(&*draw::open(5, &single), 0, COUNT);
        let doubles = draw::doubles(&*draw::open(5, &double), 0, COUNT);
        if let Reference::Constant(value) = reference {
            assert!(singles.iter().all(|&single| single == to_f32(value)), "{expression}");
            assert!(doubles.iter().all(|&double| double == value), "{expression}");
        } else {
            let difference = largest_difference(&reference, &singles, &doubles);
            assert!(difference <= 1.0, "{expression}: {difference} times 2^-20");
        }
    }
}

#[test]
fn double_precision_continues_single_precision_over_many_normals_and_uniforms() {
    for (expression, reference) in
        [("normal:std=1", Reference::normal(1.0)), ("uniform:std=1", Reference::uniform(3f64.sqrt()))]
    {
        for chunk in 0..1u64 << 8 {
            let (singles, mut doubles) = both(expression, chunk << 16, 1 << 16);
            let difference = largest_difference(&reference, &singles, &doubles);
            assert!(difference <= 1.0, "{expression} from {chunk} x 2^16: {difference} times 2^-20");
            for double in &mut doubles {
                *double *= 1.0 + 2f64.powi(-20);
            }
            assert!(largest_difference(&reference, &singles, &doubles) > 1.0, "the planted error was not found");
        }
    }
}

#[test]
fn matrix_distributions_agree_between_dtypes() {
    for (expression, gain) in [
        ("orthogonal:gain=3,method=svd", 3.0),
        ("orthogonal:gain=0.01,method=householder", 0.01),
        ("sparse:nonzeros=20,std=1", 1.0),
    ] {
        for shape in ["300x300", "500x40", "30x700"] {
            let [single, double] =
                [DType::F32, DType::F64].map(|dtype| draw::whole(5, &draw::tensor(expression, shape, "io", dtype)));
            for (single, double) in single.into_iter().zip(double) {
                assert!((single - double).abs() <= 1e-5 * gain, "{expression} of {shape}: {single} and {double}");
                assert_eq!(single == 0.0, double == 0.0);
            }
        }
    }
}

/// The one distribution without numbers.
pub(crate) const NAN: &str = "nan";

#[test]
fn not_a_number_is_none_in_any_dtype() {
    for (dtype, quiet) in [
        (DType::F64, &[0, 0, 0, 0, 0, 0, 0xf8, 0x7f][..]),
        (DType::F32, &[0, 0, 0xc0, 0x7f]),
        (DType::F16, &[0, 0x7e]),
        (DType::BF16, &[0xc0, 0x7f]),
    ] {
        let tensor = draw::tensor(NAN, "40x30", "io", dtype);
        let mut encoder = Encoder::default();
        encoder.values(&*draw::open(1, &tensor), dtype.into(), 0, 1200);
        let bytes = encoder.bytes();
        assert!(bytes.chunks(quiet.len()).all(|value| value == quiet), "{dtype}: {:?}", &bytes[..8]);
        assert_eq!(
            (tensor.distribution().mean(), tensor.distribution().std(), tensor.distribution().bounds()),
            (None, None, None)
        );
    }
}
