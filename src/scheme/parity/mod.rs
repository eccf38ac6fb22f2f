//! Schemes as frameworks draw them: the supported ones, and the bit-exact arithmetic of their bounds and standard deviations. The generator
//! draws from the resulting distribution.

mod context;
mod jax;
mod keras;
mod lasagne;
mod numpy;
mod shared;
mod tensorflow;
mod torch;

use anyhow::{Context, Result, bail};

use context::Backend;
pub use context::{DistributionOf, DrawContext};

use super::expression::{Expression, fold};
use super::frameworks::{Alias, Framework};
use super::lookup::{Bare, resolve};
use super::{Arguments, Resolved, Site, find};
use crate::distribution::Distribution;
use crate::tensor::DType;
use crate::text::did_you_mean;

/// A framework whose values are reproduced.
pub struct ParityTable {
    /// The framework, as in the prefix of `keras.HeNormal`.
    pub framework: &'static str,
    /// The layout of its weights, as a value of `--layout`.
    pub layout: &'static str,
    /// Its schemes.
    pub rows: &'static [ParityRow],
}

/// A scheme that a framework has.
pub struct ParityRow {
    /// The scheme's name here.
    pub scheme: &'static str,
    /// Its distribution in the framework's order of arithmetic; `None` if ours is the same.
    pub distribution: Option<DistributionOf>,
    /// The reason why values are approximate, not bit for bit; `None` if they are exact.
    pub approximate: Option<&'static str>,
    /// True if single precision is drawn as such, in a framework that draws other dtypes in double precision and rounds.
    pub single: bool,
    /// True if a uniform distribution is drawn on the unit interval and then multiplied, not drawn between its bounds.
    pub scaled: bool,
    /// True if the framework has a function with the plain meaning of our name; otherwise each of its names is more specific.
    plain: bool,
}

const fn row(scheme: &'static str, distribution: DistributionOf) -> ParityRow {
    ParityRow {
        scheme,
        distribution: Some(distribution),
        approximate: None,
        single: false,
        scaled: false,
        plain: false,
    }
}

/// A row with our own arithmetic.
const fn same(scheme: &'static str) -> ParityRow {
    ParityRow { scheme, distribution: None, approximate: None, single: false, scaled: false, plain: false }
}

impl ParityRow {
    /// Marks the values as approximate, for a reason.
    const fn approximate(self, why: &'static str) -> Self {
        Self { approximate: Some(why), ..self }
    }

    /// Marks the scheme's name as having the same meaning there.
    const fn called_as_here(self) -> Self {
        Self { plain: true, ..self }
    }

    /// Draws directly in single precision, in a framework that draws other dtypes in double precision and rounds.
    const fn single(self) -> Self {
        Self { single: true, ..self }
    }

    /// Draws uniform values on the unit interval and then multiplies.
    const fn scaled(self) -> Self {
        Self { scaled: true, ..self }
    }
}

/// Every framework whose values are reproduced.
pub const PARITY: &[ParityTable] =
    &[jax::TABLE, keras::TABLE, lasagne::TABLE, numpy::TABLE, tensorflow::TABLE, torch::TABLE];

/// The framework of a value of `--like`. A suffix after a colon is for its generator.
pub fn of(word: &str) -> Option<&'static ParityTable> {
    let framework = word.split(':').next().unwrap_or(word);
    // NumPy's two generators have one set of names.
    let framework = if framework == "numpy-legacy" { "numpy" } else { framework };
    PARITY.iter().find(|like| like.framework == framework)
}

/// The frameworks with a scheme, each with a reason if its values are approximate.
pub fn having(scheme: &str) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    PARITY.iter().filter_map(move |like| {
        let row = like.rows.iter().find(|row| row.scheme == scheme)?;
        Some((like.framework, row.approximate))
    })
}

impl ParityTable {
    /// Looks up an expression as this framework means it: by its own name or else by the name of a scheme that it has.
    pub fn resolve(&self, text: &str) -> Result<Resolved> {
        let text = text.trim();
        let Expression { name, .. } = Expression::parse(text)?;
        if let Some(split) = Framework::split(name) {
            let meant = split?.0.word;
            if meant != self.framework {
                bail!("a scheme of {meant} cannot be drawn with --like {}", self.framework);
            }
            return resolve(text);
        }
        let arguments = &text[name.len()..];
        let Some(alias) = self.alias(name) else {
            // A scheme that the framework has without a name for it.
            return match find(name) {
                Ok(scheme) if self.has(scheme.name) => resolve(text),
                Ok(scheme) => bail!("{}", self.refusal(scheme.name)),
                Err(error) => Err(error),
            };
        };
        let mut resolved = resolve(&format!("{}.{}{arguments}", self.framework, alias.name))?;
        let own = Expression::parse(alias.means)?.name;
        if name == own {
            resolved = resolved.without_meaning();
        }
        let ours = find(name).ok().map(|scheme| scheme.name);
        if let Some(ours) = ours.filter(|&ours| ours == name && alias.means != ours && self.has(own)) {
            let means = alias.means;
            resolved.notes.push(format!("`{ours}` is {}.{} here: {means}", self.framework, alias.name));
        }
        Ok(resolved)
    }

    /// The framework's name for the typed one: that name itself, or its name for a scheme of ours.
    fn alias(&self, name: &str) -> Option<&'static Alias> {
        let framework = Framework::find(self.framework).ok()?;
        framework.alias(name).or_else(|| {
            let bare = Bare::find(name).ok().filter(|bare| bare.alias.is_none())?;
            let scheme = bare.scheme.name;
            let plain = self.rows.iter().any(|row| row.plain && row.scheme == scheme);
            framework.aliases.iter().find(|alias| alias.scheme == scheme && !plain)
        })
    }

    fn has(&self, scheme: &str) -> bool {
        self.rows.iter().any(|row| row.scheme == scheme)
    }

    /// The row of a scheme. An error names the nearest scheme if the framework lacks it.
    pub fn row(&self, resolved: &Resolved) -> Result<&'static ParityRow> {
        let name = resolved.scheme.name;
        self.rows.iter().find(|row| row.scheme == name).with_context(|| self.refusal(name))
    }

    fn refusal(&self, scheme: &str) -> String {
        let framework = self.framework;
        let known: Vec<&str> = self.rows.iter().map(|row| row.scheme).collect();
        let kin = |row: &&&str| fold(row).split(|c: char| !c.is_alphanumeric()).any(|word| fold(scheme).contains(word));
        let hint = match known.iter().find(kin) {
            Some(near) => format!(": the nearest is `{near}`"),
            None => match did_you_mean(scheme, known.iter().copied()) {
                none if none.is_empty() => {
                    let others: Vec<&str> = having(scheme).map(|(framework, _)| framework).collect();
                    if others.is_empty() {
                        ": omit --like".into()
                    } else {
                        format!(": use --like {}", others.join(" or "))
                    }
                }
                near => near,
            },
        };
        format!("{framework} does not draw `{scheme}`{hint}")
    }
}
