//! A slice of a tensor: a range of each axis, for loaders that split tensors among machines. The distribution is that
//! of the full tensor, so the slices together equal it byte for byte.

use serde::{Deserialize, Serialize};

use super::Shape;

/// Position of a slice in the full tensor; the slice's own shape gives its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// Shape of the full tensor.
    pub of: Vec<u64>,
    /// First index of the slice on each axis.
    pub start: Vec<u64>,
}

impl Slice {
    /// Contiguous runs of the full tensor that make up elements `first..first + count` of a slice with this shape.
    /// Each item is a start in the full tensor and a length.
    pub fn runs(&self, shape: &Shape, first: u64, count: u64) -> impl Iterator<Item = (u64, u64)> {
        let mut longest = 1;
        for (&taken, &of) in shape.axes().iter().zip(&self.of).rev() {
            longest *= taken;
            if taken != of {
                break;
            }
        }
        let (mut next, end) = (first, first + count);
        std::iter::from_fn(move || {
            let left = end.checked_sub(next).filter(|&left| left > 0)?;
            let length = left.min(longest - next % longest);
            let begin = self.place(shape, next);
            next += length;
            Some((begin, length))
        })
    }

    /// Index in the full tensor of an element of the slice.
    fn place(&self, shape: &Shape, element: u64) -> u64 {
        let (mut rest, mut stride, mut place) = (element, 1, 0);
        for ((&taken, &of), &start) in shape.axes().iter().zip(&self.of).zip(&self.start).rev() {
            place += (rest % taken + start) * stride;
            rest /= taken;
            stride *= of;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(of: &[u64], start: &[u64], shape: &[u64], first: u64, count: u64) -> Vec<(u64, u64)> {
        let slice = Slice { of: of.into(), start: start.into() };
        slice.runs(&Shape::new(shape.into()).unwrap(), first, count).collect()
    }

    #[test]
    fn runs_are_as_long_as_neighbours_in_the_whole_allow() {
        assert_eq!(runs(&[4, 6], &[1, 0], &[2, 6], 0, 12), [(6, 12)]);
        assert_eq!(runs(&[4, 6], &[1, 0], &[2, 6], 5, 3), [(11, 3)]);
        assert_eq!(runs(&[4, 6], &[1, 2], &[2, 3], 0, 6), [(8, 3), (14, 3)]);
        assert_eq!(runs(&[4, 6], &[1, 2], &[2, 3], 1, 4), [(9, 2), (14, 2)]);
        assert_eq!(runs(&[2, 3, 4], &[0, 1, 0], &[2, 2, 4], 0, 16), [(4, 8), (16, 8)]);
        assert_eq!(runs(&[5], &[2], &[3], 0, 3), [(2, 3)]);
        assert_eq!(runs(&[5], &[2], &[3], 3, 0), []);
    }
}
