//! Reservoirs of fixed topology against the libraries' own matrices.

use crate::reservoir::{drawn, nonzeros, square};

/// The places and weights of a matrix of five units as text, a digit a tenth.
fn picture(expression: &str, n: usize) -> String {
    let digit = |value: &f64| match (value * 10.0).round() as i64 {
        0 => ".".to_string(),
        tenths => tenths.to_string(),
    };
    square(0, expression, n)
        .chunks_exact(n)
        .map(|row| row.iter().map(digit).collect::<String>())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn topologies_are_those_of_the_libraries() {
    // As reservoirpy 0.4.2 draws them, and as the documentation of ReservoirComputing.jl shows them.
    for (expression, expected) in [
        ("reservoirpy.ring:weight=0.1", "....1 1.... .1... ..1.. ...1."),
        ("reservoirpy.line:weight=0.1", "..... 1.... .1... ..1.. ...1."),
        ("reservoircomputing.simple_cycle", "....1 1.... .1... ..1.. ...1."),
        ("reservoircomputing.delay_line", "..... 1.... .1... ..1.. ...1."),
        ("reservoircomputing.delay_line:shift=3", "..... ..... ..... 1.... .1..."),
        ("reservoircomputing.delayline_backward", ".1... 1.1.. .1.1. ..1.1 ...1."),
        ("line:weight=0.1,backward=0.1,shift=3,backward-shift=2", "..1.. ...1. ....1 1.... .1..."),
        ("reservoircomputing.cycle_jumps", "...11 1.... .1... 1.1.. ...1."),
        ("reservoircomputing.cycle_jumps:jump-size=2", "..1.1 1.... 11..1 ..1.. ..11."),
        ("reservoircomputing.cycle_jumps:jump-size=4", "....1 1.... .1... ..1.. 1..1."),
        ("cycle-with-jumps:weight=-0.1,jump=0.2", "...2-1 -1.... .-1... 2.-1.. ...-1."),
        ("double-cycle:weight=-0.1,backward=0.3,crossed=true", ".3..3 -1.3.. .-1.3. ..-1.3 -1..-1."),
        ("double-cycle:weight=0.1,backward=0.3", ".3..1 1.3.. .1.3. ..1.3 3..1."),
        ("reservoircomputing.selfloop_cycle", "1...1 11... .11.. ..11. ...11"),
        ("reservoircomputing.selfloop_backward_cycle", "11..1 1.... .111. ..1.. ...11"),
        ("reservoircomputing.selfloop_delayline_backward", "1.1.. 11.1. .11.1 ..11. ...11"),
        ("reservoircomputing.selfloop_forwardconnection", "1.... .1... 1.1.. .1.1. ..1.1"),
        ("reservoircomputing.forward_connection", "..... ..... 1.... .1... ..1.."),
        ("block-diagonal:weight=0.1,size=2", "11... 11... ..11. ..11. ....."),
    ] {
        assert_eq!(picture(expression, 5), expected, "{expression}");
    }
    assert_eq!(
        picture("cycle-with-jumps:weight=0.1,jump=0.2,jump-size=2", 6),
        "..2.21 1..... 21..2. ..1... 2.21.. ....1."
    );
}

#[test]
fn input_matrices_are_those_of_the_libraries() {
    // As the documentation of ReservoirComputing.jl shows them, in single precision.
    let logistic = [
        [0.0529682, 0.104272, 0.1523],
        [0.185602, 0.345578, 0.477687],
        [0.559268, 0.836769, 0.923158],
        [0.912003, 0.50537, 0.262468],
        [0.296938, 0.924893, 0.716241],
        [0.772434, 0.257023, 0.751987],
        [0.650385, 0.70656, 0.69006],
        [0.841322, 0.767132, 0.791346],
    ];
    let found = drawn(0, "reservoircomputing.logistic_mapping", "8x3");
    assert!(found.iter().zip(logistic.as_flattened()).all(|(one, other)| (one - other).abs() < 1e-5), "{found:?}");
    let found = drawn(0, "reservoircomputing.chebyshev_mapping", "10x3");
    let expected = [0.866025, 0.866025, 0.0].repeat(10);
    assert!(found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-6), "{found:?}");
    let chain = drawn(0, "reservoircomputing.modified_lm", "12x4");
    for (at, expected) in [
        (3 * 4 + 1, 0.0133075),
        (4 * 4 + 1, 0.0308564),
        (5 * 4 + 1, 0.070275),
        (8 * 4 + 2, 0.134239),
        (11 * 4 + 3, 0.192168),
    ] {
        assert!((chain[at] - expected).abs() < 1e-6, "{} is not {expected}", chain[at]);
    }
    assert_eq!(nonzeros(chain.into_iter()), 9);
    let block = drawn(0, "reservoircomputing.weighted_minimal", "9x3");
    assert!((0..27).all(|at| block[at] == if at / 9 == at % 3 { 0.1 } else { 0.0 }));

    let signs = |expression: &str, shape: &str| -> String {
        drawn(0, expression, shape).iter().map(|&value| if value < 0.0 { '-' } else { '+' }).collect()
    };
    // 14159 26535 89793 23846: odd digits are negative; by Rodan and Tino those up to 4.
    assert_eq!(signs("minimal-input:signs=pi-parity", "8x3"), parity());
    assert_eq!(signs("minimal-input:signs=pi", "10x1"), threshold());
    assert_eq!(signs("minimal-input:signs=alternating", "3x2"), "+--++-");
}

fn parity() -> String {
    // From unit to unit, and then from input to input.
    let digits = b"141592653589793238462643";
    (0..24).map(|at| if digits[at % 3 * 8 + at / 3] % 2 == 1 { '-' } else { '+' }).collect()
}

fn threshold() -> String {
    b"1415926535".iter().map(|&digit| if digit <= b'4' { '-' } else { '+' }).collect()
}
