//! Fills by place: identities, interpolation, Hadamard matrices and sines against the libraries that have them; embeddings
//! and sub-pixel convolutions against their distributions.

use fanin::tensor::DType;

use crate::draw;
use crate::reference::Reference;
use crate::sample::faults;

/// Expressions with places where they are legal.
pub(crate) const ROWS: &[(&str, &str, &str)] = &[
    ("identity", "24x24", "io"),
    ("identity", "5x30x29", "bio"),
    ("identity:gain=-2,shift-in=3,shift-out=-1", "20x10x3x4", "torch"),
    ("dirac", "16x8x3x3", "torch"),
    ("dirac:groups=4", "16x8x3x3", "torch"),
    ("zero-init", "40x101", "io"),
    ("zero-init", "40x10x3x3", "torch"),
    ("bilinear", "3x2x4x4", "torch"),
    ("bilinear:centre=mxnet,sheared=true", "3x2x5x5", "torch"),
    ("linear-upsampling", "3x3x4x4", "torch"),
    ("linear-downsampling", "3x3x4x4", "torch"),
    ("sinusoidal-positions", "50x16", "io"),
    ("stft", "16x1x9", "keras"),
    ("icnr", "32x8x3x3", "torch"),
    ("icnr:shuffle=depth-to-space,distribution=uniform", "3x3x8x32", "keras"),
    ("mimetic:heads=2", "48x16", "torch"),
    ("embedding:padding=0", "40x30", "io"),
    ("embedding:padding=7,std=0.02", "61x83", "io"),
];

fn values(expression: &str, shape: &str, layout: &str) -> Vec<f64> {
    draw::whole(1, &draw::tensor(expression, shape, layout, DType::F64))
}

/// Which elements are 1, where all others are 0.
fn ones(expression: &str, shape: &str, layout: &str) -> Vec<usize> {
    let values = values(expression, shape, layout);
    assert!(values.iter().all(|&value| value == 0.0 || value == 1.0), "{expression} of {shape}");
    (0..values.len()).filter(|&index| values[index] == 1.0).collect()
}

#[test]
fn identities_are_those_of_torch() {
    // torch 2.15.0, torch.nn.init.eye_ and dirac_.
    assert_eq!(ones("torch.eye_", "3x5", "torch"), [0, 6, 12]);
    for (shape, groups, expected) in [
        ("4x2x3", 1, &[1, 10][..]),
        ("6x2x4x3", 3, &[7, 43, 55, 91, 103, 139]),
        ("4x5x2x2", 2, &[3, 27, 43, 67]),
        ("4x3x3x3x2", 1, &[9, 81, 153]),
    ] {
        assert_eq!(ones(&format!("torch.dirac_:groups={groups}"), shape, "torch"), expected, "{shape}");
    }
}

#[test]
fn identities_follow_the_layout() {
    // Two outputs of three inputs at the second of four taps; of the right centre, at the third.
    assert_eq!(ones("identity", "2x3x4", "torch"), [1, 17]);
    assert_eq!(ones("identity", "4x3x2", "keras"), [6, 9]);
    assert_eq!(ones("identity", "2x4x3", "mlx"), [3, 16]);
    assert_eq!(ones("identity:centre=right", "2x3x4", "torch"), [2, 18]);
    // Weights side by side have one each.
    assert_eq!(ones("identity", "2x2x3", "bio"), [0, 4, 6, 10]);
    assert_eq!(ones("identity:split=2", "2x4", "io"), [0, 2, 5, 7]);
    // Sonnet and Haiku take all axes but the last two for such, whatever they are.
    assert_eq!(ones("sonnet.Identity", "2x2x3", "keras"), [0, 4, 6, 10]);
    assert!(ones("identity", "5", "io").is_empty());
}

#[test]
fn shifts_are_those_of_flux() {
    // circshift of the identity of 3 x 3 by (1, 0): row r is the identity's row r - 1.
    assert_eq!(ones("identity:shift-out=1", "3x3", "torch"), [2, 3, 7]);
    assert_eq!(ones("identity:shift-out=-2", "3x3", "torch"), [2, 3, 7]);
    assert_eq!(ones("identity:shift-in=1", "3x3", "torch"), [1, 5, 6]);
    // The second branch of an inception block: outputs 0 and 1 pass on inputs 2 and 3 of four.
    assert_eq!(ones("identity:shift-in=2", "2x4", "torch"), [2, 7]);
    assert_eq!(ones("identity:shift-in=1,shift-out=1", "1x2x3", "keras"), [2, 4]);
}

/// What one axis of a kernel of each size is.
#[test]
fn bilinear_kernels_are_those_of_caffe() {
    for size in 1..=8u32 {
        let kernel = values("caffe.bilinear", &format!("2x3x{size}x{size}"), "torch");
        let factor = (f64::from(size) / 2.0).ceil();
        let centre = f64::from(size - 1) / (2.0 * factor);
        let along = |at: usize| 1.0 - (at as f64 / factor - centre).abs();
        for (index, value) in kernel.iter().enumerate() {
            let expected = along(index % size as usize) * along(index / size as usize % size as usize);
            assert!((value - expected).abs() < 1e-15, "{size}: {index} is {value}");
        }
    }
    let row =
        |expression, size: usize| values(expression, &format!("1x1x{size}x{size}"), "torch")[size..2 * size].to_vec();
    assert_eq!(row("bilinear", 3), [0.5, 1.0, 0.5]);
    assert_eq!(row("bilinear", 4), [0.1875, 0.5625, 0.5625, 0.1875]);
    // MXNet's centre is off where k mod 4 is 2 or 3.
    assert_eq!(row("mxnet.Bilinear", 3), [0.1875, 0.5625, 0.5625]);
    assert_eq!(values("mxnet.Bilinear", "1x1x2x2", "torch"), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(row("mxnet.Bilinear", 4), row("bilinear", 4));
}

#[test]
fn paddle_s_kernel_is_sheared() {
    // Its formula: y = (i / size) % size with a fraction, f = 2, c = 0.75.
    let kernel = values("paddle.Bilinear", "1x1x3x3", "torch");
    for (index, value) in kernel.iter().enumerate() {
        let (x, y) = ((index % 3) as f64, index as f64 / 3.0);
        let expected = (1.0 - (x / 2.0 - 0.75).abs()) * (1.0 - (y / 2.0 - 0.75).abs());
        assert!((value - expected).abs() < 1e-15, "{index} is {value}");
    }
}

#[test]
fn linear_kernels_interpolate_each_channel_by_itself() {
    for (shape, layout, size, axes) in [
        ("3x3x5", "torch", 5, 1),
        ("3x3x4x4", "torch", 4, 2),
        ("3x3x3x2x2", "keras", 3, 3),
        ("2x2x6x6x6", "torch", 6, 3),
    ] {
        let (up, down) = (values("linear-upsampling", shape, layout), values("linear-downsampling", shape, layout));
        let channels: f64 = shape.split('x').nth(if layout == "torch" { 0 } else { 4 }).unwrap().parse().unwrap();
        let factor = f64::from((size + 1) / 2).powi(axes);
        assert!((up.iter().sum::<f64>() - factor * channels).abs() < 1e-12, "{shape}");
        assert!((down.iter().sum::<f64>() - channels).abs() < 1e-12, "{shape}");
    }
    let diagonal = values("linear-upsampling", "2x2x3", "torch");
    assert_eq!(diagonal, [0.5, 1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 0.5]);
    assert_eq!(values("linear-upsampling", "2x1x4", "torch"), [0.25, 0.75, 0.75, 0.25, 0.25, 0.75, 0.75, 0.25]);
}

#[test]
fn hadamard_matrices_have_the_bits_of_the_paper_s_code() {
    // torch 2.15.0 by the paper's algorithm: eye(m, p) @ (hadamard(p) / 2^(ceil(log2 m) / 2)) @ eye(p, n), in f32.
    for (shape, magnitude, negative) in [
        ("5x3", 1_052_050_675, &[4, 8, 10, 11][..]),
        ("7x6", 1_052_050_675, &[7, 9, 11, 14, 15, 19, 20, 23, 28, 29, 31, 33, 34, 38, 39, 40, 41]),
        ("9x2", 1_048_576_000, &[3, 7, 11, 15]),
        ("3x2", 1_056_964_608, &[3]),
    ] {
        let drawn = draw::whole(1, &draw::tensor("zero-init", shape, "torch", DType::F32));
        for (index, value) in drawn.into_iter().enumerate() {
            let sign = u32::from(negative.contains(&index)) << 31;
            assert_eq!((value as f32).to_bits(), magnitude | sign, "{shape}: {index}");
        }
    }
    assert_eq!(ones("zero-init", "3x5", "torch"), [0, 6, 12]);
    let kernel = values("zero-init", "4x3x5x5", "torch");
    let (dense, taps) = (values("zero-init", "4x3", "torch"), kernel.chunks(25));
    assert!(taps.clone().flatten().filter(|value| **value != 0.0).count() == 12);
    assert_eq!(taps.map(|taps| taps[12]).collect::<Vec<_>>(), dense);
}

#[test]
fn fourier_bases_are_those_of_keras() {
    let mut compared = 0;
    for line in include_str!("../data/distributions/keras-stft.txt").lines().skip(1) {
        let mut words = line.split(' ');
        let (shape, expression) = (words.next().unwrap(), words.next().unwrap());
        let drawn = values(expression, shape, "keras");
        for (index, expected) in words.enumerate() {
            let expected: f64 = expected.parse().unwrap();
            assert!(
                (drawn[index] - expected).abs() < 2e-14,
                "{expression}: {index} is {} not {expected}",
                drawn[index]
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 290);
}

#[test]
fn positions_are_those_of_vaswani_and_whisper() {
    let [interleaved, whisper] = ["sinusoidal-positions", "whisper.sinusoids"].map(|row| values(row, "4x6", "io"));
    for position in 0..4 {
        for pair in 0..3 {
            let place = position as f64;
            let (vaswani, openai) =
                (place / 10_000f64.powf(pair as f64 / 3.0), place / 10_000f64.powf(pair as f64 / 2.0));
            for (found, expected) in [
                (interleaved[6 * position + 2 * pair], vaswani.sin()),
                (interleaved[6 * position + 2 * pair + 1], vaswani.cos()),
                (whisper[6 * position + pair], openai.sin()),
                (whisper[6 * position + 3 + pair], openai.cos()),
            ] {
                assert!((found - expected).abs() < 1e-14, "{position} {pair}: {found} is not {expected}");
            }
        }
    }
    // torch 2.15.0 in f64, the last row but one and the last of its first two columns.
    assert!((interleaved[14] - 0.092_698_500_778_727_2).abs() < 1e-15);
    assert!((interleaved[19] - -0.989_992_496_600_445_4).abs() < 1e-15);
}

#[test]
fn sub_pixel_kernels_are_shared_and_otherwise_of_their_distribution() {
    let kernel = 16 * 9;
    for (expression, copies, reference) in [
        ("icnr", 4, Reference::normal((2.0 / 144f64).sqrt())),
        ("icnr:scale=3,std=0.1", 9, Reference::normal(0.1)),
        ("icnr:gain=1,distribution=uniform", 4, Reference::uniform((3.0 / 144f64).sqrt())),
        ("icnr:shuffle=depth-to-space", 4, Reference::normal((2.0 / 144f64).sqrt())),
    ] {
        let drawn = values(expression, "3600x16x3x3", "torch");
        let kernels: Vec<&[f64]> = drawn.chunks(kernel).collect();
        let pixels = kernels.len() / copies;
        let spread = expression.contains("depth-to-space");
        let shares = |output: usize| if spread { output % pixels } else { output / copies };
        let mut firsts = vec![None; pixels];
        for (output, kernel) in kernels.iter().enumerate() {
            assert_eq!(*firsts[shares(output)].get_or_insert(*kernel), *kernel, "{expression}: output {output}");
        }
        let distinct = || firsts.iter().flat_map(|kernel| kernel.unwrap().iter().copied());
        assert_eq!(faults(&reference, None, distinct()), [], "{expression}");
        assert!(!faults(&reference, None, distinct().map(|value| 1.02 * value)).is_empty(), "{expression}");
    }
}

#[test]
fn sub_pixel_convolutions_mean_the_same_in_every_layout() {
    let (torch, keras) = (values("icnr", "8x3x5", "torch"), values("icnr", "5x3x8", "keras"));
    for element in 0..120 {
        let (output, input, tap) = (element / 15, element / 5 % 3, element % 5);
        let twin = output / 2 * 2;
        assert_eq!(torch[element], torch[15 * twin + 5 * input + tap]);
        assert_eq!(keras[24 * tap + 8 * input + output], keras[24 * tap + 8 * input + twin]);
    }
}

#[test]
fn the_padding_row_is_zero_and_the_others_are_normal() {
    let drawn = values("embedding:padding=3,std=0.5", "1000x300", "io");
    let (padding, others) = (&drawn[900..1200], drawn[..900].iter().chain(&drawn[1200..]));
    assert!(padding.iter().all(|&value| value == 0.0) && others.clone().all(|&value| value != 0.0));
    let reference = Reference::normal(0.5);
    assert_eq!(faults(&reference, None, others.clone().copied()), []);
    assert!(!faults(&reference, None, others.map(|value| 1.02 * value)).is_empty());
}

/// The rows of a matrix times those of another.
fn products(left: &[f64], right: &[f64], length: usize) -> Vec<Vec<f64>> {
    let dot = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| a * b).sum();
    left.chunks(length).map(|one| right.chunks(length).map(|other| dot(one, other)).collect()).collect()
}

#[test]
fn the_product_of_mimetic_queries_and_keys_is_noise_and_the_identity() {
    let inputs = 120;
    let drawn = values("mimetic:alpha=0.6,beta=0.8,parts=3", "360x120", "torch");
    let [queries, keys, rest] = [0, 1, 2].map(|part| &drawn[part * inputs * inputs..][..inputs * inputs]);
    let columns = |matrix: &[f64]| -> Vec<f64> {
        (0..inputs * inputs).map(|at| matrix[at % inputs * inputs + at / inputs]).collect()
    };
    let mut product = products(&columns(queries), &columns(keys), inputs);
    for (row, values) in product.iter_mut().enumerate() {
        values[row] -= 0.8;
    }
    let noise = || product.iter().flatten().copied();
    assert_eq!(faults(&Reference::normal(0.6 / 120f64.sqrt()), None, noise()), []);
    assert!(!faults(&Reference::normal(0.6 / 120f64.sqrt()), None, noise().map(|value| 1.05 * value)).is_empty());
    assert_eq!(faults(&Reference::normal(1.0 / 120f64.sqrt()), None, rest.iter().copied()), []);
}

#[test]
fn each_mimetic_head_holds_the_largest_singular_values_of_its_own_matrix() {
    let (inputs, features) = (40, 10);
    let drawn = values("mimetic:heads=4,parts=2", "80x40", "torch");
    let mut firsts = Vec::new();
    for head in 0..4 {
        let [queries, keys] = [0, 40].map(|part| &drawn[(part + head * features) * inputs..][..features * inputs]);
        let [lefts, rights] = [queries, keys].map(|rows| products(rows, rows, inputs));
        for (row, (left, right)) in lefts.iter().zip(&rights).enumerate() {
            assert!((left[row] - right[row]).abs() < 1e-12 && left[row] > 0.7, "{head}: {} {}", left[row], right[row]);
            assert!(row == 0 || left[row] <= lefts[row - 1][row - 1], "{head}: in order");
            let others = left.iter().chain(right).filter(|&&value| value.abs() > 1e-12).count();
            assert_eq!(others, 2, "{head}: row {row} is not orthogonal to the others");
        }
        firsts.push(queries[0]);
    }
    firsts.dedup();
    assert_eq!(firsts.len(), 4);
    // The same weight the other way round.
    let keras = values("mimetic:heads=4,parts=2", "40x80", "keras");
    assert!((0..3200).all(|at| keras[at % inputs * 80 + at / inputs] == drawn[at]));
}
