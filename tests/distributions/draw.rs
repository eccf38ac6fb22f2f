//! From an expression to numbers.

use fanin::generator::{NATIVE, Source, native};
use std::sync::Arc;

use fanin::plan::{Common, DrawnTensor};
use fanin::tensor::{Base, DType, Fans, TensorIdentity};

/// A tensor named `weight`.
pub(crate) fn tensor(expression: &str, shape: &str, layout: &str, dtype: DType) -> DrawnTensor {
    named("weight", expression, shape, layout, dtype)
}

/// A tensor of any name.
pub(crate) fn named(name: &str, expression: &str, shape: &str, layout: &str, dtype: DType) -> DrawnTensor {
    let common =
        Common { dtype: dtype.into(), layout: layout.parse().unwrap(), fans: Fans::default(), generator: NATIVE };
    DrawnTensor::from_base(name.parse().unwrap(), shape.parse().unwrap(), expression, &common, Some(&base())).unwrap()
}

/// What the examples that start from a weight start from.
pub(crate) fn base() -> Arc<Base> {
    let values = (1..=64).map(|n| f64::from(n * n % 37) / 8.0 - 2.0).collect();
    let identity =
        TensorIdentity { dtype: "f64".into(), name: "weight".into(), sha256: String::new(), shape: vec![8, 8] };
    Arc::new(Base { identity, shape: "8x8".parse().unwrap(), values })
}

/// The numbers of a tensor, drawn by one thread.
pub(crate) fn open(seed: u64, tensor: &DrawnTensor) -> Box<dyn Source> {
    open_with(seed, tensor, 1)
}

/// The numbers of a tensor, drawn by several threads.
pub(crate) fn open_with(seed: u64, tensor: &DrawnTensor, threads: usize) -> Box<dyn Source> {
    native(seed, tensor.spec(), threads)
}

/// Elements `start..start + count` as singles.
pub(crate) fn singles(source: &dyn Source, start: u64, count: usize) -> Vec<f32> {
    let mut out = vec![0.0; count];
    source.fill_f32(start, &mut out);
    out
}

/// Elements `start..start + count` as doubles.
pub(crate) fn doubles(source: &dyn Source, start: u64, count: usize) -> Vec<f64> {
    let mut out = vec![0.0; count];
    source.fill_f64(start, &mut out);
    out
}

/// All elements of a tensor, those of f32 widened.
pub(crate) fn whole(seed: u64, tensor: &DrawnTensor) -> Vec<f64> {
    let (source, count) = (open(seed, tensor), usize::try_from(tensor.shape().count()).unwrap());
    match tensor.spec().dtype {
        DType::F64 => doubles(&*source, 0, count),
        _ => singles(&*source, 0, count).into_iter().map(f64::from).collect(),
    }
}
