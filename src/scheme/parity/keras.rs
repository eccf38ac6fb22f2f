//! Keras 3's initializers (`keras.initializers`), with bounds and standard deviations in double precision.

use anyhow::{Result, bail, ensure};

use super::shared::{one_matrix, only_gain, variance_scaling, without};
use super::tensorflow::truncated_normal;
use super::{Arguments, Backend, Distribution, DrawContext, ParityRow, ParityTable, Site, row, same};
use crate::distribution::OrthogonalMethod;
use crate::scheme::common::{FILL, SCALE};
use crate::scheme::gain::SLOPE;
use crate::scheme::scaled::FanDistribution::{self, Uniform};
use crate::scheme::scaled::FanMode::{self, FanAvg, FanGeoAvg, FanIn};
use crate::scheme::scaled::{CORRECTED, DISTRIBUTION, MODE, POOL};
use crate::scheme::sines::{Steps, stft};
use crate::scheme::{orthogonal as matrices, truncated};
use crate::tensor::{AxisRole, DType, to_f32, to_f64};

pub(super) const TABLE: ParityTable = ParityTable { framework: "keras", layout: "keras", rows: ROWS };

const ROWS: &[ParityRow] = &[
    same("zeros"),
    same("ones"),
    row("constant", constant),
    same("identity"),
    same("lstm-bias"),
    same("normal").single(),
    same("uniform").single(),
    row("truncated-normal", |arguments, site, target| {
        ensure!(!arguments.flag(&truncated::CORRECTED), "Keras does not widen this distribution: omit `corrected`");
        truncated_normal(arguments, site, target)
    })
    .single(),
    row("variance-scaling", |arguments, site, _| {
        ensure!(
            arguments.optional(&CORRECTED) != Some(false),
            "Keras always widens a truncated normal: omit `corrected`"
        );
        let (scale, mode) = (arguments.positive(&SCALE)?, arguments.value(&MODE)?);
        scaled(scale, mode, arguments.value(&DISTRIBUTION)?, site)
    })
    .single(),
    row("lecun-uniform", |_, site, _| scaled(1.0, FanIn, Uniform, site)).single(),
    row("glorot-uniform", |arguments, site, _| {
        without("Keras", arguments, &[&POOL, &SLOPE])?;
        only_gain("Keras", arguments, "1")?;
        scaled(1.0, FanAvg, Uniform, site)
    })
    .single(),
    row("he-uniform", |arguments, site, _| {
        without("Keras", arguments, &[&SLOPE])?;
        only_gain("Keras", arguments, "relu")?;
        scaled(2.0, arguments.value(&MODE)?, Uniform, site)
    })
    .single(),
    row("orthogonal", orthogonal).single().approximate(
        "Keras decomposes the same matrix with its backend, mostly in single precision, fanin in double precision; they agree to about 1e-6",
    ),
    row("stft", short_time_fourier).approximate(
        "Keras computes cosines and sums with its backend, and windows with SciPy; values agree to 4 units in the last place of the largest",
    ),
];

/// A number times a tensor of ones. TensorFlow converts it via single precision. TensorFlow and JAX flush subnormal numbers to 0.
fn constant(arguments: &mut Arguments, _: &Site, DrawContext { dtype, backend }: DrawContext) -> Result<Distribution> {
    let value = arguments.value(&FILL)?.0;
    let singly = matches!(dtype, DType::F32 | DType::BF16);
    let (single, of_tensorflow) = (to_f32(value), backend == Backend::Tensorflow);
    ensure!(
        !of_tensorflow || single.is_finite() || !value.is_finite(),
        "Keras converts a constant to single precision on TensorFlow: it must be at most {:e}",
        f32::MAX
    );
    let flushes = of_tensorflow && dtype != DType::F16 || backend == Backend::Jax && singly;
    if flushes && value.abs() < f32::MIN_POSITIVE.into() {
        return Ok(Distribution::Constant { value: 0f64.copysign(value) });
    }
    let nearest = f64::from(single);
    let held = !of_tensorflow || dtype != DType::F64 || value.is_nan() || nearest == value;
    ensure!(held, "Keras converts a constant to single precision on TensorFlow: use {nearest}");
    Ok(Distribution::Constant { value })
}

/// `STFT`, in the arithmetic of the backend. For doubles, `NumPy` computes angles in single precision, and `NumPy` and JAX cosines and
/// roots. JAX multiplies singles and halves by reciprocals. `PyTorch` has the period as a Python number. `NumPy` adds bfloat16 one by one.
fn short_time_fourier(
    arguments: &mut Arguments,
    site: &Site,
    DrawContext { dtype, backend }: DrawContext,
) -> Result<Distribution> {
    let axes = site.axes()?;
    let sizes = [AxisRole::Kernel, AxisRole::Out].map(|side| axes.product(|role| role == side));
    let counted = |size: &u64| dtype.round(to_f64(*size)) == to_f64(*size);
    if let Some(size) = sizes.iter().find(|size| backend == Backend::Tensorflow && !counted(size)) {
        bail!("Keras cannot count to {size} in {dtype} on TensorFlow: use --dtype f32");
    }
    let single = |backends: &[Backend]| match dtype {
        DType::F64 if backends.contains(&backend) => DType::F32,
        _ => dtype,
    };
    let steps = Steps {
        angle: single(&[Backend::Numpy]),
        wave: single(&[Backend::Numpy, Backend::Jax]),
        product: dtype,
        reciprocal: backend == Backend::Jax && matches!(dtype, DType::F32 | DType::F16),
        rounds_period: backend != Backend::Torch,
        rounds_sums: backend == Backend::Numpy && dtype == DType::BF16,
    };
    stft(arguments, site, Some(steps))
}

/// `VarianceScaling`, in double precision.
fn scaled(scale: f64, mode: FanMode, distribution: FanDistribution, site: &Site) -> Result<Distribution> {
    ensure!(mode != FanGeoAvg, "Keras has no mode fan-geo-avg: use fan-in, fan-out or fan-avg");
    let [fan_in, fan_out] = fans(site)?;
    variance_scaling(scale, mode.fan(Ok(fan_in), Ok(fan_out))?, distribution, DType::F64)
}

/// The fans. By default both are the length of a vector, and 1 for a scalar.
fn fans(site: &Site) -> Result<[f64; 2]> {
    let of_vector = |fan: Result<u64>| match fan {
        Err(_) if site.shape.rank() < 2 => Ok(to_f64(site.shape.count())),
        fan => fan.map(to_f64),
    };
    Ok([of_vector(site.fan_in())?, of_vector(site.fan_out())?])
}

fn orthogonal(arguments: &mut Arguments, site: &Site, DrawContext { dtype, .. }: DrawContext) -> Result<Distribution> {
    without("Keras", arguments, &[&matrices::METHOD, &matrices::MODE])?;
    one_matrix("Keras", site, dtype)?;
    Ok(Distribution::Orthogonal {
        gain: arguments.gain()?,
        method: OrthogonalMethod::Svd,
        unfolding: site.unfolding()?,
    })
}
