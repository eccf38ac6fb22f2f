//! JAX's own numbers: Threefry in its partitionable form, so that element i of a tensor is a function of the key and i.

mod double;
mod erf;
mod format;
mod gamma;
mod independent;
mod laws;
mod orthogonal;
mod special;

use anyhow::{Result, ensure};

use super::elementwise::Elementwise;
use super::platform::Function;
use super::qr::{self, Rows};
use super::threefry::Key;
use super::{Draws, Framework, Generator, Source, workspace};
use crate::law::{self, Known, Law, TensorSpec};
use crate::tensor::{DType, Seed, Step};
use format::{Brain, Format, Half, Single};
use gamma::Standard;
use independent::{Draw, Independent};

/// JAX's own numbers.
pub(super) const GENERATOR: Generator = Generator {
    name: "jax-0.10",
    summary: "JAX's own numbers, drawn outside of jax.jit with jax_threefry_partitionable on, as by default; jax_enable_x64 for f64 alone",
    framework: Some(Framework {
        word: "jax",
        release: "JAX 0.10.2",
        since: "JAX 0.10; uniform values since JAX 0.5",
        seeds_layers: false,
        check_shared: |_| Ok(()),
        platform: hangs_on,
    }),
    check,
    has,
    draws: Draws::Anywhere(open),
    workspace: workspace::of_matrices,
};

/// Errors where JAX takes no such seed.
pub(super) fn check(seed: &Seed) -> Result<()> {
    let number = seed.numbers().first().and_then(|number| number.to_i64());
    ensure!(number.is_some() && seed.numbers().len() == 1, "JAX takes one whole number from -2^63 to 2^63-1");
    if seed.steps().contains(&Step::Layers) {
        seed.check_no_steps()?;
    }
    Ok(())
}

/// Whether JAX has such a law.
pub(super) fn has(law: &Law) -> bool {
    match law {
        Law::Orthogonal { .. } => true,
        Law::Whole(law) => law.is_of_matrices(),
        Law::Distribution(law) => law.known().is_some(),
        law => Elementwise::of(law).is_some(),
    }
}

/// The numbers of a tensor, a matrix drawn now; `None` where JAX has no such law.
pub(super) fn open(seed: &Seed, tensor: &TensorSpec, threads: usize) -> Option<Box<dyn Source>> {
    let (key, dtype) = (key(seed, tensor.dtype), tensor.dtype);
    let key = tensor.order.map_or(key, |order| key.split(order));
    Some(match &tensor.law {
        &Law::Orthogonal { gain, ref unfolding, .. } => {
            let normals = elementwise(key, Elementwise::STANDARD_NORMAL, dtype);
            Box::new(qr::tensor(&*normals, Rows::Longer, gain, unfolding, dtype, threads))
        }
        Law::Whole(law) => Box::new(orthogonal::whole(key, law.as_ref(), dtype, threads)),
        Law::Distribution(law) => known(key, law.known()?, dtype, tensor.whole().shape.count()),
        &Law::Uniform { low, high } if tensor.is_scaled => scaled_uniform(key, [low, high], dtype),
        law => elementwise(key, Elementwise::of(law)?, dtype),
    })
}

/// Normals in double precision take logarithms, and exponentials for where they are cut; the law of Cauchy takes tangents.
pub(super) fn hangs_on(tensor: &TensorSpec) -> &'static [Function] {
    let is_double = tensor.dtype == DType::F64;
    match &tensor.law {
        Law::Distribution(law) if matches!(law.known(), Some(Known::Cauchy { .. })) => {
            if is_double {
                &[Function::Tan]
            } else {
                &[Function::SingleTan]
            }
        }
        _ if !is_double => &[],
        Law::Uniform { .. } => &[],
        Law::Distribution(law) if matches!(law.known(), Some(Known::Sign { .. })) => &[],
        Law::TruncatedNormal { .. } => &[Function::Ln, Function::Exp],
        _ => &[Function::Ln],
    }
}

/// The key of a seed and its steps. JAX draws in double precision only where `jax_enable_x64` is on, and then all 64 bits of a
/// seed make its key; for other types it is off, as by default, and the lower 32 bits do.
fn key(seed: &Seed, dtype: DType) -> Key {
    let number = seed.numbers().first().and_then(|number| number.to_i64()).unwrap_or_default();
    let first = if dtype == DType::F64 { Key::of_wide_seed(number) } else { Key::of_seed(number) };
    seed.steps().iter().fold(first, |key, step| match *step {
        Step::FoldIn(data) => key.fold_in(data),
        Step::Split { index, .. } => key.split(index),
        // No such seed is taken.
        Step::Layers => key,
    })
}

/// The numbers of an elementwise law under a key.
pub(super) fn elementwise(key: Key, law: Elementwise, dtype: DType) -> Box<dyn Source> {
    match dtype {
        DType::F64 => double_precision(key, law),
        DType::F32 => below_double::<Single>(key, law),
        DType::F16 => below_double::<Half>(key, law),
        DType::BF16 => below_double::<Brain>(key, law),
    }
}

fn below_double<F: Format>(key: Key, law: Elementwise) -> Box<dyn Source> {
    match law {
        Elementwise::Uniform { low, high } => source(key, laws::Uniform::<F>::new(low, high, 1.0)),
        Elementwise::Normal { mean, std } => source(key, laws::Normal::<F>::new(mean, std)),
        Elementwise::TruncatedNormal { mean, std, low, high } => {
            let cuts = [low, high].map(|cut| law::in_deviations(cut, mean, std));
            source(key, laws::Truncated::<F>::new(mean, std, cuts))
        }
    }
}

fn double_precision(key: Key, law: Elementwise) -> Box<dyn Source> {
    match law {
        Elementwise::Uniform { low, high } => source(key, double::Uniform { low, high, factor: 1.0 }),
        Elementwise::Normal { mean, std } => source(key, double::Normal { mean, std }),
        Elementwise::TruncatedNormal { mean, std, low, high } => {
            let cuts = [low, high].map(|cut| law::in_deviations(cut, mean, std));
            source(key, double::Truncated::new(mean, std, cuts))
        }
    }
}

/// The numbers of a law that `jax.random` has by its name.
fn known(key: Key, law: Known, dtype: DType, count: u64) -> Box<dyn Source> {
    match dtype {
        DType::F64 => known_double(key, law, count),
        DType::F32 => known_below_double::<Single>(key, law, dtype, count),
        DType::F16 => known_below_double::<Half>(key, law, dtype, count),
        DType::BF16 => known_below_double::<Brain>(key, law, dtype, count),
    }
}

fn known_double(key: Key, law: Known, count: u64) -> Box<dyn Source> {
    let standard = Standard {
        dtype: DType::F64,
        normal: double::Normal { mean: 0.0, std: 1.0 },
        uniform: double::Uniform { low: 0.0, high: 1.0, factor: 1.0 },
    };
    match law {
        Known::Exponential { rate } => source(key, double::Exponential { rate, alone: count == 1 }),
        Known::Laplace { mean, scale } => source(key, double::Laplace { mean, scale }),
        Known::Cauchy { median, scale } => source(key, double::Cauchy { median, scale }),
        Known::LogNormal { sigma } => source(key, double::LogNormal::new(sigma)),
        Known::Gamma { shape, scale } => gamma::gamma(key, standard, shape, scale),
        Known::StudentT { dof, mean, scale } => gamma::student_t(key, standard, [dof, mean, scale]),
        Known::Sign { value } => source(key, double::Sign { value }),
    }
}

fn known_below_double<F: Format>(key: Key, law: Known, dtype: DType, count: u64) -> Box<dyn Source> {
    let standard =
        Standard { dtype, normal: laws::Normal::<F>::new(0.0, 1.0), uniform: laws::Uniform::<F>::new(0.0, 1.0, 1.0) };
    match law {
        Known::Exponential { rate } => source(key, laws::Exponential::<F>::new(rate, count == 1)),
        Known::Laplace { mean, scale } => source(key, laws::Laplace::<F>::new(mean, scale)),
        Known::Cauchy { median, scale } => source(key, laws::Cauchy::<F>::new(median, scale)),
        Known::LogNormal { sigma } => source(key, laws::LogNormal::<F>::new(sigma)),
        Known::Gamma { shape, scale } => gamma::gamma(key, standard, shape, scale),
        Known::StudentT { dof, mean, scale } => gamma::student_t(key, standard, [dof, mean, scale]),
        Known::Sign { value } => source(key, laws::Sign::<F>::new(value)),
    }
}

/// `jax.random.uniform(key, minval=-1) * high`, where 0 is in the middle, or `jax.random.uniform(key) * high`.
fn scaled_uniform(key: Key, [low, high]: [f64; 2], dtype: DType) -> Box<dyn Source> {
    let low = if low < 0.0 { -1.0 } else { 0.0 };
    match dtype {
        DType::F64 => source(key, double::Uniform { low, high: 1.0, factor: high }),
        DType::F32 => source(key, laws::Uniform::<Single>::new(low, 1.0, high)),
        DType::F16 => source(key, laws::Uniform::<Half>::new(low, 1.0, high)),
        DType::BF16 => source(key, laws::Uniform::<Brain>::new(low, 1.0, high)),
    }
}

fn source(key: Key, draw: impl Draw + 'static) -> Box<dyn Source> {
    Box::new(Independent { key, draw })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAWS: [Elementwise; 3] = [
        Elementwise::Uniform { low: -0.25, high: 0.75 },
        Elementwise::Normal { mean: 0.0, std: 0.02 },
        Elementwise::TruncatedNormal { mean: 0.0, std: 0.02, low: -0.04, high: 0.04 },
    ];

    #[test]
    fn values_are_those_of_jax() {
        // Of jax.random.key(42): uniform(-0.25, 0.75), normal * 0.02, truncated_normal(-2, 2) * 0.02.
        let singles = [
            [0x3e74_7048, 0x3edc_0e60, 0x3ebb_87f0],
            [0xba14_65d0, 0x3c19_11dc, 0x3bc1_cab9],
            [0xba0d_a4ee, 0x3c11_9d5d, 0x3bb8_bb20],
        ];
        let brains = [[0x3ec4, 0x3f18, 0x3f38], [0x3be2, 0x3ca7, 0x3d1b], [0x3bd1, 0x3c9b, 0x3d03]];
        let halves = [[0xb190, 0xaba0, 0x39ce], [0xa752, 0xa47c, 0x290e], [0xa6b2, 0xa43a, 0x2850]];
        let doubles = [
            [0x3fc6_9f02_4788_1108, 0xbfce_1426_6929_17c0, 0x3fd4_bec8_3a83_ce34],
            [0xbf6e_435f_434f_86d8, 0xbfa6_3810_9cff_a6b1, 0x3f6e_a0a5_341a_e6e1],
            [0xbf6c_df1a_7ecd_11f7, 0xbfa2_48ff_81cb_620b, 0x3f6d_37fe_a5b1_113a],
        ];
        let drawn = |law, dtype| {
            let mut out = [0.0; 3];
            elementwise(Key::of_seed(42), law, dtype).doubles(0, &mut out);
            out
        };
        for (place, law) in LAWS.into_iter().enumerate() {
            assert_eq!(drawn(law, DType::F32), singles[place].map(|bits| f64::from(f32::from_bits(bits))));
            assert_eq!(drawn(law, DType::BF16), brains[place].map(|bits| f64::from(half::bf16::from_bits(bits))));
            assert_eq!(drawn(law, DType::F16), halves[place].map(|bits| f64::from(half::f16::from_bits(bits))));
            assert_eq!(drawn(law, DType::F64), doubles[place].map(f64::from_bits));
        }
    }

    #[test]
    fn any_part_is_that_of_the_whole() {
        const KNOWN: [Known; 7] = [
            Known::Exponential { rate: 3.0 },
            Known::Laplace { mean: 0.5, scale: 0.1 },
            Known::Cauchy { median: 0.5, scale: 0.1 },
            Known::LogNormal { sigma: 0.3 },
            Known::Gamma { shape: 0.7, scale: 0.5 },
            Known::StudentT { dof: 5.0, mean: 0.5, scale: 0.1 },
            Known::Sign { value: 0.7 },
        ];
        type Make = Box<dyn Fn(DType) -> Box<dyn Source>>;
        let of_elementwise = LAWS.map(|law| Box::new(move |dtype| elementwise(Key([1, 2]), law, dtype)) as Make);
        let of_known = KNOWN.map(|law| Box::new(move |dtype| known(Key([1, 2]), law, dtype, 300)) as Make);
        let makes = of_elementwise.into_iter().chain(of_known);
        for (source, dtype) in makes.flat_map(|make| DType::ALL.map(|dtype| (make(dtype), dtype))) {
            let (mut singles, mut doubles) = ([0.0; 300], [0.0; 300]);
            source.singles(0, &mut singles);
            source.doubles(0, &mut doubles);
            for (start, count) in [(0, 1), (1, 63), (64, 64), (37, 200), (299, 1)] {
                let (mut single, mut double) = (vec![0.0; count], vec![0.0; count]);
                source.singles(start, &mut single);
                source.doubles(start, &mut double);
                let range = crate::tensor::in_memory(start)..crate::tensor::in_memory(start) + count;
                assert!(single == singles[range.clone()] && double == doubles[range], "{dtype} {start} {count}");
            }
        }
    }
}
