//! The example of a scheme.

use crate::tensor::LAYOUTS;

/// An expression, and a place at which it is legal.
pub struct Example {
    /// The expression.
    pub expression: &'static str,
    /// A shape that the scheme takes, and its layout; `None` if it takes every matrix, in any layout.
    pub place: Option<(&'static str, &'static str)>,
}

/// An expression that is legal for every matrix.
pub const fn example(expression: &'static str) -> Example {
    Example { expression, place: None }
}

/// An expression that is legal on a shape of a layout.
pub const fn example_on(expression: &'static str, shape: &'static str, layout: &'static str) -> Example {
    Example { expression, place: Some((shape, layout)) }
}

impl Example {
    /// The expression, a shape and its layout; `matrix` is the shape where every matrix is legal.
    pub fn on(&self, matrix: &'static str) -> (&'static str, &'static str, &'static str) {
        let (shape, layout) = self.place.unwrap_or((matrix, LAYOUTS[0].name));
        (self.expression, shape, layout)
    }
}
