//! Pages of the options of the command line.

use clap::Arg;

use super::page::{Page, Row};

/// The long names of all options, with their dashes.
pub(super) fn names() -> Vec<String> {
    let mut names: Vec<String> =
        options().into_iter().filter_map(|(_, option)| Some(format!("--{}", option.get_long()?))).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The page of an option, which commands may share: `--layout`, `-o`.
pub(super) fn page(typed: &str) -> Option<Page> {
    let word = typed.trim_start_matches('-');
    let is_short = |option: &Arg| option.get_short().is_some_and(|short| short.to_string() == word);
    let mut found = options();
    found.retain(|(_, option)| option.get_long() == Some(word) || typed.starts_with('-') && is_short(option));
    let (_, first) = found.first()?;
    let name = first.get_long().map_or_else(|| typed.into(), |long| format!("--{long}"));
    let mut page = Page::new("option", name, first.get_help().map(ToString::to_string).unwrap_or_default());
    page.text("usage", first.to_string());
    // Commands that describe the option in the same words share a row.
    let mut rows: Vec<Row> = Vec::new();
    for (command, option) in &found {
        let text = described(option);
        match rows.iter_mut().find(|row| row.text == text) {
            Some(row) => row.name = format!("{}, {command}", row.name),
            None => rows.push(Row::new(command, text)),
        }
    }
    page.rows("commands", rows);
    Some(page)
}

/// Every option with the name of its command.
fn options() -> Vec<(String, Arg)> {
    let mut command = crate::cli::command();
    command.build();
    let of = |command: &clap::Command| {
        let name = command.get_name().to_owned();
        let options = command.get_arguments().filter(|option| !option.is_positional() && !option.is_hide_set());
        options.map(move |option| (name.clone(), option.clone())).collect::<Vec<_>>()
    };
    command.get_subcommands().flat_map(of).collect()
}

/// The long help, the values that the option takes, and its default.
fn described(option: &Arg) -> String {
    let help = option.get_long_help().or_else(|| option.get_help()).map(ToString::to_string).unwrap_or_default();
    let help = help.split("\n\n").map(|paragraph| paragraph.trim_end_matches('.')).collect::<Vec<_>>().join(". ");
    let listed = |what: &str, words: Vec<String>| {
        if words.is_empty() { String::new() } else { format!(" [{what}: {}]", words.join(", ")) }
    };
    let takes_value = option.get_action().takes_values();
    let values = option.get_possible_values().into_iter().filter(|value| takes_value && !value.is_hide_set());
    let values = listed("possible values", values.map(|value| value.get_name().to_owned()).collect());
    let defaults = option.get_default_values().iter().filter(|_| takes_value).map(|value| value.display().to_string());
    format!("{help}{values}{}", listed("default", defaults.collect()))
}
