//! A tensor without its scheme, alone or of a layer.

use anyhow::{Context, Result};

use crate::model::layers::{LayerTensor, Parameter, TensorRole};
use crate::tensor::{Fans, Shape};

/// A tensor without its scheme.
pub(super) struct Part<'p> {
    pub(super) shape: Shape,
    /// One letter per axis, for a weight of a layer.
    pub(super) letters: Option<&'p str>,
    /// The scheme of constants, such as biases, without a rule.
    pub(super) constant: Option<&'static str>,
    /// The scheme of the framework's own layer.
    pub(super) default_scheme: Option<&'p str>,
    /// The fans of the layer, for a bias.
    pub(super) fans: Fans,
    /// The number of uniform values that are drawn before this tensor and discarded.
    pub(super) skipped: u64,
    /// The position in the draws of its layer.
    pub(super) turn: usize,
}

impl<'p> Part<'p> {
    pub(super) fn alone(shape: Shape) -> Self {
        Self { shape, letters: None, constant: None, default_scheme: None, fans: Fans::default(), skipped: 0, turn: 0 }
    }

    pub(super) fn of_layer(tensor: &'p LayerTensor) -> Result<Self> {
        let LayerTensor { name, shape, layout, role, fans, default_scheme, skipped, turn, .. } = tensor;
        let fans = if *role == TensorRole::Bias { *fans } else { Fans::default() };
        let shape = Shape::new(shape.clone()).with_context(|| format!("`{name}`"))?;
        let (letters, default_scheme) = (layout.as_deref(), default_scheme.as_deref());
        Ok(Self { shape, letters, constant: role.constant(), default_scheme, fans, skipped: *skipped, turn: *turn })
    }
}

/// A parameter of a layer from its value.
pub(super) fn parameter_of_layer(key: &str, value: &serde_json::Value) -> Result<Parameter> {
    let number =
        |value: &serde_json::Value| value.as_f64().with_context(|| format!("`{key}`: `{value}` is not a number"));
    Ok(match value {
        serde_json::Value::Bool(switch) => Parameter::Switch(*switch),
        serde_json::Value::Array(items) => Parameter::List(items.iter().map(number).collect::<Result<_>>()?),
        serde_json::Value::String(word) => Parameter::Word(word.clone()),
        other => Parameter::Number(number(other)?),
    })
}
