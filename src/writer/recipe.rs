//! The recipe that a file carries: what is in it, nothing about how it was made, so that a release changes no byte.

use serde_json::{Map, Value, json};

use crate::plan::{Plan, Seed, Tensor};

/// The key of the recipe in formats that keep it in a table.
pub const KEY: &str = "fanin";

/// The version of the recipe's own form.
pub const SCHEMA: u64 = 1;

/// The recipe of a plan.
pub struct Recipe<'a>(pub &'a Plan);

impl Recipe<'_> {
    /// The recipe without its tensors: schema, generator and seed.
    pub fn head(&self) -> Map<String, Value> {
        let Plan { generator, seed: Seed(seed), .. } = self.0;
        let mut head = Map::new();
        head.insert("schema".into(), SCHEMA.into());
        head.insert("generator".into(), generator.name.into());
        // As text: a JSON number would lose digits of a 64-bit seed in many readers.
        head.insert("seed".into(), seed.to_string().into());
        head
    }

    /// The recipe of one tensor.
    pub fn tensor(tensor: &Tensor) -> Value {
        let mut entry = Map::new();
        entry.insert("scheme".into(), tensor.expression.clone().into());
        entry.insert("shape".into(), tensor.shape.axes().into());
        entry.insert("dtype".into(), tensor.dtype.word().into());
        if let Some(layout) = &tensor.layout {
            entry.insert("layout".into(), layout.clone().into());
        }
        for (key, fan) in [("fan_in", tensor.given_fans.fan_in), ("fan_out", tensor.given_fans.fan_out)] {
            if let Some(fan) = fan {
                entry.insert(key.into(), fan.into());
            }
        }
        Value::Object(entry)
    }

    /// The whole recipe, with keys in alphabetical order.
    pub fn whole(&self) -> Value {
        let mut whole = self.head();
        let tensors: Map<String, Value> =
            self.0.tensors.iter().map(|tensor| (tensor.name.to_string(), Self::tensor(tensor))).collect();
        whole.insert("tensors".into(), json!(tensors));
        Value::Object(whole)
    }
}
