//! Generators: law to numbers. A generator knows no scheme's name, no file and no command line.

mod jax;
mod native;
mod simd;
mod sliced;
mod threefry;

use anyhow::{Result, ensure};

use crate::law::Law;
use crate::plan::{DType, Seed, Tensor};
use crate::text;
use sliced::Sliced;

#[cfg(test)]
pub(crate) use simd::available;
pub use simd::dispatch;

/// A way to turn laws into numbers.
#[derive(Debug)]
pub struct Generator {
    /// Its name, in recipes and on the command line.
    pub name: &'static str,
    /// What it promises, for a reader.
    pub summary: &'static str,
    open: fn(Seed, &Tensor, usize) -> Box<dyn Source>,
}

/// Every generator.
pub const GENERATORS: &[Generator] = &[Generator {
    name: native::NAME,
    summary: "element i of a tensor is a function of (seed, name, i) alone, on every machine; its values never change",
    open: native::open,
}];

/// The numbers of one tensor, any part of them at any time, from any thread.
pub trait Source: Send + Sync {
    /// Fills `out` with elements `start..` as singles, inside the bounds of the tensor's dtype.
    fn singles(&self, start: u64, out: &mut [f32]);
    /// The same elements before rounding to single precision.
    fn doubles(&self, start: u64, out: &mut [f64]);
}

impl Generator {
    /// The numbers of a tensor. An elementwise law costs nothing here; a matrix law is drawn now, by `threads` threads.
    pub fn open(&self, seed: Seed, tensor: &Tensor, threads: usize) -> Box<dyn Source> {
        let whole = (self.open)(seed, tensor, threads);
        match &tensor.slice {
            Some(slice) => Box::new(Sliced { whole, slice: slice.clone(), shape: tensor.shape.clone() }),
            None => whole,
        }
    }
}

/// The memory that drawing a tensor takes beyond fixed buffers, in bytes: 0 for a law that is drawn element by element.
pub fn workspace(tensor: &Tensor) -> u64 {
    match &tensor.law {
        Law::Orthogonal { method, unfolding, .. } => native::orthogonal_workspace(*method, unfolding, tensor.dtype),
        Law::Whole(law) => law.workspace(),
        _ => 0,
    }
}

/// Refuses a tensor whose matrix would not fit in `limit` bytes of memory, or in what the system gives.
pub fn check_workspace(tensor: &Tensor, limit: u64) -> Result<()> {
    let needed = workspace(tensor);
    ensure!(
        needed <= limit,
        "`{}` is drawn as a whole and takes {} of memory, above the limit of {}: raise --max-memory",
        tensor.name,
        text::bytes(needed),
        text::bytes(limit)
    );
    // A limit raised by hand may still be more than there is; the attempt alone costs no memory.
    let there = usize::try_from(needed).is_ok_and(|needed| Vec::<u8>::new().try_reserve_exact(needed).is_ok());
    ensure!(there, "`{}` takes {} of memory to draw, which the system does not give", tensor.name, text::bytes(needed));
    Ok(())
}

/// The bounds of a law inside a dtype: the outermost values of that type that the law allows.
fn bounds(law: &Law, dtype: DType) -> (f64, f64) {
    law.bounds().map_or((f64::NEG_INFINITY, f64::INFINITY), |(low, high)| (dtype.round_up(low), dtype.round_down(high)))
}
