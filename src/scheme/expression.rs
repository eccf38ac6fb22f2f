//! Scheme expressions as they are typed: `NAME[:value][:key=value,...]`.

use anyhow::{Result, ensure};

/// The name and arguments of a scheme, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expression<'a> {
    /// The name before the colon.
    pub(crate) name: &'a str,
    /// The value without a key, if any.
    pub(crate) bare: Option<&'a str>,
    /// The other values with their keys, in order.
    pub(crate) pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Expression<'a> {
    /// Splits an expression without looking up names or values.
    pub(crate) fn parse(text: &'a str) -> Result<Self> {
        let (name, arguments) = match text.split_once(':') {
            Some((name, arguments)) => (name, Some(arguments)),
            None => (text, None),
        };
        ensure!(!name.is_empty(), "no scheme is named; `fanin list schemes` shows them all");
        let mut expression = Self { name, bare: None, pairs: Vec::new() };
        for (position, argument) in arguments.into_iter().flat_map(|text| text.split([',', ':'])).enumerate() {
            match argument.split_once('=') {
                Some((key, value)) => {
                    ensure!(!key.is_empty() && !value.is_empty(), "`{argument}` is not `key=value`");
                    expression.pairs.push((key, value));
                }
                None => {
                    ensure!(!argument.is_empty(), "an argument is missing around a `:` or `,`");
                    ensure!(position == 0, "`{argument}` has no key: only the first argument may omit it");
                    expression.bare = Some(argument);
                }
            }
        }
        Ok(expression)
    }
}

/// The normalized spelling of a name, without case, hyphens and underscores: `kaiming_normal_`, `KaimingNormal` and `kaiming-normal` are
/// one.
pub(super) fn fold(name: &str) -> String {
    name.chars().filter(|&c| c != '_' && c != '-').flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_expressions_apart() {
        let expression = Expression::parse("he-normal:gain=leaky-relu,slope=0.2").unwrap();
        assert_eq!(expression.pairs, [("gain", "leaky-relu"), ("slope", "0.2")]);
        let expression = Expression::parse("normal:0.02,mean=1").unwrap();
        assert_eq!((expression.bare, expression.pairs), (Some("0.02"), vec![("mean", "1")]));
        assert_eq!(Expression::parse("zeros").unwrap().bare, None);
    }

    #[test]
    fn refuses_what_is_half_written() {
        for text in ["", ":", "normal:", "normal:,", "normal:std=", "normal:=1", "normal:std=1,2", "normal:1,,mean=2"] {
            assert!(Expression::parse(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn spellings_fold_together() {
        for text in ["kaiming_normal_", "KaimingNormal", "kaiming-normal"] {
            assert_eq!(fold(text), "kaimingnormal");
        }
    }
}
