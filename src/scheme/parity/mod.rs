//! Schemes as frameworks draw them: which ones each has, and its own arithmetic for their bounds and standard deviations, to the last
//! bit. What it then draws for such a distribution is its generator's matter.

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
use super::{Arguments, Resolved, Site, find, resolve};
use crate::distribution::Distribution;
use crate::tensor::DType;
use crate::text::did_you_mean;

/// What is known of a framework whose own numbers are drawn.
pub struct ParityTable {
    /// The framework, as it stands before names: `keras.HeNormal`.
    pub framework: &'static str,
    /// The layout of its weights, as `--layout` takes it.
    pub layout: &'static str,
    /// The schemes that it has.
    pub rows: &'static [ParityRow],
}

/// A scheme that a framework has.
pub struct ParityRow {
    /// The scheme's name here.
    pub scheme: &'static str,
    /// Its distribution in the framework's order of arithmetic; `None` where ours is the same.
    pub distribution: Option<DistributionOf>,
    /// Why the values are approximate to the framework's and not equal to them.
    pub approximate: Option<&'static str>,
    /// Whether it is drawn in single precision where that is what is asked for, by a framework that draws others in double precision
    /// and rounds.
    pub single: bool,
    /// Whether a uniform distribution is drawn on a unit interval and then multiplied, and not between its bounds.
    pub scaled: bool,
    /// Whether its name here means what it means here: each of the framework's names for it says more.
    plain: bool,
}

/// A row of a table.
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

/// A row whose distribution is computed there as it is here.
const fn same(scheme: &'static str) -> ParityRow {
    ParityRow { scheme, distribution: None, approximate: None, single: false, scaled: false, plain: false }
}

impl ParityRow {
    /// Whose values are approximate to the framework's and not equal to them, and why.
    const fn approximate(self, why: &'static str) -> Self {
        Self { approximate: Some(why), ..self }
    }

    /// Whose name here means what it means here.
    const fn called_as_here(self) -> Self {
        Self { plain: true, ..self }
    }

    /// Drawn in single precision where that is what is asked for, by a framework that draws others in double precision and rounds.
    const fn single(self) -> Self {
        Self { single: true, ..self }
    }

    /// Drawn on a unit interval and then multiplied, where it is uniform.
    const fn scaled(self) -> Self {
        Self { scaled: true, ..self }
    }
}

/// Every framework whose own numbers are drawn.
pub const PARITY: &[ParityTable] =
    &[jax::TABLE, keras::TABLE, lasagne::TABLE, numpy::TABLE, tensorflow::TABLE, torch::TABLE];

/// The framework of a word after `--like`; what follows a colon is a matter of its generator.
pub fn of(word: &str) -> Option<&'static ParityTable> {
    let framework = word.split(':').next().unwrap_or(word);
    // NumPy's two generators have one set of names.
    let framework = if framework == "numpy-legacy" { "numpy" } else { framework };
    PARITY.iter().find(|like| like.framework == framework)
}

/// The frameworks that have a scheme, each with why its values are approximate and not equal to theirs, where that is so.
pub fn having(scheme: &str) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    PARITY.iter().filter_map(move |like| {
        let row = like.rows.iter().find(|row| row.scheme == scheme)?;
        Some((like.framework, row.approximate))
    })
}

impl ParityTable {
    /// Looks up an expression as this framework means it: by its own name or, where it has none, by that of a scheme here that it has.
    pub fn resolve(&self, text: &str) -> Result<Resolved> {
        self.resolve_plain(text).with_context(|| format!("scheme `{text}`"))
    }

    fn resolve_plain(&self, text: &str) -> Result<Resolved> {
        let Expression { name, .. } = Expression::parse(text)?;
        if let Some((framework, _)) = name.split_once('.') {
            let meant = Framework::find(framework)?.word;
            if meant != self.framework {
                bail!("the numbers are to be those of {}, and this is a name of {meant}", self.framework);
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
        let ours = find(name).ok().map(|scheme| scheme.name);
        if let Some(ours) = ours.filter(|&ours| ours == name && alias.means != ours) {
            let own = Expression::parse(alias.means)?.name;
            if self.has(own) {
                let means = alias.means;
                resolved.notes.push(format!("`{ours}` is {}.{} here: {means}", self.framework, alias.name));
            }
        }
        Ok(resolved)
    }

    /// The framework's own name for what was typed: that name itself, or its word for a scheme here.
    fn alias(&self, name: &str) -> Option<&'static Alias> {
        let framework = Framework::find(self.framework).ok()?;
        framework.alias(name).or_else(|| {
            let scheme = find(name).ok()?.name;
            let plain = self.rows.iter().any(|row| row.plain && row.scheme == scheme);
            framework.aliases.iter().find(|alias| alias.scheme == scheme && !plain)
        })
    }

    fn has(&self, scheme: &str) -> bool {
        self.rows.iter().any(|row| row.scheme == scheme)
    }

    /// The row of a scheme. Errors with the nearest where the framework does not have it.
    pub fn row(&self, resolved: &Resolved) -> Result<&'static ParityRow> {
        let name = resolved.scheme.name;
        self.rows.iter().find(|row| row.scheme == name).with_context(|| self.refusal(name))
    }

    fn refusal(&self, scheme: &str) -> String {
        let framework = self.framework;
        let known: Vec<&str> = self.rows.iter().map(|row| row.scheme).collect();
        let kin = |row: &&&str| fold(row).split(|c: char| !c.is_alphanumeric()).any(|word| fold(scheme).contains(word));
        let near = known.iter().find(kin).map_or_else(
            || did_you_mean(scheme, known.iter().copied()),
            |near| format!("; the nearest that it has is `{near}`"),
        );
        format!("no numbers of {framework} are known for {scheme}{near}: they are for {}", known.join(", "))
    }
}
