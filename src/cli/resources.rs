//! The options for threads and memory.

use std::sync::OnceLock;

use super::memory;
use crate::distribution::TensorSpec;
use crate::parallel::number_of_threads;

/// The default memory limit for the matrix of a slice: a multiple of the slice's size, or a number of bytes, whichever is larger.
const OF_SLICES: (u64, u64) = (64, 64 << 20);

/// Threads and memory.
#[derive(clap::Args, Clone, Copy)]
#[command(next_help_heading = super::help::RESOURCES)]
pub(super) struct Resources {
    /// Number of threads [default: all CPUs]
    ///
    /// The output does not depend on it.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = threads)]
    threads: Option<u16>,
    /// Memory per matrix, as in 8GiB [default: half of free]
    ///
    /// A larger matrix is an error. The default is half of the free memory.
    #[arg(long, value_name = "SIZE", value_parser = memory::parse)]
    max_memory: Option<u64>,
}

fn threads(text: &str) -> Result<u16, String> {
    let threads = text.parse().ok().filter(|threads| (1..=1024).contains(threads));
    threads.ok_or_else(|| "use a whole number from 1 to 1024".into())
}

impl Resources {
    pub(super) fn threads(&self) -> usize {
        number_of_threads(self.threads, memory::address_space_left())
    }

    /// As [`Self::threads`], evaluated on first use.
    pub(super) fn threads_on_demand(&self) -> impl Fn() -> usize + Sync {
        let threads = OnceLock::new();
        move || *threads.get_or_init(|| self.threads())
    }

    /// The memory limit of a matrix, in bytes.
    pub(super) fn limit(&self) -> u64 {
        memory::limit(self.max_memory)
    }

    /// The limit for a tensor of an untrusted file: a few hundred bytes may claim to be a slice of a matrix of any size.
    pub(super) fn limit_for(&self, tensor: &TensorSpec) -> u64 {
        let (times, least) = OF_SLICES;
        let of_slice = tensor
            .slice
            .as_ref()
            .map(|_| tensor.dtype.size().saturating_mul(tensor.shape.count()).saturating_mul(times).max(least));
        self.limit().min(of_slice.filter(|_| self.max_memory.is_none()).unwrap_or(u64::MAX))
    }
}
