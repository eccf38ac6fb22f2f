//! The methods' options as command-line options.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::pretrain::{METHODS, Method};
use crate::scheme::{AnyParameter, Kind};

/// The typed values, by name.
pub(super) struct MethodOptions(Vec<(&'static str, String)>);

impl MethodOptions {
    pub(super) fn pairs(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

/// Every option once, as the first method with it declares it: options of all methods first, then of several, then of one.
fn options() -> Vec<&'static dyn AnyParameter> {
    let mut options: Vec<&dyn AnyParameter> = Vec::new();
    for option in METHODS.iter().flat_map(Method::parameters) {
        if options.iter().all(|known| known.name() != option.name()) {
            options.push(option);
        }
    }
    options.sort_by_key(|option| match defaults(*option).len() {
        1 => 2,
        count => u8::from(count < METHODS.len()),
    });
    options
}

/// The methods that have an option, each with its default.
fn defaults(option: &dyn AnyParameter) -> Vec<(&'static str, &'static str)> {
    let default = |method: &'static Method| {
        let own = method.parameters().find(|own| own.name() == option.name())?;
        Some((method.name, own.default().unwrap_or("none")))
    };
    METHODS.iter().filter_map(default).collect()
}

/// The heading of an option in the help: its method, if it has only one.
fn heading(option: &dyn AnyParameter) -> &'static str {
    match *defaults(option) {
        [(method, _)] => method,
        ref methods if methods.len() == METHODS.len() => "All methods",
        _ => "Several methods",
    }
}

/// The short and the long help: the option, its values and its default, or each method's default.
fn help(option: &dyn AnyParameter) -> [String; 2] {
    let words = match option.kind() {
        Kind::Choice(words) => words.join(", "),
        Kind::ChoiceOrNumber(words) => format!("{}, number", words.join(", ")),
        _ => String::new(),
    };
    let long = format!("{}{}", option.help()[..1].to_uppercase(), &option.help()[1..]);
    let short = long.split([':', ';', ',']).next().unwrap_or_default();
    let [short, long] = match words.as_str() {
        "" => [short.into(), long],
        words => [format!("{short}: {words}"), format!("{long} [possible values: {words}]")],
    };
    let defaults = defaults(option);
    let first = defaults.first().map_or("", |(_, default)| default);
    let each: Vec<String> = defaults.iter().map(|(method, default)| format!("{method} {default}")).collect();
    if [1, METHODS.len()].contains(&defaults.len()) && defaults.iter().all(|(_, default)| *default == first) {
        return [short, long].map(|help| format!("{help} [default: {first}]"));
    }
    [format!("{short} [default: by method]"), format!("{long} [default: {}]", each.join(", "))]
}

impl Args for MethodOptions {
    fn augment_args(command: Command) -> Command {
        options().into_iter().fold(command, |command, option| {
            let [short, long] = help(option);
            let argument = Arg::new(option.name()).long(option.name()).help(short).long_help(long);
            let argument = argument.help_heading(heading(option));
            command.arg(match option.kind() {
                Kind::Flag => argument.action(ArgAction::SetTrue),
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
        let given = |option: &'static dyn AnyParameter| {
            let value = match option.kind() {
                Kind::Flag => matches.get_flag(option.name()).then(|| "true".into()),
                _ => matches.get_one::<String>(option.name()).cloned(),
            };
            Some((option.name(), value?))
        };
        Ok(Self(options().into_iter().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
