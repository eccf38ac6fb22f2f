//! The formats of a picture, and the option that names its file.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Result, bail};

/// The format of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureFormat {
    /// Vectors, with colours for light and dark pages.
    Svg,
    /// Pixels, on white.
    Png,
}

/// A file for a picture, whose extension is a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureFile {
    /// The path.
    pub path: PathBuf,
    /// The format of its extension.
    pub format: PictureFormat,
}

impl FromStr for PictureFile {
    type Err = anyhow::Error;

    fn from_str(path: &str) -> Result<Self> {
        let extension = Path::new(path).extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let format = match extension.as_deref() {
            Some("svg") => PictureFormat::Svg,
            Some("png") => PictureFormat::Png,
            _ => bail!("use FILE.svg or FILE.png"),
        };
        Ok(Self { path: path.into(), format })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_is_the_format() {
        for (path, format) in [("a.svg", PictureFormat::Svg), ("b/a.b.PNG", PictureFormat::Png)] {
            assert_eq!(path.parse::<PictureFile>().unwrap(), PictureFile { path: path.into(), format });
        }
        for path in ["", "svg", ".svg", "a.pdf", "a.svgz", "/dev/null"] {
            let parsed = path.parse::<PictureFile>();
            assert!(parsed.is_err(), "{path}: {parsed:?}");
        }
    }
}
