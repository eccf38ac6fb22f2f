//! Distributions as the tables of families have them: `normal 0.02 padding 1`, `uniform -1 1`, `truncated 0.02 -2 2`, a number for a
//! constant, `{"elements": ...}` or `{"mean": ..., "std": ..., "count": ...}`, and an element type at the end if it is not `f32`.

use serde_json::Value;

use crate::common::safetensors::held;

/// The largest distance between two statistics, in standard errors.
const SIGMA: f64 = 5.0;
/// The largest relative distance between two figures: the tables have seven digits.
const FIGURES: f64 = 1e-6;

/// A distribution.
#[derive(Default)]
struct Law<'a> {
    name: &'a str,
    mean: f64,
    std: f64,
    bounds: Option<(f64, f64)>,
    padding: Vec<u64>,
    dtype: &'a str,
}

impl<'a> Law<'a> {
    /// The law of a text or a number; `None` if it has only measured values.
    fn read(value: &'a Value) -> Option<Self> {
        if let Some(mean) = value.as_f64() {
            return Some(Self { name: "constant", mean, dtype: "f32", ..Self::default() });
        }
        let mut words = value.as_str()?.split(' ');
        let mut law = Self { name: words.next()?, dtype: "f32", ..Self::default() };
        let number = |word: Option<&str>| word.unwrap().parse::<f64>().unwrap();
        match law.name {
            "normal" | "orthogonal" => law.std = number(words.next()),
            "uniform" => {
                let (low, high) = (number(words.next()), number(words.next()));
                (law.mean, law.std) = (f64::midpoint(low, high), (high - low) / 12f64.sqrt());
                law.bounds = Some((low, high));
            }
            "truncated" => {
                law.std = number(words.next());
                law.bounds = Some((number(words.next()), number(words.next())));
            }
            constant => (law.mean, law.name) = (number(Some(constant)), "constant"),
        }
        while let Some(word) = words.next() {
            match word {
                "mean" => law.mean = number(words.next()),
                "padding" => law.padding = words.next()?.split(',').map(|row| row.parse().unwrap()).collect(),
                dtype => law.dtype = dtype,
            }
        }
        Some(law)
    }
}

/// The differences between a tensor of a report and a law; `None` if only its values tell.
pub(crate) fn planned(tensor: &Value, law: &Value) -> Option<Vec<String>> {
    // Reports have no infinite mean.
    let law = Law::read(law).filter(|law| law.mean.is_finite())?;
    let name = tensor["distribution"].as_str()?.trim_end_matches("-normal");
    let mut wrong = Vec::new();
    let mut compare = |key: &str, value: f64, scale: f64| {
        let found = tensor[key].as_f64();
        if found.is_none_or(|found| (found - value).abs() > FIGURES * scale) {
            wrong.push(format!("its {key} is {}, not {value}", tensor[key]));
        }
    };
    if name == law.name {
        compare("mean", law.mean, law.std.max(law.mean.abs()));
        compare("std", law.std, law.std);
        if let Some((low, high)) = law.bounds {
            compare("low", low, high - low);
            compare("high", high, high - low);
        }
    } else {
        wrong.push(format!("it is {name}, not {}: {}", law.name, tensor["scheme"]));
    }
    if tensor["dtype"] != law.dtype {
        wrong.push(format!("its dtype is {}, not {}", tensor["dtype"], law.dtype));
    }
    let width: u64 = tensor["shape"].as_array()?.iter().skip(1).map(|axis| axis.as_u64().unwrap()).product();
    let zeros = match (law.padding.first(), law.padding.last()) {
        (Some(first), Some(last)) => serde_json::json!([first * width, (last + 1) * width]),
        _ => Value::Null,
    };
    if tensor["zeros"] != zeros {
        wrong.push(format!("its elements {} are zeros, not {zeros}", tensor["zeros"]));
    }
    Some(wrong)
}

/// The differences between the values of a written tensor and a law.
pub(crate) fn written(file: &[u8], name: &str, shape: &[u64], law: &Value) -> Vec<String> {
    let (dtype, _, bytes) = held(file, name);
    let (word, values) = values(&dtype, &bytes);
    let expected = Law::read(law);
    let dtype = expected.as_ref().map_or_else(|| law["dtype"].as_str().unwrap_or("f32"), |law| law.dtype);
    if word != dtype {
        return vec![format!("its dtype is {word}, not {dtype}")];
    }
    if let Some(elements) = law["elements"].as_object() {
        let differs = elements.iter().filter_map(|(place, value)| {
            let (found, value) = (values[place.parse::<usize>().unwrap()], value.as_f64().unwrap());
            // The library computes them in f32.
            ((found - value).abs() > 1e-5 * value.abs().max(1.0))
                .then(|| format!("element {place} is {found}, not {value}"))
        });
        return differs.take(1).collect();
    }
    let Some(law) = expected else {
        let figure = |key: &str| law[key].as_f64().unwrap();
        return statistics(&values, figure("mean"), figure("std"), 1.0 / figure("count"));
    };
    if law.name == "constant" {
        let is_near = |value: f64| law.mean.is_finite() && (value - law.mean).abs() <= FIGURES * law.mean.abs();
        let other = values.iter().find(|&&value| value != law.mean && !is_near(value));
        return other.map(|other| format!("it has {other}, not {}", law.mean)).into_iter().collect();
    }
    let width = shape.iter().skip(1).product::<u64>().max(1);
    let rows = values.chunks(usize::try_from(width).unwrap()).zip(0..);
    let (padding, rest): (Vec<_>, Vec<_>) = rows.partition(|(_, row)| law.padding.contains(row));
    if padding.iter().any(|(row, _)| row.iter().any(|&value| value != 0.0)) {
        return vec![format!("its rows {:?} are not zeros", law.padding)];
    }
    let rest: Vec<f64> = rest.into_iter().flat_map(|(row, _)| row).copied().collect();
    if let Some((low, high)) = law.bounds
        && let Some(value) = rest.iter().find(|&&value| value < low - 1e-6 || value > high + 1e-6)
    {
        return vec![format!("its value {value} is outside {low} to {high}")];
    }
    statistics(&rest, law.mean, law.std, 0.0)
}

/// Compares mean and standard deviation, given the sampling errors; `other` is that of the expected figures: 1 / count.
fn statistics(values: &[f64], mean: f64, std: f64, other: f64) -> Vec<String> {
    #[expect(clippy::cast_precision_loss, reason = "a count of elements of a tiny tensor")]
    let count = values.len() as f64;
    let found = values.iter().sum::<f64>() / count;
    let spread = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    let error = SIGMA * std * (1.0 / count + other).sqrt();
    let mut wrong = Vec::new();
    if (found - mean).abs() > error {
        wrong.push(format!("its mean is {found}, not {mean}"));
    }
    if count > 30.0 && (spread - std).abs() > error {
        wrong.push(format!("its std is {spread}, not {std}"));
    }
    wrong
}

/// The word of a type and the values of some bytes.
fn values(dtype: &str, bytes: &[u8]) -> (&'static str, Vec<f64>) {
    let single = |bits: [u8; 4]| f64::from(f32::from_le_bytes(bits));
    match dtype {
        "F32" => ("f32", bytes.chunks(4).map(|bytes| single(bytes.try_into().unwrap())).collect()),
        "BF16" => ("bf16", bytes.chunks(2).map(|bytes| single([0, 0, bytes[0], bytes[1]])).collect()),
        #[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
        "I64" => ("i64", bytes.chunks(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap()) as f64).collect()),
        "I32" => ("i32", bytes.chunks(4).map(|bytes| i32::from_le_bytes(bytes.try_into().unwrap()).into()).collect()),
        "BOOL" => ("bool", bytes.iter().map(|&byte| byte.into()).collect()),
        other => panic!("dtype {other}"),
    }
}
