//! The seed, type and layout that a recipe sets for all tensors.

use anyhow::{Context, Result};

use crate::generator::{Generator, NATIVE};
use crate::model::Request;
use crate::model::document::Value;
use crate::model::entry::Reading;
use crate::model::expression::{Language, Scope};
use crate::model::sources::Chain;
use crate::tensor::{DType, Layout, Seed};

/// The defaults of all tensors.
#[derive(Clone)]
pub(in crate::model) struct General {
    pub(in crate::model) seed: Seed,
    pub(in crate::model) generator: &'static Generator,
    pub(in crate::model) dtype: DType,
    pub(in crate::model) layout: Layout,
}

impl General {
    /// Reads those of a recipe. A component has the seed and the generator of the recipe around it, `outer`.
    pub(in crate::model) fn read(
        language: &Language,
        chain: &Chain,
        request: &Request,
        scope: &Scope,
        outer: Option<&Self>,
    ) -> Result<Self> {
        let place = |key: &'static str| {
            let found = chain
                .get(key)
                .map(|(source, node)| Reading { file: &source.shown_name, language }.place(node, "", key).to_string());
            found.unwrap_or_default()
        };
        let text = |key| {
            let found = chain
                .get(key)
                .map(|(source, node)| Reading { file: &source.shown_name, language }.template(node)?.text(scope));
            found.transpose()
        };
        let seed = match chain.get("seed").map(|(_, node)| &node.value) {
            None => Ok(Seed::default()),
            Some(Value::Text(text)) => text.parse(),
            Some(Value::Number(number)) => number.to_string().parse(),
            Some(other) => "".parse().with_context(|| format!("it is {}", other.kind())),
        };
        let dtype = text("dtype").and_then(|text| text.map(|text| text.parse::<DType>()).transpose());
        let layout = text("layout").and_then(|text| text.map(|text| text.parse::<Layout>()).transpose());
        let like = text("like").and_then(|text| text.map(|text| crate::plan::like(&text)).transpose());
        // The recipe must be valid even if it is overridden.
        let (seed, like, dtype, layout) = (
            seed.with_context(|| place("seed"))?,
            like.with_context(|| place("like"))?,
            dtype.with_context(|| place("dtype"))?,
            layout.with_context(|| place("layout"))?,
        );
        if let Some(outer) = outer {
            let mut general = outer.clone();
            general.dtype = request.dtype.or(dtype).unwrap_or(outer.dtype);
            general.layout = request.layout.clone().or(layout).unwrap_or_else(|| outer.layout.clone());
            return Ok(general);
        }
        let generator = request.numbers.like.or(like).unwrap_or(NATIVE);
        if request.numbers.seed.is_none() {
            generator.check(&seed).with_context(|| place("seed"))?;
        }
        let own = crate::plan::parity_table(generator).map(|like| like.layout.parse()).transpose()?;
        Ok(Self {
            seed: request.numbers.seed(seed),
            generator,
            dtype: request.dtype.or(dtype).unwrap_or(DType::F32),
            layout: request.layout.clone().or(layout).or(own).unwrap_or_else(|| request.default_layout.clone()),
        })
    }
}
