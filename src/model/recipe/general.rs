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

/// The values that a recipe states for all tensors. They must be valid even if they are overridden.
struct Stated {
    seed: Seed,
    like: Option<&'static Generator>,
    dtype: Option<DType>,
    layout: Option<Layout>,
}

impl General {
    /// Reads those of a recipe.
    pub(in crate::model) fn read(language: &Language, chain: &Chain, request: &Request, scope: &Scope) -> Result<Self> {
        let Stated { seed, like, dtype, layout } = Stated::read(language, chain, scope)?;
        let generator = request.numbers.like.or(like).unwrap_or(NATIVE);
        if request.numbers.seed.is_none() {
            generator.check(&seed).with_context(|| place(chain, "seed"))?;
        }
        let own = crate::plan::parity_table(generator).map(|like| like.layout.parse()).transpose()?;
        Ok(Self {
            seed: request.numbers.seed(seed),
            generator,
            dtype: request.dtype.or(dtype).unwrap_or(DType::F32),
            layout: request.layout.clone().or(layout).or(own).unwrap_or_else(|| request.default_layout.clone()),
        })
    }

    /// Reads those of a component. It has the seed and the generator of the recipe around it.
    pub(super) fn of_component(
        &self,
        language: &Language,
        chain: &Chain,
        request: &Request,
        scope: &Scope,
    ) -> Result<Self> {
        let Stated { dtype, layout, .. } = Stated::read(language, chain, scope)?;
        Ok(Self {
            seed: self.seed.clone(),
            generator: self.generator,
            dtype: request.dtype.or(dtype).unwrap_or(self.dtype),
            layout: request.layout.clone().or(layout).unwrap_or_else(|| self.layout.clone()),
        })
    }
}

impl Stated {
    fn read(language: &Language, chain: &Chain, scope: &Scope) -> Result<Self> {
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
        let like = text("like").and_then(|text| text.map(|text| crate::plan::like(&text)).transpose());
        let dtype = text("dtype").and_then(|text| text.map(|text| text.parse()).transpose());
        let layout = text("layout").and_then(|text| text.map(|text| text.parse()).transpose());
        Ok(Self {
            seed: seed.with_context(|| place(chain, "seed"))?,
            like: like.with_context(|| place(chain, "like"))?,
            dtype: dtype.with_context(|| place(chain, "dtype"))?,
            layout: layout.with_context(|| place(chain, "layout"))?,
        })
    }
}

/// The place of a key that a recipe states.
fn place(chain: &Chain, key: &'static str) -> String {
    let found = chain.get(key).map(|(source, node)| node.place(&source.shown_name, "", key).to_string());
    found.unwrap_or_default()
}
