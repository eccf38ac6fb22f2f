//! JAX's gamma distribution, and Student's t, which divides by it. Marsaglia and Tsang's method rejects draws, so each element has its own
//! key. JAX estimates reciprocal roots by a CPU instruction and logarithms by polynomials; here both are correctly rounded.

use super::independent::{Draw, Value};
use crate::generator::precision::Precision;
use crate::generator::threefry::Key;
use crate::generator::{Source, glibc};
use crate::tensor::{DType, to_f32};

/// Standard draws of a type: normals, and uniform values in [0, 1).
#[derive(Clone, Copy)]
pub(super) struct Standard<N, U> {
    pub(super) dtype: DType,
    pub(super) normal: N,
    pub(super) uniform: U,
}

impl<N: Draw, U: Draw> Standard<N, U> {
    fn normal(self, key: Key, index: u64) -> f64 {
        element(self.normal, key, index)
    }

    fn uniform(self, key: Key) -> f64 {
        element(self.uniform, key, 0)
    }

    /// The nearest number of the type, or a signed 0 if it is subnormal in single or double precision.
    fn round(self, value: f64) -> f64 {
        let rounded = self.dtype.round(value);
        let least = if self.dtype == DType::F64 { f64::MIN_POSITIVE } else { f32::MIN_POSITIVE.into() };
        if rounded.abs() < least { 0f64.copysign(rounded) } else { rounded }
    }

    /// `a * b + c`, fused by JAX's compiler for wide types.
    fn affine(self, a: f64, b: f64, c: f64) -> f64 {
        match self.dtype {
            DType::F64 | DType::F32 => self.round(a.mul_add(b, c)),
            DType::F16 | DType::BF16 => self.round(self.round(a * b) + c),
        }
    }

    /// A power of a number up to 1, by glibc as in JAX.
    fn power(self, base: f64, exponent: f64) -> f64 {
        match self.dtype {
            DType::F64 => glibc::pow(base, exponent),
            _ => self.round(glibc::single::pow(to_f32(base), to_f32(exponent)).into()),
        }
    }

    /// `value * scale + centre`, as in code after the call: a centre of 0 is not added.
    fn moved(self, value: f64, scale: f64, centre: f64) -> f64 {
        let scaled = self.round(value * self.round(scale));
        if centre == 0.0 { scaled } else { self.round(scaled + self.round(centre)) }
    }
}

/// Element `index` of a distribution under a key.
fn element<D: Draw>(draw: D, key: Key, index: u64) -> f64 {
    let [high, low] = key.block(index);
    draw.value(D::Value::bits(high, low)).double()
}

/// The constants of Marsaglia and Tsang's method for a shape.
#[derive(Clone, Copy)]
struct Method<N, U> {
    standard: Standard<N, U>,
    d: f64,
    c: f64,
    /// 1 / shape, for a shape below 1.
    boost: Option<f64>,
}

impl<N: Draw, U: Draw> Method<N, U> {
    fn new(standard: Standard<N, U>, shape: f64) -> Self {
        let round = |value: f64| standard.round(value);
        let (shape, third) = (round(shape), round(1.0 / 3.0));
        let boost = (shape < 1.0).then(|| round(1.0 / shape));
        let d = round(if boost.is_some() { round(shape + 1.0) } else { shape } - third);
        let c = match standard.dtype {
            DType::BF16 => round(third / round(d.sqrt())),
            _ => round(third * round(1.0 / d.sqrt())),
        };
        Self { standard, d, c, boost }
    }

    /// The value for an element's key.
    fn value(self, key: Key) -> f64 {
        let Self { standard, d, boost, .. } = self;
        let value = standard.round(d * self.cube(key.split(0)));
        boost.map_or(value, |power| {
            let uniform = standard.round(1.0 - standard.uniform(key.split(1)));
            standard.round(value * standard.power(uniform, power))
        })
    }

    /// The first accepted cube.
    fn cube(self, mut key: Key) -> f64 {
        let Self { standard, d, .. } = self;
        let round = |value: f64| standard.round(value);
        loop {
            let [next, of_normals, of_uniform] = [0, 1, 2].map(|index| key.split(index));
            let (x, v) = self.positive(of_normals);
            let [square, cube] = [round(x * x), round(round(v * v) * v)];
            let uniform = standard.uniform(of_uniform);
            let is_inside = uniform < standard.affine(round(-0.0331), round(square * square), 1.0);
            let slack = round(round(1.0 - cube) + round(libm::log(cube)));
            let bound = standard.affine(d, slack, round(square * 0.5));
            // A comparison with no number leaves the loop, as in JAX.
            let is_outside = round(libm::log(uniform)) >= bound;
            if is_inside || !is_outside {
                return cube;
            }
            key = next;
        }
    }

    /// The first normal x with a positive 1 + c x, and that sum.
    fn positive(self, mut key: Key) -> (f64, f64) {
        loop {
            let x = self.standard.normal(key.split(1), 0);
            let v = self.standard.affine(x, self.c, 1.0);
            if v > 0.0 || v.is_nan() {
                return (x, v);
            }
            key = key.split(0);
        }
    }
}

/// `jax.random.gamma(key, shape, sizes, dtype) * scale`.
pub(super) fn gamma(
    key: Key,
    standard: Standard<impl Draw + 'static, impl Draw + 'static>,
    shape: f64,
    scale: f64,
) -> Box<dyn Source> {
    let method = Method::new(standard, shape);
    Box::new(ByElement(move |index| standard.moved(method.value(key.split(index)), scale, 0.0)))
}

/// `jax.random.t(key, dof, sizes, dtype) * scale + mean`.
pub(super) fn student_t(
    key: Key,
    standard: Standard<impl Draw + 'static, impl Draw + 'static>,
    [dof, mean, scale]: [f64; 3],
) -> Box<dyn Source> {
    let round = move |value: f64| standard.round(value);
    let half = round(round(dof) / 2.0);
    let [of_normals, of_gammas] = [key.split(0), key.split(1)];
    let method = Method::new(standard, half);
    Box::new(ByElement(move |index| {
        let normal = standard.normal(of_normals, index);
        let gamma = method.value(of_gammas.split(index));
        standard.moved(round(normal * round(round(half / gamma).sqrt())), scale, mean)
    }))
}

/// Evaluates each element from its index.
struct ByElement<V>(V);

impl<V: Fn(u64) -> f64 + Send + Sync> Source for ByElement<V> {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        for (out, index) in out.iter_mut().zip(start..) {
            *out = to_f32((self.0)(index));
        }
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        for (out, index) in out.iter_mut().zip(start..) {
            *out = (self.0)(index);
        }
    }
}
