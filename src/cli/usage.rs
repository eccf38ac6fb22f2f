//! Errors of the argument parser in the form of all errors: culprit, fault, fix.

use std::error::Error;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::text::nearest;

/// An error of the parser on one line.
pub(super) fn message(error: &clap::Error) -> String {
    let culprit = culprits(error, ContextKind::InvalidArg);
    let value = strings(error, ContextKind::InvalidValue).join(" ");
    match error.kind() {
        ErrorKind::UnknownArgument if culprit.starts_with('-') => {
            format!("unknown option `{culprit}`{}", near(error, &culprit, ContextKind::SuggestedArg))
        }
        ErrorKind::UnknownArgument => format!("`{culprit}`: one argument too many"),
        ErrorKind::InvalidSubcommand => {
            let command = strings(error, ContextKind::InvalidSubcommand).join(" ");
            format!("unknown command `{command}`{}", near(error, &command, ContextKind::SuggestedSubcommand))
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{culprit} needs a value"),
        ErrorKind::InvalidValue => {
            let known = strings(error, ContextKind::ValidValue).join(", ");
            format!("{culprit} `{value}`: use {known}{}", near(error, &value, ContextKind::SuggestedValue))
        }
        ErrorKind::ValueValidation => {
            let fault = error.source().map(ToString::to_string).unwrap_or_default();
            let shown = format!("`{value}`");
            if fault.contains(&shown) { format!("{culprit}: {fault}") } else { format!("{culprit} {shown}: {fault}") }
        }
        ErrorKind::TooManyValues => format!("{culprit} takes no value, such as `{value}`"),
        ErrorKind::ArgumentConflict => match culprits(error, ContextKind::PriorArg) {
            other if other == culprit => format!("{culprit} is given twice"),
            other => format!("{culprit} cannot be used with {other}"),
        },
        ErrorKind::MissingRequiredArgument => format!("missing: {culprit}"),
        _ => first_lines(error),
    }
}

/// The arguments of an error, as typed: `--seed` of `--seed <SEED>`, SHAPE of `<SHAPE>`.
fn culprits(error: &clap::Error, kind: ContextKind) -> String {
    let is_missing = error.kind() == ErrorKind::MissingRequiredArgument;
    let typed = strings(error, kind).into_iter().map(|text| match text.split_once(' ') {
        Some((option, value)) if is_missing => format!("{option} {}", value.replace(['<', '>'], "")),
        Some((option, _)) => option.into(),
        None => text.replace(['<', '>'], ""),
    });
    typed.collect::<Vec<_>>().join(", ")
}

fn strings(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// The parser's suggestion, if it is near enough to the word.
fn near(error: &clap::Error, word: &str, kind: ContextKind) -> String {
    let bare = word.trim_start_matches('-');
    let suggested = strings(error, kind);
    let found = suggested.iter().find(|other| nearest(bare, [other.trim_start_matches('-')]).is_some());
    found.map_or_else(String::new, |word| format!("; did you mean `{word}`?"))
}

/// The parser's own message without the usage.
fn first_lines(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines =
        text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    let joined = lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    joined.strip_prefix("error: ").unwrap_or(&joined).to_string()
}
