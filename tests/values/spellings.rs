//! Every framework's name draws: finite values of the distribution that its meaning states.

use fanin::generator::{NATIVE, native};
use fanin::plan::{Common, DrawnTensor};
use fanin::scheme::{self, frameworks::Alias, frameworks::FRAMEWORKS};
use fanin::tensor::{DType, Fans};

/// The scheme that an expression names.
fn scheme_of(means: &str) -> &'static scheme::Scheme {
    scheme::find(means.split(':').next().unwrap()).unwrap()
}

/// An expression on a shape that is legal for the scheme.
fn drawn(expression: &str, scheme: &scheme::Scheme) -> anyhow::Result<DrawnTensor> {
    let (_, shape, layout) = scheme.example.on("48x36");
    let common = Common { dtype: DType::F32.into(), layout: layout.parse()?, fans: Fans::default(), generator: NATIVE };
    DrawnTensor::new("weight".parse()?, shape.parse()?, expression, &common)
}

fn tensor(expression: &str, scheme: &scheme::Scheme) -> DrawnTensor {
    drawn(expression, scheme).unwrap_or_else(|error| panic!("{expression}: {error:#}"))
}

/// The arguments of a scheme's example, for a name that means the plain scheme: it may require some.
fn example_arguments<'s>(means: &str, scheme: &'s scheme::Scheme) -> &'s str {
    if means == scheme.name { scheme.example.expression.trim_start_matches(scheme.name) } else { "" }
}

fn spellings() -> impl Iterator<Item = &'static Alias> {
    FRAMEWORKS.iter().flat_map(|framework| framework.aliases)
}

#[test]
fn every_spelling_means_what_its_row_says() {
    for Alias { framework, name, means, .. } in spellings() {
        let scheme = scheme_of(means);
        let arguments = example_arguments(means, scheme);
        let typed = tensor(&format!("{framework}.{name}{arguments}"), scheme);
        let stated = tensor(&format!("{means}{arguments}"), scheme);
        assert_eq!(typed.expression(), stated.expression(), "{framework} has two meanings for {name}");
        assert_eq!(format!("{:?}", typed.distribution()), format!("{:?}", stated.distribution()), "{framework}.{name}");
    }
}

/// Schemes whose own name has the paper's meaning, although the one framework with the name has a special case of it.
const PAPERS: &[&str] = &["he", "bernoulli", "random-sparse", "lower-triangular", "double-cycle"];

#[test]
fn a_bare_name_means_what_a_framework_means_by_it() {
    let fold = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    let mut wrong = Vec::new();
    for Alias { name, .. } in spellings() {
        let scheme = scheme::find(name).unwrap();
        // A name without a default has no meaning that could differ.
        let Ok(bare) = drawn(name, scheme) else { continue };
        let distribution = |tensor: &DrawnTensor| format!("{:?}", tensor.distribution());
        let mut named = spellings().filter(|alias| fold(alias.name) == fold(name));
        let agrees = |alias: &Alias| {
            drawn(&format!("{}.{}", alias.framework, alias.name), scheme)
                .is_ok_and(|theirs| distribution(&theirs) == distribution(&bare))
        };
        if !named.any(agrees) && !PAPERS.contains(&scheme.name) {
            wrong.push(format!("{name} is {}", bare.expression()));
        }
    }
    assert!(wrong.is_empty(), "no framework has these meanings:\n{}", wrong.join("\n"));
}

#[test]
fn every_spelling_draws_finite_values_of_its_distribution() {
    for Alias { framework, name, means, .. } in spellings() {
        let scheme = scheme_of(means);
        let tensor = tensor(&format!("{framework}.{name}{}", example_arguments(means, scheme)), scheme);
        let count = usize::try_from(tensor.shape().count()).unwrap();
        let mut values = vec![f32::NAN; count];
        native(11, tensor.spec(), 1).fill_f32(0, &mut values);
        if let Some(fault) = fault(&tensor, &values) {
            panic!("{framework}.{name} ({means}): {fault}");
        }
    }
}

/// What is wrong with values, if anything is.
fn fault(tensor: &DrawnTensor, values: &[f32]) -> Option<String> {
    let distribution = tensor.distribution();
    if distribution.max_abs().is_nan() {
        // A fill with NaN, for debugging.
        return values.iter().any(|value| !value.is_nan()).then(|| "a value is not NaN".into());
    }
    // Values are rounded to f32, but never out of their bounds.
    let (low, high) = distribution.bounds().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let largest = distribution.max_abs() * (1.0 + f64::from(f32::EPSILON)) + f64::from(f32::MIN_POSITIVE);
    let bad = values.iter().copied().find(|&value| {
        let value = f64::from(value);
        !value.is_finite() || value < low || value > high || value.abs() > largest
    });
    if let Some(value) = bad {
        return Some(format!("{value} is not between {low} and {high}, or is above {largest}"));
    }
    let constant = values.iter().all(|value| *value == values[0]);
    match distribution.std() {
        Some(std) if std > 0.0 && constant => Some(format!("every value is {}", values[0])),
        _ => None,
    }
}

#[test]
fn a_value_that_is_wrong_would_be_seen() {
    let uniform = tensor("torch.uniform_", scheme_of("uniform"));
    assert_eq!(fault(&uniform, &[0.0, 0.5, 1.0]), None);
    for values in [[0.0, 0.5, 1.0001], [-1e-6, 0.5, 1.0], [0.0, f32::NAN, 1.0], [0.5; 3]] {
        assert!(fault(&uniform, &values).is_some(), "{values:?}");
    }
    let normal = tensor("normal:std=1", scheme_of("normal"));
    assert!(fault(&normal, &[0.0, 12.5]).is_some());
}

#[test]
fn a_parameter_that_only_sounds_like_an_arrangement_is_the_schemes_own_in_every_layout() {
    let distribution = |expression: &str, layout: &str| {
        let common = Common {
            dtype: DType::F32.into(),
            layout: layout.parse().unwrap(),
            fans: Fans::default(),
            generator: NATIVE,
        };
        let tensor = DrawnTensor::new("weight".parse().unwrap(), "48x48".parse().unwrap(), expression, &common);
        let tensor = tensor.unwrap_or_else(|error| panic!("{expression} in layout {layout}: {error:#}"));
        format!("{:?}", tensor.distribution())
    };
    for scheme in ["hippo-legs", "hippo-legt", "hippo-fourier", "hippo-lagt"] {
        let [turned, plain] = [true, false].map(|turned| format!("{scheme}:transposed={turned}"));
        for layout in ["jax", "mlx", "torch"] {
            assert_eq!(distribution(&turned, layout), distribution(&turned, "keras"), "{turned} in layout {layout}");
            assert_ne!(distribution(&turned, layout), distribution(&plain, layout), "{turned} in layout {layout}");
        }
    }
}
