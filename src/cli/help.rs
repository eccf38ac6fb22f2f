//! The form of every command's help: examples first, then the options in groups.

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command};

use super::colour::HEADING;

// The groups of options, in the order in which every command shows those that it has. A group is placed at its first option; `mut_arg`
// moves an option to the end.
pub(super) const INPUT: &str = "Input";
pub(super) const SCHEMES: &str = "Schemes";
pub(super) const AXES: &str = "Axes and fans";
pub(super) const NUMBERS: &str = "Numbers";
pub(super) const BASE: &str = "Starting weight";
pub(super) const TEST: &str = "Statistical test";
pub(super) const OUTPUT: &str = "Output";
pub(super) const MACHINES: &str = "Many machines";
pub(super) const RESOURCES: &str = "Resources";
const HELP: &str = "Help";

const TEMPLATE: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// A command with the help in this form.
pub(super) fn formed(command: Command) -> Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).help_heading(HELP);
    let help = help.help("Print a summary (-h) or all details (--help)");
    command.help_template(TEMPLATE).disable_help_flag(true).arg(help)
}

/// Styles a text of the help: a line that ends with a colon is a heading, unless it is indented.
pub(super) fn styled(text: &str) -> StyledStr {
    let line = |line: &str| match line.ends_with(':') && !line.starts_with(' ') {
        true => format!("{HEADING}{line}{HEADING:#}"),
        false => line.into(),
    };
    StyledStr::from(text.lines().map(line).collect::<Vec<_>>().join("\n"))
}
