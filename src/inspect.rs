//! The contents of a file next to the distributions that its provenance expects.

mod picture;
mod spectrum;
mod tree;

use anyhow::Result;

pub use picture::{Plotted, Series, chart};
pub use spectrum::{FEW_AXES, Spectrum, spectrum};
pub use tree::tree;

use crate::distribution::Distribution;
use crate::reader::{Contents, Entry};
use crate::scan::{self, scan};
use crate::statistics::histogram::{Bins, Histogram};
use crate::statistics::marginal::Marginal;
use crate::statistics::summary::Summary;
use crate::tensor::{Element, to_f64};

/// The moments and bounds of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expected {
    /// The mean over all draws; `None` if there is none or no digit of it is known.
    pub mean: Option<f64>,
    /// The standard deviation over all draws.
    pub std: Option<f64>,
    /// The closed interval that contains all values.
    pub bounds: Option<(f64, f64)>,
}

impl From<&Distribution> for Expected {
    fn from(distribution: &Distribution) -> Self {
        Self { mean: distribution.mean(), std: distribution.std(), bounds: distribution.bounds() }
    }
}

/// The summary of tensor `number`, the same for any number of threads; `None` if its type is not read.
pub fn summary(contents: &Contents, number: usize, threads: usize) -> Result<Option<Summary>> {
    let is_number = contents.entries.get(number).and_then(Entry::element).is_some_and(Element::is_number);
    is_number.then(|| scan::summary(contents, number, threads)).transpose()
}

/// Counts the finite values of tensor `number` in bins that contain them all. Frequent zeros of a floating-point type are set apart.
pub fn histogram(contents: &Contents, number: usize, bins: Bins, threads: usize) -> Result<Histogram> {
    let visit = |(counts, zeros): &mut (Vec<usize>, usize), _: u64, values: &[f64]| {
        bins.count(values, counts);
        *zeros += values.iter().filter(|value| **value == 0.0).count();
    };
    let parts = scan(contents, number, threads, &|| (vec![0; bins.len()], 0), &visit)?;
    let counts = (0..bins.len()).map(|bin| parts.iter().map(|(counts, _)| counts[bin]).sum()).collect();
    let entry = contents.entries.get(number);
    let zeros = match entry.and_then(Entry::element) {
        Some(Element::Stored(stored)) if stored.is_integer() => 0,
        _ => parts.iter().map(|(_, zeros)| zeros).sum(),
    };
    let histogram = Histogram { bins, counts, zeros: 0, expected: None }.with_zeros_apart(zeros);
    let marginal = entry.and_then(marginal);
    Ok(Histogram { expected: marginal.and_then(|marginal| marginal.expected(&histogram)), ..histogram })
}

/// The numbers that values may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Places {
    /// All numbers of a range.
    Anywhere,
    /// Multiples of a number, and perhaps others near 0.
    Multiples(f64),
    /// A few numbers, such as 1 and -1.
    Few,
}

/// The numbers that the values of a tensor may be, if `largest` is their largest magnitude.
pub fn places(entry: &Entry, largest: f64) -> Places {
    match entry.element() {
        Some(Element::Stored(stored)) if stored.is_integer() => Places::Multiples(1.0),
        _ if marginal(entry).is_some_and(|marginal| marginal.others.is_none()) => Places::Few,
        Some(Element::Drawn(dtype)) if dtype.size() == 2 => Places::Multiples(dtype.next_up(largest) - largest),
        _ => Places::Anywhere,
    }
}

/// The distribution that is expected of the elements of a tensor, if there is a formula.
pub fn marginal(entry: &Entry) -> Option<Marginal> {
    entry.planned.as_ref()?.spec().marginal()
}

/// Bins for `count` values from `low` to `high`: the more values, the more bins (Rice's rule), up to `most`. All bins have as many
/// multiples, because others would look like teeth of a comb.
pub fn bins((low, high): (f64, f64), count: u64, places: Places, most: usize) -> Bins {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 2^17")]
    let wanted = ((2.0 * to_f64(count).cbrt()).ceil() as usize).clamp(FEWEST.min(most), most);
    match places {
        Places::Few if low < high => centred((low, high), wanted | 1),
        Places::Multiples(unit) if low < high && unit.is_normal() => {
            let start = (low / unit).round() * unit - unit / 2.0;
            let multiples = ((high - start) / unit).ceil();
            let of_each = (multiples / to_f64(wanted as u64)).ceil();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the wanted number")]
            let bins = (multiples / of_each).ceil() as usize;
            Bins::new(start, start + of_each * unit * to_f64(bins as u64), bins)
        }
        _ => Bins::new(low, high, wanted),
    }
}

/// Bins of which the first has `low` in its middle and the last `high`.
fn centred((low, high): (f64, f64), count: usize) -> Bins {
    let half = (high / 2.0 - low / 2.0) / to_f64(count as u64 - 1);
    Bins::new((low - half).max(f64::MIN), (high + half).min(f64::MAX), count)
}

/// The least number of bins.
const FEWEST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::DType;

    #[test]
    fn all_bins_have_as_many_numbers() {
        for (range, count, unit) in [((-3.0, 96.0), 100, 1.0), ((0.0, 1.0), 50, 1.0), ((-1.0, 1.0), 1000, 0.25)] {
            let bins = bins(range, count, Places::Multiples(unit), 80);
            let mut counts = vec![0; bins.len()];
            let values: Vec<f64> = (0..400).map(|n| range.0 + f64::from(n) * unit).filter(|x| *x <= range.1).collect();
            bins.count(&values, &mut counts);
            let (last, others) = counts.split_last().unwrap();
            assert!(others.iter().all(|count| count == &counts[0]) && last <= &counts[0], "{range:?}: {counts:?}");
        }
        for largest in [1e-30, 0.1, 3e38] {
            let largest = DType::BF16.round(largest);
            let unit = DType::BF16.next_up(largest) - largest;
            let bins = bins((-largest, largest), 1 << 20, Places::Multiples(unit), 80);
            assert!(bins.len() > 40 && bins.low() <= -largest && bins.high() >= largest, "{bins:?}");
        }
    }
}
