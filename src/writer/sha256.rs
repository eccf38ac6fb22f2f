//! SHA-256 of written files, and the list that `sha256sum -c` reads.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::parallel::try_map;
use crate::text::hex;

/// Bytes of a file read at a time.
const BLOCK: usize = 1 << 20;

/// Hash of each file, in the given order.
pub fn sha256_of_files(paths: &[&Path], threads: usize) -> Result<Vec<String>> {
    try_map(paths.len(), threads, |number| {
        let path = paths[number];
        File::open(path).and_then(|file| sha256(&file)).with_context(|| format!("`{}`", path.display()))
    })
}

/// Hash of a file from its start, independent of the current read position.
pub(super) fn sha256(file: &File) -> io::Result<String> {
    let (mut hash, mut block, mut offset) = (Sha256::new(), vec![0; BLOCK], 0);
    loop {
        match file.read_at(&mut block, offset) {
            Ok(0) => return Ok(hex(&hash.finalize())),
            Ok(count) => {
                hash.update(&block[..count]);
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// SHA-256 as lowercase hexadecimal.
pub fn sha256_of_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// List of names and hashes, sorted by name, in the format of `sha256sum`. A name that would break its line is
/// escaped, and the line then begins with a backslash.
pub fn sums_file(mut sums: Vec<(Vec<u8>, String)>) -> Vec<u8> {
    sums.sort_unstable();
    let mut text = Vec::new();
    for (name, hash) in sums {
        if name.iter().any(|byte| b"\\\n\r".contains(byte)) {
            text.push(b'\\');
        }
        text.extend(hash.bytes());
        text.extend(b"  ");
        for byte in name {
            match byte {
                b'\\' => text.extend(b"\\\\"),
                b'\n' => text.extend(b"\\n"),
                b'\r' => text.extend(b"\\r"),
                _ => text.push(byte),
            }
        }
        text.push(b'\n');
    }
    text
}
