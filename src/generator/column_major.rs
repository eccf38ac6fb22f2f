//! Values in column-major order, for formats that store them so.

use super::{Source, Values};
use crate::tensor::{DType, Shape, to_usize};

/// The number of values drawn at a time.
const BLOCK: u64 = 1 << 14;

/// The values of a source in column-major order, all drawn now and held in memory.
pub(crate) fn column_major(source: &dyn Source, shape: &Shape, dtype: DType) -> Box<dyn Source> {
    let part = |from: u64, count: usize| source.part(from, count);
    Box::new(match dtype {
        DType::F64 => Values::Doubles(reordered(shape, |from, out| match part(from, out.len()) {
            Some(part) => part.fill_f64(from, out),
            None => source.fill_f64(from, out),
        })),
        _ => Values::Singles(reordered(shape, |from, out| match part(from, out.len()) {
            Some(part) => part.fill_f32(from, out),
            None => source.fill_f32(from, out),
        })),
    })
}

/// The elements of `fill`, which are row-major, in column-major order.
fn reordered<T: Copy + Default>(shape: &Shape, fill: impl Fn(u64, &mut [T])) -> Vec<T> {
    let count = shape.count();
    let mut values = vec![T::default(); to_usize(count)];
    let (mut block, mut places, mut from) = (Vec::new(), Places::new(shape), 0);
    while from < count {
        let some = BLOCK.min(count - from);
        block.resize(to_usize(some), T::default());
        fill(from, &mut block);
        for &value in &block {
            values[places.next()] = value;
        }
        from += some;
    }
    values
}

/// Iterates over the column-major indices of elements in row-major order.
struct Places {
    place: usize,
    /// The index, size and stride of each axis, the last axis first.
    axes: Vec<(usize, usize, usize)>,
}

impl Places {
    fn new(shape: &Shape) -> Self {
        let mut distance = 1;
        let axes = shape.axes().iter().map(|&size| {
            let axis = (0, to_usize(size), distance);
            distance *= axis.1;
            axis
        });
        let mut axes: Vec<_> = axes.collect();
        axes.reverse();
        Self { place: 0, axes }
    }

    fn next(&mut self) -> usize {
        let place = self.place;
        for (index, size, distance) in &mut self.axes {
            *index += 1;
            self.place += *distance;
            if *index < *size {
                break;
            }
            self.place -= *size * *distance;
            *index = 0;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_axis_is_the_fastest() {
        let reordered = |shape: &str| -> Vec<u64> {
            reordered(&shape.parse().unwrap(), |from, out| out.iter_mut().zip(from..).for_each(|(out, n)| *out = n))
        };
        assert_eq!(reordered("2x3"), [0, 3, 1, 4, 2, 5]);
        assert_eq!(reordered("2x2x2"), [0, 4, 2, 6, 1, 5, 3, 7]);
        assert_eq!(reordered("3"), [0, 1, 2]);
        assert_eq!(reordered("()"), [0]);
        assert!(reordered("0x5").is_empty());
        let large = reordered("300x100");
        assert!(large.iter().zip(0..).all(|(&value, place)| value == place % 300 * 100 + place / 300));
    }
}
