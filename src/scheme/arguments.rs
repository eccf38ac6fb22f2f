//! The arguments of a scheme, checked against its parameters.

use anyhow::{Context, Result, bail, ensure};

use super::Scheme;
use super::expression::{Expression, fold};
use super::gain::{self, GAIN, SLOPE};
use super::parameter::{AnyParameter, Parameter, Value};
use super::parameter_alias::Dialect;
use crate::tensor::Shape;
use crate::text::did_you_mean;

/// Arguments of initializers in other programs that are options here.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["seed", "rng", "key", "generator", "randomstate"], "use --seed"),
    (&["dtype", "paramdtype"], "use --dtype"),
    (&["shape", "size"], "write the shape after the scheme, as in `784x256`"),
    (&["fanin", "fanout"], "use --fan-in and --fan-out"),
];

/// The values of a scheme's parameters, in the parameters' order and in canonical form.
#[derive(Clone)]
pub struct Arguments {
    parameters: Vec<&'static dyn AnyParameter>,
    values: Vec<Option<String>>,
}

impl Arguments {
    /// The given values, overriding those of `base`, the settings of a framework's name. Words of the dialect are translated.
    pub(super) fn read(scheme: &Scheme, given: &Expression, base: Option<Self>, dialect: Dialect) -> Result<Self> {
        let mut arguments = base.unwrap_or_else(|| Self {
            parameters: scheme.parameters().collect(),
            values: scheme.parameters().map(|_| None).collect(),
        });
        let (mut seen, mut implied) = (Vec::new(), Vec::new());
        let keys = keys(scheme, given, dialect)?;
        let first = keys.iter().copied().zip(given.values.iter().copied());
        for (key, value) in first.chain(given.pairs.iter().copied()) {
            let ours = match arguments.takes(key) {
                true => None,
                false => dialect.parameter(key, |ours| arguments.takes(ours)),
            };
            let position = arguments.position(ours.unwrap_or(key), scheme.name)?;
            ensure!(!seen.contains(&position), "`{key}` is given twice");
            seen.push(position);
            if ours == Some(SLOPE.name) {
                // A framework's word for the slope implies the leaky rectifier.
                implied.push((GAIN.name, "leaky-relu"));
            }
            let parameter = arguments.parameters[position];
            arguments.values[position] =
                Some(parameter.canonical(parameter.name(), dialect.value(parameter.name(), value))?);
        }
        for (key, value) in implied {
            let position = arguments.position(key, scheme.name)?;
            if !seen.contains(&position) {
                arguments.values[position] = Some(value.into());
            }
        }
        if let Some(place) = arguments.parameters.iter().position(|parameter| parameter.name() == SLOPE.name) {
            let given = arguments.values[place].take();
            arguments.values[place] = dialect.slope(arguments.spelled(&GAIN), given);
        }
        Ok(arguments)
    }

    /// Values of parameters that are options of a command.
    pub fn of(parameters: Vec<&'static dyn AnyParameter>, given: &[(&str, &str)]) -> Result<Self> {
        let mut arguments = Self { values: parameters.iter().map(|_| None).collect(), parameters };
        for (key, value) in given {
            let position = arguments.position(key, "the method")?;
            ensure!(arguments.values[position].is_none(), "--{key} is given twice");
            arguments.values[position] = Some(arguments.parameters[position].canonical(&format!("--{key}"), value)?);
        }
        Ok(arguments)
    }

    fn takes(&self, key: &str) -> bool {
        self.parameters.iter().any(|parameter| fold(parameter.name()) == fold(key))
    }

    /// The index of the parameter with this key. An error names the nearest key of `owner`.
    fn position(&self, key: &str, owner: &str) -> Result<usize> {
        let found = self.parameters.iter().position(|parameter| fold(parameter.name()) == fold(key));
        found.with_context(|| {
            if let Some((_, instead)) = ELSEWHERE.iter().find(|(words, _)| words.contains(&&*fold(key))) {
                return format!("`{key}` is not a parameter: {instead}");
            }
            let names: Vec<&str> = self.parameters.iter().map(|parameter| parameter.name()).collect();
            let near = did_you_mean(key, names.iter().copied());
            let known = match names.len() {
                _ if !near.is_empty() => near,
                0 => ": it takes none".into(),
                1..=6 => format!(": it takes {}", names.join(", ")),
                _ => format!("; `fanin explain {owner}` shows its parameters"),
            };
            format!("{owner} has no parameter `{key}`{known}")
        })
    }

    /// The index of a parameter. The scheme must list it: other lookups fail a debug assertion.
    fn place(&self, parameter: &dyn AnyParameter) -> Option<usize> {
        let place = self.parameters.iter().position(|listed| listed.name() == parameter.name());
        let listed = place.map(|place| self.parameters[place].kind());
        debug_assert_eq!(listed, Some(parameter.kind()), "`{}` is looked up, and is not listed so", parameter.name());
        place
    }

    fn spelled(&self, parameter: &dyn AnyParameter) -> Option<&str> {
        self.spelled_at(self.place(parameter)?)
    }

    fn spelled_at(&self, place: usize) -> Option<&str> {
        self.values[place].as_deref().or(self.parameters[place].default())
    }

    /// True if the scheme has this parameter.
    pub fn lists(&self, parameter: &dyn AnyParameter) -> bool {
        self.parameters.iter().any(|listed| listed.name() == parameter.name())
    }

    /// A value in canonical spelling, for messages.
    pub fn text(&self, parameter: &dyn AnyParameter) -> &str {
        self.spelled(parameter).unwrap_or("not given")
    }

    /// True if the user or a framework's name sets the value.
    pub fn given(&self, parameter: &dyn AnyParameter) -> bool {
        self.place(parameter).is_some_and(|place| self.values[place].is_some())
    }

    /// True if the user or a framework's name sets one of the parameters.
    pub(super) fn sets(&self, parameters: &[&dyn AnyParameter]) -> bool {
        parameters.iter().any(|parameter| self.given(*parameter))
    }

    /// Records a value that the scheme chose itself, for the provenance.
    pub fn set<T: Value>(&mut self, parameter: &Parameter<T>, value: &T) {
        if let Some(place) = self.place(parameter) {
            self.values[place] = Some(value.spelling());
        }
    }

    /// The value, if one is given or is the default.
    pub fn optional<T: Value>(&self, parameter: &Parameter<T>) -> Option<T> {
        T::parse(parameter.name, self.spelled(parameter)?).ok()
    }

    /// The value, if the scheme has the parameter.
    pub fn if_listed<T: Value>(&self, parameter: &Parameter<T>) -> Option<T> {
        if self.lists(parameter) { self.optional(parameter) } else { None }
    }

    /// The value. Errors if it is missing.
    pub fn value<T: Value>(&self, parameter: &Parameter<T>) -> Result<T> {
        let name = parameter.name;
        self.optional(parameter).with_context(|| format!("`{name}` is required, as in `{name}={}`", T::EXAMPLE))
    }

    /// A non-negative number.
    pub fn nonnegative(&self, parameter: &Parameter<f64>) -> Result<f64> {
        let value = self.value(parameter)?;
        ensure!(value >= 0.0, "{} is {}: it must be 0 or more", parameter.name, self.text(parameter));
        Ok(value)
    }

    /// A number above 0.
    pub fn positive(&self, parameter: &Parameter<f64>) -> Result<f64> {
        let value = self.value(parameter)?;
        ensure!(value > 0.0, "{} is {}: it must be above 0", parameter.name, self.text(parameter));
        Ok(value)
    }

    /// A number in [0, 1].
    pub fn fraction(&self, parameter: &Parameter<f64>) -> Result<f64> {
        let value = self.value(parameter)?;
        let (name, text) = (parameter.name, self.text(parameter));
        ensure!((0.0..=1.0).contains(&value), "{name} is {text}: it must lie between 0 and 1");
        Ok(value)
    }

    /// A number in [0, 1], if one is given or is the default.
    pub fn optional_fraction(&self, parameter: &Parameter<f64>) -> Result<Option<f64>> {
        self.optional(parameter).map(|_| self.fraction(parameter)).transpose()
    }

    /// A position among `of`, if one is given. Negative positions count from the end and are recorded from the start.
    pub fn optional_index(&mut self, parameter: &Parameter<i64>, of: u64) -> Result<Option<u64>> {
        let Some(index) = self.optional(parameter) else { return Ok(None) };
        let from_start = if index < 0 { of.checked_sub(index.unsigned_abs()) } else { Some(index.unsigned_abs()) };
        let position = from_start.filter(|&position| position < of);
        let name = parameter.name;
        let position = position.with_context(|| format!("{name} is {index}: it must be within the {of} rows"))?;
        self.set(parameter, &i64::try_from(position)?);
        Ok(Some(position))
    }

    /// True if a flag is set.
    pub fn flag(&self, parameter: &Parameter<bool>) -> bool {
        self.optional(parameter) == Some(true)
    }

    /// The value of `gain`, computed with `slope` if needed, which is then recorded.
    pub fn gain(&mut self) -> Result<f64> {
        let gain = self.value(&GAIN)?;
        if gain.is_leaky_relu() && !self.given(&SLOPE) {
            self.set(&SLOPE, &gain::DEFAULT_SLOPE);
        }
        gain.number(self.optional(&SLOPE))
    }

    /// Every parameter, with its value if it has one.
    pub(super) fn spelled_out(&self) -> impl Iterator<Item = (&'static dyn AnyParameter, Option<&str>)> {
        self.parameters.iter().enumerate().map(|(place, parameter)| (*parameter, self.spelled_at(place)))
    }

    /// `key=value` for each parameter with a value, in the parameters' order; empty if there is none.
    pub fn canonical(&self) -> String {
        let pairs: Vec<String> = self
            .spelled_out()
            .filter_map(|(parameter, value)| Some(format!("{}={}", parameter.name(), value?)))
            .collect();
        pairs.join(",")
    }
}

/// Errors if a call has sizes, as `numpy.random.randn(784, 256)` does.
fn check_sizes(given: &Expression, order: &[&str]) -> Result<()> {
    let is_shape = |value: &&&str| value.parse::<Shape>().is_ok_and(|shape| shape.rank() > 1);
    if let Some(shape) = given.values.iter().find(is_shape).filter(|_| given.is_call) {
        bail!("`{shape}` is a shape: write it after the scheme, as in `784x256`");
    }
    let are_sizes = given.values.len() > 1 && given.values.iter().all(|value| value.parse::<u64>().is_ok());
    if given.is_call && order.is_empty() && are_sizes {
        bail!("sizes follow the scheme, as in `{} {}`", given.name, given.values.join("x"));
    }
    Ok(())
}

/// The parameters of the values without keys: several have the order of the row, and a single one may have its own parameter. In a call a
/// single value must be unambiguous, since Python takes it for the first parameter.
fn keys(scheme: &Scheme, given: &Expression, dialect: Dialect) -> Result<Vec<&'static str>> {
    let order = if dialect.is_positional() { scheme.order } else { &[] };
    check_sizes(given, order)?;
    match (given.values.as_slice(), scheme.bare) {
        ([], _) => Ok(Vec::new()),
        (&[_], Some(bare)) if !given.is_call || order.first() == Some(&bare) => Ok(vec![bare]),
        (&[value], Some(bare)) => bail!("`{value}` has no key: write `key=value`, as in `{bare}={value}`"),
        (values, _) if values.len() <= order.len() => Ok(order[..values.len()].to_vec()),
        (values, _) if order.len() > 1 => {
            bail!("`{}` is one value too many: without keys, the values are {}", values[order.len()], order.join(", "))
        }
        ([_, second, ..], Some(_)) => bail!("`{second}` has no key: only the first argument may omit it"),
        ([value, ..], None) => match scheme.parameters.first() {
            None => bail!("`{value}`: {} takes no value", scheme.name),
            Some(first) => bail!("`{value}` has no key: write `key=value`, as in `{}={value}`", first.name()),
        },
    }
}
