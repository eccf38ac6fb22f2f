//! Slices of the tensors of a plan. The distribution stays that of the whole tensor, so that the slices together are the whole, byte for byte.

use std::ops::Range;

use anyhow::{Context, Result, ensure};

use super::{Plan, Tensor};
use crate::distribution::{Distribution, TensorSpec};
use crate::tensor::{Copied, Shape, Slice};
use crate::text::did_you_mean;

impl Tensor {
    /// A slice of this tensor, a range for each axis. Errors where it is not inside, or empty.
    pub fn sliced(self, ranges: &[Range<u64>]) -> Result<Self> {
        let TensorSpec { name, shape: whole, .. } = &self.spec;
        ensure!(self.spec.slice.is_none(), "`{name}` is a slice already");
        ensure!(
            ranges.len() == whole.rank(),
            "a slice of {} axes of `{name}={whole}`, which has {}",
            ranges.len(),
            whole.rank()
        );
        for (axis, (Range { start, end }, &size)) in ranges.iter().zip(whole.axes()).enumerate() {
            ensure!(start < end, "`{start}:{end}` on axis {axis} of `{name}={whole}` is empty");
            ensure!(*end <= size, "`{start}:{end}` on axis {axis} of `{name}={whole}` ends past its {size}");
        }
        let bits = self.element().bits();
        ensure!(
            bits.is_multiple_of(8),
            "`{name}` is of {bits} bits an element, which do not lie on whole bytes to slice"
        );
        let slice = Slice { of: whole.axes().into(), start: ranges.iter().map(|range| range.start).collect() };
        let shape = Shape::new(ranges.iter().map(|range| range.end - range.start).collect())?;
        let distribution = match self.spec.distribution {
            // The hash is that of the values in the file.
            Distribution::Copied(copied) => {
                Distribution::Copied(Copied::new(copied.values.slice(&slice.start, &shape)?)?.into())
            }
            distribution => distribution,
        };
        Ok(Self { spec: TensorSpec { distribution, shape, slice: Some(slice), ..self.spec }, ..self })
    }
}

/// A slice as it is asked for: `NAME=ROWS[,COLUMNS...]`, each a range `a:b`, `a:`, `:b` or `:`; axes that are not named are
/// taken whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceSpec {
    name: String,
    ranges: Vec<(Option<u64>, Option<u64>)>,
}

impl std::str::FromStr for SliceSpec {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, ranges) = text.rsplit_once('=').context("a slice is NAME=ROWS[,COLUMNS...], as in w=0:128")?;
        let ranges = ranges.split(',').map(range).collect::<Option<Vec<_>>>();
        let ranges =
            ranges.context("a range is a:b, a:, :b or :, counted from 0, the end not included, as in w=0:128,:64")?;
        Ok(Self { name: name.into(), ranges })
    }
}

fn range(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (start, end) = text.split_once(':')?;
    // Digits and nothing else (the standard parser would take `+3`); too many for 64 bits are past every end.
    let is_bound = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let bound = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX));
    (is_bound(start) && is_bound(end)).then(|| (bound(start), bound(end)))
}

impl Plan {
    /// The plan with slices in place of the tensors that they are of. Errors where there is no such tensor or slice.
    pub fn sliced(mut self, cuts: &[SliceSpec]) -> Result<Self> {
        for cut in cuts {
            let names = || self.tensors.iter().map(|tensor| tensor.spec.name.as_str());
            let found = names().position(|name| name == cut.name);
            let number = found.with_context(|| {
                format!("a slice of `{}`: there is no such tensor{}", cut.name, did_you_mean(&cut.name, names()))
            })?;
            let tensor = self.tensors[number].clone();
            self.tensors[number] = cut.of(tensor)?;
        }
        Ok(self)
    }
}

impl SliceSpec {
    fn of(&self, tensor: Tensor) -> Result<Tensor> {
        let axes = tensor.spec.shape.axes();
        ensure!(
            self.ranges.len() <= axes.len(),
            "{} ranges for the {} axes of `{}={}`",
            self.ranges.len(),
            axes.len(),
            tensor.spec.name,
            tensor.spec.shape
        );
        let asked = self.ranges.iter().copied().chain(std::iter::repeat((None, None)));
        let ranges: Vec<Range<u64>> =
            asked.zip(axes).map(|((start, end), &size)| start.unwrap_or(0)..end.unwrap_or(size)).collect();
        tensor.sliced(&ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_python_s_without_steps_and_signs() {
        let cut: SliceSpec = "a=b=1:3,:,2:,:4".parse().unwrap();
        assert_eq!(cut.name, "a=b");
        assert_eq!(cut.ranges, [(Some(1), Some(3)), (None, None), (Some(2), None), (None, Some(4))]);
        for text in ["w", "w=", "w=1", "w=1:2:3", "w=-1:2", "w=+1:2", "w=1:2,", "w= 1:2", "w=a:b", "w=1-2"] {
            assert!(text.parse::<SliceSpec>().is_err(), "{text} was taken");
        }
    }
}
