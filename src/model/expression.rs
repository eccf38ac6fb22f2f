//! Expressions of a recipe.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow, bail, ensure};
use minijinja::value::{Enumerator, Object, Rest, Value, ValueKind};
use minijinja::{Environment, ErrorKind, Expression, State, UndefinedBehavior, filters, functions, tests};

use super::comprehension::{self, Comprehension, FOR, MADE};
use super::factors::{FACTOR, factor, with_checked_factors};
use super::value::{MAX_VALUES, count, message, plain, shown_value, size, sized_json};
use crate::text::{cut, did_you_mean, escape};

/// The longest expression, in bytes.
const MAX_EXPRESSION: usize = 4096;
/// The maximum number of steps of an expression. Each byte of text that it makes and each item that it visits count.
const FUEL: u64 = 1 << 16;
/// The maximum work of all expressions of a recipe together: 1 for each evaluation, and [`WORK_OF_STEP`] for each step that is not
/// free.
const MAX_WORK: u64 = 1 << 24;
const WORK_OF_STEP: u64 = 4;
/// The free steps of an evaluation, enough for a few names.
const FREE: u64 = 16;
/// The work of each item of a list that is made, in addition to its steps.
const WORK_OF_ITEM: u64 = 64;
/// The maximum size of a list that is made, in bytes.
const MAX_MADE: usize = 64 * MAX_VALUES;
/// The maximum number of items in lists that an expression names more than twice, counted for each use.
const MAX_ITEMS: usize = 1 << 18;
/// The function that counts the steps of an expression. Recipes cannot use it.
const COUNT: &str = "__count";

const FUNCTIONS: [&str; 11] = ["ceil", "exp", "floor", "log", "max", "min", "pow", "range", "round", "sqrt", "abs"];
/// Reserved words.
const WORDS: [&str; 14] =
    ["and", "else", "false", "False", FOR, "if", "in", "is", "none", "None", "not", "or", "true", "True"];

/// True if an expression can use a constant of this name.
pub(super) fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
        && !is_reserved(name)
        && name != COUNT
        && !name.starts_with(MADE)
}

/// True if a name is a function or a reserved word.
pub(super) fn is_reserved(name: &str) -> bool {
    FUNCTIONS.contains(&name) || WORDS.contains(&name)
}

/// The names in scope of an expression, with their values.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    object: Value,
    names: Arc<Names>,
    /// The numbers and switches of expressions that use no name of a repeat.
    known: Rc<RefCell<HashMap<String, Value>>>,
}

#[derive(Debug)]
struct Names {
    constants: Value,
    /// The names of repeats; the last of equal names counts.
    variables: Vec<(Arc<str>, Value)>,
}

impl Names {
    /// The value of a name that is not reserved.
    fn value(&self, name: &str) -> Option<Value> {
        let variable = self.variables.iter().rev().find(|(variable, _)| **variable == *name);
        variable
            .map(|(_, value)| value.clone())
            .or_else(|| self.constants.get_attr(name).ok().filter(|value| !value.is_undefined()))
    }
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        if is_reserved(name) { None } else { self.value(name) }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let constants = self.constants.try_iter().into_iter().flatten();
        let variables = self.variables.iter().map(|(name, _)| Value::from(&**name));
        Enumerator::Values(constants.chain(variables).collect())
    }
}

impl Scope {
    /// A scope of constants; their value is a map.
    pub(super) fn new(constants: Value) -> Self {
        Self::with_names(Names { constants, variables: Vec::new() }, Rc::default())
    }

    /// This scope with one more name.
    pub(super) fn with(&self, name: &str, value: Value) -> Self {
        let mut variables = self.names.variables.clone();
        variables.push((name.into(), value));
        Self::with_names(Names { constants: self.names.constants.clone(), variables }, Rc::clone(&self.known))
    }

    fn with_names(names: Names, known: Rc<RefCell<HashMap<String, Value>>>) -> Self {
        let names = Arc::new(names);
        Self { object: Value::from_dyn_object(Arc::clone(&names)), names, known }
    }

    fn has(&self, name: &str) -> bool {
        is_reserved(name) || self.names.value(name).is_some()
    }

    fn all(&self) -> Vec<String> {
        let names = self.object.try_iter().into_iter().flatten();
        names.filter_map(|name| Some(name.as_str()?.to_string())).collect()
    }
}

/// The language of expressions.
pub(super) struct Language {
    engine: Environment<'static>,
    /// The work of all evaluations so far.
    work: Arc<AtomicU64>,
}

impl Language {
    pub(super) fn new() -> Self {
        let (mut language, work) = (Environment::empty(), Arc::new(AtomicU64::new(0)));
        let counted = Arc::clone(&work);
        language.add_function(COUNT, move |state: &State| {
            let (steps, _) = state.fuel_levels().unwrap_or_default();
            counted.fetch_add(1 + WORK_OF_STEP * steps.saturating_sub(FREE), Ordering::Relaxed);
        });
        language.set_undefined_behavior(UndefinedBehavior::Strict);
        language.set_fuel(Some(FUEL));
        // Portable code: platforms differ in the last digit.
        language.add_function("sqrt", |x: f64| real("sqrt", libm::sqrt(x)));
        language.add_function("pow", |x: f64, y: f64| real("pow", libm::pow(x, y)));
        language.add_function("log", |x: f64| real("log", libm::log(x)));
        language.add_function("exp", |x: f64| real("exp", libm::exp(x)));
        language.add_function("floor", |x: Value| whole(x, libm::floor));
        language.add_function("ceil", |x: Value| whole(x, libm::ceil));
        // Halves become even, as in Python.
        language.add_function("round", |x: Value| whole(x, libm::rint));
        language.add_function("min", |values: Rest<Value>| extreme(&values, |one, other| one < other));
        language.add_function("max", |values: Rest<Value>| extreme(&values, |one, other| one > other));
        language.add_function("abs", filters::abs);
        language.add_function("range", functions::range);
        language.add_filter(FACTOR, factor);
        language.add_filter("length", filters::length);
        language.add_filter("abs", filters::abs);
        language.add_filter("int", filters::int);
        language.add_filter("float", filters::float);
        language.add_filter("first", filters::first);
        language.add_filter("last", last);
        language.add_filter("list", filters::list);
        language.add_filter("lower", filters::lower);
        language.add_filter("product", product);
        language.add_filter("upper", filters::upper);
        language.add_filter("sum", filters::sum);
        language.add_test("defined", tests::is_defined);
        language.add_test("none", tests::is_none);
        language.add_test("number", tests::is_number);
        language.add_test("integer", tests::is_integer);
        language.add_test("string", tests::is_string);
        language.add_test("sequence", tests::is_sequence);
        language.add_test("mapping", tests::is_mapping);
        language.add_test("startingwith", tests::is_startingwith);
        language.add_test("endingwith", tests::is_endingwith);
        language.add_test("odd", tests::is_odd);
        language.add_test("even", tests::is_even);
        Self { engine: language, work }
    }

    /// Parses an expression.
    pub(super) fn compile<'e>(&'e self, text: &'e str) -> Result<Compiled<'e>> {
        let shown = || format!("expression `{}`", escape(&cut(text, 80)));
        ensure!(
            text.len() <= MAX_EXPRESSION,
            "{}: {} bytes: at most {MAX_EXPRESSION} are allowed",
            shown(),
            text.len()
        );
        ensure!(!has_power(text), "{}: `**` is not supported: use pow(x, y)", shown());
        let (outer, made) = comprehension::split(text).with_context(shown)?;
        let made = made.iter().map(|parts| self.made(parts).with_context(shown)).collect::<Result<Vec<_>>>()?;
        let checked = with_checked_factors(&outer);
        // Parsed by itself first, so that it cannot close the list around it.
        let alone =
            self.engine.compile_expression(&checked).map_err(|error| anyhow!(message(&error))).with_context(shown)?;
        let reserved = [COUNT, MADE].into_iter().find(|name| text.contains(name));
        ensure!(reserved.is_none(), "{}: unknown name `{}`", shown(), reserved.unwrap_or_default());
        let own = alone.undeclared_variables(true).into_iter().filter(|name| !name.starts_with(MADE));
        let mut names: Vec<String> = own.chain(made.iter().flat_map(Made::names)).collect();
        names.sort();
        names.dedup();
        let counting = self.engine.compile_expression_owned(format!("[({checked}), {COUNT}()]"));
        let expression = counting.map_err(|error| anyhow!(message(&error))).with_context(shown)?;
        Ok(Compiled { text, is_name: is_name(text), names, made, expression, work: &self.work })
    }

    fn made<'e>(&'e self, parts: &Comprehension<'e>) -> Result<Made<'e>> {
        let name = parts.name;
        ensure!(is_name(name), "`{}` cannot be the name of an item", escape(&cut(name, 60)));
        Ok(Made { name, list: self.compile(parts.list)?, item: self.compile(parts.item)? })
    }
}

/// A list with an item for each item of another.
struct Made<'e> {
    /// The name of an item of the other list.
    name: &'e str,
    list: Compiled<'e>,
    item: Compiled<'e>,
}

impl Made<'_> {
    /// The names of the scope that it uses.
    fn names(&self) -> impl Iterator<Item = String> {
        let others = self.item.names.iter().filter(|name| root(name) != self.name);
        self.list.names.iter().chain(others).cloned()
    }

    fn value(&self, scope: &Scope) -> Result<Value> {
        let list = self.list.value(scope)?;
        let items = list.try_iter().ok().with_context(|| {
            format!("`{}` is {}, not a list", escape(&cut(self.list.text.trim(), 60)), shown_value(&list))
        })?;
        let (mut made, mut size) = (Vec::new(), 0);
        for item in items {
            self.item.work.fetch_add(WORK_OF_ITEM, Ordering::Relaxed);
            let value = self.item.value(&scope.with(self.name, item))?;
            size += sized_json(&value)?.1;
            ensure!(size <= MAX_MADE, "a list of more than {MAX_VALUES} values");
            made.push(value);
        }
        Ok(Value::from(made))
    }
}

/// The name before the first point.
fn root(name: &str) -> &str {
    name.split_once('.').map_or(name, |(root, _)| root)
}

/// A parsed expression.
pub(super) struct Compiled<'e> {
    /// The text in the recipe.
    pub(super) text: &'e str,
    /// True if it is a name and nothing else.
    is_name: bool,
    names: Vec<String>,
    /// The lists that it makes.
    made: Vec<Made<'e>>,
    /// A list of its value and the call that counts its steps.
    expression: Expression<'e, 'e>,
    work: &'e AtomicU64,
}

impl Compiled<'_> {
    /// The names that it uses, with attributes: `text_config.hidden_size`.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn value(&self, scope: &Scope) -> Result<Value> {
        let shown = || format!("expression `{}`", escape(&cut(self.text, 80)));
        self.checked_value(scope).with_context(shown)
    }

    /// The names without attributes.
    fn roots(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| root(name))
    }

    fn checked_value(&self, scope: &Scope) -> Result<Value> {
        ensure!(self.work.load(Ordering::Relaxed) < MAX_WORK, "the recipe's expressions take too many steps in total");
        if self.is_name
            && let Some(value) = scope.names.value(self.text)
        {
            self.work.fetch_add(1, Ordering::Relaxed);
            return plain(&value);
        }
        let variables = &scope.names.variables;
        if self.roots().any(|root| variables.iter().any(|(name, _)| **name == *root)) {
            return self.computed_value(scope);
        }
        if let Some(value) = scope.known.borrow().get(self.text) {
            self.work.fetch_add(1, Ordering::Relaxed);
            return Ok(value.clone());
        }
        let value = self.computed_value(scope)?;
        // Only values of a fixed size are kept: lists and texts would take memory without a limit.
        if matches!(value.kind(), ValueKind::Bool | ValueKind::Number | ValueKind::None) {
            scope.known.borrow_mut().insert(self.text.into(), value.clone());
        }
        Ok(value)
    }

    fn computed_value(&self, scope: &Scope) -> Result<Value> {
        let unknown = || self.roots().find(|name| !scope.has(name)).map(String::from);
        self.ensure_few_items(scope)?;
        let scope = &self.made.iter().enumerate().try_fold(scope.clone(), |scope, (number, made)| {
            Ok::<_, anyhow::Error>(scope.with(&format!("{MADE}{number}"), made.value(&scope)?))
        })?;
        let value = match self.expression.eval(scope.object.clone()).and_then(|list| list.get_item_by_index(0)) {
            Ok(value) if value.is_undefined() => None,
            Ok(value) => Some(value),
            Err(error) => match unknown() {
                Some(_) => None,
                None => bail!(message(&error)),
            },
        };
        if let Some(value) = value {
            return plain(&value);
        }
        let Some(name) = unknown() else { bail!("there is no such entry") };
        let all = scope.all();
        let near = did_you_mean(&name, all.iter().map(String::as_str).chain(FUNCTIONS));
        bail!("unknown name `{}`{near}", escape(&cut(&name, 60)))
    }

    /// Errors if lists that it names repeatedly have too many items. The engine counts only the outermost list.
    fn ensure_few_items(&self, scope: &Scope) -> Result<()> {
        let mut items = 0usize;
        for root in self.roots() {
            let times = self.text.matches(root).count();
            if times > 2 {
                let count = scope.names.value(root).map_or(0, |value| count(&value));
                self.work.fetch_add(count as u64 / 16, Ordering::Relaxed);
                items = items.saturating_add(times.saturating_mul(count));
            }
        }
        ensure!(items <= MAX_ITEMS, "it takes too many steps, or its text is too long");
        Ok(())
    }

    /// Its value as true or false.
    pub(super) fn holds(&self, scope: &Scope) -> Result<bool> {
        let value = self.value(scope)?;
        ensure!(
            value.kind() == ValueKind::Bool,
            "expression `{}` is {}, not true or false",
            escape(&cut(self.text, 80)),
            shown_value(&value)
        );
        Ok(value.is_true())
    }

    /// Its value as a non-negative integer.
    pub(super) fn size(&self, scope: &Scope) -> Result<u64> {
        let value = self.value(scope)?;
        size(&value).with_context(|| {
            format!(
                "expression `{}` is {}: a size is a non-negative integer",
                escape(&cut(self.text, 80)),
                shown_value(&value)
            )
        })
    }
}

fn invalid(message: String) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, message)
}

fn real(function: &str, result: f64) -> Result<f64, minijinja::Error> {
    if result.is_finite() { Ok(result) } else { Err(invalid(format!("the result of {function} is not finite"))) }
}

/// The last item of a list. The engine's own filter would make all items of a lazily repeated list.
fn last(list: Value) -> Result<Value, minijinja::Error> {
    ensure_short(&list)?;
    filters::last(list)
}

/// The product of a list of integers.
fn product(list: &Value) -> Result<i64, minijinja::Error> {
    ensure_short(list)?;
    list.try_iter()?.try_fold(1_i64, |product, factor| {
        let factor = i64::try_from(factor)?;
        product.checked_mul(factor).ok_or_else(|| invalid("the product is too large".into()))
    })
}

fn ensure_short(list: &Value) -> Result<(), minijinja::Error> {
    match list.len() {
        Some(length) if length > MAX_VALUES => Err(invalid(format!("a list of more than {MAX_VALUES} values"))),
        _ => Ok(()),
    }
}

/// Rounds a number with `make`.
fn whole(value: Value, make: fn(f64) -> f64) -> Result<Value, minijinja::Error> {
    if value.is_integer() {
        return Ok(value);
    }
    let made = make(f64::try_from(value)?);
    if made.abs() > 9_007_199_254_740_992.0 || made.is_nan() {
        return Err(invalid(format!("{made} is too large to round")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and within 53 bits")]
    Ok(Value::from(made as i64))
}

/// The minimum or maximum of numbers.
fn extreme(values: &[Value], replaces: fn(&Value, &Value) -> bool) -> Result<Value, minijinja::Error> {
    let values: Vec<Value> = match values {
        [list] if !list.is_number() => list.try_iter()?.take(MAX_VALUES).collect(),
        values => values.to_vec(),
    };
    if let Some(other) = values.iter().find(|value| !value.is_number()) {
        return Err(invalid(format!("min and max take numbers, not {}", shown_value(other))));
    }
    let mut values = values.into_iter();
    let first = values.next().ok_or_else(|| invalid("min and max take at least one number".into()))?;
    Ok(values.fold(first, |best, value| if replaces(&value, &best) { value } else { best }))
}

/// True if `**` occurs outside quotes.
fn has_power(text: &str) -> bool {
    let mut quote = None;
    let mut previous = ' ';
    for character in text.chars() {
        match quote {
            Some(mark) if character == mark && previous != '\\' => quote = None,
            None if matches!(character, '\'' | '"') => quote = Some(character),
            None if character == '*' && previous == '*' => return true,
            _ => {}
        }
        // An escaped backslash escapes nothing.
        previous = if previous == '\\' && character == '\\' { ' ' } else { character };
    }
    false
}
