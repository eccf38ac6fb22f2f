//! Values listed one by one.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::{Arguments, EMPTY, Parameter, Scheme, Site, choice, example_on};
use crate::distribution::{Deterministic, Distribution, Moments};
use crate::tensor::to_usize;

const VALUES: Parameter<Vec<f64>> = Parameter::new("values", "the values, separated by /, as in 1/0/0.5; required");
choice! {
    /// The elements beyond the list.
    enum Rest { None = "none", First = "first", Last = "last", Cycle = "cycle" }
}
const REST: Parameter<Rest> = Parameter::new(
    "rest",
    "elements beyond the list: not allowed, its first value before it, its last value after it, or the list again",
)
.default("none");

pub(super) const ROWS: &[Scheme] = &[Scheme {
    name: "constant-list",
    summary: "the values of a list, row-major",
    formula: "w = values[i] for element i; beyond the list: its first value before it with rest=first, its last value with rest=last, the list again with rest=cycle",
    source: "TensorFlow 1 constant_initializer of a list (rest=last); Keras and Chainer Constant of an array (rest=cycle: one row, repeated)",
    ranks: "any",
    parameters: &[&VALUES, &REST],
    bare: Some(VALUES.name),
    example: example_on("constant-list:1/0/0/0/1/0", "6", "io"),
    distribution: constant_list,
    ..EMPTY
}];

fn constant_list(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let values = arguments.value(&VALUES)?;
    let (listed, count) = (values.len() as u64, site.shape.count());
    ensure!(listed <= count, "{listed} values for the {count} elements of shape {}: too many", site.shape);
    let rest = arguments.value(&REST)?;
    ensure!(
        rest != Rest::None || listed == count,
        "{listed} values for the {count} elements of shape {}: add rest=first, rest=last or rest=cycle",
        site.shape
    );
    ensure!(
        rest != Rest::Cycle || count.is_multiple_of(listed),
        "{listed} values do not fill the {count} elements of shape {} a whole number of times",
        site.shape
    );
    Ok(Distribution::Deterministic(Arc::new(List {
        rest,
        before: if rest == Rest::First { count - listed } else { 0 },
        values,
    })))
}

/// A list, continued by repetition or by one of its ends.
#[derive(Debug)]
struct List {
    values: Vec<f64>,
    rest: Rest,
    /// The number of elements before the list.
    before: u64,
}

impl Moments for List {
    fn max_abs(&self) -> f64 {
        self.values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
    }
}

impl Deterministic for List {
    fn value(&self, index: u64) -> f64 {
        let listed = self.values.len() as u64;
        let place = match self.rest {
            Rest::Cycle => index % listed.max(1),
            _ => index.saturating_sub(self.before).min(listed.saturating_sub(1)),
        };
        self.values.get(to_usize(place)).copied().unwrap_or(0.0)
    }

    fn integers(&self) -> Option<(f64, f64)> {
        let ends = |(least, most): (f64, f64), &value: &f64| (least.min(value), most.max(value));
        let whole = self.values.iter().all(|value| value.fract() == 0.0);
        whole.then(|| self.values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), ends))
    }
}

#[cfg(test)]
mod tests {
    use super::super::resolve;
    use super::*;
    use crate::tensor::{Fans, Layout, Shape};

    fn values(expression: &str, shape: &str) -> Result<Vec<f64>> {
        let (shape, layout): (Shape, _) = (shape.parse()?, Layout::default());
        match resolve(expression)?.distribution(&Site::new(&shape, &layout, Fans::default()), None)?.0 {
            Distribution::Deterministic(distribution) => {
                Ok((0..shape.count()).map(|index| distribution.value(index)).collect())
            }
            other => anyhow::bail!("{other:?}"),
        }
    }

    #[test]
    fn a_list_is_taken_row_by_row_and_goes_on_as_is_asked() {
        for (expression, shape, expected) in [
            ("constant-list:1/2/3/4", "2x2", vec![1.0, 2.0, 3.0, 4.0]),
            ("constant-list:values=-1/2.5e-1,rest=last", "5", vec![-1.0, 0.25, 0.25, 0.25, 0.25]),
            ("constant-list:1/2/3,rest=cycle", "2x3", vec![1.0, 2.0, 3.0, 1.0, 2.0, 3.0]),
            ("constant-list:1/0.1,rest=first", "4", vec![1.0, 1.0, 1.0, 0.1]),
            ("constant-list:7", "()", vec![7.0]),
            ("mxnet.stn_loc_bias", "6", vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        ] {
            assert_eq!(values(expression, shape).unwrap(), expected, "{expression}");
        }
        for (expression, shape) in [
            ("constant-list:1/2/3", "2"),
            ("constant-list:1/2", "3"),
            ("constant-list:1/2,rest=cycle", "3"),
            ("constant-list", "3"),
            ("constant-list:1//2", "3"),
            ("constant-list:1/nan", "2"),
            ("constant-list:1,rest=cycle", "0"),
        ] {
            assert!(values(expression, shape).is_err(), "{expression} was taken");
        }
    }
}
