//! Looks up expressions: the owner of a name, and its distribution at a site.

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::expression::{Expression, fold};
use super::frameworks::{Alias, FRAMEWORKS, Framework, Unsupported};
use super::parameter_alias::Dialect;
use super::parity::{DistributionOf, DrawContext};
use super::{Arguments, Requires, Scheme, Site, all};
use crate::distribution::Distribution;
use crate::tensor::{Fans, Layout};
use crate::text::{did_you_mean, did_you_mean_or_list};

/// An expression with its names resolved.
pub struct Resolved {
    /// The scheme.
    pub scheme: &'static Scheme,
    /// Remarks on the name for the user.
    pub notes: Vec<String>,
    arguments: Arguments,
    /// The expression behind a framework's name.
    stands_for: Option<&'static str>,
    framework: Option<&'static Framework>,
}

impl Resolved {
    /// A note if the named framework stores weights of this rank in another axis order than the default layout: shapes copied from it have
    /// that order.
    pub fn other_layout(&self, layout: &Layout, rank: usize) -> Option<String> {
        let framework =
            self.framework.filter(|_| self.scheme.requires != Requires::Shape && *layout == Layout::default())?;
        let word = framework.layout?;
        let theirs = word.parse::<Layout>().ok()?.letters(rank).ok()?;
        let taken = layout.letters(rank).ok().filter(|taken| *taken != theirs)?;
        Some(format!(
            "the axes are taken as {taken}; {framework} keeps its weights as {theirs}: give --layout {word} for such shapes",
            framework = framework.word
        ))
    }

    /// The fans at a site, if the scheme reads them.
    pub fn fans(&self, site: &Site) -> Option<Fans> {
        let reads = self.scheme.requires == Requires::Fans;
        reads.then(|| site.packed(&self.arguments).map(|site| site.known()).unwrap_or_default())
    }

    /// The expression with every default, independent of a shape.
    pub fn expression(&self) -> String {
        self.canonical(&self.arguments)
    }

    fn canonical(&self, arguments: &Arguments) -> String {
        match arguments.canonical() {
            pairs if pairs.is_empty() => self.scheme.name.into(),
            pairs => format!("{}:{pairs}", self.scheme.name),
        }
    }

    /// The distribution at a site, and the canonical expression: the scheme's own name and every parameter with a value. A framework's own
    /// arithmetic for a dtype takes precedence over the scheme's.
    pub fn distribution(
        &self,
        site: &Site,
        own: Option<(DistributionOf, DrawContext)>,
    ) -> Result<(Distribution, String)> {
        let mut arguments = self.arguments.clone();
        // `heads` or `transposed` of a scheme that takes no packing are its own parameters.
        let packed = if self.scheme.requires.arranges() { Some(site.packed(&arguments)) } else { None };
        let distribution = packed.transpose().and_then(|packed| {
            let site = packed.as_ref().unwrap_or(site);
            match own {
                Some((distribution, target)) => distribution(&mut arguments, site, target),
                None => (self.scheme.distribution)(&mut arguments, site),
            }
        });
        let distribution = match self.stands_for {
            Some(means) => distribution.with_context(|| format!("that name means `{means}`"))?,
            None => distribution?,
        };
        Ok((distribution, self.canonical(&arguments)))
    }
}

/// Looks up an expression: a scheme's name, a framework's name for it (with the literature's meaning), or `FRAMEWORK.NAME` (with that
/// framework's meaning and defaults). Errors name the nearest known name.
pub fn resolve(text: &str) -> Result<Resolved> {
    resolve_plain(text).with_context(|| format!("scheme `{text}`"))
}

/// Like [`resolve`], but for the scheme and the notes only: no parameter is required.
pub fn look_up(text: &str) -> Result<Resolved> {
    resolve(Expression::parse(text).map_or(text, |typed| typed.name))
}

fn resolve_plain(text: &str) -> Result<Resolved> {
    let typed = Expression::parse(text)?;
    let Some(split) = Framework::split(typed.name) else {
        let scheme = find(typed.name)?;
        let notes = differences(scheme, typed.name).into_iter().collect();
        let arguments = Arguments::read(scheme, &typed, None, Dialect::of_bare(typed.name, scheme))?;
        return Ok(Resolved { scheme, notes, arguments, stands_for: None, framework: None });
    };
    let (framework, name) = split?;
    let alias = qualified(framework, name)?;
    let framework = Framework::find(alias.framework)?;
    let meaning = Expression::parse(alias.means)?;
    let scheme = find(meaning.name)?;
    let base = Arguments::read(scheme, &meaning, None, Dialect::COMMON)?;
    let arguments = Arguments::read(scheme, &typed, Some(base), Dialect::new(framework, alias.name))?;
    Ok(Resolved { scheme, notes: Vec::new(), arguments, stands_for: Some(alias.means), framework: Some(framework) })
}

/// A framework's alias for a name. Errors with the nearest name.
pub(super) fn qualified(framework: &Framework, name: &str) -> Result<&'static Alias> {
    if let Some(alias) = framework.alias(name) {
        return Ok(alias);
    }
    if let Some(row) = framework.unsupported(name) {
        bail!("{}", row.refusal());
    }
    let word = framework.word;
    ensure!(!name.is_empty(), "a name is missing after `{word}.`: `fanin list schemes --framework {word}` shows them");
    let near = match find(name) {
        Ok(_) => format!("; `{name}` alone is a scheme"),
        Err(_) => {
            did_you_mean(name, framework.offered().into_iter().filter(|row| row.meaning.is_ok()).map(|row| row.name))
        }
    };
    let listed = format!("; `fanin list schemes --framework {word}` shows its names");
    bail!("{word} has no `{name}` here{}", if near.ends_with('?') { near } else { near + &listed })
}

/// The reason why a name, with or without a framework, has no scheme.
pub fn unsupported(typed: &str) -> Option<&'static Unsupported> {
    match Framework::split(typed) {
        Some(split) => split.ok().and_then(|(framework, name)| framework.unsupported(name)),
        None if find(typed).is_ok() => None,
        None => Unsupported::find(typed),
    }
}

/// A note if frameworks give the typed name another meaning than the literature.
fn differences(scheme: &Scheme, typed: &str) -> Option<String> {
    if typed == scheme.name {
        return None;
    }
    let meanings = scheme.meanings().into_iter().filter(|meaning| meaning.means != scheme.name);
    let others: Vec<String> = meanings
        .filter_map(|meaning| {
            let same_name = meaning.names.iter().filter(|alias| fold(alias.name) == fold(typed));
            let names: Vec<String> = same_name.map(|row| format!("{}.{}", row.framework, row.name)).collect();
            let verb = if names.len() == 1 { "means" } else { "mean" };
            (!names.is_empty()).then(|| format!("{} {verb} {}", names.join(", "), meaning.means))
        })
        .collect();
    (!others.is_empty())
        .then(|| format!("`{typed}` means {} here ({}); {}", scheme.name, scheme.source, others.join("; ")))
}

/// The scheme of a name or alias, ignoring case, hyphens and underscores.
pub fn find(name: &str) -> Result<&'static Scheme> {
    let folded = fold(name);
    let named = all().find(|scheme| fold(scheme.name) == folded);
    let aliased = || all().find(|scheme| scheme.aliases.iter().any(|alias| fold(alias) == folded));
    let of_framework = || {
        let alias =
            FRAMEWORKS.iter().flat_map(|framework| framework.aliases).find(|alias| fold(alias.name) == folded)?;
        all().find(|scheme| scheme.name == alias.scheme)
    };
    named.or_else(aliased).or_else(of_framework).ok_or_else(|| {
        if let Some(row) = Unsupported::find(name) {
            return anyhow!(row.refusal());
        }
        let word = name.to_lowercase().replace('_', "-");
        anyhow!("no such scheme{}", did_you_mean_or_list(&word, all().flat_map(words), "schemes"))
    })
}

/// Every unqualified name of a scheme.
pub(super) fn words(scheme: &'static Scheme) -> impl Iterator<Item = &'static str> {
    let of_frameworks = scheme.framework_aliases().map(|alias| alias.name);
    std::iter::once(scheme.name).chain(scheme.aliases.iter().copied()).chain(of_frameworks)
}

#[cfg(test)]
mod tests {
    use super::super::frameworks::COMMON;
    use super::*;

    /// An error as the user sees it.
    fn message(text: &str) -> String {
        format!("{:#}", resolve(text).err().unwrap())
    }

    /// The rows of a framework, with the prefix of its names.
    fn unsupported_rows() -> impl Iterator<Item = (String, &'static Unsupported)> {
        let common = COMMON.unsupported.iter().map(|row| (String::new(), row));
        let prefixed = |framework: &'static Framework| {
            framework.unsupported.iter().map(|row| (format!("{}.", framework.word), row))
        };
        common.chain(FRAMEWORKS.iter().flat_map(prefixed))
    }

    #[test]
    fn a_framework_has_several_words_and_may_offer_another_s_names() {
        for (framework, name, means) in [
            ("torch", "uniform", "uniform:low=0,high=1"),
            ("PyTorch", "uniform_", "uniform:low=0,high=1"),
            ("tf", "random_normal_initializer", "normal:std=0.05"),
            ("tf", "RandomNormal", "normal:std=0.05"),
            ("flax", "uniform", "uniform:low=0,high=0.01"),
            ("hk", "RandomUniform", "uniform:low=0,high=1"),
        ] {
            assert_eq!(resolve(&format!("{framework}.{name}")).unwrap().stands_for, Some(means), "{framework}.{name}");
        }
    }

    #[test]
    fn a_name_that_a_framework_does_not_have_is_refused_with_a_fix() {
        assert!(message("torch.nromal_").contains("did you mean `normal_`?"));
        assert!(message("torch.he").contains("`he` alone is a scheme"));
        assert!(message("torch.HeNormal").contains("`fanin list schemes --framework torch`"));
        assert!(message("troch.normal_").contains("did you mean `torch`?"));
    }

    #[test]
    fn no_name_is_both_a_scheme_and_unsupported() {
        for (prefix, row) in unsupported_rows() {
            for name in row.names {
                assert!(!prefix.is_empty() || find(name).is_err(), "`{name}` is a scheme, or another name of one");
                assert!(resolve(&format!("{prefix}{name}")).is_err(), "{prefix}{name} has a meaning");
            }
        }
    }

    #[test]
    fn a_refusal_has_a_reason_and_a_replacement() {
        assert!(message("lsuv").contains("batch of data have variance 1; use `orthogonal`"));
        assert!(message("LSUV-init").starts_with("scheme `LSUV-init`: no scheme here: it rescales"));
        assert!(message("torch.lsuv").contains("`orthogonal`"));
        assert!(message("mxnet.Mixed").contains("by parameter name"));
        assert!(message("Mixed").contains("by parameter name"));
        assert!(message("keras.get").contains("`keras.HeNormal`"));
        assert!(message("tf.initializers.get").contains("`keras.HeNormal`"));
    }

    #[test]
    fn expressions_in_refusals_are_legal() {
        for (_, row) in unsupported_rows() {
            for expression in row.instead.split('`').skip(1).step_by(2) {
                assert!(
                    expression.starts_with("fanin ") || resolve(expression).is_ok(),
                    "{}: `{expression}`",
                    row.names[0]
                );
            }
        }
    }
}
