//! Scheme expressions as they are typed: `NAME[:value,...][:key=value,...]`, or as a call, `NAME(value, key=value)`.

use anyhow::{Context, Result, bail, ensure};

use super::number::number;

/// The name and arguments of a scheme, as typed, without blanks and quotes around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expression<'a> {
    /// The name before the arguments.
    pub(crate) name: &'a str,
    /// True for a call, whose values without a key are those of a Python function.
    pub(crate) is_call: bool,
    /// The values without a key, in order.
    pub(crate) values: Vec<&'a str>,
    /// The other values with their keys, in order.
    pub(crate) pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Expression<'a> {
    /// Splits an expression without looking up names or values.
    pub(crate) fn parse(text: &'a str) -> Result<Self> {
        let text = text.trim();
        let end = text.find([':', '(']).unwrap_or(text.len());
        let (name, rest) = (text[..end].trim_end(), &text[end..]);
        ensure!(!name.is_empty(), "no scheme is named; `fanin list schemes` shows all");
        if let Some((before, after)) = name.split_once([' ', '=', ',']).filter(|_| name.contains(['=', ','])) {
            bail!("parameters follow a colon, as in `{before}:{}`", after.trim_start());
        }
        ensure!(
            !name.contains(['*', '/']) && behind_call(rest).is_empty(),
            "a scheme is one name or call: write a factor as a parameter, as in `normal:std=0.01`"
        );
        let mut expression = Self { name, is_call: rest.starts_with('('), values: Vec::new(), pairs: Vec::new() };
        let arguments = match rest.strip_prefix('(') {
            Some(call) => call.strip_suffix(')').with_context(|| format!("`{text}`: the last `)` is missing"))?,
            None => rest.strip_prefix(':').unwrap_or(rest),
        };
        if rest.is_empty() || (expression.is_call && arguments.trim().is_empty()) {
            return Ok(expression);
        }
        let mut arguments = split(arguments);
        ensure!(
            arguments.iter().all(|argument| !argument.is_empty()),
            "`{text}`: an argument is missing around a `:` or `,`"
        );
        // Torch's functions take the tensor first: `normal_(layer.weight, std=0.02)`, and in old code `init.normal(w)`.
        let is_torch = name.ends_with('_') || name.starts_with("init.") || name.contains("nn.init.");
        if expression.is_call && is_torch && is_variable(arguments[0]) {
            arguments.remove(0);
        }
        arguments.into_iter().try_for_each(|argument| expression.add(argument))?;
        Ok(expression)
    }

    fn add(&mut self, argument: &'a str) -> Result<()> {
        match argument.split_once('=').map(|(key, value)| (key.trim_end(), unquoted(value.trim_start()))) {
            Some((key, value)) => {
                ensure!(!key.is_empty() && !value.is_empty(), "`{argument}` is not `key=value`");
                self.pairs.push((key, value));
            }
            None => {
                ensure!(self.pairs.is_empty(), "`{argument}` has no key: only the first arguments may omit it");
                self.values.push(unquoted(argument));
            }
        }
        Ok(())
    }
}

/// The text behind the parenthesis that closes a call; empty if none does.
fn behind_call(call: &str) -> &str {
    let mut depth = 0usize;
    let end = call.find(|sign| {
        match sign {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        call.starts_with('(') && sign == ')' && depth == 0
    });
    end.map_or("", |end| &call[end + 1..])
}

/// True for a name of Python, with attributes and indices: `w`, `self.layers[0].weight`.
fn is_variable(argument: &str) -> bool {
    argument.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && !argument.contains('=')
        && number(argument).is_none()
}

/// The parts between colons and commas outside of parentheses.
fn split(arguments: &str) -> Vec<&str> {
    let mut depth = 0usize;
    let parts = arguments.split(|sign| {
        match sign {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && matches!(sign, ',' | ':')
    });
    parts.map(str::trim).collect()
}

/// The text without the quotes of a string in Python.
fn unquoted(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('\'').or_else(|| inner('"')).unwrap_or(text)
}

/// The normalised spelling of a name, without case, hyphens, underscores and blanks: `kaiming_normal_`, `KaimingNormal` and
/// `kaiming-normal` are one.
pub(super) fn fold(name: &str) -> String {
    name.chars().filter(|&c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_expressions_apart() {
        let expression = Expression::parse("he-normal:gain=leaky-relu,slope=0.2").unwrap();
        assert_eq!(expression.pairs, [("gain", "leaky-relu"), ("slope", "0.2")]);
        let expression = Expression::parse("normal:0.02,mean=1").unwrap();
        assert_eq!((expression.values, expression.pairs), (vec!["0.02"], vec![("mean", "1")]));
        assert_eq!(Expression::parse("zeros").unwrap().values, [""; 0]);
    }

    #[test]
    fn a_call_of_python_is_an_expression() {
        for (text, name, values, pairs) in [
            ("HeNormal()", "HeNormal", vec![], vec![]),
            ("normal_(0, 0.02)", "normal_", vec!["0", "0.02"], vec![]),
            ("k(mode='fan_out', gain = \"relu\")", "k", vec![], vec![("mode", "fan_out"), ("gain", "relu")]),
            ("k_(layer.weight, 0)", "k_", vec!["0"], vec![]),
            ("k_(w)", "k_", vec![], vec![]),
            ("nn.init.k(w, 0)", "nn.init.k", vec!["0"], vec![]),
            ("k_(pi)", "k_", vec!["pi"], vec![]),
            ("k(a=math.sqrt(5))", "k", vec![], vec![("a", "math.sqrt(5)")]),
        ] {
            let found = Expression::parse(text).unwrap();
            assert_eq!((found.name, found.values, found.pairs, found.is_call), (name, values, pairs, true));
        }
        assert_eq!(Expression::parse("k:a=sqrt(2),b=f(1,2)").unwrap().pairs, [("a", "sqrt(2)"), ("b", "f(1,2)")]);
    }

    #[test]
    fn refuses_what_is_half_written() {
        for text in [
            "",
            ":",
            "()",
            "normal:",
            "normal:,",
            "normal:std=",
            "normal:=1",
            "normal:std=1,2",
            "normal:1,,mean=2",
            "normal(1",
            "normal(1,)",
            "normal std=1",
            "normal=1",
            "randn(3) * 2",
            "2 * randn(3)",
            "empty(3).normal_(0)",
        ] {
            assert!(Expression::parse(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn spellings_fold_together() {
        for text in ["kaiming_normal_", "KaimingNormal", "kaiming-normal", "Kaiming normal"] {
            assert_eq!(fold(text), "kaimingnormal");
        }
    }
}
