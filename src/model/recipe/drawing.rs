//! The scheme of a tensor, from its entry or from rules.

use anyhow::{Context, Error, Result, bail, ensure};

use super::building::{Building, Names};
use super::general::General;
use super::part::Part;
use super::work::Properties;
use crate::model::entry::Entry;
use crate::model::expression::Scope;
use crate::model::rules::Rule;
use crate::plan::{DrawnTensor, Plan};
use crate::tensor::Element;

impl<'e> Building<'_, 'e> {
    /// The rule of a tensor, with the scope of its expressions. The rules of a recipe precede those of the recipe that it extends; the
    /// tensor's own scheme precedes those of its own recipe.
    fn rule<'s>(
        &'s self,
        names: &Names,
        has_scheme: bool,
        scope: &'s Scope,
    ) -> Result<Option<(&'s Rule<'e>, &'s Scope)>> {
        if let Some((rules, scope)) = self.outer
            && let Some(rule) = rules.of(names.last(), scope)?
        {
            return Ok(Some((rule, scope)));
        }
        for (number, (rules, _)) in self.instance.decisions.iter().enumerate() {
            if has_scheme && number == self.level {
                if number == 0 {
                    self.note(names);
                }
                return Ok(None);
            }
            if let Some(rule) = rules.of(names.at(number), scope)? {
                return Ok(Some((rule, scope)));
            }
        }
        Ok(None)
    }

    pub(super) fn drawn(
        &mut self,
        entry: &Entry<'e>,
        part: &Part,
        names: &Names,
        scope: &Scope,
    ) -> Result<DrawnTensor> {
        let Part { shape, letters, constant, default_scheme, fans: of_layer, skipped, .. } = part;
        let (own, name) = (&entry.settings, names.last());
        let chosen = self.rule(names, own.scheme.is_some() && constant.is_none(), scope)?;
        let (rule, rule_scope) = chosen.map_or((None, scope), |(rule, scope)| (Some(rule), scope));
        let of_rule = rule.map(|rule| &rule.settings);
        let scheme = match (of_rule.unwrap_or(own).scheme.as_ref(), constant) {
            (_, Some(constant)) if rule.is_none() => default_scheme.unwrap_or(constant).to_string(),
            (Some(scheme), _) => scheme
                .text(rule_scope)
                .with_context(|| rule.map_or("`scheme`".into(), |rule| rule.place.to_string()))?,
            (None, _) if rule.is_none() && default_scheme.is_some() => default_scheme.unwrap_or_default().to_string(),
            (None, _) => {
                bail!("no rule matches `{name}`: give it a scheme, or add a rule such as `\"*\" = \"he-normal\"`")
            }
        };
        let from_rule = || rule.map(|rule| rule.place.to_string()).unwrap_or_default();
        let General { dtype, layout, generator, .. } = &self.instance.general;
        let (mut fans, mut given) = (own.fans(scope)?, (own.dtype(scope)?, own.layout(scope)?));
        if let Some(settings) = of_rule {
            let others = settings.fans(rule_scope).with_context(from_rule)?;
            fans.fan_in = fans.fan_in.or(others.fan_in);
            fans.fan_out = fans.fan_out.or(others.fan_out);
            given.0 = given.0.or(settings.dtype(rule_scope).with_context(from_rule)?);
            given.1 = given.1.or(settings.layout(rule_scope).with_context(from_rule)?);
        }
        let by_rule = |error: Error| match rule {
            Some(rule) if rule.place.file == entry.place.file => {
                error.context(format!("rule `{}` in line {}", rule.place.key, rule.place.line))
            }
            Some(rule) => error.context(rule.place.to_string()),
            None => error,
        };
        let letters = letters.map(str::parse).transpose()?;
        let properties = Properties {
            scheme,
            shape: shape.clone(),
            dtype: given.0.unwrap_or(Element::Drawn(*dtype)),
            layout: given.1.or(letters).unwrap_or_else(|| layout.clone()),
            fans,
            fans_of_layer: *of_layer,
        };
        let tensor = self.work.drawn(name.parse()?, properties, generator).map_err(by_rule)?;
        self.work.bytes = self.work.bytes.saturating_add(tensor.element().bytes(tensor.shape().count()));
        ensure!(self.work.bytes <= Plan::MAX_BYTES, "the tensors up to `{name}` take more than 2^62 bytes");
        Ok(tensor.skipping(*skipped))
    }
}
