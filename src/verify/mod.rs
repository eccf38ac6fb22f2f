//! Comparison of a file with a plan: every value is drawn again and compared, or the values are tested against their distribution.

mod compare;
pub mod distribution;

use std::collections::HashMap;

pub use compare::{Difference, compare};

use anyhow::{Context, Result};

use crate::plan::{Plan, Tensor};
use crate::reader::{Contents, Entry};
use crate::tensor::{Name, StoredTensor};
use crate::text;

/// The tensors of a plan, matched with those of a file.
#[derive(Debug, Default)]
pub struct TensorMatch {
    /// Numbers in the plan and in the file of tensors with the same name, shape and dtype.
    pub pairs: Vec<(usize, usize)>,
    /// The same for tensors that the plan ties to another: the other tensor's number in the plan, and this one's in the file.
    pub tied: Vec<(usize, usize)>,
    /// Mismatches: a name and a description.
    pub faults: Vec<(String, String)>,
}

/// Matches the tensors with `wanted` names. A tensor that only the plan or only the file has is a fault; a tied tensor may be missing.
pub fn match_tensors(
    plan: &Plan,
    tied: &[(Name, Name)],
    contents: &Contents,
    wanted: &dyn Fn(&str) -> bool,
) -> TensorMatch {
    let found: HashMap<&str, usize> =
        contents.entries.iter().enumerate().map(|(number, entry)| (entry.name.as_str(), number)).collect();
    let mut matched = TensorMatch::default();
    for (number, tensor) in plan.tensors().iter().enumerate().filter(|(_, tensor)| wanted(tensor.name().as_str())) {
        let name = tensor.name().as_str();
        match found.get(name) {
            None => matched.faults.push((name.into(), "missing from the file".into())),
            Some(&entry) => match mismatch(tensor, &contents.entries[entry]) {
                Some(fault) => matched.faults.push((name.into(), fault)),
                None => matched.pairs.push((number, entry)),
            },
        }
    }
    let planned: HashMap<&str, usize> =
        plan.tensors().iter().enumerate().map(|(number, tensor)| (tensor.name().as_str(), number)).collect();
    let sources: HashMap<&str, &str> = tied.iter().map(|(name, source)| (name.as_str(), source.as_str())).collect();
    for (number, entry) in contents.entries.iter().enumerate() {
        let name = entry.name.as_str();
        if !wanted(name) || planned.contains_key(name) {
            continue;
        }
        match sources.get(name).and_then(|source| planned.get(source)) {
            Some(&source) => match mismatch(&plan.tensors()[source], entry) {
                Some(fault) => matched.faults.push((name.into(), fault)),
                None => matched.tied.push((source, number)),
            },
            None => matched.faults.push((name.into(), "unexpected in the file".into())),
        }
    }
    matched
}

/// The copied tensors of a file. Their provenance has the hash of the copied values.
#[derive(Default)]
pub struct Copies<'a> {
    /// Tensors with those values.
    pub same: Vec<&'a Entry>,
    /// Tensors with other values: each name and a description.
    pub changed: Vec<(String, String)>,
}

/// Compares the copied tensors with `wanted` names with the hashes in the provenance.
pub fn copies<'a>(contents: &'a Contents, wanted: &dyn Fn(&str) -> bool) -> Result<Copies<'a>> {
    let mut copies = Copies::default();
    for entry in &contents.entries {
        let Entry { name, copied: Some(copied), .. } = entry else { continue };
        if !wanted(name) {
            continue;
        }
        let sha256 =
            entry.values().and_then(StoredTensor::sha256).with_context(|| format!("`{}`", text::escape(name)))?;
        if sha256 == copied.sha256 {
            copies.same.push(entry);
        } else {
            copies.changed.push((
                name.clone(),
                format!("its values have SHA-256 {sha256}, not {} as in the provenance", copied.sha256),
            ));
        }
    }
    Ok(copies)
}

/// The first difference in shape or dtype.
fn mismatch(tensor: &Tensor, entry: &Entry) -> Option<String> {
    if *tensor.shape() != entry.shape {
        return Some(format!("shape {}, not {}", entry.shape, tensor.shape()));
    }
    if entry.element() != Some(tensor.element()) {
        return Some(format!("dtype {}, not {}", entry.type_word, tensor.element().word()));
    }
    None
}
