//! Norms of a plan's tensors, for weight normalization.

use anyhow::{Result, ensure};

use crate::distribution::{Distribution, TensorSpec};
use crate::generator::Source;
use crate::tensor::{DType, Element, Name, Shape, to_usize};

/// The beginning of the expression of norms. It is no scheme: a scheme knows only its own tensor.
const PREFIX: &str = "norm-of:";
/// The number of values read at a time.
const CHUNK: usize = 1 << 15;

/// The name in an expression of norms; `None` for the expression of a scheme.
pub fn norm_of(expression: &str) -> Option<&str> {
    expression.trim().strip_prefix(PREFIX).map(str::trim)
}

/// The distribution and the canonical expression of norms of the tensor beside `name` that is called `of`.
pub(super) fn distribution(name: &Name, of: &str, element: Element) -> Result<(Distribution, String)> {
    let word = element.word();
    ensure!(
        element.dtype().is_some(),
        "norms are not integers, but {word} holds nothing else: use f64, f32, f16 or bf16"
    );
    let beside = name.as_str().rfind(['.', '/']).map_or("", |end| &name.as_str()[..=end]);
    let of_name: Name = format!("{beside}{of}").parse()?;
    Ok((Distribution::NormOf { tensor: of_name }, format!("{PREFIX}{of}")))
}

/// Errors if norms do not fit the tensor that they are of.
pub(super) fn check(norms: &TensorSpec, source: &TensorSpec) -> Result<()> {
    let (shape, name, of) = (norms.whole().shape, &norms.name, &source.name);
    let is_norm = matches!(source.distribution, Distribution::NormOf { .. });
    ensure!(!is_norm, "`{name}` is the norm of `{of}`, which is a norm itself");
    let fits = |(&own, &size): (&u64, &u64)| own == 1 || own == size;
    ensure!(
        shape.rank() == source.shape.rank() && shape.axes().iter().zip(source.shape.axes()).all(fits),
        "`{name}={shape}` cannot be the norm of `{of}={}`: each axis must be 1 or equal",
        source.shape
    );
    let each = source.shape.count() / shape.count().max(1);
    let largest = crate::tensor::to_f64(each).sqrt() * source.distribution.max_abs();
    let dtype = norms.dtype;
    ensure!(
        largest <= dtype.max(),
        "`{name}`: norms up to {largest:.3e} exceed the largest {dtype}: use a wider --dtype"
    );
    Ok(())
}

/// The Euclidean norms of a tensor's values as they are written, over the axes where `shape` has size 1. Squares are added in the order
/// of the elements, in double precision.
pub(super) fn norms(values: &dyn Source, of: &TensorSpec, shape: &Shape) -> Vec<f64> {
    let mut sums = vec![0.0; to_usize(shape.count())];
    let strides = strides(shape, &of.shape);
    let (mut singles, mut doubles) = (vec![0f32; CHUNK], vec![0f64; CHUNK]);
    for start in (0..of.shape.count()).step_by(CHUNK) {
        let count = to_usize((of.shape.count() - start).min(CHUNK as u64));
        if of.dtype == DType::F64 {
            values.fill_f64(start, &mut doubles[..count]);
        } else {
            values.fill_f32(start, &mut singles[..count]);
            doubles.iter_mut().zip(&singles[..count]).for_each(|(double, &single)| *double = single.into());
        }
        for (index, value) in (start..).zip(&doubles[..count]) {
            let value = of.dtype.round(*value);
            sums[place(index, &strides)] += value * value;
        }
    }
    sums.into_iter().map(f64::sqrt).collect()
}

/// The size and the stride of each axis, the last one first: a stride of 0 for an axis that is summed over.
fn strides(shape: &Shape, of: &Shape) -> Vec<(u64, u64)> {
    let mut stride = 1;
    let axes = shape.axes().iter().zip(of.axes()).rev();
    axes.map(|(&own, &size)| {
        let each = if own == 1 { 0 } else { stride };
        stride *= own;
        (size, each)
    })
    .collect()
}

/// The index of the norm that element `index` belongs to.
fn place(mut index: u64, strides: &[(u64, u64)]) -> usize {
    let mut place = 0;
    for &(size, stride) in strides {
        place += index % size * stride;
        index /= size;
    }
    to_usize(place)
}
