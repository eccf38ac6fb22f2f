//! Convolutions made of orthogonal matrices: they keep norms, and are zero where they should be.

use fanin::tensor::DType;
use nalgebra::DMatrix;

use crate::draw;
use crate::orthogonal::{errors, has_the_distribution_of_five_dimensions};
use crate::reference::Reference;
use crate::sample::faults;

/// Expressions with a place where each is legal.
pub(crate) const ROWS: &[(&str, &str, &str)] = &[
    ("delta-orthogonal", "3x3x5x8", "keras"),
    ("delta-orthogonal:gain=relu", "9x4x6", "torch"),
    ("conv-orthogonal", "3x3x5x8", "keras"),
    ("conv-orthogonal:groups=2", "12x4x3x3", "torch"),
    ("convolution-aware", "3x3x5x8", "keras"),
    ("convolution-aware:heads=2", "6x5x4", "torch"),
];

/// A weight in the layout of Keras: the sizes of its kernel, inputs and outputs.
struct Weight {
    kernel: Vec<usize>,
    inputs: usize,
    outputs: usize,
    values: Vec<f64>,
}

impl Weight {
    fn draw(expression: &str, kernel: &[usize], inputs: usize, outputs: usize, seed: u64) -> Self {
        let sizes: Vec<String> = kernel.iter().chain([&inputs, &outputs]).map(ToString::to_string).collect();
        let tensor = draw::tensor(expression, &sizes.join("x"), "keras", DType::F64);
        Self { kernel: kernel.to_vec(), inputs, outputs, values: draw::whole(seed, &tensor) }
    }

    /// A tap as an inputs x outputs matrix.
    fn tap(&self, tap: usize) -> DMatrix<f64> {
        let size = self.inputs * self.outputs;
        DMatrix::from_row_slice(self.inputs, self.outputs, &self.values[tap * size..][..size])
    }

    fn taps(&self) -> usize {
        self.kernel.iter().product()
    }

    /// The norm of the convolution with a random input over that input's norm, padded circularly to `along` on every axis.
    fn stretch(&self, along: usize) -> f64 {
        let places = along.pow(self.kernel.len() as u32);
        let noise = draw::tensor("normal:std=1", &format!("{places}x{}", self.inputs), "io", DType::F64);
        let input = draw::whole(3, &noise);
        let mut output = vec![0.0; places * self.outputs];
        for (place, out) in output.chunks_exact_mut(self.outputs).enumerate() {
            for tap in 0..self.taps() {
                let (mut from, mut stride, mut place_left, mut tap_left) = (0, 1, place, tap);
                for size in self.kernel.iter().rev() {
                    from += (place_left % along + tap_left % size) % along * stride;
                    stride *= along;
                    place_left /= along;
                    tap_left /= size;
                }
                for (input, value) in input[from * self.inputs..][..self.inputs].iter().enumerate() {
                    let weights = &self.values[(tap * self.inputs + input) * self.outputs..][..self.outputs];
                    out.iter_mut().zip(weights).for_each(|(out, weight)| *out += value * weight);
                }
            }
        }
        let norm = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>().sqrt();
        norm(&output) / norm(&input)
    }
}

#[test]
fn convolutions_keep_norms_under_circular_padding() {
    let one = (1..=6).flat_map(|k| [10, 20, 32].map(|inputs| (vec![k], inputs, 64, 16)));
    let two = (1..=5).flat_map(|k| [3, 16].map(|inputs| (vec![k, k], inputs, 16, 8)));
    let three = (1..=3).flat_map(|k| [3, 8].map(|inputs| (vec![k, k, k], inputs, 8, 5)));
    for (kernel, inputs, outputs, along) in one.chain(two).chain(three) {
        for (expression, gain) in
            [("conv-orthogonal", 1.0), ("conv-orthogonal:gain=3", 3.0), ("delta-orthogonal:gain=relu", 2f64.sqrt())]
        {
            let mut weight = Weight::draw(expression, &kernel, inputs, outputs, 9);
            let what = format!("{expression} of {kernel:?}, {inputs} to {outputs}");
            let off = |weight: &Weight| (weight.stretch(along) / gain - 1.0).abs();
            assert!(off(&weight) < 1e-12, "{what}: {}", off(&weight));
            let nonzero = weight.values.iter().position(|value| *value != 0.0).unwrap();
            weight.values[nonzero] += 0.01;
            assert!(off(&weight) > 1e-12, "{what}: a planted error was not found");
        }
    }
}

#[test]
fn layouts_hold_one_convolution() {
    for expression in ["delta-orthogonal", "conv-orthogonal", "convolution-aware"] {
        let draw = |shape: &str, layout: &str| draw::whole(9, &draw::tensor(expression, shape, layout, DType::F64));
        let (keras, torch) = (draw("3x3x4x7", "keras"), draw("7x4x3x3", "torch"));
        for (index, value) in torch.iter().enumerate() {
            let (output, input, tap) = (index / 36, index / 9 % 4, index % 9);
            assert_eq!(*value, keras[(tap * 4 + input) * 7 + output], "{expression}");
        }
    }
}

#[test]
fn groups_hold_weights_of_their_own() {
    let tensor = draw::tensor("delta-orthogonal:groups=2", "12x4x3", "torch", DType::F64);
    let values = draw::whole(9, &tensor);
    let centre: Vec<f64> = values.chunks_exact(3).map(|taps| taps[1]).collect();
    let groups: Vec<_> = centre.chunks_exact(24).map(|group| DMatrix::from_row_slice(6, 4, group)).collect();
    for group in &groups {
        assert!((group.tr_mul(group) - DMatrix::identity(4, 4)).amax() < 1e-14);
    }
    assert!((&groups[0] - &groups[1]).amax() > 0.1);
}

#[test]
fn a_delta_is_zero_except_at_its_centre_left_of_the_middle_for_even_sizes() {
    for (kernel, centre) in [(vec![3, 3], 4), (vec![4, 4], 5), (vec![2, 2], 0), (vec![6], 2), (vec![4, 3, 2], 8)] {
        let weight = Weight::draw("delta-orthogonal:gain=2", &kernel, 5, 8, 9);
        for tap in 0..weight.taps() {
            let matrix = weight.tap(tap);
            if tap == centre {
                let off = (&matrix * matrix.transpose() - DMatrix::<f64>::identity(5, 5) * 4.0).amax();
                assert!(off < 1e-13, "{kernel:?}: {off}");
            } else {
                assert!(matrix.iter().all(|value| *value == 0.0), "{kernel:?}: tap {tap}");
            }
        }
    }
}

#[test]
fn centres_are_haar_distributed() {
    for (expression, kernel, centre) in [("delta-orthogonal", 3, 1), ("conv-orthogonal", 1, 0)] {
        let draws = |inputs, outputs| -> Vec<DMatrix<f64>> {
            (0..10_000).map(|seed| Weight::draw(expression, &[kernel], inputs, outputs, seed).tap(centre)).collect()
        };
        let matrices = draws(3, 5);
        assert!(has_the_distribution_of_five_dimensions(&matrices, 0, 0), "{expression}");
        assert!(has_the_distribution_of_five_dimensions(&matrices, 2, 4), "{expression}");
        assert!(
            !has_the_distribution_of_five_dimensions(&draws(3, 6), 0, 0),
            "{expression}: six dimensions passed for five"
        );
        let signs: Vec<f64> = draws(3, 3).iter().map(|matrix| matrix.determinant().signum()).collect();
        assert!(signs.contains(&1.0) && signs.contains(&-1.0) && errors(&signs, 0.0).abs() < 4.0, "{expression}");
    }
}

#[test]
fn two_taps_are_an_orthogonal_matrix_cut_by_a_random_projection() {
    let (mut ranks, mut energies) = (Vec::new(), Vec::new());
    for seed in 0..2_000 {
        let weight = Weight::draw("conv-orthogonal", &[2], 6, 6, seed);
        let (first, second) = (weight.tap(0), weight.tap(1));
        let sum = &first + &second;
        assert!((&sum * sum.transpose() - DMatrix::identity(6, 6)).amax() < 1e-13);
        assert!((&first * second.transpose()).amax() < 1e-13);
        let rank = first.norm_squared();
        assert!((rank - rank.round()).abs() < 1e-12);
        ranks.push(rank);
        energies.push((rank - 3.0) * (rank - 3.0));
    }
    // The rank counts six coins.
    assert!(errors(&ranks, 3.0).abs() < 4.0 && errors(&energies, 1.5).abs() < 4.0);
    let quarter = (0..2_000).map(|seed| Weight::draw("conv-orthogonal", &[2, 2], 4, 6, seed).tap(2).norm_squared());
    assert!(errors(&quarter.collect::<Vec<_>>(), 1.0).abs() < 4.0);
}

#[test]
fn an_aware_convolution_has_the_variance_of_he() {
    for (kernel, inputs, outputs) in [(vec![3, 3], 8, 5), (vec![4], 3, 2), (vec![2, 3, 4], 5, 2), (vec![1, 1], 7, 3)] {
        let weight = Weight::draw("convolution-aware", &kernel, inputs, outputs, 9);
        let (count, fan_in) = (weight.values.len() as f64, (inputs * weight.taps()) as f64);
        let mean = weight.values.iter().sum::<f64>() / count;
        let variance = weight.values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        assert!((variance * fan_in / 2.0 - 1.0).abs() < 1e-12, "{kernel:?}");
    }
}

/// How far the spectra of one output's filters are from being orthogonal and of one length, relative to that.
fn unevenness(weight: &Weight, output: usize) -> f64 {
    let (taps, frequencies) = (weight.taps(), weight.taps() / 2 + 1);
    let spectra = DMatrix::from_fn(weight.inputs, frequencies, |input, frequency| {
        let turn = 2.0 * std::f64::consts::PI * frequency as f64 / taps as f64;
        (0..taps).map(|tap| weight.tap(tap)[(input, output)] * f64::cos(turn * tap as f64)).sum::<f64>()
    });
    let products = &spectra * spectra.transpose();
    let length = products[(0, 0)];
    (products / length - DMatrix::identity(weight.inputs, weight.inputs)).amax()
}

#[test]
fn an_aware_convolution_has_orthonormal_spectra_but_for_noise() {
    // Along one axis the transform of real spectra loses nothing.
    for (taps, inputs) in [(5, 3), (4, 2), (7, 4)] {
        let quiet = Weight::draw("convolution-aware:noise=1e-12", &[taps], inputs, 3, 9);
        let noisy = Weight::draw("convolution-aware", &[taps], inputs, 3, 9);
        for output in 0..3 {
            assert!(unevenness(&quiet, output) < 1e-9, "{taps} taps");
            assert!((1e-3..1.0).contains(&unevenness(&noisy, output)), "{taps} taps");
        }
    }
}

#[test]
fn an_aware_convolution_of_one_tap_or_all_noise_is_normal() {
    for (expression, kernel) in [("convolution-aware", 1), ("convolution-aware:noise=100", 3)] {
        let (inputs, outputs) = (100, 300);
        let weight = Weight::draw(expression, &[kernel], inputs, outputs, 9);
        let std = (2.0 / (inputs * kernel) as f64).sqrt();
        let found = faults(&Reference::normal(std), None, weight.values.iter().copied());
        assert!(found.is_empty(), "{expression}: {found:?}");
        assert!(!faults(&Reference::normal(1.03 * std), None, weight.values.iter().copied()).is_empty());
    }
}
