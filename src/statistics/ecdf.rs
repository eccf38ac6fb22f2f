//! Empirical distribution functions. Values are counted in cells whose borders lie between neighbouring numbers of the dtype, so rounding
//! to the dtype changes no count.

use crate::tensor::{DType, to_f32, to_f64};

/// The most mantissa bits that distinguish cells: 128 cells from one power of two to the next.
pub const MANTISSA: u32 = 7;

/// A cell with more than this share of all values has many.
const OFTEN: f64 = 0.1;

/// The cells: all numbers of one sign with the same first bits are one. Each number of a 16-bit dtype is its own.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    dtype: DType,
    /// The point where cells are narrowest.
    centre: f64,
    /// The number of last bits of a double that are ignored.
    shift: u32,
    /// The first bits of the smallest magnitude that is not in the cell of 0.
    base: u64,
    /// The number of cells of each sign, without that of 0.
    half: u64,
}

impl Grid {
    /// The grid for values of a dtype.
    pub fn new(dtype: DType, centre: f64) -> Self {
        let small = dtype.size() == 2;
        let mantissa = if small { dtype.mantissa_bits() } else { MANTISSA };
        let shift = 52 - mantissa;
        // Twice the largest, for distances from the centre.
        let (least, most) = (dtype.next_up(0.0).max(f64::MIN_POSITIVE), (dtype.max() * 2.0).min(f64::MAX));
        let base = least.to_bits() >> shift;
        Self {
            dtype,
            centre: if small { 0.0 } else { centre },
            shift,
            base,
            half: (most.to_bits() >> shift) - base + 1,
        }
    }

    fn cells(&self) -> usize {
        usize::try_from(2 * self.half + 1).unwrap_or(0)
    }

    /// The cell of a finite value.
    #[inline(always)]
    fn cell(&self, value: f64) -> usize {
        let distance = value - self.centre;
        let step = (distance.abs().to_bits() >> self.shift).saturating_sub(self.base - 1).min(self.half);
        #[expect(clippy::cast_possible_truncation, reason = "there are fewer cells than 2^21")]
        let cell = if distance < 0.0 { self.half - step } else { self.half + step } as usize;
        cell
    }

    /// The distance from the centre at which step `step` of a sign begins.
    fn edge(&self, step: u64) -> f64 {
        f64::from_bits((self.base + step - 1) << self.shift)
    }

    /// The border between a cell and the next.
    pub fn border(&self, cell: usize) -> Border {
        let cell = cell as u64;
        let rounded_up = |edge: f64| self.dtype.round_up(self.centre + edge);
        let (below, above) = if cell >= self.half {
            let above = rounded_up(self.edge(cell + 1 - self.half));
            (-self.dtype.next_up(-above), above)
        } else {
            let below = -self.dtype.round_up(self.edge(self.half - cell) - self.centre);
            (below, self.dtype.next_up(below))
        };
        Border { below, above }
    }
}

/// Two neighbouring numbers of a dtype.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Border {
    /// The lower.
    pub below: f64,
    /// The upper.
    pub above: f64,
}

impl Border {
    /// The middle of the two. Numbers below it are rounded to the lower.
    pub fn middle(&self) -> f64 {
        self.below / 2.0 + self.above / 2.0
    }
}

/// Counts of values by cell.
#[derive(Clone, Debug)]
pub struct Cells {
    grid: Grid,
    counts: Vec<u64>,
}

impl Cells {
    /// No value yet.
    pub fn new(grid: Grid) -> Self {
        Self { grid, counts: vec![0; grid.cells()] }
    }

    /// No value yet, in the same cells.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self::new(self.grid)
    }

    /// Counts finite values.
    pub fn add(&mut self, values: &[f64]) {
        for &value in values {
            self.counts[self.grid.cell(value)] += 1;
        }
    }

    /// Adds the counts of another with the same grid.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, other)| *count += other);
    }

    /// The number of counted values.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// For each cell, a function of the rank of its values (-1 to 1), minus the mean of that function over all values; and the skewness
    /// of the result.
    pub fn ranks(&self, function: &dyn Fn(f64) -> f64) -> (Vec<f32>, f64) {
        let total = to_f64(self.total().max(1));
        let mut below = 0;
        let mut ranks: Vec<f64> = Vec::with_capacity(self.counts.len());
        for &count in &self.counts {
            ranks.push(function((2.0 * to_f64(below) + to_f64(count)) / total - 1.0));
            below += count;
        }
        let mean_of = |power: i32, ranks: &[f64]| {
            let terms = ranks.iter().zip(&self.counts).filter(|(_, count)| **count > 0);
            terms.map(|(rank, &count)| rank.powi(power) * to_f64(count)).sum::<f64>() / total
        };
        let mean = mean_of(1, &ranks);
        for rank in &mut ranks {
            *rank -= mean;
        }
        // A frequent value near the middle, such as the zeros of a sparse distribution, has the same sign everywhere and shows nothing.
        let deviation = mean_of(2, &ranks).sqrt();
        for (rank, &count) in ranks.iter_mut().zip(&self.counts) {
            if to_f64(count) > OFTEN * total && rank.abs() < deviation / 4.0 {
                *rank = 0.0;
            }
        }
        let variance = mean_of(2, &ranks);
        let skew = if variance > 0.0 { mean_of(3, &ranks) / variance.powf(1.5) } else { 0.0 };
        (ranks.into_iter().map(to_f32).collect(), skew)
    }

    /// The number that a list has for the cell of a finite value.
    pub fn of(&self, value: f64, list: &[f32]) -> f32 {
        list.get(self.grid.cell(value)).copied().unwrap_or(0.0)
    }

    /// The probability that two values are equal, if those of a cell are uniform over its numbers with a mantissa of so many bits.
    pub fn collision(&self, mantissa: u32) -> f64 {
        let total = to_f64(self.total().max(1));
        let occupied = (0..).zip(&self.counts).filter(|(_, count)| **count > 0);
        occupied.map(|(cell, &count)| (to_f64(count) / total).powi(2) / self.numbers(cell, mantissa)).sum()
    }

    /// The number of numbers in a cell with a mantissa of so many bits.
    fn numbers(&self, cell: usize, mantissa: u32) -> f64 {
        if cell == 0 || cell + 1 >= self.counts.len() {
            return 1.0;
        }
        let (low, high) = (self.grid.border(cell - 1).middle(), self.grid.border(cell).middle());
        let binade = f64::from_bits(low.abs().max(high.abs()).to_bits() >> 52 << 52);
        // Subnormal numbers lie further apart than others of their size would.
        let step = (binade * 0.5f64.powi(mantissa.cast_signed())).max(self.grid.dtype.next_up(0.0));
        ((high - low) / step).max(1.0)
    }

    /// The largest distance between the distribution functions of the values and of a distribution, over all borders strictly inside the
    /// bounds. A writer may have moved values that rounding put outside.
    pub fn distance(&self, cdf: &dyn Fn(f64) -> f64, bounds: Option<(f64, f64)>) -> f64 {
        let (low, high) = bounds.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let (least, most) = (self.grid.dtype.round_up(low), self.grid.dtype.round_down(high));
        let total = to_f64(self.total().max(1));
        let (mut below, mut largest) = (0, 0f64);
        let mut compare = |cell: usize, below: u64| {
            let border = self.grid.border(cell);
            if border.below >= least && border.above <= most && border.below.is_finite() && border.above.is_finite() {
                largest = largest.max((to_f64(below) / total - cdf(border.middle())).abs());
            }
        };
        // Between two values only the distribution's own function grows, so the distance is largest next to a value.
        for (cell, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            if cell > 0 {
                compare(cell - 1, below);
            }
            below += count;
            if cell + 1 < self.counts.len() {
                compare(cell, below);
            }
        }
        largest
    }

    /// The largest distance between the distribution functions of two samples.
    pub fn distance_from(&self, other: &Self) -> f64 {
        let (ours, theirs) = (to_f64(self.total().max(1)), to_f64(other.total().max(1)));
        let (mut below, mut largest) = ((0, 0), 0f64);
        for (&one, &two) in self.counts.iter().zip(&other.counts).filter(|(one, two)| **one + **two > 0) {
            below = (below.0 + one, below.1 + two);
            largest = largest.max((to_f64(below.0) / ours - to_f64(below.1) / theirs).abs());
        }
        largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_between_the_borders_of_its_cell() {
        for dtype in DType::ALL {
            for centre in [0.0, 1.0, -3.0] {
                let grid = Grid::new(dtype, centre);
                for n in -2000..2000i32 {
                    let value = dtype.round(f64::from(n) / 700.0 + 1e-7);
                    let cell = grid.cell(value);
                    let (lower, upper) = (grid.border(cell - 1), grid.border(cell));
                    assert!(
                        lower.above <= value && value <= upper.below,
                        "{dtype} {centre}: {lower:?} {value} {upper:?}"
                    );
                    assert!(upper.below < upper.above && dtype.next_up(upper.below) == upper.above);
                }
            }
        }
    }

    #[test]
    fn the_smallest_and_the_largest_number_have_cells() {
        for dtype in DType::ALL {
            let grid = Grid::new(dtype, 0.0);
            for value in [0.0, -0.0, dtype.next_up(0.0), -dtype.next_up(0.0), dtype.max(), -dtype.max()] {
                assert!(grid.cell(value) < grid.cells());
            }
            assert!(
                grid.cell(-dtype.next_up(0.0)) <= grid.cell(0.0) && grid.cell(0.0) <= grid.cell(dtype.next_up(0.0))
            );
        }
    }

    #[test]
    fn rounding_adds_no_distance() {
        // A uniform distribution on a grid of a million steps, in a dtype that has 33 numbers there.
        let (low, high, count) = (2.0, 2.5, 1_000_000u32);
        let mut cells = Cells::new(Grid::new(DType::BF16, 2.25));
        let values: Vec<f64> = (0..count)
            .map(|n| DType::BF16.round(low + (high - low) * (f64::from(n) + 0.5) / f64::from(count)))
            .collect();
        cells.add(&values);
        let cdf = |x: f64| ((x - low) / (high - low)).clamp(0.0, 1.0);
        assert!(cells.distance(&cdf, Some((low, high))) < 1e-6);
        let shifted = |x: f64| cdf(x - 0.01);
        assert!(cells.distance(&shifted, Some((low, high))) > 0.01);
    }
}
