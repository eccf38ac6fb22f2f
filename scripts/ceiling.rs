//! Measures the limit of this machine: one constant buffer into a new file, by any number of threads, in the chunks and
//! with the calls that fanin uses. `ceiling FILE BYTES THREADS`

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FallocateFlags, fallocate};

const CHUNK: u64 = 1 << 20;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, path, bytes, threads] = arguments.as_slice() else {
        return Err(std::io::Error::other("usage: ceiling FILE BYTES THREADS"));
    };
    let bytes: u64 = bytes.parse().map_err(std::io::Error::other)?;
    let threads: usize = threads.parse().map_err(std::io::Error::other)?;
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    fallocate(&file, FallocateFlags::empty(), 0, bytes)?;
    let next = AtomicU64::new(0);
    let write = || {
        let buffer = vec![0x3f; 1 << 20];
        loop {
            let offset = next.fetch_add(CHUNK, Ordering::Relaxed);
            if offset >= bytes {
                return Ok(());
            }
            let length = usize::try_from(CHUNK.min(bytes - offset)).unwrap_or_default();
            file.write_all_at(&buffer[..length], offset)?;
        }
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(write)).collect();
        let own: std::io::Result<()> = write();
        others
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))?;
        own
    })
}
