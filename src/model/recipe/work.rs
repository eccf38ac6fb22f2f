//! The work on a recipe so far: its limits, and all that many tensors share.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};

use crate::generator::{Generator, NATIVE};
use crate::model::document::SourceLocation;
use crate::plan::{Common, DrawnTensor, Plan, norm_of, resolve};
use crate::scheme::{Requires, Resolved};
use crate::tensor::{Element, Fans, Layout, Name, Shape};

/// The maximum number of uses of components.
const MAX_COMPONENTS: usize = 64;
/// The maximum number of tensors that are kept for others like them.
const MAX_KEPT: usize = 4096;

/// The work so far.
#[derive(Default)]
pub(super) struct Work {
    /// The number of rounds through blocks, with or without tensors.
    rounds: usize,
    /// The number of tensors, with those that are removed.
    tensors: usize,
    /// The number of entries.
    pub(super) entries: usize,
    /// The number of uses of components.
    components: usize,
    /// The size of all values, in bytes.
    pub(super) bytes: u64,
    /// The expressions of schemes with their meanings for a generator, since many tensors share one.
    schemes: RefCell<HashMap<(&'static str, String), Rc<Resolved>>>,
    /// Tensors that others equal in all but their names.
    drawn: RefCell<HashMap<Properties, DrawnTensor>>,
}

/// The properties of a tensor that its distribution follows from. All tensors have the same generator.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Properties {
    pub(super) scheme: String,
    pub(super) shape: Shape,
    pub(super) dtype: Element,
    pub(super) layout: Layout,
    pub(super) fans: Fans,
    /// The fans of the layer around it, for a bias.
    pub(super) fans_of_layer: Fans,
}

impl Work {
    /// Counts a tensor.
    pub(super) fn tensor(&mut self) -> Result<()> {
        self.tensors += 1;
        ensure!(self.tensors <= Plan::MAX_TENSORS, "more than 2^20 tensors");
        Ok(())
    }

    /// Counts a use of a component.
    pub(super) fn component(&mut self, place: &SourceLocation) -> Result<()> {
        self.components += 1;
        ensure!(self.components <= MAX_COMPONENTS, "{place}: more than {MAX_COMPONENTS} components");
        Ok(())
    }

    /// Counts a round through a block.
    pub(super) fn round(&mut self, place: &SourceLocation) -> Result<()> {
        self.rounds += 1;
        ensure!(self.rounds <= Plan::MAX_TENSORS, "{place}: more than 2^20 repeats");
        Ok(())
    }

    /// The meaning of an expression for a generator.
    fn resolved(&self, expression: &str, generator: &Generator) -> Result<Rc<Resolved>> {
        let mut schemes = self.schemes.borrow_mut();
        Ok(match schemes.entry((generator.name, expression.to_string())) {
            Entry::Occupied(known) => Rc::clone(known.get()),
            Entry::Vacant(place) => Rc::clone(place.insert(resolve(expression, generator)?.into())),
        })
    }

    /// The tensor with a name and other properties.
    pub(super) fn drawn(
        &self,
        name: Name,
        properties: Properties,
        generator: &'static Generator,
    ) -> Result<DrawnTensor> {
        if let Some(known) = self.drawn.borrow().get(&properties) {
            return Ok(known.clone().named(name));
        }
        let Properties { scheme, shape, dtype, layout, fans, fans_of_layer } = &properties;
        let mut common = Common { dtype: *dtype, layout: layout.clone(), fans: *fans, generator };
        if norm_of(scheme).is_some() {
            return DrawnTensor::new(name, shape.clone(), scheme, &common);
        }
        // The axes of a bias do not show the fans of its layer.
        if self.resolved(scheme, NATIVE)?.scheme.requires == Requires::Fans {
            common.fans.fan_in = fans.fan_in.or(fans_of_layer.fan_in);
            common.fans.fan_out = fans.fan_out.or(fans_of_layer.fan_out);
        }
        let resolved = self.resolved(scheme, common.meaning());
        let tensor = resolved
            .and_then(|resolved| DrawnTensor::resolved(name.clone(), shape.clone(), &resolved, &common, None))
            .with_context(|| format!("scheme `{scheme}` for `{name}={shape}`"))?;
        let mut drawn = self.drawn.borrow_mut();
        if drawn.len() < MAX_KEPT {
            drawn.insert(properties, tensor.clone());
        }
        Ok(tensor)
    }
}
