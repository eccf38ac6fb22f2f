//! The options for threads and memory.

use std::sync::OnceLock;

use super::memory;
use crate::distribution::TensorSpec;
use crate::parallel::available_threads;

/// The default memory limit for the matrix of a slice: a multiple of the slice's size, or a number of bytes if that is more.
const OF_SLICES: (u64, u64) = (64, 64 << 20);

/// Threads and memory.
#[derive(clap::Args, Clone, Copy)]
#[command(next_help_heading = super::RESOURCES)]
pub(super) struct Resources {
    /// Number of threads; does not change the output [default: all CPUs]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = threads)]
    threads: Option<u16>,
    /// Memory limit per matrix, such as 8GiB [default: half of the free memory]
    #[arg(long, value_name = "SIZE", value_parser = memory::parse)]
    max_memory: Option<u64>,
}

fn threads(text: &str) -> Result<u16, String> {
    let threads = text.parse().ok().filter(|threads| (1..=1024).contains(threads));
    threads.ok_or_else(|| "use a whole number from 1 to 1024".into())
}

impl Resources {
    /// The requested threads, or as many as the machine runs at once.
    pub(super) fn threads(&self) -> usize {
        let threads = self.threads.map_or_else(available_threads, usize::from);
        // `ulimit -v` counts the stack of a thread and what its allocator sets apart.
        let room = memory::address_space_left().and_then(|left| usize::try_from(left / OF_A_THREAD).ok());
        room.map_or(threads, |room| threads.min(room.max(1)))
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

/// The address space of a thread, in bytes.
const OF_A_THREAD: u64 = 16 << 20;
