//! Schemes turn a shape and parameters into a distribution. They know no generator, file or command line.

mod adapters;
mod alias;
mod arguments;
mod ball;
mod common;
mod constant;
mod coordinates;
mod discrete;
mod embedding;
mod example;
mod expression;
pub mod frameworks;
pub mod gain;
mod hadamard;
mod heavy_tailed;
mod icnr;
mod identity;
mod kernel_tap;
mod list;
mod lookup;
mod mimetic;
mod normal_uniform;
mod number;
mod orthogonal;
mod parameter;
mod parameter_alias;
pub mod parity;
mod positive;
mod recurrent;
mod reservoir;
mod scaled;
mod search;
mod sines;
mod site;
mod sparse;
mod tables;
mod truncated;
mod upsampling;

use anyhow::Result;

pub use alias::Meaning;
pub use arguments::Arguments;
pub use example::{Example, example, example_on};
pub(crate) use expression::Expression;
pub use lookup::{Resolved, find, look_up, meanings_of, resolve, unsupported, with_parameter, words};
pub(crate) use number::number;
pub(crate) use parameter::{AnyParameter, Choice, Kind, Parameter, Value, choice, unknown_word};
pub use parameter_alias::{TheirParameter, parameter_words};
pub use search::search;
pub use site::{PACKING, Site};

use crate::distribution::Distribution;

/// A family of schemes: one file.
pub struct Family {
    /// A heading of `list schemes`.
    pub name: &'static str,
    /// The schemes of the family, one row each.
    pub schemes: &'static [Scheme],
}

/// Every scheme. A new one is a row in its family's file; a new family is a file and a line here.
pub const SCHEMES: &[Family] = &[
    Family { name: "constant", schemes: constant::ROWS },
    Family { name: "explicit values", schemes: list::ROWS },
    Family { name: "tables", schemes: tables::ROWS },
    Family { name: "normal and uniform", schemes: normal_uniform::ROWS },
    Family { name: "scaled by the fans", schemes: scaled::ROWS },
    Family { name: "scaled by a framework's rule", schemes: scaled::FRAMEWORK_RULES },
    Family { name: "scaled by the depth", schemes: scaled::DEPTH },
    Family { name: "coordinate networks", schemes: coordinates::ROWS },
    Family { name: "embeddings", schemes: embedding::ROWS },
    Family { name: "truncated", schemes: truncated::ROWS },
    Family { name: "heavy tails", schemes: heavy_tailed::ROWS },
    Family { name: "positive", schemes: positive::ROWS },
    Family { name: "discrete", schemes: discrete::ROWS },
    Family { name: "balls and spheres", schemes: ball::ROWS },
    Family { name: "orthogonal", schemes: orthogonal::ROWS },
    Family { name: "sparse", schemes: sparse::ROWS },
    Family { name: "gates of recurrent layers", schemes: recurrent::gates::ROWS },
    Family { name: "HiPPO", schemes: recurrent::hippo::ROWS },
    Family { name: "S4D", schemes: recurrent::s4d::ROWS },
    Family { name: "Mamba and S4", schemes: recurrent::mamba::ROWS },
    Family { name: "linear recurrent unit", schemes: recurrent::unit_disk::ROWS },
    Family { name: "RWKV", schemes: recurrent::rwkv::ROWS },
    Family { name: "identities", schemes: identity::ROWS },
    Family { name: "Hadamard", schemes: hadamard::ROWS },
    Family { name: "interpolation", schemes: upsampling::ROWS },
    Family { name: "ICNR", schemes: icnr::ROWS },
    Family { name: "sinusoids", schemes: sines::ROWS },
    Family { name: "attention", schemes: mimetic::ROWS },
    Family { name: "adapters", schemes: adapters::lora::ROWS },
    Family { name: "adapters from a base", schemes: adapters::decomposed::ROWS },
    Family { name: "reservoirs, random", schemes: reservoir::spectral::ROWS },
    Family { name: "reservoirs, random graphs", schemes: reservoir::graphs::ROWS },
    Family { name: "reservoirs, structured random matrices", schemes: reservoir::matrices::ROWS },
    Family { name: "reservoirs, diagonals and singular values", schemes: reservoir::bands::ROWS },
    Family { name: "reservoirs, fixed topologies", schemes: reservoir::topology::ROWS },
    Family { name: "reservoirs, rings with more connections", schemes: reservoir::cycles::ROWS },
    Family { name: "reservoirs, inputs", schemes: reservoir::input::ROWS },
    Family { name: "reservoirs, inputs from a map", schemes: reservoir::maps::ROWS },
];

/// A method of weight initialization.
pub struct Scheme {
    /// The name in the literature, in kebab-case.
    pub name: &'static str,
    /// One line for lists.
    pub summary: &'static str,
    /// The distribution as a formula.
    pub formula: &'static str,
    /// The paper or program that defines it.
    pub source: &'static str,
    /// The supported ranks.
    pub ranks: &'static str,
    /// Its parameters.
    pub parameters: &'static [&'static dyn AnyParameter],
    /// The parameter of a value without a key.
    pub bare: Option<&'static str>,
    /// The parameters of several values without keys, in the order of torch and `NumPy`.
    pub order: &'static [&'static str],
    /// Other names for it that belong to no framework.
    pub aliases: &'static [&'static str],
    /// A note for its default, if frameworks use larger values under this name.
    pub small_default: Option<SmallDefault>,
    /// Its input other than the parameters.
    pub requires: Requires,
    /// An example, for documentation, golden values and the tests of every row.
    pub example: Example,
    distribution: fn(&mut Arguments, &Site) -> Result<Distribution>,
}

/// A default that users of some frameworks do not expect.
pub struct SmallDefault {
    /// The parameters that replace it.
    spread: &'static [&'static dyn AnyParameter],
    /// The note if none of them is given.
    pub note: &'static str,
}

/// The defaults of a row.
const EMPTY: Scheme = Scheme {
    name: "",
    summary: "",
    formula: "",
    source: "",
    ranks: "",
    parameters: &[],
    bare: None,
    order: &[],
    aliases: &[],
    small_default: None,
    requires: Requires::Shape,
    example: example(""),
    distribution: |_, _| anyhow::bail!("its row has no distribution"),
};

/// The input of a scheme other than its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requires {
    /// At most the shape.
    Shape,
    /// The fans.
    Fans,
    /// The tensor as matrices: input and output axes.
    Matrices,
    /// Matrices, and an existing tensor.
    Base,
}

impl Requires {
    /// True if the scheme depends on how several weights are packed in a tensor.
    pub fn arranges(self) -> bool {
        matches!(self, Self::Fans | Self::Matrices)
    }
}

impl Scheme {
    /// Its own parameters, and those of packing if it reads fans or matrices.
    pub fn parameters(&self) -> impl Iterator<Item = &'static dyn AnyParameter> + use<> {
        let packing: &[&dyn AnyParameter] = if self.requires.arranges() { PACKING } else { &[] };
        self.parameters.iter().chain(packing).copied()
    }
}

/// Every scheme of every family.
pub fn all() -> impl Iterator<Item = &'static Scheme> {
    SCHEMES.iter().flat_map(|family| family.schemes)
}

#[cfg(test)]
mod tests {
    use super::expression::{Expression, fold};
    use super::frameworks::{Alias, FRAMEWORKS};
    use super::*;
    use crate::tensor::{Base, Fans, Layout, Shape, TensorIdentity};
    use std::collections::HashMap;
    use std::sync::Arc;

    fn canonical(text: &str, shape: &str) -> Result<String> {
        canonical_on(text, shape, "io")
    }

    fn canonical_on(text: &str, shape: &str, layout: &str) -> Result<String> {
        let (shape, layout): (Shape, Layout) = (shape.parse()?, layout.parse()?);
        // A base for the examples that start from one.
        let identity =
            TensorIdentity { dtype: "f64".into(), name: "weight".into(), sha256: String::new(), shape: vec![8, 8] };
        let base = Arc::new(Base { identity, shape: "8x8".parse()?, values: vec![0.0; 64] });
        Ok(resolve(text)?.distribution(&Site::new(&shape, &layout, Fans::default()).with_base(Some(&base)), None)?.1)
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
            let first = scheme.summary.split([' ', ',', ':']).next().unwrap();
            let is_name = first.contains('_') || first.contains('-') && find(first).is_ok();
            assert!(!is_name, "the page of schemes begins {}'s summary with a capital letter", scheme.name);
            let (expression, shape, layout) = scheme.example.on("8x6");
            let expression = canonical_on(expression, shape, layout).unwrap();
            assert_eq!(canonical_on(&expression, shape, layout).unwrap(), expression, "canonical forms are stable");
        }
    }

    #[test]
    fn every_default_is_a_value_and_every_word_leads_to_listed_parameters() {
        for scheme in all() {
            let (expression, shape, layout) = scheme.example.on("8x6");
            for parameter in scheme.parameters() {
                if let Some(default) = parameter.default() {
                    assert_eq!(
                        parameter.canonical(parameter.name(), default).unwrap(),
                        default,
                        "{}: {}",
                        scheme.name,
                        parameter.name()
                    );
                }
                let words = match parameter.kind() {
                    Kind::Choice(words) => words,
                    Kind::Flag => &["true", "false"],
                    _ => &[],
                };
                for word in words {
                    let separator = if expression.contains(':') { ',' } else { ':' };
                    // An error is right where words exclude each other; a lookup of what is not listed panics.
                    let _ = canonical_on(&format!("{expression}{separator}{}={word}", parameter.name()), shape, layout);
                }
            }
        }
    }

    #[test]
    fn every_word_belongs_to_one_scheme() {
        let mut owner = HashMap::new();
        for scheme in all() {
            for word in words(scheme) {
                assert_eq!(*owner.entry(fold(word)).or_insert(scheme.name), scheme.name, "`{word}` is in two rows");
            }
        }
    }

    #[test]
    fn every_alias_of_a_framework_resolves() {
        for Alias { framework, name, means, .. } in FRAMEWORKS.iter().flat_map(|framework| framework.aliases) {
            assert!(find(name).is_ok(), "`{name}` of {framework} has no meaning of its own");
            let scheme = find(Expression::parse(means).unwrap().name).unwrap();
            let (example, shape, layout) = scheme.example.on("8x6");
            // A name with required parameters needs those of the example.
            let arguments = if *means == scheme.name { example.trim_start_matches(scheme.name) } else { "" };
            assert_eq!(
                canonical_on(&format!("{framework}.{name}{arguments}"), shape, layout).unwrap(),
                canonical_on(&format!("{means}{arguments}"), shape, layout).unwrap(),
                "{framework}.{name}"
            );
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
    fn a_bare_name_has_the_meaning_that_its_frameworks_share() {
        for (typed, expected) in [
            ("randn", "normal:std=1,mean=0"),
            ("gaussian", "normal:std=1,mean=0"),
            ("randn:std=2", "normal:std=2,mean=0"),
            ("rand", "uniform:low=0,high=1"),
            ("normal_", "normal:std=1,mean=0"),
            ("uniform_:a=-1", "uniform:low=-1,high=1"),
            ("trunc_normal_", "truncated-normal:std=1,mean=0,low=-2,high=2,corrected=false"),
            ("normal", "normal:std=0.01,mean=0"),
            ("uniform", "uniform:range=0.01"),
            ("HeNormal", "he-normal:gain=relu,mode=fan-in"),
            ("RandomNormal", "normal:std=0.05,mean=0"),
        ] {
            assert_eq!(canonical(typed, "8x6").unwrap(), expected, "{typed}");
        }
    }

    #[test]
    fn a_bare_name_that_frameworks_read_differently_carries_a_note() {
        for typed in ["he-normal", "kaiming_normal_", "randn", "rbm", "normal:1", "uniform:low=0,high=1"] {
            assert!(resolve(typed).unwrap().notes.is_empty(), "{typed}");
        }
        for (typed, text) in [
            ("HeNormal", "`fanin explain HeNormal` tells more"),
            ("RandomNormal", "normal:std=0.05"),
            ("normal:mean=1", "`randn` is N(0, 1)"),
            ("uniform", "`rand` is U(0, 1)"),
        ] {
            let [note] = resolve(typed).unwrap().notes.try_into().unwrap();
            assert!(note.contains(text) && note.chars().count() <= 100, "{note}");
        }
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
