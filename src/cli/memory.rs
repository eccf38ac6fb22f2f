//! Parses sizes, and limits the memory of a matrix.

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Resource, getrlimit};

use super::control_group;

const BINARY: &[(&str, u64)] = &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];
const DECIMAL: &[(&str, u64)] =
    &[("kB", 1_000), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000)];

/// Parses a size of memory: bytes, or a number with KiB, MiB, GiB or TiB.
pub(super) fn parse(text: &str) -> Result<u64> {
    let Some(size) = size(text, BINARY)? else {
        bail!("use a number of bytes, or one with KiB, MiB, GiB or TiB, as in 8GiB");
    };
    Ok(size)
}

/// Parses the size of a file: bytes, or a number with KB, MB, GB, TB (powers of ten) or KiB, MiB, GiB, TiB.
pub(super) fn parse_file_size(text: &str) -> Result<u64> {
    let Some(size) = size(text, &[BINARY, DECIMAL].concat())? else {
        bail!("use a number of bytes, or one with KB, MB, GB, TB, KiB, MiB, GiB or TiB, as in 5GB");
    };
    ensure!(size > 0, "a file needs room for at least one byte");
    Ok(size)
}

/// A number and its unit; `None` for anything else.
fn size(text: &str, units: &[(&str, u64)]) -> Result<Option<u64>> {
    let unit = units.iter().find_map(|&(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)));
    let (digits, bytes) = unit.unwrap_or((text, 1));
    let digits = digits.trim_end();
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return Ok(None);
    }
    if digits.contains(|other: char| !other.is_ascii_digit() && other != '.') {
        return Ok(None);
    }
    ensure!(!digits.contains('.'), "a size is a whole number, as in 8GiB");
    let number: u64 = digits.parse().context("that is more than 2^64 bytes")?;
    number.checked_mul(bytes).context("that is more than 2^64 bytes").map(Some)
}

/// The memory limit in bytes: the given one, else half of the free memory. At most three quarters of what `ulimit -v` leaves, since the
/// program cannot allocate more.
pub(super) fn limit(given: Option<u64>) -> u64 {
    let limit = given.unwrap_or_else(half_of_free);
    address_space_left().map_or(limit, |left| limit.min(left / 4 * 3))
}

/// Half of the free memory, as counted by the system or by a control group, whichever is less; 4 GiB if neither is known.
fn half_of_free() -> u64 {
    let system = figure("/proc/meminfo", "MemAvailable:");
    system.into_iter().chain(control_group::free()).min().map_or(4 << 30, |free| free / 2)
}

/// The address space left by the limits of this process, in bytes; `None` without a limit.
pub(super) fn address_space_left() -> Option<u64> {
    let limit = |resource, taken| {
        let limit = getrlimit(resource).current?;
        Some(limit.saturating_sub(figure("/proc/self/status", taken).unwrap_or(0)))
    };
    limit(Resource::As, "VmSize:").into_iter().chain(limit(Resource::Data, "VmData:")).min()
}

/// Errors if the limits of this process leave too little address space for the buffers of any command. The standard library ends the
/// program if a small allocation fails.
pub(super) fn check_room() -> Result<()> {
    const ROOM: u64 = 4 << 20;
    let has_room = address_space_left().is_none_or(|left| left >= ROOM);
    ensure!(has_room, "`ulimit -v` leaves less than 4 MiB of memory: raise it");
    Ok(())
}

/// The value of a line such as `MemAvailable: 123 kB` in a file, in bytes.
fn figure(path: &str, key: &str) -> Option<u64> {
    kibibytes(&std::fs::read_to_string(path).ok()?, key)
}

fn kibibytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
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
    fn files_have_sizes_in_powers_of_ten_too() {
        for (text, size) in [
            ("7", 7),
            ("5GB", 5_000_000_000),
            ("5GiB", 5 << 30),
            ("100KB", 100_000),
            ("9kB", 9_000),
            ("2 TB", 2 * 10u64.pow(12)),
        ] {
            assert_eq!(parse_file_size(text).unwrap(), size);
        }
        for text in ["", "0", "0GB", "5 gb", "5G", "-5GB", "1.5GB", "99999999TB"] {
            assert!(parse_file_size(text).is_err(), "{text:?} was taken");
        }
        for (text, message) in [("5gb", "GiB"), ("1.5GB", "whole number"), ("18446744073709551616", "2^64")] {
            let refusal = parse_file_size(text).unwrap_err();
            assert!(format!("{refusal:#}").contains(message), "{text}: {refusal:#}");
        }
    }

    #[test]
    fn reads_the_line_of_the_system() {
        assert_eq!(kibibytes("MemTotal: 5 kB\nMemAvailable:    1024 kB\n", "MemAvailable:"), Some(1 << 20));
        assert_eq!(kibibytes("nothing", "MemAvailable:"), None);
    }
}
