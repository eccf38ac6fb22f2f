//! Adapters: the two matrices of one, and what they leave of the weight that they adapt.

use fanin::distribution::matrix::product;
use fanin::tensor::DType;

use crate::draw;
use crate::reference::Reference;
use crate::sample::faults;

/// Every row's example, with the shape that it takes in torch's layout.
pub(crate) const EXPRESSIONS: &[(&str, &str)] = &[
    ("lora-a", "8x40"),
    ("lora-b", "40x8"),
    ("lora-orthogonal-a", "8x40"),
    ("lora-orthogonal-b", "40x8"),
    ("pissa-a", "4x8"),
    ("pissa-b", "8x4"),
    ("pissa-base:rank=4", "8x8"),
    ("olora-a", "4x8"),
    ("olora-b", "8x4"),
    ("olora-base:rank=4", "8x8"),
];

fn drawn(seed: u64, expression: &str, shape: &str) -> Vec<f64> {
    draw::whole(seed, &draw::tensor(expression, shape, "torch", DType::F64))
}

#[test]
fn lora_a_has_the_distributions_of_peft() {
    // kaiming_uniform_ with a = sqrt(5) has gain sqrt(2 / 6), and bound gain sqrt(3 / fan_in).
    let fan_in: f64 = 4000.0;
    let bound = (2.0f64 / 6.0).sqrt() * (3.0 / fan_in).sqrt();
    let uniform = drawn(3, "lora-a", "64x4000");
    assert!(faults(&Reference::uniform(bound), None, uniform.into_iter()).is_empty());
    let normal = drawn(3, "lora-a:distribution=normal", "64x4000");
    assert!(faults(&Reference::normal(1.0 / 64.0), None, normal.into_iter()).is_empty());
}

#[test]
fn the_product_of_orthogonal_adapters_of_one_name_and_seed_is_zero() {
    let (a, b) = (drawn(5, "lora-orthogonal-a", "8x500"), drawn(5, "lora-orthogonal-b", "300x8"));
    assert!(product(&b, &a, [300, 8, 500]).iter().all(|value| value.abs() < 1e-14));
    // Each has half the variance of a normal, over 10^2; eight rows of Q leave few degrees of freedom, all of them used.
    for values in [a, b] {
        let square = values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64;
        assert!((square / 0.005 - 1.0).abs() < 0.1, "{square}");
    }
    let other = drawn(6, "lora-orthogonal-b", "300x8");
    assert!(
        product(&other, &drawn(5, "lora-orthogonal-a", "8x500"), [300, 8, 500]).iter().any(|value| value.abs() > 1e-3)
    );
}

#[test]
fn the_parts_of_a_base_make_it_again() {
    let base = draw::base();
    for method in ["pissa", "olora"] {
        for (rank, scaling) in [(1, 1.0), (4, 2.0), (8, 0.25)] {
            let part =
                |part: &str, shape: &str| drawn(0, &format!("{method}-{part}:rank={rank},scaling={scaling}"), shape);
            let (a, b) = (part("a", &format!("{rank}x8")), part("b", &format!("8x{rank}")));
            let left = part("base", "8x8");
            let adapted = product(&b, &a, [8, rank, 8]);
            for ((value, left), adapted) in base.values.iter().zip(left).zip(adapted) {
                assert!((left + scaling * adapted - value).abs() < 1e-12, "{method} of rank {rank}");
            }
        }
    }
}

#[test]
fn threads_and_dtypes_change_no_value() {
    for (expression, shape) in EXPRESSIONS {
        let tensor = draw::tensor(expression, shape, "torch", DType::F64);
        let count = usize::try_from(tensor.shape().count()).unwrap();
        let all = draw::doubles(&*draw::open_with(6, &tensor, 3), 0, count);
        assert_eq!(draw::doubles(&*draw::open(6, &tensor), 0, count), all, "{expression}");
        let largest = all.iter().fold(0f64, |largest, value| largest.max(value.abs()));
        assert!(largest <= tensor.distribution().max_abs(), "{expression}: {largest}");
    }
}
