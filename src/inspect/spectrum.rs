//! The singular values of a tensor as a matrix.

use anyhow::{Context, Result, ensure};
use nalgebra::DMatrix;

use crate::distribution::Distribution;
use crate::reader::{Contents, Entry};
use crate::tensor::{Element, Layout, Unfolding, to_f64, to_usize};
use crate::text;

/// The singular values of a matrix.
#[derive(Clone, Debug)]
pub struct Spectrum {
    /// The numbers of rows and columns.
    pub sides: (u64, u64),
    /// The singular values, the largest first.
    pub values: Vec<f64>,
    /// The range of nearly all singular values if the distribution has independent values of mean 0 (Marchenko and Pastur 1967).
    pub random: Option<(f64, f64)>,
}

impl Spectrum {
    /// The ratio of the largest to the smallest; infinite if the smallest is 0.
    pub fn condition(&self) -> f64 {
        match (self.values.first(), self.values.last()) {
            (Some(_), Some(0.0)) => f64::INFINITY,
            (Some(largest), Some(smallest)) => largest / smallest,
            _ => f64::NAN,
        }
    }
}

/// The singular values of tensor `number`, in at most `limit` bytes of memory, or the reason why it has none.
///
/// A tensor of more than two axes is unfolded by `layout`, else by the layout of its provenance or of the file's framework. Without any,
/// its last axis is the columns.
pub fn spectrum(
    contents: &Contents,
    number: usize,
    limit: u64,
    layout: Option<&Layout>,
) -> Result<Result<Spectrum, &'static str>> {
    let entry = contents.entries.get(number).context("there is no such tensor")?;
    if let Some(reason) = unfit(entry) {
        return Ok(Err(reason));
    }
    let count = entry.shape.count();
    let needed = count.saturating_mul(24);
    ensure!(
        needed <= limit,
        "the singular values of `{}` take {} of memory, above the limit of {}: raise --max-memory, or choose other tensors with --tensor",
        text::cut(&text::escape(&entry.name), 100),
        text::bytes(needed),
        text::bytes(limit)
    );
    let unfolding = match unfolding(contents, entry, layout)? {
        Some(unfolding) if unfolding.matrices() > 1 => return Ok(Err("its layout splits it into several matrices")),
        unfolding => unfolding,
    };
    let columns = entry.shape.axes().last().copied().unwrap_or(1);
    let (rows, columns) =
        unfolding.as_ref().map_or((count / columns, columns), |unfolding| (unfolding.rows(), unfolding.columns()));
    let random = entry.planned.as_ref().and_then(|tensor| random(tensor.distribution(), rows, columns));
    let mut matrix = DMatrix::zeros(to_usize(rows), to_usize(columns));
    let mut index = 0;
    let mut finite = true;
    contents.read(number, &mut |values| {
        for &value in values {
            let (row, column) = match &unfolding {
                Some(unfolding) => {
                    let place = unfolding.place(index);
                    (place.row, place.column)
                }
                None => (index / columns, index % columns),
            };
            matrix[(to_usize(row), to_usize(column))] = value;
            finite &= value.is_finite();
            index += 1;
        }
    })?;
    if !finite {
        return Ok(Err("not all values are finite"));
    }
    let mut values: Vec<f64> = matrix.singular_values().iter().copied().collect();
    values.sort_by(|one, other| other.total_cmp(one));
    Ok(Ok(Spectrum { sides: (rows, columns), values, random }))
}

/// The reason why a tensor has no singular values, if its shape or type is the reason.
fn unfit(entry: &Entry) -> Option<&'static str> {
    let number = entry.element().is_some_and(Element::is_number);
    match entry.element() {
        _ if entry.shape.rank() < 2 => Some(FEW_AXES),
        _ if entry.shape.count() == 0 => Some("it is empty"),
        Some(element) if element.is_complex() => Some("it is complex"),
        _ => (!number).then_some("its type is not supported"),
    }
}

/// The reason of biases and other vectors.
pub const FEW_AXES: &str = "it has fewer than two axes";

/// The tensor as matrices; `None` if no layout is known, or if it has two axes and so is a matrix.
fn unfolding(contents: &Contents, entry: &Entry, layout: Option<&Layout>) -> Result<Option<Unfolding>> {
    if entry.shape.rank() == 2 {
        return Ok(None);
    }
    let of = |layout: &Layout| Unfolding::new(layout.axes(&entry.shape)?);
    if let Some(layout) = layout {
        let name = || format!("--layout of `{}`", text::cut(&text::escape(&entry.name), 100));
        return of(layout).map(Some).with_context(name);
    }
    let known = match &entry.planned {
        Some(tensor) => tensor.layout(),
        None => contents.layout,
    };
    Ok(known.and_then(|layout| layout.parse().ok()).and_then(|layout| of(&layout).ok()))
}

fn random(distribution: &Distribution, rows: u64, columns: u64) -> Option<(f64, f64)> {
    let independent = matches!(
        distribution,
        Distribution::Normal { .. }
            | Distribution::Uniform { .. }
            | Distribution::TruncatedNormal { .. }
            | Distribution::Iid(_)
    );
    let std = distribution.std().filter(|_| independent && distribution.mean() == Some(0.0))?;
    let (one, other) = (to_f64(rows).sqrt(), to_f64(columns).sqrt());
    Some((std * (one - other).abs(), std * (one + other)))
}
