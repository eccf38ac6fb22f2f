//! Texts with expressions in braces.

use anyhow::{Context, Result, ensure};

use super::expression::{Compiled, Language, Scope};
use super::value::{MAX_TEXT, written};
use crate::text::{cut, escape};

pub(super) struct Template<'e>(Vec<Piece<'e>>);

enum Piece<'e> {
    Literal(String),
    Expression(Compiled<'e>),
}

impl Language {
    /// Parses a string: `{...}` is an expression, `{{` and `}}` are braces.
    pub(super) fn template<'e>(&'e self, text: &'e str) -> Result<Template<'e>> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(position) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(position);
            literal.push_str(before);
            if from.starts_with("{{") || from.starts_with("}}") {
                literal.push_str(&from[..1]);
                rest = &from[2..];
                continue;
            }
            ensure!(from.starts_with('{'), "a `}}` has no `{{`: write `}}}}` for a literal brace");
            let end = closing(from).context("a `{` is not closed: write `{{` for a literal brace")?;
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            pieces.push(Piece::Expression(self.compile(&from[1..end])?));
            rest = &from[end + 1..];
        }
        literal.push_str(rest);
        pieces.push(Piece::Literal(literal));
        Ok(Template(pieces))
    }
}

/// The position of the brace that closes the first one.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut previous) = (0_usize, None, ' ');
    for (position, character) in text.char_indices() {
        match (quote, character) {
            (Some(mark), _) if character == mark && previous != '\\' => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, '{') => depth += 1,
            (None, '}') => {
                depth -= 1;
                if depth == 0 {
                    return Some(position);
                }
            }
            _ => {}
        }
        previous = if previous == '\\' && character == '\\' { ' ' } else { character };
    }
    None
}

impl Template<'_> {
    /// The text with each expression replaced by its value.
    pub(super) fn text(&self, scope: &Scope) -> Result<String> {
        self.text_with(scope, |value| value)
    }

    /// The same text, with `change` applied to the value of each expression.
    pub(super) fn text_with(&self, scope: &Scope, change: impl Fn(String) -> String) -> Result<String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Expression(expression) => {
                    let value = expression.value(scope)?;
                    let value = written(&value)
                        .with_context(|| format!("expression `{}`", escape(&cut(expression.text, 80))))?;
                    text.push_str(&change(value));
                }
            }
            ensure!(text.len() <= MAX_TEXT, "the text has more than {MAX_TEXT} bytes");
        }
        Ok(text)
    }
}
