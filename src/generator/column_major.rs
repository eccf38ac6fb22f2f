//! Values in column-major order, for formats that store them so.

use std::sync::Mutex;

use super::Source;
use crate::parallel::{lock, on_threads};
use crate::tensor::{DType, Shape, to_f32, to_usize};

/// The number of values drawn at a time by a thread.
const BLOCK: u64 = 1 << 16;

/// The values of a source in column-major order, all drawn now by `threads` threads and held in memory: neighbours in a column are far
/// apart in the order of drawing.
pub(crate) fn column_major(source: &dyn Source, shape: &Shape, dtype: DType, threads: usize) -> Box<dyn Source> {
    let shape = shape.clone();
    match dtype {
        DType::F64 => Box::new(ByColumns {
            blocks: drawn(source, &shape, threads, |source, from, out| source.fill_f64(from, out)),
            shape,
        }),
        _ => Box::new(ByColumns {
            blocks: drawn(source, &shape, threads, |source, from, out| source.fill_f32(from, out)),
            shape,
        }),
    }
}

/// The row-major values of a source in blocks.
fn drawn<T: Copy + Default + Send>(
    source: &dyn Source,
    shape: &Shape,
    threads: usize,
    fill: fn(&dyn Source, u64, &mut [T]),
) -> Vec<Vec<T>> {
    let count = shape.count();
    let next = Mutex::new(0);
    // A sequential generator gives its parts in order.
    let take = || {
        let mut next = lock(&next);
        let from = *next;
        let some = to_usize(BLOCK.min(count - from));
        *next += some as u64;
        (some > 0).then(|| (from, some, source.part(from, some)))
    };
    let work = || {
        let mut blocks = Vec::new();
        while let Some((from, some, part)) = take() {
            let mut block = vec![T::default(); some];
            fill(part.as_deref().unwrap_or(source), from, &mut block);
            blocks.push((from, block));
        }
        blocks
    };
    let mut blocks: Vec<_> =
        on_threads(threads.min(to_usize(count.div_ceil(BLOCK))), work).into_iter().flatten().collect();
    blocks.sort_unstable_by_key(|(from, _)| *from);
    blocks.into_iter().map(|(_, block)| block).collect()
}

/// Row-major values in blocks, read in column-major order.
struct ByColumns<T> {
    blocks: Vec<Vec<T>>,
    shape: Shape,
}

impl<T: Copy> ByColumns<T> {
    fn fill<U>(&self, start: u64, out: &mut [U], convert: impl Fn(T) -> U) {
        let mut places = Places::new(&self.shape, start);
        for value in out {
            let place = places.next();
            *value = convert(self.blocks[to_usize(place / BLOCK)][to_usize(place % BLOCK)]);
        }
    }
}

impl Source for ByColumns<f32> {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        self.fill(start, out, |value| value);
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        self.fill(start, out, f64::from);
    }
}

impl Source for ByColumns<f64> {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        self.fill(start, out, to_f32);
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        self.fill(start, out, |value| value);
    }
}

/// Iterates over the row-major indices of elements in column-major order.
struct Places {
    place: u64,
    /// The index, size and stride of each axis, the first axis first.
    axes: Vec<(u64, u64, u64)>,
}

impl Places {
    fn new(shape: &Shape, start: u64) -> Self {
        let mut stride = shape.count();
        let (mut rest, mut place, mut axes) = (start, 0, Vec::with_capacity(shape.rank()));
        for &size in shape.axes() {
            stride /= size;
            let index = rest % size;
            rest /= size;
            place += index * stride;
            axes.push((index, size, stride));
        }
        Self { place, axes }
    }

    fn next(&mut self) -> u64 {
        let place = self.place;
        for (index, size, stride) in &mut self.axes {
            *index += 1;
            self.place += *stride;
            if *index < *size {
                break;
            }
            self.place -= *size * *stride;
            *index = 0;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::Values;

    /// Elements `start..` of the row-major values 0, 1, 2, ... in column-major order.
    fn reordered(shape: &str, dtype: DType, start: u64, threads: usize) -> Vec<f64> {
        let shape: Shape = shape.parse().unwrap();
        let source = Values::Doubles((0u32..).take(to_usize(shape.count())).map(f64::from).collect());
        let mut out = vec![0.0; to_usize(shape.count() - start)];
        column_major(&source, &shape, dtype, threads).fill_f64(start, &mut out);
        out
    }

    #[test]
    fn the_first_axis_is_the_fastest() {
        for dtype in [DType::F32, DType::F64] {
            assert_eq!(reordered("2x3", dtype, 0, 1), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
            assert_eq!(reordered("2x2x2", dtype, 3, 1), [6.0, 1.0, 5.0, 3.0, 7.0]);
        }
    }

    #[test]
    fn any_number_of_threads_reorders_many_blocks() {
        let whole = reordered("700x300", DType::F64, 0, 1);
        let expected = (0u32..210_000).map(|place| f64::from(place % 700 * 300 + place / 700));
        assert!(whole.iter().copied().eq(expected));
        assert_eq!(reordered("700x300", DType::F64, 123_457, 3), whole[123_457..]);
    }
}
