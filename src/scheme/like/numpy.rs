//! `NumPy`'s distributions: `Generator` and `RandomState` have the same ones under the same names.

use super::{Like, native};

pub(super) const LIKE: Like = Like {
    framework: "numpy",
    layout: "default",
    rows: &[
        native("normal"),
        native("uniform"),
        native("standard-normal").single(),
        native("standard-uniform").single(),
        native("zeros"),
        native("ones"),
        native("constant"),
        native("identity"),
    ],
};
