//! A part of a tensor that fits in memory: the block in its middle, and for each axis a few values of every slice.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::tensor::{Shape, to_f64, to_usize};

/// The most values of the block, and of the slices of one axis.
const LIMIT: u64 = 1 << 20;
/// The number of values of each slice that are copied.
const PROBES: u64 = 64;

/// An axis with more than one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// Its number in the tensor.
    pub(super) number: usize,
    /// The number of its places.
    pub(super) size: u64,
    /// The place where the block begins.
    low: u64,
    /// The number of places of the block.
    pub(super) length: usize,
}

impl Axis {
    /// The place where the block begins.
    pub(super) fn low(&self) -> u64 {
        self.low
    }
}

/// Values of a tensor, taken as they are read by any thread. A value that was not taken is not a number.
pub(super) struct Excerpt {
    axes: Vec<Axis>,
    block: Vec<AtomicU64>,
    slices: Vec<Slices>,
}

/// Values of every slice of an axis.
struct Slices {
    /// Which of `axes`.
    axis: usize,
    /// The number of values between two places of the axis.
    stride: u64,
    /// The first value of the tensor at each place that is copied.
    places: Vec<u64>,
    /// Slice by slice.
    values: Vec<AtomicU64>,
}

impl Excerpt {
    /// Room for the values of a tensor.
    pub(super) fn new(shape: &Shape) -> Self {
        let sizes: Vec<(usize, u64)> =
            shape.axes().iter().copied().enumerate().filter(|(_, size)| *size != 1).collect();
        // Alike for all axes, so that a transposed tensor has the same block.
        let held = |most: u64| sizes.iter().map(|&(_, size)| to_f64(size.min(most))).product::<f64>();
        let (mut most, mut above) = (1, LIMIT + 1);
        while above - most > 1 {
            let middle = u64::midpoint(most, above);
            if held(middle) <= to_f64(LIMIT) { most = middle } else { above = middle }
        }
        let axes: Vec<Axis> = sizes
            .iter()
            .map(|&(number, size)| {
                // As much is cut off on either side.
                let length = if size > most { most - (size - most) % 2 } else { size };
                let length = length.max(1).min(size);
                Axis { number, size, low: (size - length) / 2, length: to_usize(length) }
            })
            .collect();
        let block = empty(axes.iter().map(|axis| axis.length).product());
        let slices = (0..axes.len()).filter(|_| axes.len() > 1).filter_map(|axis| Slices::new(&axes, axis)).collect();
        Self { axes, block, slices }
    }

    /// The axes with more than one place.
    pub(super) fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Takes values of which `start` is the first.
    pub(super) fn take(&self, start: u64, values: &[f64]) {
        let chunk = Chunk { start, values };
        self.take_block(&chunk, 0, 0, 0);
        for slices in &self.slices {
            slices.take(&chunk, self.axes[slices.axis].size);
        }
    }

    /// Takes what lies in the chunk and in the block, of the part of both that begins at `first` and, in the block, at `held`.
    fn take_block(&self, chunk: &Chunk, depth: usize, first: u64, held: usize) {
        let Some(axis) = self.axes.get(depth) else {
            if let Some(value) = chunk.get(first) {
                self.block[held].store(value.to_bits(), Ordering::Relaxed);
            }
            return;
        };
        let inner: u64 = self.axes[depth + 1..].iter().map(|axis| axis.size).product();
        let inner_held: usize = self.axes[depth + 1..].iter().map(|axis| axis.length).product();
        let begin = (chunk.start.saturating_sub(first) / inner.max(1)).max(axis.low);
        let end = chunk.end().saturating_sub(first).div_ceil(inner.max(1)).min(axis.low + axis.length as u64);
        for place in begin..end {
            self.take_block(chunk, depth + 1, first + place * inner, held + to_usize(place - axis.low) * inner_held);
        }
    }

    /// The values of the block, row-major.
    pub(super) fn block(&self) -> Vec<f64> {
        taken(&self.block)
    }

    /// For each axis: its number in the tensor, how many values of each slice were copied, and these, slice by slice.
    pub(super) fn slices(&self) -> impl Iterator<Item = (usize, usize, Vec<f64>)> {
        self.slices.iter().map(|slices| (self.axes[slices.axis].number, slices.places.len(), taken(&slices.values)))
    }
}

impl Slices {
    /// `None` where there are too many slices.
    fn new(axes: &[Axis], axis: usize) -> Option<Self> {
        let stride: u64 = axes[axis + 1..].iter().map(|axis| axis.size).product();
        let others = axes[..axis].iter().map(|axis| axis.size).product::<u64>() * stride;
        let size = axes[axis].size;
        let count = PROBES.min(others).min(LIMIT / size.max(1));
        let places = (0..count).map(|number| {
            // Spread evenly over all places.
            let place = in_memory_product(number, others, count);
            place / stride.max(1) * stride * size + place % stride.max(1)
        });
        (count > 0).then(|| Self { axis, stride, places: places.collect(), values: empty(to_usize(size * count)) })
    }

    fn take(&self, chunk: &Chunk, size: u64) {
        let stride = self.stride.max(1);
        for (number, &place) in self.places.iter().enumerate() {
            let begin = chunk.start.saturating_sub(place).div_ceil(stride);
            let end = chunk.end().saturating_sub(place).div_ceil(stride).min(size);
            for slice in begin..end {
                if let Some(value) = chunk.get(place + slice * stride) {
                    self.values[to_usize(slice) * self.places.len() + number].store(value.to_bits(), Ordering::Relaxed);
                }
            }
        }
    }
}

/// `number * others / count`, which does not overflow.
fn in_memory_product(number: u64, others: u64, count: u64) -> u64 {
    u64::try_from(u128::from(number) * u128::from(others) / u128::from(count.max(1))).unwrap_or(0)
}

/// Values that lie next to one another in a tensor.
struct Chunk<'a> {
    start: u64,
    values: &'a [f64],
}

impl Chunk<'_> {
    fn end(&self) -> u64 {
        self.start + self.values.len() as u64
    }

    fn get(&self, index: u64) -> Option<f64> {
        self.values.get(to_usize(index.checked_sub(self.start)?)).copied()
    }
}

fn empty(count: usize) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(f64::NAN.to_bits())).collect()
}

fn taken(values: &[AtomicU64]) -> Vec<f64> {
    values.iter().map(|value| f64::from_bits(value.load(Ordering::Relaxed))).collect()
}
