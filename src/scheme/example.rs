//! Examples of schemes.

use crate::tensor::LAYOUTS;

/// An expression, and a shape that it is valid for.
pub struct Example {
    /// The expression.
    pub expression: &'static str,
    /// A valid shape and its layout; `None` if every matrix is valid in any layout.
    pub place: Option<(&'static str, &'static str)>,
}

/// An expression that is valid for every matrix.
pub const fn example(expression: &'static str) -> Example {
    Example { expression, place: None }
}

/// An expression that is valid for a shape of a layout.
pub const fn example_on(expression: &'static str, shape: &'static str, layout: &'static str) -> Example {
    Example { expression, place: Some((shape, layout)) }
}

impl Example {
    /// The expression, a shape and its layout; `matrix` is the shape used if every matrix is valid.
    pub fn on(&self, matrix: &'static str) -> (&'static str, &'static str, &'static str) {
        let (shape, layout) = self.place.unwrap_or((matrix, LAYOUTS[0].name));
        (self.expression, shape, layout)
    }
}
