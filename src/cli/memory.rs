//! How much memory a matrix may take.

use anyhow::{Context, Result, bail};

/// Reads a size: bytes, or a number with KiB, MiB, GiB or TiB.
pub(super) fn parse(text: &str) -> Result<u64> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];
    let unit = units.iter().find_map(|&(unit, bits)| Some((text.strip_suffix(unit)?, bits)));
    let (digits, bits) = unit.unwrap_or((text, 0));
    let digits = digits.trim_end();
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        bail!("a size is a number of bytes, or a number with KiB, MiB, GiB or TiB");
    }
    let number: u64 = digits.parse().context("a size is a whole number, as in 8GiB")?;
    number.checked_mul(1 << bits).context("that is more than 2^64 bytes")
}

/// Half of the memory that is free, by the system's count or the control group's, whichever is less. Where neither is
/// known, 4 GiB.
pub(super) fn half_of_free() -> u64 {
    let system = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    system.into_iter().chain(group).min().map_or(4 << 30, |free: u64| free / 2)
}

/// The figure of the line `MemAvailable: 123 kB`, in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes() {
        for (text, size) in [("512", 512), ("8GiB", 8 << 30), ("1 MiB", 1 << 20)] {
            assert_eq!(parse(text).unwrap(), size);
        }
        for text in ["", "GiB", "-1", "+1", "1.5GiB", "99999999999TiB", "8GB"] {
            assert!(parse(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn reads_the_line_of_the_system() {
        assert_eq!(available("MemTotal: 5 kB\nMemAvailable:    1024 kB\n"), Some(1 << 20));
        assert_eq!(available("nothing"), None);
    }
}
