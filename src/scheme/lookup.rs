//! Looks up expressions: the owner of a name, and its distribution at a site.

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::alias::Meaning;
use super::expression::{Expression, fold};
use super::frameworks::{Alias, FRAMEWORKS, Framework, Unsupported};
use super::parameter_alias::{Dialect, TheirParameter};
use super::parity::{DistributionOf, DrawContext};
use super::{AnyParameter, Arguments, Requires, Scheme, Site, all};
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
    /// The framework's name whose meaning it has.
    alias: Option<&'static Alias>,
    framework: Option<&'static Framework>,
}

impl Resolved {
    /// The framework's name whose meaning and words the expression has; `None` for a scheme with its own.
    pub fn alias(&self) -> Option<&'static Alias> {
        self.alias
    }

    /// The scheme's parameters and their values in the words of a framework's name.
    pub fn their_parameters(&self, alias: &Alias) -> Vec<TheirParameter> {
        let dialect =
            Framework::find(alias.framework).map_or(Dialect::COMMON, |framework| Dialect::new(framework, alias.name));
        let own = |(parameter, _): &(&dyn AnyParameter, _)| {
            self.scheme.parameters.iter().any(|own| own.name() == parameter.name())
        };
        self.arguments.spelled_out().filter(own).map(|(ours, value)| dialect.theirs(ours, value)).collect()
    }

    /// A note if the named framework stores weights of this rank in another axis order than the default layout: shapes copied from it have
    /// that order.
    pub fn other_layout(&self, layout: &Layout, rank: usize) -> Option<String> {
        let framework =
            self.framework.filter(|_| self.scheme.requires != Requires::Shape && *layout == Layout::default())?;
        let word = framework.layout?;
        let theirs = word.parse::<Layout>().ok()?.letters(rank).ok()?;
        let taken = layout.letters(rank).ok().filter(|taken| *taken != theirs)?;
        Some(format!(
            "the axes are taken as {taken}; {framework} keeps its weights as {theirs}: use --layout {word} for such shapes",
            framework = framework.word
        ))
    }

    /// The fans at a site, if the scheme reads them.
    pub fn fans(&self, site: &Site) -> Option<Fans> {
        let reads = self.scheme.requires == Requires::Fans;
        reads.then(|| site.packed(&self.arguments).map(|site| site.known()).unwrap_or_default())
    }

    /// Omits the meaning from errors, if the typed name is the scheme's own.
    pub(super) fn without_meaning(self) -> Self {
        Self { alias: None, ..self }
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
        let distribution = match self.alias {
            Some(alias) => distribution.with_context(|| format!("that name means `{}`", alias.means))?,
            None => distribution?,
        };
        Ok((distribution, self.canonical(&arguments)))
    }
}

/// Looks up an expression: a scheme's name, a framework's name for it (as `Bare::find` says), or `FRAMEWORK.NAME` (with that
/// framework's meaning and defaults). Errors name the nearest known name.
pub fn resolve(text: &str) -> Result<Resolved> {
    let typed = Expression::parse(text)?;
    let Some(split) = Framework::split(typed.name) else {
        return Bare::find(typed.name)?.resolve(&typed);
    };
    let (framework, name) = split?;
    let alias = qualified(framework, name)?;
    let (scheme, arguments) = read_as(alias, &typed)?;
    let framework = Framework::find(alias.framework).ok();
    Ok(Resolved { scheme, notes: Vec::new(), arguments, alias: Some(alias), framework })
}

/// The scheme of a framework's name, and the arguments of an expression with the framework's defaults and words.
fn read_as(alias: &Alias, typed: &Expression) -> Result<(&'static Scheme, Arguments)> {
    let framework = Framework::find(alias.framework)?;
    let meaning = Expression::parse(alias.means)?;
    let scheme = own(meaning.name).context("a framework's name means no scheme")?;
    let base = Arguments::read(scheme, &meaning, None, Dialect::COMMON)?;
    Ok((scheme, Arguments::read(scheme, typed, Some(base), Dialect::new(framework, alias.name))?))
}

/// Like [`resolve`], but for the scheme and the notes only: no parameter is required.
pub fn look_up(text: &str) -> Result<Resolved> {
    resolve(Expression::parse(text).map_or(text, |typed| typed.name))
}

/// The expression with one more parameter, if that has a meaning.
pub fn with_parameter(expression: &str, key: &str, value: &str) -> Option<String> {
    let sign = if expression.contains(':') { ',' } else { ':' };
    let longer = format!("{expression}{sign}{key}={value}");
    resolve(&longer).is_ok().then_some(longer)
}

/// A framework's alias for a name. An error names the nearest name.
pub(super) fn qualified(framework: &Framework, name: &str) -> Result<&'static Alias> {
    if let Some(alias) = framework.alias(name) {
        return Ok(alias);
    }
    if let Some(row) = framework.unsupported(name) {
        bail!("`{}.{name}`: {}", framework.word, row.refusal());
    }
    let word = framework.word;
    ensure!(!name.is_empty(), "a name is missing after `{word}.`: `fanin list schemes --framework {word}` shows them");
    let near = match find(name) {
        Ok(_) => format!("; `{name}` alone is a scheme"),
        Err(_) => {
            did_you_mean(name, framework.offered().into_iter().filter(|row| row.meaning.is_ok()).map(|row| row.name))
        }
    };
    let listed = || format!("; `fanin list schemes --framework {word}` shows its names");
    bail!("{word} has no `{name}` here{}", if near.is_empty() { listed() } else { near })
}

/// The reason why a name, with or without a framework, has no scheme.
pub fn unsupported(typed: &str) -> Option<&'static Unsupported> {
    match Framework::split(typed) {
        Some(split) => split.ok().and_then(|(framework, name)| framework.unsupported(name)),
        None if find(typed).is_ok() => None,
        None => Unsupported::find(typed),
    }
}

/// The frameworks' aliases with a name.
fn named(name: &str) -> impl Iterator<Item = &'static Alias> {
    let folded = fold(name);
    FRAMEWORKS.iter().flat_map(|framework| framework.aliases).filter(move |alias| fold(alias.name) == folded)
}

/// The frameworks' meanings of a name.
pub fn meanings_of(name: &str) -> Vec<Meaning> {
    Meaning::of(named(name))
}

/// The meaning of a name without a framework.
pub(super) struct Bare<'a> {
    name: &'a str,
    /// The scheme.
    pub(super) scheme: &'static Scheme,
    /// The framework's name whose meaning and words it has; `None` for the scheme with its own defaults.
    pub(super) alias: Option<&'static Alias>,
    /// True if frameworks with the name disagree.
    disputed: bool,
}

impl<'a> Bare<'a> {
    /// Looks up a name, ignoring case, hyphens and underscores. A scheme's own name comes first. Another name has the meaning of the
    /// frameworks that have it if they agree, and otherwise the literature's. Without one there it has the first framework's.
    pub(super) fn find(name: &'a str) -> Result<Self> {
        // A model has one lookup for each tensor, mostly of a scheme's own name: the names of all frameworks are not read for that.
        if let Some(scheme) = all().find(|scheme| scheme.name == name) {
            return Ok(Self { name, scheme, alias: None, disputed: false });
        }
        let folded = fold(name);
        let mut named: Vec<&Alias> = named(name).collect();
        // `normal_` is a function of torch that fills in place; `normal` is a scheme.
        let in_place = |alias: &&Alias| alias.name.ends_with('_');
        let fills = name.ends_with('_') && named.iter().any(in_place);
        if fills {
            named.retain(in_place);
        }
        let disagrees = |means: &str| named.iter().any(|alias| alias.means != means);
        if let Some(scheme) = own(name).filter(|_| !fills) {
            let disputed = name != scheme.name && disagrees(scheme.name);
            return Ok(Self { name, scheme, alias: None, disputed });
        }
        let Some(first) = named.first() else {
            let aliased = all().find(|scheme| scheme.aliases.iter().any(|alias| fold(alias) == folded));
            let scheme = aliased.ok_or_else(|| unknown(name))?;
            return Ok(Self { name, scheme, alias: None, disputed: false });
        };
        let disputed = disagrees(first.means);
        let literature = |alias: &&Alias| alias.means == alias.scheme || scheme_word(alias.means) != alias.scheme;
        // A framework that refuses the name has another meaning for it, such as a module.
        let is_refused = Unsupported::find(name).is_some();
        let alias = Some(*first).filter(|_| !is_refused && (!disputed || !named.iter().any(literature)));
        let alias = alias.filter(|alias| alias.means != alias.scheme);
        let word = alias.map_or(first.scheme, |alias| scheme_word(alias.means));
        let scheme = own(word).ok_or_else(|| unknown(word))?;
        Ok(Self { name, scheme, alias, disputed })
    }

    fn resolve(self, typed: &Expression) -> Result<Resolved> {
        let (scheme, arguments) = match self.alias {
            Some(alias) => read_as(alias, typed)?,
            None => {
                let dialect = Dialect::of_bare(self.name, self.scheme);
                (self.scheme, Arguments::read(self.scheme, typed, None, dialect)?)
            }
        };
        // The name `rbm` says that the default is small; `normal` does not.
        let is_own = self.alias.is_none() && fold(self.name) == fold(scheme.name);
        let small = scheme.small_default.as_ref().filter(|small| is_own && !arguments.sets(small.spread));
        let notes = self.dispute().into_iter().chain(small.map(|small| small.note.into())).collect();
        Ok(Resolved { scheme, notes, arguments, alias: self.alias, framework: None })
    }

    /// A note if frameworks give the name different meanings.
    fn dispute(&self) -> Option<String> {
        let (name, means) = (self.name, self.alias.map_or(self.scheme.name, |alias| alias.means));
        let note = || format!("`{name}` is {means} here; frameworks differ: `fanin explain {name}` tells more");
        self.disputed.then(note)
    }
}

/// The name of the scheme in an expression.
fn scheme_word(expression: &str) -> &str {
    expression.split(':').next().unwrap_or(expression)
}

/// The scheme of that name.
fn own(name: &str) -> Option<&'static Scheme> {
    all().find(|scheme| fold(scheme.name) == fold(name))
}

fn unknown(name: &str) -> anyhow::Error {
    if let Some(row) = Unsupported::find(name) {
        return anyhow!("`{name}`: {}", row.refusal());
    }
    let word = name.to_lowercase().replace('_', "-");
    anyhow!("unknown scheme `{name}`{}", did_you_mean_or_list(&word, all().flat_map(words), "schemes"))
}

/// The scheme of a name without a framework.
pub fn find(name: &str) -> Result<&'static Scheme> {
    Ok(Bare::find(name)?.scheme)
}

/// Every unqualified name of a scheme.
pub fn words(scheme: &'static Scheme) -> impl Iterator<Item = &'static str> {
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
            let alias = resolve(&format!("{framework}.{name}")).unwrap().alias.unwrap();
            assert_eq!(alias.means, means, "{framework}.{name}");
        }
    }

    #[test]
    fn a_name_that_a_framework_does_not_have_is_refused_with_a_fix() {
        assert!(message("torch.nromal_").contains("did you mean `normal_`?"));
        assert!(message("torch.he").contains("`he` alone is a scheme"));
        assert!(message("torch.kaiming").contains("`fanin list schemes --framework torch`"));
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
        assert!(
            message("lsuv")
                .contains("batch of data have variance 1; use `fanin pretrain lsuv` with data, or `orthogonal`")
        );
        assert!(message("LSUV-init").starts_with("`LSUV-init`: no scheme here: it rescales"));
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
