//! Slices of a plan's tensors. A slice has the values of its full tensor, byte for byte.

use std::collections::HashMap;
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
    fits(name, whole, ranges)?;
    let slice = Slice { of: whole.axes().into(), start: ranges.iter().map(|range| range.start).collect() };
    Ok((Shape::new(ranges.iter().map(|range| range.end - range.start).collect())?, slice))
}

/// Errors if a range is empty, or not inside its axis.
fn fits(name: &Name, whole: &Shape, ranges: &[Range<u64>]) -> Result<()> {
    for (axis, (Range { start, end }, &size)) in ranges.iter().zip(whole.axes()).enumerate() {
        ensure!(start < end, "`{start}:{end}` on axis {axis} of `{name}={whole}` is empty");
        ensure!(*end <= size, "`{start}:{end}` ends past axis {axis} of `{name}={whole}`, which has size {size}");
    }
    Ok(())
}

/// The ranges of a slice in text: `ROWS[,COLUMNS...]`, each `a:b`, `a:`, `:b` or `:`. Axes without a range are complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranges(Vec<(Option<u64>, Option<u64>)>);

impl std::str::FromStr for Ranges {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let ranges = text.split(',').map(range).collect::<Option<_>>();
        Ok(Self(ranges.context("a range is a:b, a:, :b or :, counted from 0, end excluded, as in 0:128,:64")?))
    }
}

fn range(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (start, end) = text.split_once(':')?;
    // Digits and nothing else (the standard parser would take `+3`); too many for 64 bits are past every end.
    let is_bound = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let bound = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX));
    (is_bound(start) && is_bound(end)).then(|| (bound(start), bound(end)))
}

impl Ranges {
    /// The range of each axis of a tensor. Errors if one is empty, or not inside the tensor.
    pub fn within(&self, name: &Name, whole: &Shape) -> Result<Vec<Range<u64>>> {
        ensure!(
            self.0.len() <= whole.rank(),
            "{} ranges for the {} axes of `{name}={whole}`",
            self.0.len(),
            whole.rank()
        );
        let all = self.0.iter().copied().chain(std::iter::repeat((None, None)));
        let ranges: Vec<_> =
            all.zip(whole.axes()).map(|((start, end), &size)| start.unwrap_or(0)..end.unwrap_or(size)).collect();
        fits(name, whole, &ranges)?;
        Ok(ranges)
    }
}

/// A slice of a tensor of a plan. In text: `NAME=RANGES`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceSpec {
    /// The name of the tensor.
    pub name: String,
    /// The ranges of the slice.
    pub ranges: Ranges,
}

impl std::str::FromStr for SliceSpec {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, ranges) = text.rsplit_once('=').context("a slice is NAME=ROWS[,COLUMNS...], as in w=0:128")?;
        Ok(Self { name: name.into(), ranges: ranges.parse()? })
    }
}

impl Plan {
    /// Replaces tensors by slices. Errors if a tensor or slice does not exist.
    pub fn sliced(mut self, cuts: &[SliceSpec]) -> Result<Self> {
        let names = self.tensors.iter().map(|tensor| tensor.name().clone()).zip(0..);
        let numbers: HashMap<Name, usize> = if cuts.is_empty() { HashMap::new() } else { names.collect() };
        for SliceSpec { name, ranges } in cuts {
            let number = name.parse().ok().and_then(|name: Name| numbers.get(&name).copied());
            let number = number.with_context(|| {
                let near = did_you_mean(name, self.tensors.iter().map(|tensor| tensor.name().as_str()));
                format!("no tensor is named `{name}`{near}")
            })?;
            let tensor = self.tensors[number].clone();
            let ranges = ranges.within(tensor.name(), tensor.shape())?;
            self.tensors[number] = tensor.sliced(&ranges)?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_python_s_without_steps_and_signs() {
        let cut: SliceSpec = "a=b=1:3,:,2:,:4".parse().unwrap();
        assert_eq!(cut.name, "a=b");
        assert_eq!(cut.ranges.0, [(Some(1), Some(3)), (None, None), (Some(2), None), (None, Some(4))]);
        for text in ["w", "w=", "w=1", "w=1:2:3", "w=-1:2", "w=+1:2", "w=1:2,", "w= 1:2", "w=a:b", "w=1-2"] {
            assert!(text.parse::<SliceSpec>().is_err(), "{text} was taken");
        }
    }
}
