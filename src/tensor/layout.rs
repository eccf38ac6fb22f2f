//! Layouts: the role of each axis of a weight, by letters or by the convention of a framework.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};

use super::Shape;
use super::axes::{Axes, AxisRole};
use crate::text::did_you_mean;

/// A framework's named convention.
pub struct Convention {
    /// Name on the command line.
    pub name: &'static str,
    /// Other names for it.
    words: &'static [&'static str],
    /// One-line summary for `fanin list layouts`.
    pub summary: &'static str,
    /// Letters of a weight with two axes.
    dense: &'static str,
    /// Letters of a weight with three or more axes; `...` is replaced by as many `k` as needed.
    convolution: &'static str,
    /// Framework name and fix for an error, if its transposed convolutions use the same axis order as others.
    without_transposed: Option<(&'static str, &'static str)>,
}

/// All named layouts.
pub const LAYOUTS: &[Convention] = &[
    row("io", "x @ W: NumPy, Keras, JAX, Lasagne's dense layers", "io", "...io").also(&["numpy"]),
    row("torch", "PyTorch: Linear (out, in), Conv (out, in, kernel)", "oi", "oi...").also(&["pytorch"]),
    row("keras", "Keras and TensorFlow: Dense (in, out), Conv (kernel, in, out)", "io", "...io")
        .also(&["tensorflow", "tf"]),
    row("jax", "JAX, Flax, Haiku: (in, out), (kernel, in, out)", "io", "...io")
        .also(&["flax", "haiku"])
        .without_transposed(
            "Flax",
            "omit transposed, or use --layout keras for a kernel of Haiku or of transpose_kernel=True",
        ),
    row("lasagne", "Lasagne: DenseLayer (in, out), Conv2DLayer (out, in, kernel)", "io", "oi..."),
    row("c01b", "cuda-convnet: (in, rows, columns, out), four axes", "", "ikko"),
    row("mlx", "MLX: Linear (out, in), Conv (out, kernel, in)", "oi", "o...i")
        .without_transposed("MLX", "omit transposed"),
];

const fn row(name: &'static str, summary: &'static str, dense: &'static str, convolution: &'static str) -> Convention {
    Convention { name, words: &[], summary, dense, convolution, without_transposed: None }
}

impl Convention {
    const fn also(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }

    const fn without_transposed(self, framework: &'static str, fix: &'static str) -> Self {
        Self { without_transposed: Some((framework, fix)), ..self }
    }

    /// Letters of a weight with `rank` axes; `None` if the convention has none.
    pub fn letters(&self, rank: usize) -> Option<String> {
        match rank {
            0 | 1 => None,
            2 => (!self.dense.is_empty()).then(|| self.dense.into()),
            _ if self.convolution.contains("...") => Some(self.convolution.replace("...", &"k".repeat(rank - 2))),
            _ => (self.convolution.len() == rank).then(|| self.convolution.into()),
        }
    }

    /// General form of the letters: `io, ...io`.
    pub fn rule(&self) -> String {
        match self.dense {
            "" => self.convolution.into(),
            dense => format!("{dense}, {}", self.convolution.replace("...", "k...")),
        }
    }
}

/// A layout: a convention's name, or one letter per axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layout(String);

impl Default for Layout {
    fn default() -> Self {
        Self(LAYOUTS[0].name.into())
    }
}

impl Layout {
    fn convention(&self) -> Option<&'static Convention> {
        LAYOUTS.iter().find(|convention| convention.name == self.0)
    }

    /// One letter per axis for a tensor of `rank` axes. Errors if the layout does not fit that rank.
    pub fn letters(&self, rank: usize) -> Result<String> {
        match self.convention() {
            Some(convention) => convention.letters(rank).with_context(|| {
                let axes = if rank == 1 { "axis" } else { "axes" };
                format!("layout `{self}` does not fit a tensor of {rank} {axes}")
            }),
            None => {
                let named = self.0.len();
                ensure!(named == rank, "layout `{self}` names {named} axes, but the tensor has {rank}");
                Ok(self.0.clone())
            }
        }
    }

    /// Framework name and fix for an error, if its transposed convolutions use the same axis order as others.
    pub fn without_transposed(&self) -> Option<(&'static str, &'static str)> {
        self.convention()?.without_transposed
    }

    /// Axes of a weight. Errors if the layout does not fit its rank.
    pub fn axes(&self, shape: &Shape) -> Result<Axes> {
        Ok(Axes::new(self.letters(shape.rank())?.chars().filter_map(AxisRole::from_letter), shape))
    }
}

impl FromStr for Layout {
    type Err = anyhow::Error;

    /// Parses a convention or letters, in any case. Height, width and depth (`h`, `w`, `d`) are kernel axes.
    fn from_str(text: &str) -> Result<Self> {
        let word = text.to_lowercase();
        if let Some(row) = LAYOUTS.iter().find(|row| row.name == word || row.words.contains(&&*word)) {
            return Ok(Self(row.name.into()));
        }
        let letters = word.replace(['h', 'w', 'd'], "k");
        if (1..=Shape::MAX_RANK).contains(&letters.len()) && letters.chars().all(|c| AxisRole::from_letter(c).is_some())
        {
            return Ok(Self(letters));
        }
        let is_of_images = word.starts_with('n') && word.chars().all(|letter| "nchwd".contains(letter));
        if is_of_images || word.starts_with("channels") {
            bail!("`{text}` is a layout of images: use one of weights, as OIHW or torch");
        }
        let near = did_you_mean(&word, LAYOUTS.iter().map(|row| row.name));
        let fix =
            if near.is_empty() { ": use letters, as in oihw, or a row of `fanin list layouts`".into() } else { near };
        bail!("unknown layout `{text}`{fix}")
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_layouts_are_refused() {
        for text in ["", "qq", "tensorflow9", "NCHW", "nhwc", "i o"] {
            assert!(text.parse::<Layout>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_layout_has_one_canonical_name() {
        for (text, name) in [
            ("OIHW", "oikk"),
            ("HWIO", "kkio"),
            ("oidhw", "oikkk"),
            ("oikk", "oikk"),
            ("IO", "io"),
            ("PyTorch", "torch"),
            ("tf", "keras"),
        ] {
            assert_eq!(text.parse::<Layout>().unwrap().to_string(), name);
        }
    }
}
