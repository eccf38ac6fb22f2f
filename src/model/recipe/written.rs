//! The constants of a recipe as they are written, with the defaults of the library.

use anyhow::Result;
use serde_json::{Map, Value};

use crate::model::constants::{Written, lay};
use crate::model::document::Node;
use crate::model::facts::Facts;
use crate::model::sources::{Chain, Source};
use crate::model::unit::Unit;

/// The constants of a recipe, of those that it extends, and of its components. Without `values` of the constants, those of the library
/// are left out.
pub(super) fn written<'e>(unit: &'e Unit, values: Option<&Map<String, Value>>) -> Result<Written<'e>> {
    let mut found = of_chain(&unit.chain);
    found.head = unit.chain.heads()?.into_iter().next();
    let stated = values.map(|values| stated(&unit.chain, values));
    // The request has the defaults of a family by itself.
    if let Some(stated) = stated.as_ref().filter(|_| !unit.chain.own().is_family()) {
        found.defaults = defaults(&unit.chain, stated)?;
    }
    for (table, part) in &unit.components {
        let inside =
            stated.as_ref().map(|stated| stated.get(table).and_then(Value::as_object).cloned().unwrap_or_default());
        let mut component = Written {
            head: part.chain.base_head()?,
            model_type: part.chain.own().family(),
            ..written(part, inside.as_ref())?
        };
        if let Some(inside) = &inside {
            component.defaults = defaults(&part.chain, inside)?;
        }
        found.components.push((table, component));
    }
    Ok(found)
}

/// The constants of a recipe without components.
pub(in crate::model) fn of_chain(chain: &Chain) -> Written<'_> {
    let of = |key: &str| {
        let sources = chain.sources().iter();
        sources.filter_map(|source| Some((source.shown_name.as_str(), source.root.get(key)?))).collect()
    };
    Written { tables: of("constants"), aliases: of("alias"), ..Written::default() }
}

/// The defaults of the nearest family.
fn defaults(chain: &Chain, stated: &Map<String, Value>) -> Result<Map<String, Value>> {
    match chain.sources().iter().find_map(Source::family) {
        Some(family) => Ok(Facts::of(family)?.defaults(stated)),
        None => Ok(Map::new()),
    }
}

/// The values of constants that recipes or overrides state. A family's expressions follow the library.
fn stated(chain: &Chain, values: &Map<String, Value>) -> Map<String, Value> {
    let mut found = Map::new();
    for source in chain.sources().iter().rev() {
        if let Some(Value::Object(own)) = source.root.get("constants").map(Node::to_json) {
            let mut own = own;
            own.retain(|_, value| !source.is_family() || !value.is_string());
            lay(&mut found, &own);
        }
    }
    lay(&mut found, values);
    found
}
