//! Schemes: shape and parameters to law. A scheme knows no generator, no file and no command line.

mod arguments;
mod constant;
mod expression;
pub mod gain;
mod orthogonal;
mod plain;
mod scaled;
mod sparse;
mod truncated;

use anyhow::{Context, Result, bail};

pub use arguments::{Arguments, Kind, Parameter};
use expression::{Expression, fold};

use crate::law::Law;
use crate::plan::{Fans, Layout, Shape};
use crate::text::did_you_mean;

/// A family of schemes: one file.
pub struct Family {
    /// What its schemes have in common.
    pub name: &'static str,
    /// Its schemes.
    pub schemes: &'static [Scheme],
}

/// Every scheme. A new one is a row in its family's file; a new family is a file and a line here.
pub const SCHEMES: &[Family] = &[
    Family { name: "constant", schemes: constant::ROWS },
    Family { name: "plain", schemes: plain::ROWS },
    Family { name: "scaled by the fans", schemes: scaled::ROWS },
    Family { name: "truncated", schemes: truncated::ROWS },
    Family { name: "orthogonal", schemes: orthogonal::ROWS },
    Family { name: "sparse", schemes: sparse::ROWS },
];

/// A way to initialise a weight.
pub struct Scheme {
    /// Its name in the literature, in kebab-case.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// The law as a formula.
    pub formula: &'static str,
    /// The paper or program that it comes from.
    pub source: &'static str,
    /// Which ranks it takes.
    pub ranks: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// The parameter that a value without a key goes to.
    pub bare: Option<&'static str>,
    /// Other words for it that belong to no framework.
    pub aliases: &'static [&'static str],
    /// What the frameworks call it, or mean by its name.
    pub spellings: &'static [Spelling],
    /// Whether it reads the fans.
    pub reads_fans: bool,
    /// An expression that is legal on every shape that the scheme takes: for tests and examples.
    pub example: &'static str,
    law: fn(&mut Arguments, &Site) -> Result<Law>,
}

/// A framework's name for a scheme, or its own meaning of that name.
pub struct Spelling {
    /// The framework.
    pub framework: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// What it does there, as an expression here.
    pub means: &'static str,
}

/// A row of a scheme's spellings.
pub const fn spelling(framework: &'static str, name: &'static str, means: &'static str) -> Spelling {
    Spelling { framework, name, means }
}

/// Every scheme of every family.
pub fn all() -> impl Iterator<Item = &'static Scheme> {
    SCHEMES.iter().flat_map(|family| family.schemes)
}

/// Where a scheme is applied: the shape and what is known of its fans.
pub struct Site<'a> {
    /// The shape.
    pub shape: &'a Shape,
    /// Which axis is what.
    pub layout: &'a Layout,
    given: Fans,
}

impl<'a> Site<'a> {
    /// A shape with its layout; `given` fans override those of the layout.
    pub fn new(shape: &'a Shape, layout: &'a Layout, given: Fans) -> Self {
        Self { shape, layout, given }
    }

    /// The number of inputs of each output.
    pub fn fan_in(&self) -> Result<u64> {
        self.given.fan_in.map_or_else(|| self.layout.fan_in(self.shape), Ok)
    }

    /// The number of outputs of each input.
    pub fn fan_out(&self) -> Result<u64> {
        self.given.fan_out.map_or_else(|| self.layout.fan_out(self.shape), Ok)
    }

    /// The fans that are known, for the report.
    pub fn known(&self) -> Fans {
        Fans { fan_in: self.fan_in().ok(), fan_out: self.fan_out().ok() }
    }
}

/// An expression whose names have been looked up.
pub struct Resolved {
    /// The scheme.
    pub scheme: &'static Scheme,
    /// What the user should know about the name that was used.
    pub notes: Vec<String>,
    arguments: Arguments,
    /// The expression that a framework's name stands for.
    stands_for: Option<&'static str>,
}

impl Resolved {
    /// The law at a site, and the expression in canonical form: the scheme's own name and every parameter that has a value.
    pub fn law(&self, site: &Site) -> Result<(Law, String)> {
        let mut arguments = self.arguments.clone();
        let law = (self.scheme.law)(&mut arguments, site);
        let law = match self.stands_for {
            Some(means) => law.with_context(|| format!("that name stands for `{means}`"))?,
            None => law?,
        };
        let canonical = match arguments.canonical() {
            pairs if pairs.is_empty() => self.scheme.name.into(),
            pairs => format!("{}:{pairs}", self.scheme.name),
        };
        Ok((law, canonical))
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
    let (scheme, base, stands_for, notes) = match typed.name.split_once('.') {
        Some((framework, name)) => {
            // Any path of modules in between is as it is imported: `torch.nn.init.xavier_uniform_`.
            let name = name.rsplit('.').next().unwrap_or(name);
            let means = qualified(framework, name)?.means;
            let expression = Expression::parse(means)?;
            let scheme = find(expression.name)?;
            let base = Arguments::read(scheme.parameters, scheme.bare, &expression, None)?;
            (scheme, Some(base), Some(means), Vec::new())
        }
        None => {
            let scheme = find(typed.name)?;
            (scheme, None, None, differences(scheme, typed.name).into_iter().collect())
        }
    };
    let arguments = Arguments::read(scheme.parameters, scheme.bare, &typed, base)?;
    Ok(Resolved { scheme, notes, arguments, stands_for })
}

/// The scheme of a name or alias, whatever its case, hyphens and underscores.
pub fn find(name: &str) -> Result<&'static Scheme> {
    let folded = fold(name);
    let named = || all().find(|scheme| fold(scheme.name) == folded);
    let aliased = || all().find(|scheme| words(scheme).any(|word| fold(word) == folded));
    named().or_else(aliased).with_context(|| {
        let near = did_you_mean(&name.to_lowercase().replace('_', "-"), all().flat_map(words));
        format!("unknown name `{name}`{near}; `fanin list schemes` shows them all")
    })
}

/// Every word that names a scheme, without a framework before it.
fn words(scheme: &'static Scheme) -> impl Iterator<Item = &'static str> {
    let spellings = scheme.spellings.iter().map(|spelling| spelling.name);
    std::iter::once(scheme.name).chain(scheme.aliases.iter().copied()).chain(spellings)
}

/// What a framework means by a name: its own spelling of it, or another framework's that folds to the same.
fn qualified(framework: &str, name: &str) -> Result<&'static Spelling> {
    let spellings = || all().flat_map(|scheme| scheme.spellings);
    let of_framework = || spellings().filter(|spelling| spelling.framework == framework);
    if of_framework().next().is_none() {
        let mut known: Vec<&str> = spellings().map(|spelling| spelling.framework).collect();
        known.sort_unstable();
        known.dedup();
        bail!(
            "unknown framework `{framework}`: known are {}{}",
            known.join(", "),
            did_you_mean(framework, known.iter().copied())
        );
    }
    of_framework().find(|spelling| fold(spelling.name) == fold(name)).with_context(|| {
        let names: Vec<&str> = of_framework().map(|spelling| spelling.name).collect();
        format!("{framework} has no `{name}` here: known are {}", names.join(", "))
    })
}

/// A note where frameworks that use a name mean something else by it than the literature does.
fn differences(scheme: &Scheme, typed: &str) -> Option<String> {
    if typed == scheme.name {
        return None;
    }
    let same_name = scheme.spellings.iter().filter(|spelling| fold(spelling.name) == fold(typed));
    let others: Vec<String> = same_name
        .filter(|spelling| spelling.means != scheme.name)
        .map(|spelling| format!("{}.{} is {}", spelling.framework, spelling.name, spelling.means))
        .collect();
    (!others.is_empty())
        .then(|| format!("`{typed}` is taken as {} ({}); {}", scheme.name, scheme.source, others.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn canonical(text: &str, shape: &str) -> Result<String> {
        let (shape, layout): (Shape, _) = (shape.parse()?, Layout::default());
        Ok(resolve(text)?.law(&Site::new(&shape, &layout, Fans::default()))?.1)
    }

    #[test]
    fn every_row_is_documented_and_its_example_is_legal() {
        for scheme in all() {
            for (word, text) in [
                ("summary", scheme.summary),
                ("formula", scheme.formula),
                ("source", scheme.source),
                ("ranks", scheme.ranks),
            ] {
                assert!(!text.is_empty(), "{} has no {word}", scheme.name);
            }
            let expression = canonical(scheme.example, "8x6").unwrap();
            assert_eq!(canonical(&expression, "8x6").unwrap(), expression, "canonical forms are stable");
        }
    }

    #[test]
    fn every_word_belongs_to_one_scheme_and_every_spelling_has_a_meaning() {
        let mut owner = HashMap::new();
        for scheme in all() {
            for word in words(scheme) {
                assert_eq!(*owner.entry(fold(word)).or_insert(scheme.name), scheme.name, "`{word}` stands in two rows");
            }
            for Spelling { framework, name, means } in scheme.spellings {
                assert!(
                    canonical(means, "8x6").is_ok() || means.ends_with('='),
                    "{framework}.{name}: `{means}` is not legal"
                );
            }
        }
    }

    #[test]
    fn a_framework_s_name_has_that_framework_s_meaning_when_qualified() {
        for (typed, expected) in [
            ("HeNormal", "he-normal:gain=relu,mode=fan-in"),
            ("kaiming_normal_", "he-normal:gain=relu,mode=fan-in"),
            ("lasagne.HeNormal", "he-normal:gain=1,mode=fan-in"),
            ("lasagne.HeNormal:gain=relu", "he-normal:gain=relu,mode=fan-in"),
            ("keras.he-normal", "variance-scaling:scale=2,mode=fan-in,distribution=truncated-normal"),
            ("caffe.xavier", "lecun-uniform"),
            ("xavier_uniform_", "glorot-uniform:gain=1"),
            ("torch.normal_", "normal:std=1,mean=0"),
            ("torch.nn.init.normal_:std=2", "normal:std=2,mean=0"),
            ("he-normal:gain=leaky-relu", "he-normal:gain=leaky-relu,slope=0.01,mode=fan-in"),
            ("uniform:std=1", "uniform:std=1,mean=0"),
            ("normal:0.02", "normal:std=0.02,mean=0"),
            ("rbm", "normal:std=0.01,mean=0"),
            ("rbm:std=0.1", "normal:std=0.1,mean=0"),
        ] {
            assert_eq!(canonical(typed, "8x6").unwrap(), expected, "{typed}");
        }
    }

    #[test]
    fn a_bare_alias_that_frameworks_read_differently_carries_a_note() {
        assert!(resolve("he-normal").unwrap().notes.is_empty());
        assert!(resolve("HeNormal").unwrap().notes[0].contains("lasagne.HeNormal is he-normal:gain=1"));
    }

    #[test]
    fn unknown_names_get_the_nearest_that_is_known() {
        let message = |text| format!("{:#}", resolve(text).err().unwrap());
        assert!(message("glorot-unifrom").contains("did you mean `glorot-uniform`?"));
        assert!(message("normal:sdt=1").contains("did you mean `std`?"));
        assert!(message("tourch.normal_").contains("did you mean `torch`?"));
        assert!(message("he-normal:gain=rleu").contains("did you mean `relu`?"));
    }
}
