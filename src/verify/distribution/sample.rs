//! Tests of independent values against their distribution.

use anyhow::Result;

use super::excerpt::Excerpt;
use super::extremes::Extremes;
use super::fit;
use super::part::{NonzeroCounts, Part, Sample, Selected};
use super::range::{self, Range};
use super::repeats::{self, RunHashes, Sampling, collision, of_magnitudes};
use super::tails::tails;
use super::{Element, Fingerprint, GoodnessOfFit, TestOptions, first, order, position, share};
use crate::reader::Contents;
use crate::scan::scan;
use crate::statistics::ecdf::{Cells, Grid};
use crate::statistics::summary::Summary;
use crate::text::figure;

/// Statistics of the values that were read.
struct Observed {
    summaries: Vec<(u64, Summary)>,
    cells: Cells,
    extremes: Extremes,
    outside: Option<Element>,
    /// The first non-zero element that must be 0.
    nonzero: Option<Element>,
    runs: RunHashes,
}

impl Observed {
    fn new(grid: Grid) -> Self {
        Self {
            summaries: Vec::new(),
            cells: Cells::new(grid),
            extremes: Extremes::default(),
            outside: None,
            nonzero: None,
            runs: RunHashes::default(),
        }
    }

    fn add(&mut self, selected: &Selected, range: Range, sampling: Sampling) {
        let (values, index) = (selected.values.as_ref(), |number| selected.index(number));
        let summary = Summary::of(values);
        let finite = summary.nan + summary.infinite == 0;
        self.nonzero = first(self.nonzero, selected.nonzero);
        if !finite || [summary.min, summary.max].into_iter().flatten().any(|value| !range.contains(value)) {
            let outside = values.iter().position(|value| !range.contains(*value));
            self.outside = first(self.outside, outside.map(|number| (index(number), values[number])));
        }
        self.summaries.push((selected.start, summary));
        if finite {
            self.extremes.add(values, &summary, &index);
            self.cells.add(values);
            sampling.add(values, &index, &mut self.runs);
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.cells.merge(&other.cells);
        self.extremes.merge(&other.extremes);
        self.summaries.extend(other.summaries);
        self.runs.iter_mut().zip(other.runs).for_each(|(runs, other)| runs.extend(other));
        self.outside = first(self.outside, other.outside);
        self.nonzero = first(self.nonzero, other.nonzero);
        self
    }
}

impl Sample<'_> {
    pub(super) fn test(&self, contents: &mut Contents, entry: usize, options: TestOptions) -> Result<GoodnessOfFit> {
        let Self { tensor, distribution, part } = self;
        let (grid, range) = (self.grid(), Range::new(tensor, distribution));
        let excerpt = Excerpt::new(&tensor.shape);
        let sampling = Sampling::new(tensor.shape.count());
        let nonzeros = NonzeroCounts::new(self, options)?;
        let visit = |observed: &mut Observed, start: u64, values: &[f64]| {
            let selected = part.select(start, values);
            excerpt.add(start, &selected.chunk);
            if let Some(counts) = &nonzeros {
                counts.add(&selected);
            }
            observed.add(&selected, range, sampling);
        };
        let observed = scan(contents, entry, options.threads, &|| Observed::new(grid), &visit)?;
        let observed = observed.into_iter().reduce(Observed::merge).unwrap_or_else(|| Observed::new(grid));
        let faults = self.faults(&observed, nonzeros.as_ref());
        if !faults.is_empty() || observed.cells.total() == 0 {
            return Ok(GoodnessOfFit { faults, ..GoodnessOfFit::default() });
        }
        Ok(self.fit(observed, &excerpt, options))
    }

    /// The grid is finest around 0, or around the mean of a distribution far from 0.
    fn grid(&self) -> Grid {
        let (mean, std) = (self.distribution.mean().unwrap_or(0.0), self.distribution.std().unwrap_or(0.0));
        Grid::new(self.tensor.dtype, if mean.abs() > std { mean } else { 0.0 })
    }

    /// Errors for impossible values of the distribution.
    fn faults(&self, observed: &Observed, nonzeros: Option<&NonzeroCounts>) -> Vec<String> {
        let outside = observed.outside.map(|element| range::fault(self.tensor, self.distribution, element));
        let nonzero = observed
            .nonzero
            .map(|(index, value)| format!("{} is {}, not 0", position(&self.tensor.shape, index), figure(value)));
        let miscounted = nonzeros.and_then(|counts| counts.fault(self.tensor.dtype, self.distribution));
        [outside, nonzero, miscounted].into_iter().flatten().collect()
    }

    fn fit(&self, observed: Observed, excerpt: &Excerpt, options: TestOptions) -> GoodnessOfFit {
        let Self { tensor, distribution, .. } = self;
        let (dtype, count) = (tensor.dtype, observed.cells.total());
        let mut fit = GoodnessOfFit::default();
        let collision_of_draws = fit::distance(&mut fit, self, &observed.cells, options);
        fit.tests.extend(fit::moments(dtype, distribution, &Summary::joined(observed.summaries)));
        if let Some(tails) = tails(distribution) {
            let coarsest = 0.5f64.powi(dtype.mantissa_bits().min(repeats::COARSEST_BITS).cast_signed());
            fit.tests.extend(observed.extremes.test(tensor, distribution, &tails, count, coarsest));
        }
        let mut block = excerpt.block();
        let zeros = match self.part {
            Part::Nonzero { .. } => {
                block.iter_mut().filter(|value| **value == 0.0).for_each(|value| *value = f64::NAN);
                1.0 - share(count, tensor.shape.count())
            }
            _ => 0.0,
        };
        let collision = collision(&observed.cells, &block, collision_of_draws);
        fit.tests.extend(order::test(excerpt.axes(), &block, &observed.cells, of_magnitudes(collision)));
        fit.tests.push(repeats::duplicates(&block, collision));
        let mut runs = observed.runs;
        fit.faults.extend(repeats::runs(&mut runs, collision));
        fit.faults.extend(repeats::slices(excerpt, zeros * zeros + (1.0 - zeros).powi(2) * collision));
        fit.fingerprint = Some(Fingerprint::new(count, &block, runs, collision, options.total_values));
        fit
    }
}
