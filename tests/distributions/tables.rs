//! Tables of positions against values of the libraries that have them.

use fanin::tensor::DType;

use crate::draw;

pub(crate) const EXPRESSIONS: &[&str] = &[
    "arange",
    "linspace:start=3,end=6",
    "geometric-sequence:ratio=0.5",
    "causal-mask",
    "relative-position-index",
    "deformable-offsets:heads=8",
];

fn values(expression: &str, shape: &str) -> Vec<f64> {
    draw::whole(1, &draw::tensor(expression, shape, "io", DType::F64))
}

#[test]
fn sequences_run_along_the_last_axis_and_repeat_over_the_others() {
    assert_eq!(values("arange", "2x3"), [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
    assert_eq!(values("arange:start=2,step=-0.5", "4"), [2.0, 1.5, 1.0, 0.5]);
    assert_eq!(values("linspace:start=3,end=6", "4"), [3.0, 4.0, 5.0, 6.0]);
    assert_eq!(values("linspace:start=3,end=6", "1"), [3.0]);
    assert_eq!(values("geometric-sequence:ratio=0.5", "2x3"), [1.0, 0.5, 0.25, 1.0, 0.5, 0.25]);
}

#[test]
fn a_causal_mask_is_a_lower_triangle() {
    assert_eq!(values("causal-mask", "2x3"), [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
}

#[test]
fn relative_positions_are_those_of_swin() {
    // transformers 5.23.0, relative_position_index of a window of 2 by 2.
    let window = [4.0, 3.0, 1.0, 0.0, 5.0, 4.0, 2.0, 1.0, 7.0, 6.0, 4.0, 3.0, 8.0, 7.0, 5.0, 4.0];
    assert_eq!(values("relative-position-index", "4x4"), window);
}

#[test]
fn offsets_of_deformable_attention_point_in_the_directions_of_the_heads() {
    // Four heads, one level, two points.
    let expected = [1.0, 0.0, 2.0, 0.0, 0.0, 1.0, 0.0, 2.0, -1.0, 0.0, -2.0, 0.0, 0.0, -1.0, 0.0, -2.0];
    let drawn = values("deformable-offsets:heads=4,points=2", "16");
    assert!(drawn.iter().zip(expected).all(|(drawn, expected)| (drawn - expected).abs() < 1e-15), "{drawn:?}");
}
