//! JAX's own numbers: Threefry in its partitionable form, so that element i of a tensor is a function of the key and i.

mod double;
mod format;
mod independent;
mod laws;
mod orthogonal;
mod special;

use anyhow::{Result, ensure};

use super::Source;
use super::threefry::Key;
use crate::law::Law;
use crate::plan::{DType, Seed, Step, Tensor};
use format::{Brain, Format, Half, Single};
use independent::{Independent, IndependentWide};

/// The name of this generator: the release whose numbers it draws.
pub(super) const NAME: &str = "jax-0.10";

/// Errors where JAX takes no such seed.
pub(super) fn check(seed: &Seed) -> Result<()> {
    let number = seed.numbers().first().and_then(|number| number.to_i64());
    ensure!(number.is_some() && seed.numbers().len() == 1, "JAX takes one whole number from -2^63 to 2^63-1");
    Ok(())
}

/// The numbers of a tensor. A matrix is drawn now.
pub(super) fn open(seed: &Seed, tensor: &Tensor, _threads: usize) -> Box<dyn Source> {
    let key = key(seed, tensor.dtype);
    let key = tensor.order.map_or(key, |order| key.split(order));
    match &tensor.law {
        &Law::Orthogonal { gain, ref unfolding, .. } => {
            Box::new(orthogonal::tensor(key, gain, unfolding, tensor.dtype))
        }
        Law::Whole(law) => Box::new(orthogonal::whole(key, law.as_ref(), tensor.dtype)),
        law => elementwise(key, law, tensor.dtype),
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
    })
}

/// The numbers of an elementwise law under a key.
pub(super) fn elementwise(key: Key, law: &Law, dtype: DType) -> Box<dyn Source> {
    match dtype {
        DType::F64 => double_precision(key, law),
        DType::F32 => below_double::<Single>(key, law),
        DType::F16 => below_double::<Half>(key, law),
        DType::BF16 => below_double::<Brain>(key, law),
    }
}

fn below_double<F: Format>(key: Key, law: &Law) -> Box<dyn Source> {
    match *law {
        Law::Uniform { low, high } => {
            let (low, high, factor) = uniform(low, high);
            Box::new(Independent { key, draw: laws::Uniform::<F>::new(low, high, factor) })
        }
        Law::Normal { mean, std } => Box::new(Independent { key, draw: laws::Normal::<F>::new(mean, std) }),
        Law::TruncatedNormal { mean, std, low, high } => {
            let cuts = [low, high].map(|cut| (cut - mean) / std);
            Box::new(Independent { key, draw: laws::Truncated::<F>::new(mean, std, cuts) })
        }
        _ => unreachable!("no scheme of JAX has such a law"),
    }
}

fn double_precision(key: Key, law: &Law) -> Box<dyn Source> {
    match *law {
        Law::Uniform { low, high } => {
            let (low, high, factor) = uniform(low, high);
            Box::new(IndependentWide { key, draw: double::Uniform { low, high, factor } })
        }
        Law::Normal { mean, std } => Box::new(IndependentWide { key, draw: double::Normal { mean, std } }),
        Law::TruncatedNormal { mean, std, low, high } => {
            let cuts = [low, high].map(|cut| cut_in_deviations(cut, mean, std));
            Box::new(IndependentWide { key, draw: double::Truncated::new(mean, std, cuts) })
        }
        _ => unreachable!("no scheme of JAX has such a law"),
    }
}

/// `jax.random.uniform(key, minval=low, maxval=high)`, whose bounds go into the draw whatever they are.
pub(super) fn uniform_between(key: Key, low: f64, high: f64, dtype: DType) -> Box<dyn Source> {
    match dtype {
        DType::F64 => Box::new(IndependentWide { key, draw: double::Uniform { low, high, factor: 1.0 } }),
        DType::F32 => Box::new(Independent { key, draw: laws::Uniform::<Single>::new(low, high, 1.0) }),
        DType::F16 => Box::new(Independent { key, draw: laws::Uniform::<Half>::new(low, high, 1.0) }),
        DType::BF16 => Box::new(Independent { key, draw: laws::Uniform::<Brain>::new(low, high, 1.0) }),
    }
}

/// The bounds that are drawn between, and the factor after: initializers draw on (-1, 1) or (0, 1) and scale, and
/// other bounds go into the draw itself.
fn uniform(low: f64, high: f64) -> (f64, f64, f64) {
    match low {
        _ if low == -high => (-1.0, 1.0, high),
        0.0 => (0.0, 1.0, high),
        _ => (low, high, 1.0),
    }
}

/// A cut in standard deviations from the mean, of that in absolute terms: of the numbers that come to it up to rounding, that of
/// the fewest digits, which is how it was written.
fn cut_in_deviations(cut: f64, mean: f64, std: f64) -> f64 {
    let near = (cut - mean) / std;
    let slack = 2.0 * f64::EPSILON * (near.abs() + mean.abs() / std);
    let shorter = (0..17).filter_map(|digits| format!("{near:.digits$e}").parse().ok());
    shorter.into_iter().find(|number: &f64| (number - near).abs() <= slack).unwrap_or(near)
}

#[cfg(test)]
mod check {
    use super::*;
    use std::io::Read;

    // Reads: lines "k0 k1 dtype law a b c d start n", writes values (bits hex) to a file.
    #[test]
    #[ignore]
    fn dump() {
        let mut text = String::new();
        std::fs::File::open("/tmp/jaxcases.txt").unwrap().read_to_string(&mut text).unwrap();
        let mut bytes: Vec<u8> = Vec::new();
        for line in text.lines() {
            let w: Vec<&str> = line.split(' ').collect();
            let key = Key([w[0].parse().unwrap(), w[1].parse().unwrap()]);
            let dtype: DType = w[2].parse().unwrap();
            let f = |i: usize| -> f64 { w[i].parse().unwrap() };
            let law = match w[3] {
                "u" => Law::Uniform { low: f(4), high: f(5) },
                "n" => Law::Normal { mean: f(4), std: f(5) },
                _ => Law::TruncatedNormal { mean: f(4), std: f(5), low: f(6), high: f(7) },
            };
            let n: usize = w[8].parse().unwrap();
            let source = elementwise(key, &law, dtype);
            if dtype == DType::F64 {
                let mut out = vec![0.0; n];
                source.doubles(0, &mut out);
                bytes.extend(out.iter().flat_map(|v| v.to_le_bytes()));
            } else {
                let mut out = vec![0.0; n];
                source.singles(0, &mut out);
                bytes.extend(out.iter().flat_map(|v| v.to_le_bytes()));
            }
        }
        std::fs::write("/tmp/jaxout.bin", bytes).unwrap();
    }
}
