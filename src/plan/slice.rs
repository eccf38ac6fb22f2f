//! Slices of a plan's tensors. A slice has the values of its full tensor, byte for byte.

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::{CopiedTensor, DrawnTensor, Plan, Tensor};
use crate::tensor::{Copied, Name, Shape, Slice};
use crate::text::did_you_mean;

impl Tensor {
    /// A slice of this tensor, a range for each axis. Errors if it is empty, or not inside the tensor.
    pub fn sliced(self, ranges: &[Range<u64>]) -> Result<Self> {
        Ok(match self {
            Self::Drawn(drawn) => Arc::unwrap_or_clone(drawn).sliced(ranges)?.into(),
            Self::Trained(mut trained) => {
                trained.initial = trained.initial.sliced(ranges)?;
                Self::Trained(trained)
            }
            Self::Copied(tensor) => {
                let CopiedTensor { name, shape, slice, copied } = *tensor;
                let bits = copied.values.element().bits();
                ensure!(bits.is_multiple_of(8), "`{name}` has {bits} bits per element and cannot be sliced");
                let (shape, slice) = cut(&name, &shape, slice.as_ref(), ranges)?;
                // The hash covers the values in the file.
                let copied = Copied::new(copied.values.slice(&slice.start, &shape)?)?.into();
                CopiedTensor { name, shape, slice: Some(slice), copied }.into()
            }
        })
    }
}

impl DrawnTensor {
    /// A slice of this tensor, a range for each axis. Errors if it is empty, or not inside the tensor.
    pub fn sliced(mut self, ranges: &[Range<u64>]) -> Result<Self> {
        let (shape, slice) = cut(&self.spec.name, &self.spec.shape, self.spec.slice.as_ref(), ranges)?;
        (self.spec.shape, self.spec.slice) = (shape, Some(slice));
        Ok(self)
    }
}

/// The shape of a slice, and its position in its tensor.
fn cut(name: &Name, whole: &Shape, of: Option<&Slice>, ranges: &[Range<u64>]) -> Result<(Shape, Slice)> {
    ensure!(of.is_none(), "`{name}` is already a slice");
    ensure!(
        ranges.len() == whole.rank(),
        "a slice of {} axes, but `{name}={whole}` has {}",
        ranges.len(),
        whole.rank()
    );
    for (axis, (Range { start, end }, &size)) in ranges.iter().zip(whole.axes()).enumerate() {
        ensure!(start < end, "`{start}:{end}` on axis {axis} of `{name}={whole}` is empty");
        ensure!(*end <= size, "`{start}:{end}` ends past axis {axis} of `{name}={whole}`, which has size {size}");
    }
    let slice = Slice { of: whole.axes().into(), start: ranges.iter().map(|range| range.start).collect() };
    Ok((Shape::new(ranges.iter().map(|range| range.end - range.start).collect())?, slice))
}

/// A slice in text: `NAME=ROWS[,COLUMNS...]`, each a range `a:b`, `a:`, `:b` or `:`. Axes without a range are complete.
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
        let ranges = ranges.context("a range is a:b, a:, :b or :, counted from 0, end excluded, as in w=0:128,:64")?;
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
    /// Replaces tensors by slices. Errors if a tensor or slice does not exist.
    pub fn sliced(mut self, cuts: &[SliceSpec]) -> Result<Self> {
        for cut in cuts {
            let names = || self.tensors.iter().map(|tensor| tensor.name().as_str());
            let found = names().position(|name| name == cut.name);
            let number = found
                .with_context(|| format!("no tensor is named `{}`{}", cut.name, did_you_mean(&cut.name, names())))?;
            let tensor = self.tensors[number].clone();
            self.tensors[number] = cut.of(tensor)?;
        }
        Ok(self)
    }
}

impl SliceSpec {
    fn of(&self, tensor: Tensor) -> Result<Tensor> {
        let axes = tensor.shape().axes();
        ensure!(
            self.ranges.len() <= axes.len(),
            "{} ranges for the {} axes of `{}={}`",
            self.ranges.len(),
            axes.len(),
            tensor.name(),
            tensor.shape()
        );
        let all = self.ranges.iter().copied().chain(std::iter::repeat((None, None)));
        let ranges: Vec<Range<u64>> =
            all.zip(axes).map(|((start, end), &size)| start.unwrap_or(0)..end.unwrap_or(size)).collect();
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
