//! The part of a tensor that stays in memory: the block in its middle, and a few values of every slice of each axis.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::tensor::{Shape, to_f64, to_usize};

/// The maximum number of values of the block, and of the slices of one axis.
const LIMIT: u64 = 1 << 20;
/// The number of values of each slice that are copied.
const PROBES: u64 = 64;

/// An axis of size 2 or larger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// Its number in the tensor.
    pub(super) number: usize,
    pub(super) size: u64,
    /// The start of the block.
    pub(super) low: u64,
    /// The length of the block.
    pub(super) length: usize,
}

/// Values of a tensor, filled by any thread that reads them. A value that was not read is NaN.
pub(super) struct Excerpt {
    axes: Vec<Axis>,
    block: Vec<AtomicU64>,
    slices: Vec<Slices>,
}

/// Values of every slice of an axis.
struct Slices {
    /// An index of `axes`.
    axis: usize,
    /// The number of values from one slice to the next.
    stride: u64,
    /// The indices of the values that are copied of the first slice.
    probes: Vec<u64>,
    /// Slice by slice.
    values: Vec<AtomicU64>,
}

impl Excerpt {
    pub(super) fn new(shape: &Shape) -> Self {
        let sizes: Vec<(usize, u64)> =
            shape.axes().iter().copied().enumerate().filter(|(_, size)| *size != 1).collect();
        // One limit for all axes, so that a transposed tensor has the same block.
        let block_size = |most: u64| sizes.iter().map(|&(_, size)| to_f64(size.min(most))).product::<f64>();
        let (mut most, mut above) = (1, LIMIT + 1);
        while above - most > 1 {
            let middle = u64::midpoint(most, above);
            if block_size(middle) <= to_f64(LIMIT) { most = middle } else { above = middle }
        }
        let axes: Vec<Axis> = sizes
            .iter()
            .map(|&(number, size)| {
                // The same number is cut off on either side.
                let length = if size > most { most - (size - most) % 2 } else { size };
                let length = length.max(1).min(size);
                Axis { number, size, low: (size - length) / 2, length: to_usize(length) }
            })
            .collect();
        let block = empty(axes.iter().map(|axis| axis.length).product());
        let slices = (0..axes.len()).filter(|_| axes.len() > 1).filter_map(|axis| Slices::new(&axes, axis)).collect();
        Self { axes, block, slices }
    }

    /// The axes of size 2 or larger.
    pub(super) fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Copies from a chunk whose first value has index `start`.
    pub(super) fn add(&self, start: u64, values: &[f64]) {
        let chunk = Chunk { start, values };
        self.copy_block(&chunk, 0, 0, 0);
        for slices in &self.slices {
            slices.copy(&chunk, self.axes[slices.axis].size);
        }
    }

    /// Copies the values of the chunk to the part of the block that begins at element `first` of the tensor and `target` of the block.
    fn copy_block(&self, chunk: &Chunk, depth: usize, first: u64, target: usize) {
        let Some(axis) = self.axes.get(depth) else {
            if let Some(value) = chunk.get(first) {
                self.block[target].store(value.to_bits(), Ordering::Relaxed);
            }
            return;
        };
        let inner: u64 = self.axes[depth + 1..].iter().map(|axis| axis.size).product();
        let inner_length: usize = self.axes[depth + 1..].iter().map(|axis| axis.length).product();
        let begin = (chunk.start.saturating_sub(first) / inner.max(1)).max(axis.low);
        let end = chunk.end().saturating_sub(first).div_ceil(inner.max(1)).min(axis.low + axis.length as u64);
        for at in begin..end {
            self.copy_block(chunk, depth + 1, first + at * inner, target + to_usize(at - axis.low) * inner_length);
        }
    }

    /// The values of the block, row-major.
    pub(super) fn block(&self) -> Vec<f64> {
        loaded(&self.block)
    }

    /// For each axis: its number in the tensor, the number of values copied from each slice, and those values, slice by slice.
    pub(super) fn slices(&self) -> impl Iterator<Item = (usize, usize, Vec<f64>)> {
        self.slices.iter().map(|slices| (self.axes[slices.axis].number, slices.probes.len(), loaded(&slices.values)))
    }
}

impl Slices {
    /// `None` if there are too many slices.
    fn new(axes: &[Axis], axis: usize) -> Option<Self> {
        let stride: u64 = axes[axis + 1..].iter().map(|axis| axis.size).product();
        let others = axes[..axis].iter().map(|axis| axis.size).product::<u64>() * stride;
        let size = axes[axis].size;
        let count = PROBES.min(others).min(LIMIT / size.max(1));
        let probes = (0..count).map(|number| {
            // Spread evenly over the slice.
            let at = scaled(number, others, count);
            at / stride.max(1) * stride * size + at % stride.max(1)
        });
        (count > 0).then(|| Self { axis, stride, probes: probes.collect(), values: empty(to_usize(size * count)) })
    }

    fn copy(&self, chunk: &Chunk, size: u64) {
        let stride = self.stride.max(1);
        for (number, &probe) in self.probes.iter().enumerate() {
            let begin = chunk.start.saturating_sub(probe).div_ceil(stride);
            let end = chunk.end().saturating_sub(probe).div_ceil(stride).min(size);
            for slice in begin..end {
                if let Some(value) = chunk.get(probe + slice * stride) {
                    self.values[to_usize(slice) * self.probes.len() + number].store(value.to_bits(), Ordering::Relaxed);
                }
            }
        }
    }
}

/// `number * total / count` without overflow.
fn scaled(number: u64, total: u64, count: u64) -> u64 {
    u64::try_from(u128::from(number) * u128::from(total) / u128::from(count.max(1))).unwrap_or(0)
}

/// Consecutive values of a tensor.
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

fn loaded(values: &[AtomicU64]) -> Vec<f64> {
    values.iter().map(|value| f64::from_bits(value.load(Ordering::Relaxed))).collect()
}
