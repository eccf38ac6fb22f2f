//! `ZerO`: zeros and ones from partial identities and Hadamard matrices.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::kernel_tap::{Tap, widths};
use super::{Arguments, EMPTY, Requires, Scheme, Site, example};
use crate::distribution::{Deterministic, Distribution, Moments};
use crate::tensor::{Axes, AxisRole, to_f64};

pub(super) const ROWS: &[Scheme] = &[Scheme {
    name: "zero-init",
    summary: "ZerO, without randomness: a partial identity, or a Hadamard matrix if outputs exceed inputs",
    formula: "out <= in: w[out, in] = [out = in]; out > in: w = (-1)^(ones that out and in share in binary) / sqrt(p), p = 2^ceil(log2 outputs); in a convolution the centre tap has these values, the others 0",
    source: "Zhao, Schäfer and Anandkumar 2022, ZerO initialization: initializing neural networks with only zeros and ones",
    ranks: "two or more axes",
    aliases: &["hadamard"],
    requires: Requires::Matrices,
    example: example("zero-init"),
    distribution: zero_init,
    ..EMPTY
}];

fn zero_init(_: &mut Arguments, site: &Site) -> Result<Distribution> {
    let axes = site.unfolding().and_then(|_| site.axes())?;
    ensure!(axes.has(|role| role == AxisRole::In), "layout `{}` has no input axis: use another --layout", site.layout);
    let (outputs, inputs) = widths(&axes);
    let widens = outputs > inputs;
    let entry = if widens { (1.0 / to_f64(outputs.next_power_of_two())).sqrt() } else { 1.0 };
    Ok(Distribution::Deterministic(Arc::new(ZerO { widens, entry, axes })))
}

#[derive(Debug)]
struct ZerO {
    widens: bool,
    /// The magnitude of non-zero entries.
    entry: f64,
    axes: Axes,
}

impl Moments for ZerO {
    fn max_abs(&self) -> f64 {
        self.entry
    }
}

impl Deterministic for ZerO {
    fn value(&self, index: u64) -> f64 {
        match Tap::Right.channels(&self.axes, index) {
            // Sylvester's Hadamard matrix in closed form.
            Some((output, input)) if self.widens && (output & input).count_ones() % 2 == 1 => -self.entry,
            Some((output, input)) if self.widens || output == input => self.entry,
            _ => 0.0,
        }
    }
}
