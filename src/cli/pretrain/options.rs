//! The methods' options as command-line options.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::pretrain::METHODS;
use crate::scheme::{Kind, Parameter};

/// The typed values, by name.
pub(super) struct MethodOptions(Vec<(&'static str, String)>);

impl MethodOptions {
    pub(super) fn pairs(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

/// Every option once, with the help of the first method that has it.
fn options() -> Vec<&'static Parameter> {
    let mut options: Vec<&Parameter> = Vec::new();
    for option in METHODS.iter().flat_map(crate::pretrain::Method::parameters) {
        if options.iter().all(|known| known.name != option.name) {
            options.push(option);
        }
    }
    options
}

/// Help with each method's default.
fn help(option: &Parameter) -> String {
    let defaults: Vec<(&str, &str)> = METHODS
        .iter()
        .filter_map(|method| {
            let own = method.parameters().find(|own| own.name == option.name)?;
            Some((method.name, own.default.unwrap_or("none")))
        })
        .collect();
    let words = match option.kind {
        Kind::Choice(words) => format!(": {}", words.join(", ")),
        Kind::ChoiceOrNumber(words) => format!(": {} or a number", words.join(", ")),
        _ => String::new(),
    };
    let help = format!("{}{}{words}", option.help[..1].to_uppercase(), &option.help[1..]);
    let first = defaults.first().map_or("", |(_, default)| default);
    if defaults.len() == METHODS.len() && defaults.iter().all(|(_, default)| *default == first) {
        return format!("{help} [default: {first}]");
    }
    let each: Vec<String> = defaults.iter().map(|(method, default)| format!("{method} {default}")).collect();
    format!("{help} [{}]", each.join(", "))
}

impl Args for MethodOptions {
    fn augment_args(command: Command) -> Command {
        options().into_iter().fold(command, |command, option| {
            let argument =
                Arg::new(option.name).long(option.name).help(help(option)).help_heading("Options of methods");
            command.arg(match option.kind {
                Kind::Flag => {
                    argument.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("BOOL")
                }
                Kind::Choice(_) => argument.value_name("WORD"),
                Kind::Count => argument.value_name("N").allow_negative_numbers(true),
                _ => argument.value_name("X").allow_negative_numbers(true),
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for MethodOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |option: &'static Parameter| Some((option.name, matches.get_one::<String>(option.name)?.clone()));
        Ok(Self(options().into_iter().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
