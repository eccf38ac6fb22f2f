//! The singular values of a tensor seen as a matrix.

use anyhow::{Context, Result, ensure};
use nalgebra::DMatrix;

use crate::law::{Law, as_float, in_memory};
use crate::plan::{Layout, Unfolding};
use crate::reader::{Contents, Entry};
use crate::text;

/// Singular values, the largest first.
#[derive(Clone, Debug)]
pub struct Spectrum {
    /// How many rows and columns the matrix has.
    pub sides: (u64, u64),
    /// The singular values, the largest first.
    pub values: Vec<f64>,
    /// Between which two numbers nearly all would lie for independent values of mean 0 and the law's standard deviation (Marchenko
    /// and Pastur 1967), where the law is such.
    pub random: Option<(f64, f64)>,
}

impl Spectrum {
    /// The largest over the smallest; infinite where that is 0.
    pub fn condition(&self) -> f64 {
        match (self.values.first(), self.values.last()) {
            (Some(largest), Some(smallest)) => largest / smallest,
            _ => f64::NAN,
        }
    }
}

/// The singular values of the tensor with this number, in at most `limit` bytes of memory; `None` where it is no matrix, or holds what is
/// not finite. A tensor of more axes is unfolded as its recipe's layout says; without one, its last axis makes the columns.
pub fn spectrum(contents: &mut Contents, number: usize, limit: u64) -> Result<Option<Spectrum>> {
    let entry = contents.entries.get(number).context("there is no such tensor")?;
    let count = entry.shape.count();
    if entry.shape.rank() < 2 || count == 0 || !readable(entry) {
        return Ok(None);
    }
    let needed = count.saturating_mul(24);
    ensure!(
        needed <= limit,
        "the singular values of `{}` take {} of memory, above the limit of {}: raise --max-memory, or pick others with --tensor",
        text::cut(&text::escape(&entry.name), 100),
        text::bytes(needed),
        text::bytes(limit)
    );
    let unfolding = unfolding(entry);
    let columns = entry.shape.axes().last().copied().unwrap_or(1);
    let (rows, columns) =
        unfolding.as_ref().map_or((count / columns, columns), |unfolding| (unfolding.rows(), unfolding.columns()));
    let random = entry.planned.as_ref().and_then(|tensor| random(&tensor.law, rows, columns));
    let mut matrix = DMatrix::zeros(in_memory(rows), in_memory(columns));
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
            matrix[(in_memory(row), in_memory(column))] = value;
            finite &= value.is_finite();
            index += 1;
        }
    })?;
    if !finite {
        return Ok(None);
    }
    let mut values: Vec<f64> = matrix.singular_values().iter().copied().collect();
    values.sort_by(|one, other| other.total_cmp(one));
    Ok(Some(Spectrum { sides: (rows, columns), values, random }))
}

/// True if its values are real numbers.
fn readable(entry: &Entry) -> bool {
    entry.element().is_some_and(|element| element.is_number() && !element.is_complex())
}

/// The tensor as one matrix, where its recipe tells how. One of two axes is a matrix as it lies.
fn unfolding(entry: &Entry) -> Option<Unfolding> {
    if entry.shape.rank() == 2 {
        return None;
    }
    let layout: Layout = entry.planned.as_ref()?.layout.as_ref()?.parse().ok()?;
    let unfolding = Unfolding::new(layout.axes(&entry.shape).ok()?).ok()?;
    (unfolding.matrices() == 1).then_some(unfolding)
}

fn random(law: &Law, rows: u64, columns: u64) -> Option<(f64, f64)> {
    let independent =
        matches!(law, Law::Normal { .. } | Law::Uniform { .. } | Law::TruncatedNormal { .. } | Law::Distribution(_));
    let std = law.std().filter(|_| independent && law.mean() == Some(0.0))?;
    let (one, other) = (as_float(rows).sqrt(), as_float(columns).sqrt());
    Some((std * (one - other).abs(), std * (one + other)))
}
