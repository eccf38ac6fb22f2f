//! `NumPy`'s distributions. `Generator` and `RandomState` have the same ones under the same names.

use super::{ParityTable, same};

pub(super) const TABLE: ParityTable = ParityTable {
    framework: "numpy",
    layout: "io",
    rows: &[
        same("normal"),
        same("uniform"),
        same("standard-normal").single(),
        same("standard-uniform").single(),
        same("zeros"),
        same("ones"),
        same("constant"),
        same("identity"),
    ],
};
