//! JAX's own values: Threefry in its partitionable form, in which element i of a tensor is a function of the key and i.

mod distributions;
mod double;
mod erf;
mod float_type;
mod gamma;
mod independent;
mod orthogonal;
mod special;

use anyhow::{Result, ensure};

use super::elementwise::Elementwise;
use super::qr::{self, Rows};
use super::threefry::Key;
use super::{Access, Framework, Generator, Source};
use crate::distribution::{self, Distribution, Named, TensorSpec};
use crate::tensor::{DType, Seed, Step};
use float_type::{Bf16, F16, F32, FloatType};
use gamma::Standard;
use independent::{Draw, Independent};

/// JAX's own values.
pub(super) const GENERATOR: Generator = Generator {
    name: "jax-0.10",
    summary: "jax.random outside jax.jit, with jax_threefry_partitionable on (the default) and jax_enable_x64 only for f64",
    framework: Some(Framework {
        word: "jax",
        release: "JAX 0.10.2",
        since: "JAX 0.10; uniform values since JAX 0.5",
        seeds_layers: false,
        check_shared: |_| Ok(()),
    }),
    check,
    supports: has,
    access: Access::Random(open),
    workspace: qr::workspace_of,
};

/// Errors if JAX does not accept the seed.
pub(super) fn check(seed: &Seed) -> Result<()> {
    let number = seed.numbers().first().and_then(|number| number.to_i64());
    ensure!(number.is_some() && seed.numbers().len() == 1, "JAX takes one integer from -2^63 to 2^63-1");
    if seed.steps().contains(&Step::Layers) {
        seed.check_no_steps()?;
    }
    Ok(())
}

/// True if JAX has the distribution.
pub(super) fn has(distribution: &Distribution) -> bool {
    match distribution {
        Distribution::Orthogonal { .. } => true,
        Distribution::Joint(distribution) => distribution.is_of_matrices(),
        Distribution::Iid(distribution) => distribution.named().is_some(),
        distribution => Elementwise::of(distribution).is_some(),
    }
}

/// The values of a tensor; matrices are drawn now. `None` if JAX lacks the distribution.
pub(super) fn open(seed: &Seed, tensor: &TensorSpec, threads: usize) -> Option<Box<dyn Source>> {
    let (key, dtype) = (key(seed, tensor.dtype), tensor.dtype);
    let key = tensor.order.map_or(key, |order| key.split(order));
    Some(match &tensor.distribution {
        &Distribution::Orthogonal { gain, ref unfolding, .. } => {
            let normals = elementwise(key, Elementwise::STANDARD_NORMAL, dtype);
            Box::new(qr::tensor(&*normals, Rows::Longer, gain, unfolding, dtype, threads))
        }
        Distribution::Joint(distribution) => Box::new(orthogonal::whole(key, distribution.as_ref(), dtype, threads)),
        Distribution::Iid(distribution) => known(key, distribution.named()?, dtype, tensor.whole().shape.count()),
        &Distribution::Uniform { low, high } if tensor.is_scaled => scaled_uniform(key, [low, high], dtype),
        distribution => elementwise(key, Elementwise::of(distribution)?, dtype),
    })
}

/// The key of a seed and its steps. Double precision needs `jax_enable_x64`, which makes a key of all 64 bits of a seed. For other types it
/// is off by default, and the lower 32 bits count.
fn key(seed: &Seed, dtype: DType) -> Key {
    let number = seed.numbers().first().and_then(|number| number.to_i64()).unwrap_or_default();
    let first = if dtype == DType::F64 { Key::of_wide_seed(number) } else { Key::of_seed(number) };
    seed.steps().iter().fold(first, |key, step| match *step {
        Step::FoldIn(data) => key.fold_in(data),
        Step::Split { index, .. } => key.split(index),
        // `check` refuses such a seed.
        Step::Layers => key,
    })
}

/// The values of an elementwise distribution under a key.
pub(super) fn elementwise(key: Key, distribution: Elementwise, dtype: DType) -> Box<dyn Source> {
    match dtype {
        DType::F64 => double_precision(key, distribution),
        DType::F32 => below_double::<F32>(key, distribution),
        DType::F16 => below_double::<F16>(key, distribution),
        DType::BF16 => below_double::<Bf16>(key, distribution),
    }
}

fn below_double<F: FloatType>(key: Key, distribution: Elementwise) -> Box<dyn Source> {
    match distribution {
        Elementwise::Uniform { low, high } => source(key, distributions::Uniform::<F>::new(low, high, 1.0)),
        Elementwise::Normal { mean, std } => source(key, distributions::Normal::<F>::new(mean, std)),
        Elementwise::TruncatedNormal { mean, std, low, high } => {
            let cuts = [low, high].map(|cut| distribution::in_deviations(cut, mean, std));
            source(key, distributions::Truncated::<F>::new(mean, std, cuts))
        }
    }
}

fn double_precision(key: Key, distribution: Elementwise) -> Box<dyn Source> {
    match distribution {
        Elementwise::Uniform { low, high } => source(key, double::Uniform { low, high, factor: 1.0 }),
        Elementwise::Normal { mean, std } => source(key, double::Normal { mean, std }),
        Elementwise::TruncatedNormal { mean, std, low, high } => {
            let cuts = [low, high].map(|cut| distribution::in_deviations(cut, mean, std));
            source(key, double::Truncated::new(mean, std, cuts))
        }
    }
}

/// The values of a distribution with a dedicated function in `jax.random`.
fn known(key: Key, distribution: Named, dtype: DType, count: u64) -> Box<dyn Source> {
    match dtype {
        DType::F64 => known_double(key, distribution, count),
        DType::F32 => known_below_double::<F32>(key, distribution, dtype, count),
        DType::F16 => known_below_double::<F16>(key, distribution, dtype, count),
        DType::BF16 => known_below_double::<Bf16>(key, distribution, dtype, count),
    }
}

fn known_double(key: Key, distribution: Named, count: u64) -> Box<dyn Source> {
    let standard = Standard {
        dtype: DType::F64,
        normal: double::Normal { mean: 0.0, std: 1.0 },
        uniform: double::Uniform { low: 0.0, high: 1.0, factor: 1.0 },
    };
    match distribution {
        Named::Exponential { rate } => source(key, double::Exponential { rate, alone: count == 1 }),
        Named::Laplace { mean, scale } => source(key, double::Laplace { mean, scale }),
        Named::Cauchy { median, scale } => source(key, double::Cauchy { median, scale }),
        Named::LogNormal { sigma } => source(key, double::LogNormal::new(sigma)),
        Named::Gamma { shape, scale } => gamma::gamma(key, standard, shape, scale),
        Named::StudentT { dof, mean, scale } => gamma::student_t(key, standard, [dof, mean, scale]),
        Named::Sign { value } => source(key, double::Sign { value }),
    }
}

fn known_below_double<F: FloatType>(key: Key, distribution: Named, dtype: DType, count: u64) -> Box<dyn Source> {
    let standard = Standard {
        dtype,
        normal: distributions::Normal::<F>::new(0.0, 1.0),
        uniform: distributions::Uniform::<F>::new(0.0, 1.0, 1.0),
    };
    match distribution {
        Named::Exponential { rate } => source(key, distributions::Exponential::<F>::new(rate, count == 1)),
        Named::Laplace { mean, scale } => source(key, distributions::Laplace::<F>::new(mean, scale)),
        Named::Cauchy { median, scale } => source(key, distributions::Cauchy::<F>::new(median, scale)),
        Named::LogNormal { sigma } => source(key, distributions::LogNormal::<F>::new(sigma)),
        Named::Gamma { shape, scale } => gamma::gamma(key, standard, shape, scale),
        Named::StudentT { dof, mean, scale } => gamma::student_t(key, standard, [dof, mean, scale]),
        Named::Sign { value } => source(key, distributions::Sign::<F>::new(value)),
    }
}

/// `jax.random.uniform(key, minval=-1) * high` if 0 is the midpoint, else `jax.random.uniform(key) * high`.
fn scaled_uniform(key: Key, [low, high]: [f64; 2], dtype: DType) -> Box<dyn Source> {
    let low = if low < 0.0 { -1.0 } else { 0.0 };
    match dtype {
        DType::F64 => source(key, double::Uniform { low, high: 1.0, factor: high }),
        DType::F32 => source(key, distributions::Uniform::<F32>::new(low, 1.0, high)),
        DType::F16 => source(key, distributions::Uniform::<F16>::new(low, 1.0, high)),
        DType::BF16 => source(key, distributions::Uniform::<Bf16>::new(low, 1.0, high)),
    }
}

fn source(key: Key, draw: impl Draw + 'static) -> Box<dyn Source> {
    Box::new(Independent { key, draw })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISTRIBUTIONS: [Elementwise; 3] = [
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
        let drawn = |distribution, dtype| {
            let mut out = [0.0; 3];
            elementwise(Key::of_seed(42), distribution, dtype).fill_f64(0, &mut out);
            out
        };
        for (place, distribution) in DISTRIBUTIONS.into_iter().enumerate() {
            assert_eq!(drawn(distribution, DType::F32), singles[place].map(|bits| f64::from(f32::from_bits(bits))));
            assert_eq!(
                drawn(distribution, DType::BF16),
                brains[place].map(|bits| f64::from(half::bf16::from_bits(bits)))
            );
            assert_eq!(
                drawn(distribution, DType::F16),
                halves[place].map(|bits| f64::from(half::f16::from_bits(bits)))
            );
            assert_eq!(drawn(distribution, DType::F64), doubles[place].map(f64::from_bits));
        }
    }

    #[test]
    fn any_part_is_that_of_the_whole() {
        const KNOWN: [Named; 7] = [
            Named::Exponential { rate: 3.0 },
            Named::Laplace { mean: 0.5, scale: 0.1 },
            Named::Cauchy { median: 0.5, scale: 0.1 },
            Named::LogNormal { sigma: 0.3 },
            Named::Gamma { shape: 0.7, scale: 0.5 },
            Named::StudentT { dof: 5.0, mean: 0.5, scale: 0.1 },
            Named::Sign { value: 0.7 },
        ];
        type Make = Box<dyn Fn(DType) -> Box<dyn Source>>;
        let of_elementwise = DISTRIBUTIONS
            .map(|distribution| Box::new(move |dtype| elementwise(Key([1, 2]), distribution, dtype)) as Make);
        let of_known =
            KNOWN.map(|distribution| Box::new(move |dtype| known(Key([1, 2]), distribution, dtype, 300)) as Make);
        let makes = of_elementwise.into_iter().chain(of_known);
        for (source, dtype) in makes.flat_map(|make| DType::ALL.map(|dtype| (make(dtype), dtype))) {
            let (mut singles, mut doubles) = ([0.0; 300], [0.0; 300]);
            source.fill_f32(0, &mut singles);
            source.fill_f64(0, &mut doubles);
            for (start, count) in [(0, 1), (1, 63), (64, 64), (37, 200), (299, 1)] {
                let (mut single, mut double) = (vec![0.0; count], vec![0.0; count]);
                source.fill_f32(start, &mut single);
                source.fill_f64(start, &mut double);
                let range = crate::tensor::to_usize(start)..crate::tensor::to_usize(start) + count;
                assert!(single == singles[range.clone()] && double == doubles[range], "{dtype} {start} {count}");
            }
        }
    }
}
