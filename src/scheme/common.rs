//! Parameters shared by several families of schemes. A row may set another default or help text.

use super::Parameter;
use super::parameter::Unbounded;

pub(super) const STD: Parameter<f64> = Parameter::new("std", "the standard deviation");
pub(super) const MEAN: Parameter<f64> = Parameter::new("mean", "the mean");
pub(super) const LOW: Parameter<f64> = Parameter::new("low", "the lower bound");
pub(super) const HIGH: Parameter<f64> = Parameter::new("high", "the upper bound");
pub(super) const SCALE: Parameter<f64> = Parameter::new("scale", "the scale, above 0");
pub(super) const SIGMA: Parameter<f64> = Parameter::new("sigma", "the standard deviation, 0 or more");
pub(super) const FACTOR: Parameter<f64> = Parameter::new("factor", "the factor, above 0");
pub(super) const VALUE: Parameter<f64> = Parameter::new("value", "the value");
pub(super) const FILL: Parameter<Unbounded> = Parameter::new("value", "the value");
pub(super) const P: Parameter<f64> = Parameter::new("p", "the probability");
pub(super) const ALPHA: Parameter<f64> = Parameter::new("alpha", "alpha");
pub(super) const BETA: Parameter<f64> = Parameter::new("beta", "beta");
pub(super) const WEIGHT: Parameter<f64> = Parameter::new("weight", "the weight of each connection");
pub(super) const RADIUS: Parameter<f64> = Parameter::new("radius", "the radius, above 0");
pub(super) const DENSITY: Parameter<f64> = Parameter::new("density", "the fraction of non-zeros");
pub(super) const LAYERS: Parameter<u64> = Parameter::new("layers", "the number of layers of the network");
pub(super) const PADDING: Parameter<i64> =
    Parameter::new("padding", "the row of zeros, counted from 0, or from the end if negative [default: none]");
