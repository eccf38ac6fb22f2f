//! `NumPy`'s `.npz`: a [zip archive](super::zip) of `.npy` members. Each member's comment holds its tensor's provenance and the
//! archive's comment the rest, so that `numpy.load` sees arrays alone.

use std::collections::HashSet;

use anyhow::{Result, ensure};

use super::zip::{Archive, Content};
use super::{Format, Piece, npy};
use crate::plan::Plan;
use crate::provenance::{Provenance, TensorProvenance};

pub(super) const FORMAT: Format = Format {
    name: "npz",
    extensions: &["npz"],
    binary: true,
    several: true,
    summary: "NumPy archive: numpy.load, any number of tensors",
    pieces,
    sidecar: |_| Ok(None),
    note: npy::note,
    keeps: npy::FORMAT.keeps,
    shard: None,
};

fn pieces(plan: &Plan) -> Result<Vec<Piece>> {
    refuse_twins(plan)?;
    let mut archive = Archive::new(plan);
    for (number, tensor) in plan.tensors.iter().enumerate() {
        archive.add(Content {
            name: format!("{}.npy", tensor.spec.name),
            comment: TensorProvenance::of(tensor).to_json()?,
            opening: npy::header(tensor)?,
            tensor: Some(number),
            alignment: 0,
        })?;
    }
    archive.finish(Provenance::head(plan).to_json()?)
}

/// Refuses a tensor `a.npy` beside a tensor `a`: `numpy.load` finds the member `a.npy` under both names.
fn refuse_twins(plan: &Plan) -> Result<()> {
    let names: HashSet<&str> = plan.tensors.iter().map(|tensor| tensor.spec.name.as_str()).collect();
    let twin = names.iter().find(|name| name.strip_suffix(".npy").is_some_and(|stem| names.contains(stem)));
    ensure!(
        twin.is_none(),
        "NumPy could not tell `{0}` from its twin without `.npy`: name it otherwise",
        twin.unwrap_or(&"")
    );
    Ok(())
}
