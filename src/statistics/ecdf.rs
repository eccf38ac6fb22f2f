//! Empirical distribution functions. Cell borders lie between neighbouring numbers of the dtype, so rounding to the
//! dtype changes no count.

use crate::tensor::{DType, to_f32, to_f64};

/// The largest number of mantissa bits that distinguish cells: 128 cells per binade.
pub const MANTISSA: u32 = 7;

/// The share of all values above which a cell counts as frequent.
const OFTEN: f64 = 0.1;

/// Cells: numbers of one sign with the same leading bits share a cell. Each number of a 16-bit dtype has its own
/// cell.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    dtype: DType,
    /// The point with the narrowest cells.
    centre: f64,
    /// The number of trailing bits of an `f64` that are ignored.
    shift: u32,
    /// The leading bits of the smallest magnitude outside the cell of 0.
    base: u64,
    /// The number of cells per sign, without the cell of 0.
    half: u64,
}

impl Grid {
    /// The grid for values of a dtype.
    pub fn new(dtype: DType, centre: f64) -> Self {
        let small = dtype.size() == 2;
        let mantissa = if small { dtype.mantissa_bits() } else { MANTISSA };
        let shift = 52 - mantissa;
        // Twice the largest value, for distances from the centre.
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

    /// The distance from the centre at which cell `step` of a sign begins.
    fn edge(&self, step: u64) -> f64 {
        f64::from_bits((self.base + step - 1) << self.shift)
    }

    /// The border between a cell and the next one.
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
    /// The lower number.
    pub below: f64,
    /// The upper number.
    pub above: f64,
}

impl Border {
    /// The midpoint of both. Numbers below it round to the lower one.
    pub fn middle(&self) -> f64 {
        self.below / 2.0 + self.above / 2.0
    }
}

/// The number of values in each cell.
#[derive(Clone, Debug)]
pub struct Cells {
    grid: Grid,
    counts: Vec<u64>,
}

impl Cells {
    /// Empty cells.
    pub fn new(grid: Grid) -> Self {
        Self { grid, counts: vec![0; grid.cells()] }
    }

    /// Empty cells of the same grid.
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

    /// Adds the counts of other cells with the same grid.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, other)| *count += other);
    }

    /// The number of counted values.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// For each cell, a function of its rank (-1 to 1), centred over all values. Also returns the skewness of the
    /// result.
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
        // A frequent value near the middle, such as the zeros of a sparse distribution, has a constant sign and shows
        // nothing.
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

    /// The entry of `list` for the cell of a finite value.
    pub fn of(&self, value: f64, list: &[f32]) -> f32 {
        list.get(self.grid.cell(value)).copied().unwrap_or(0.0)
    }

    /// The probability that two values are equal, if each cell's values are uniform over its numbers with `mantissa`
    /// bits.
    pub fn collision(&self, mantissa: u32) -> f64 {
        let total = to_f64(self.total().max(1));
        let occupied = (0..).zip(&self.counts).filter(|(_, count)| **count > 0);
        occupied.map(|(cell, &count)| (to_f64(count) / total).powi(2) / self.numbers(cell, mantissa)).sum()
    }

    /// The number of values with `mantissa` bits in a cell.
    fn numbers(&self, cell: usize, mantissa: u32) -> f64 {
        if cell == 0 || cell + 1 >= self.counts.len() {
            return 1.0;
        }
        let (low, high) = (self.grid.border(cell - 1).middle(), self.grid.border(cell).middle());
        let binade = f64::from_bits(low.abs().max(high.abs()).to_bits() >> 52 << 52);
        // The spacing of subnormal numbers is constant.
        let step = (binade * 0.5f64.powi(mantissa.cast_signed())).max(self.grid.dtype.next_up(0.0));
        ((high - low) / step).max(1.0)
    }

    /// The largest distance between the empirical distribution function and `cdf`, over borders strictly inside the
    /// bounds. A writer may have clamped values that rounding put outside the bounds.
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
        // Between two values only `cdf` grows, so the distance is largest next to a value.
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

    /// The largest distance between the empirical distribution functions of two samples.
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
        // A uniform distribution on a grid of a million steps, in a dtype with 33 numbers in that range.
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
