//! Tensor names, valid by construction.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, ensure};

use crate::text::is_visible;

/// A tensor name: a valid key in every format, and a valid file path below a folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// Longest name, in bytes.
    pub const MAX_BYTES: usize = 512;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Default name of the unnamed tensor at `position` (from 0): `weight`, `weight_1`, `weight_2`, ...
    pub fn unnamed(position: usize) -> Self {
        match position {
            0 => Self("weight".into()),
            _ => Self(format!("weight_{position}")),
        }
    }
}

impl FromStr for Name {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        ensure!(!text.is_empty(), "a tensor's name is empty");
        let shown = || text.chars().take(40).collect::<String>();
        ensure!(
            text.len() <= Self::MAX_BYTES,
            "tensor name `{}...`: {} bytes, at most {} are allowed",
            shown(),
            text.len(),
            Self::MAX_BYTES
        );
        ensure!(
            text.chars().all(is_visible),
            "tensor name `{}`: control and invisible characters are not allowed",
            shown()
        );
        ensure!(!text.contains('\\'), "tensor name `{}`: a backslash is not allowed", shown());
        ensure!(
            text.split('/').all(|segment| !matches!(segment, "" | "." | "..")),
            "tensor name `{}`: its parts between `/` must not be empty, `.` or `..`",
            shown()
        );
        ensure!(text != "__metadata__", "tensor name `__metadata__` is reserved in safetensors");
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_names_that_frameworks_use() {
        for text in ["weight", "model.layers.0.self_attn.q_proj.weight", "dense/kernel:0", "ünïcode", "a b"] {
            assert_eq!(text.parse::<Name>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_what_could_leave_a_folder_or_move_a_terminal() {
        for text in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "a\\b",
            "\u{1b}[31m",
            "a\nb",
            "\u{202e}x",
            "__metadata__",
        ] {
            assert!(text.parse::<Name>().is_err(), "{text:?} was taken");
        }
        assert!("x".repeat(512).parse::<Name>().is_ok());
        assert!("x".repeat(513).parse::<Name>().is_err());
    }
}
