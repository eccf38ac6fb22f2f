//! Expressions as they are typed, looked up: whose name it is, and what distribution it means at a site.

use anyhow::{Context, Result, anyhow};

use super::expression::{Expression, fold};
use super::frameworks::{self, differences, qualified};
use super::parameter_alias::Dialect;
use super::parity::{DistributionOf, DrawContext};
use super::{Arguments, Requires, Scheme, Site, all, unsupported};
use crate::distribution::Distribution;
use crate::tensor::{Fans, Layout};
use crate::text::did_you_mean;

/// An expression whose names have been looked up.
pub struct Resolved {
    /// The scheme.
    pub scheme: &'static Scheme,
    /// What the user should know about the name that was used.
    pub notes: Vec<String>,
    arguments: Arguments,
    /// The expression that a framework's name stands for.
    stands_for: Option<&'static str>,
    /// The framework whose name was used, where one was named.
    framework: Option<&'static str>,
}

impl Resolved {
    /// A note where the framework that was named keeps weights of that many axes in another order than the layout that is the
    /// default: whoever copies its shapes means that order.
    pub fn other_layout(&self, layout: &Layout, rank: usize) -> Option<String> {
        let framework =
            self.framework.filter(|_| self.scheme.requires != Requires::Shape && *layout == Layout::default())?;
        let word = frameworks::layout(framework)?;
        let theirs = word.parse::<Layout>().ok()?.letters(rank).ok()?;
        let taken = layout.letters(rank).ok().filter(|taken| *taken != theirs)?;
        Some(format!(
            "the axes are taken as {taken}; {framework} keeps its weights as {theirs}: give --layout {word} for such shapes"
        ))
    }

    /// The fans at a site, where the scheme reads them.
    pub fn fans(&self, site: &Site) -> Option<Fans> {
        let reads = self.scheme.requires == Requires::Fans;
        reads.then(|| site.packed(&self.arguments).map(|site| site.known()).unwrap_or_default())
    }

    /// The expression with every default, before a shape is known.
    pub fn expression(&self) -> String {
        self.canonical(&self.arguments)
    }

    fn canonical(&self, arguments: &Arguments) -> String {
        match arguments.canonical() {
            pairs if pairs.is_empty() => self.scheme.name.into(),
            pairs => format!("{}:{pairs}", self.scheme.name),
        }
    }

    /// The distribution at a site, and the expression in canonical form: the scheme's own name and every parameter that has a value.
    /// A framework's own way to the distribution, for elements of a type, goes before the scheme's.
    pub fn distribution(
        &self,
        site: &Site,
        own: Option<(DistributionOf, DrawContext)>,
    ) -> Result<(Distribution, String)> {
        let mut arguments = self.arguments.clone();
        // `heads` or `transposed` of a scheme that takes no packing are parameters of its own.
        let packed = if self.scheme.requires.arranges() { Some(site.packed(&arguments)) } else { None };
        let distribution = packed.transpose().and_then(|packed| {
            let site = packed.as_ref().unwrap_or(site);
            match own {
                Some((distribution, target)) => distribution(&mut arguments, site, target),
                None => (self.scheme.distribution)(&mut arguments, site),
            }
        });
        let distribution = match self.stands_for {
            Some(means) => distribution.with_context(|| format!("that name stands for `{means}`"))?,
            None => distribution?,
        };
        Ok((distribution, self.canonical(&arguments)))
    }
}

/// Looks up an expression as it is typed anywhere: a scheme's name, any framework's name for it (with the literature's
/// meaning), or `FRAMEWORK.NAME` (with that framework's meaning and defaults). Errors name the nearest that is known.
pub fn resolve(text: &str) -> Result<Resolved> {
    resolve_plain(text).with_context(|| format!("scheme `{text}`"))
}

/// Looks up a name as [`resolve`] does, where only the scheme and the notes on its name matter: nothing is required yet.
pub fn look_up(text: &str) -> Result<Resolved> {
    resolve(text.split_once(':').map_or(text, |(name, _)| name))
}

fn resolve_plain(text: &str) -> Result<Resolved> {
    let typed = Expression::parse(text)?;
    let Some((framework, name)) = typed.name.split_once('.') else {
        let scheme = find(typed.name)?;
        let notes = differences(scheme, typed.name).into_iter().collect();
        let arguments = Arguments::read(scheme, &typed, None, Dialect::default())?;
        return Ok(Resolved { scheme, notes, arguments, stands_for: None, framework: None });
    };
    // Any path of modules in between is as it is imported: `torch.nn.init.xavier_uniform_`.
    let name = name.rsplit('.').next().unwrap_or(name);
    let alias = qualified(framework, name)?;
    let meaning = Expression::parse(alias.means)?;
    let scheme = find(meaning.name)?;
    let base = Arguments::read(scheme, &meaning, None, Dialect::default())?;
    let dialect = Dialect { framework: alias.framework, name: alias.name };
    let arguments = Arguments::read(scheme, &typed, Some(base), dialect)?;
    let (stands_for, framework) = (Some(alias.means), Some(alias.framework));
    Ok(Resolved { scheme, notes: Vec::new(), arguments, stands_for, framework })
}

/// The scheme of a name or alias, whatever its case, hyphens and underscores.
pub fn find(name: &str) -> Result<&'static Scheme> {
    let folded = fold(name);
    let named = || all().find(|scheme| fold(scheme.name) == folded);
    let aliased = || all().find(|scheme| words(scheme).any(|word| fold(word) == folded));
    named().or_else(aliased).ok_or_else(|| {
        if let Some(row) = unsupported::find(name) {
            return anyhow!(row.refusal());
        }
        let near = did_you_mean(&name.to_lowercase().replace('_', "-"), all().flat_map(words));
        anyhow!("unknown name `{name}`{near}; `fanin list schemes` shows them all")
    })
}

/// Every word that names a scheme, without a framework before it.
pub(super) fn words(scheme: &'static Scheme) -> impl Iterator<Item = &'static str> {
    let framework_aliases = scheme.framework_aliases.iter().map(|alias| alias.name);
    std::iter::once(scheme.name).chain(scheme.aliases.iter().copied()).chain(framework_aliases)
}
