//! Tables: sequences, and constants of attention that a position determines.

use std::f64::consts::TAU;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::{Arguments, EMPTY, Parameter, Scheme, Site, example_on};
use crate::distribution::{Deterministic, Distribution, Moments};
use crate::tensor::to_f64;

const START: Parameter<f64> = Parameter::new("start", "the first value");
const STEP: Parameter<f64> = Parameter::new("step", "the difference of neighbours").default("1");
const END: Parameter<f64> = Parameter::new("end", "the last value").default("1");
const RATIO: Parameter<f64> = Parameter::new("ratio", "the quotient of neighbours; required");
const HEIGHT: Parameter<u64> =
    Parameter::new("height", "the height of the window [default: the square root of the last axis]");
const HEADS: Parameter<u64> = Parameter::new("heads", "the number of attention heads; required");
const POINTS: Parameter<Vec<f64>> =
    Parameter::new("points", "the points of each level; one number, or several separated by /").default("4");

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "arange",
        summary: "an arithmetic sequence along the last axis",
        formula: "w_n = start + step n, n from 0 along the last axis",
        source: "torch.arange; the position_ids of BERT and CLIP",
        ranks: "one or more axes; leading axes repeat it",
        parameters: &[&START.default("0"), &STEP],
        example: example_on("arange", "12", "io"),
        distribution: |arguments, site| {
            let (size, start) = (last_axis(site)?, arguments.value(&START)?);
            sequence(size, start, arguments.value(&STEP)?, None)
        },
        ..EMPTY
    },
    Scheme {
        name: "linspace",
        summary: "evenly spaced values along the last axis, with both ends",
        formula: "w_n = start + (end - start) n / (size - 1), n from 0 along the last axis; a single value is start",
        source: "torch.linspace; Beck et al. 2024, xLSTM: extended long short-term memory (forget gates, 3 to 6)",
        ranks: "one or more axes; leading axes repeat it",
        parameters: &[&START.default("0"), &END],
        example: example_on("linspace:start=3,end=6", "12", "io"),
        distribution: |arguments, site| {
            let (size, start, end) = (last_axis(site)?, arguments.value(&START)?, arguments.value(&END)?);
            sequence(size, start, (end - start) / to_f64(size.max(2) - 1), Some(end))
        },
        ..EMPTY
    },
    Scheme {
        name: "geometric-sequence",
        summary: "a geometric sequence along the last axis",
        formula: "w_n = start ratio^n, n from 0 along the last axis",
        source: "Su et al. 2021, RoFormer: enhanced transformer with rotary position embedding (frequencies, ratio theta^(-2 / d))",
        ranks: "one or more axes; leading axes repeat it",
        parameters: &[&START.default("1"), &RATIO],
        example: example_on("geometric-sequence:ratio=0.5", "12", "io"),
        distribution: powers,
        ..EMPTY
    },
    Scheme {
        name: "causal-mask",
        summary: "1 for each position up to the own one, 0 for later ones",
        formula: "w[row, column] = 1 if column <= row, else 0, on the last two axes",
        source: "Radford et al. 2019, Language models are unsupervised multitask learners (the bias buffer of GPT-2 attention); torch.tril of ones",
        ranks: "two or more axes; leading axes repeat it",
        example: example_on("causal-mask", "6x6", "io"),
        distribution: |_, site| {
            let (rows, columns) = last_axes(site)?;
            Ok(Distribution::Deterministic(Arc::new(CausalMask { rows, columns })))
        },
        ..EMPTY
    },
    Scheme {
        name: "relative-position-index",
        summary: "the row of a table of relative position biases for each pair of places in a window",
        formula: "w[i, j] = (y_i - y_j + height - 1) (2 width - 1) + x_i - x_j + width - 1; place i is y_i = floor(i / width), x_i = i mod width",
        source: "Liu et al. 2021, Swin Transformer: hierarchical vision transformer using shifted windows",
        ranks: "two or more axes, the last two of the size height times width",
        parameters: &[&HEIGHT],
        example: example_on("relative-position-index", "9x9", "io"),
        distribution: relative_positions,
        ..EMPTY
    },
    Scheme {
        name: "deformable-offsets",
        summary: "the bias of the sampling offsets of deformable attention: each head looks in its own direction",
        formula: "w[head, level, point] = (point + 1) (cos a, sin a) / max(|cos a|, |sin a|), a = 2 pi head / heads",
        source: "Zhu et al. 2021, Deformable DETR: deformable transformers for end-to-end object detection",
        ranks: "any with a multiple of 2 heads points elements; the levels repeat the points",
        parameters: &[&HEADS, &POINTS],
        example: example_on("deformable-offsets:heads=8", "192", "io"),
        distribution: offsets,
        ..EMPTY
    },
];

fn last_axis(site: &Site) -> Result<u64> {
    let last = site.shape.axes().last().copied();
    last.context("this scheme needs one or more axes, not a scalar")
}

fn last_axes(site: &Site) -> Result<(u64, u64)> {
    let [.., rows, columns] = *site.shape.axes() else {
        anyhow::bail!("this scheme needs two or more axes, not {}", site.shape.rank());
    };
    Ok((rows, columns))
}

fn sequence(size: u64, start: f64, step: f64, end: Option<f64>) -> Result<Distribution> {
    let sequence = Sequence { size, start, step, end: end.filter(|_| size > 1) };
    let last = sequence.value(size.saturating_sub(1));
    ensure!(last.is_finite() && step.is_finite(), "the values exceed the largest number, {:e}", f64::MAX);
    Ok(Distribution::Deterministic(Arc::new(sequence)))
}

/// An arithmetic sequence.
#[derive(Debug)]
struct Sequence {
    size: u64,
    start: f64,
    step: f64,
    /// The last value, if it is exact.
    end: Option<f64>,
}

impl Moments for Sequence {
    fn max_abs(&self) -> f64 {
        self.start.abs().max(self.value(self.size.saturating_sub(1)).abs())
    }
}

impl Deterministic for Sequence {
    fn value(&self, index: u64) -> f64 {
        let place = index % self.size.max(1);
        match self.end {
            // The second half counts from the end, so that both ends are exact.
            Some(end) if 2 * place >= self.size => end - self.step * to_f64(self.size - 1 - place),
            _ => self.start + self.step * to_f64(place),
        }
    }

    fn integers(&self) -> Option<(f64, f64)> {
        let last = self.value(self.size.saturating_sub(1));
        let whole = self.start.fract() == 0.0 && self.step.fract() == 0.0;
        whole.then(|| (self.start.min(last), self.start.max(last)))
    }
}

fn powers(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let powers = Powers { size: last_axis(site)?, start: arguments.value(&START)?, ratio: arguments.value(&RATIO)? };
    ensure!(powers.max_abs().is_finite(), "the values exceed the largest number, {:e}", f64::MAX);
    Ok(Distribution::Deterministic(Arc::new(powers)))
}

/// A geometric sequence.
#[derive(Debug)]
struct Powers {
    size: u64,
    start: f64,
    ratio: f64,
}

impl Moments for Powers {
    fn max_abs(&self) -> f64 {
        self.start.abs().max(self.value(self.size.saturating_sub(1)).abs())
    }
}

impl Deterministic for Powers {
    fn value(&self, index: u64) -> f64 {
        self.start * libm::pow(self.ratio, to_f64(index % self.size.max(1)))
    }
}

#[derive(Debug)]
struct CausalMask {
    rows: u64,
    columns: u64,
}

impl Moments for CausalMask {
    fn max_abs(&self) -> f64 {
        1.0
    }
}

impl Deterministic for CausalMask {
    fn value(&self, index: u64) -> f64 {
        let (row, column) = (index / self.columns % self.rows, index % self.columns);
        f64::from(u8::from(column <= row))
    }

    fn integers(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

fn relative_positions(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let (rows, places) = last_axes(site)?;
    ensure!(rows == places, "shape {} has last axes of {rows} and {places}: they must be equal", site.shape);
    let height = arguments.optional(&HEIGHT).unwrap_or_else(|| places.isqrt());
    let is_window = places == 0 || height > 0 && places.is_multiple_of(height);
    let has_height = arguments.given(&HEIGHT) || height * height == places;
    ensure!(is_window && has_height, "a window of {places} places has no height {height}: pass height=N");
    arguments.set(&HEIGHT, &height);
    let width = places / height.max(1);
    Ok(Distribution::Deterministic(Arc::new(RelativePositions { height, width })))
}

/// The relative positions of pairs of places in a window.
#[derive(Debug)]
struct RelativePositions {
    height: u64,
    width: u64,
}

impl RelativePositions {
    fn last(&self) -> f64 {
        let range = |size: u64| size.saturating_mul(2).max(1) - 1;
        to_f64(range(self.height).saturating_mul(range(self.width))) - 1.0
    }
}

impl Moments for RelativePositions {
    fn max_abs(&self) -> f64 {
        self.last().max(0.0)
    }
}

impl Deterministic for RelativePositions {
    fn value(&self, index: u64) -> f64 {
        let Self { height, width } = *self;
        let places = height * width;
        let (from, to) = (index / places % places, index % places);
        let rows = from / width + height - 1 - to / width;
        let columns = from % width + width - 1 - to % width;
        to_f64(rows * (2 * width - 1) + columns)
    }

    fn integers(&self) -> Option<(f64, f64)> {
        Some((0.0, self.max_abs()))
    }
}

fn offsets(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let (heads, points) = (arguments.value(&HEADS)?, arguments.value(&POINTS)?);
    ensure!(heads > 0, "heads is 0: it must be 1 or more");
    let is_count = |points: &f64| points.fract() == 0.0 && (1.0..=1024.0).contains(points);
    ensure!(points.iter().all(is_count), "points is {}: use whole numbers from 1 to 1024", arguments.text(&POINTS));
    let factors: Vec<f64> = points
        .iter()
        .flat_map(|&points| (1..=1024).map(f64::from).take_while(move |&factor| factor <= points))
        .collect();
    let (count, each) = (site.shape.count(), 2 * factors.len() as u64);
    let fits = heads.checked_mul(each).is_some_and(|unit| count.is_multiple_of(unit));
    ensure!(fits, "shape {} has {count} elements: use a multiple of 2 heads points", site.shape);
    Ok(Distribution::Deterministic(Arc::new(Offsets { heads, of_head: count / heads, factors })))
}

/// The directions of heads, longer for each point.
#[derive(Debug)]
struct Offsets {
    heads: u64,
    /// The number of elements of a head.
    of_head: u64,
    /// The factor of each point of all levels.
    factors: Vec<f64>,
}

impl Moments for Offsets {
    fn max_abs(&self) -> f64 {
        self.factors.iter().copied().fold(0.0, f64::max)
    }
}

impl Deterministic for Offsets {
    fn value(&self, index: u64) -> f64 {
        let angle = TAU * to_f64(index / self.of_head) / to_f64(self.heads);
        let (x, y) = (libm::cos(angle), libm::sin(angle));
        let point = index % self.of_head / 2 % self.factors.len() as u64;
        let along = if index.is_multiple_of(2) { x } else { y };
        along / x.abs().max(y.abs()) * self.factors[crate::tensor::to_usize(point)]
    }
}
