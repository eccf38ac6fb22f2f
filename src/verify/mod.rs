//! Whether a file holds what a plan says: every value derived again and compared, or its values tested against the distribution.

mod compare;
pub mod distribution;

use std::collections::HashMap;

pub use compare::{Difference, compare};

use anyhow::{Context, Result};

use crate::plan::{Plan, Tensor};
use crate::reader::{Contents, Entry};
use crate::tensor::{Name, StoredTensor};
use crate::text;

/// Which tensor of a plan is which of a file.
#[derive(Debug, Default)]
pub struct TensorMatch {
    /// The number in the plan and the number in the file, where name, shape and dtype are the same.
    pub pairs: Vec<(usize, usize)>,
    /// The same of tensors that the file holds though the plan ties them to others: the number of the other one in the plan.
    pub tied: Vec<(usize, usize)>,
    /// Where they are not: the name, and what is wrong.
    pub faults: Vec<(String, String)>,
}

/// Finds the tensors of a plan in a file; `wanted` says of which names. What only one of them has is a fault, unless it is tied: then
/// a file may hold it, and need not.
pub fn match_tensors(
    plan: &Plan,
    tied: &[(Name, Name)],
    contents: &Contents,
    wanted: &dyn Fn(&str) -> bool,
) -> TensorMatch {
    let held: HashMap<&str, usize> =
        contents.entries.iter().enumerate().map(|(number, entry)| (entry.name.as_str(), number)).collect();
    let mut meeting = TensorMatch::default();
    for (number, tensor) in plan.tensors().iter().enumerate().filter(|(_, tensor)| wanted(tensor.name().as_str())) {
        let name = tensor.name().as_str();
        match held.get(name) {
            None => meeting.faults.push((name.into(), "it is missing".into())),
            Some(&entry) => match mismatch(tensor, &contents.entries[entry]) {
                Some(fault) => meeting.faults.push((name.into(), fault)),
                None => meeting.pairs.push((number, entry)),
            },
        }
    }
    let planned: HashMap<&str, usize> =
        plan.tensors().iter().enumerate().map(|(number, tensor)| (tensor.name().as_str(), number)).collect();
    let sources: HashMap<&str, &str> = tied.iter().map(|(name, source)| (name.as_str(), source.as_str())).collect();
    for (entry, held) in contents.entries.iter().enumerate() {
        let name = held.name.as_str();
        if !wanted(name) || planned.contains_key(name) {
            continue;
        }
        match sources.get(name).and_then(|source| planned.get(source)) {
            Some(&number) => match mismatch(&plan.tensors()[number], held) {
                Some(fault) => meeting.faults.push((name.into(), fault)),
                None => meeting.tied.push((number, entry)),
            },
            None => meeting.faults.push((name.into(), "it is not expected".into())),
        }
    }
    meeting
}

/// The tensors that were copied from another file and hold other values now, by the hash in the provenance.
pub fn changed(contents: &Contents, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<(String, String)>> {
    let mut changed = Vec::new();
    for entry in &contents.entries {
        let Entry { name, copied: Some(copied), .. } = entry else { continue };
        if !wanted(name) {
            continue;
        }
        let sha256 =
            entry.values().and_then(StoredTensor::sha256).with_context(|| format!("`{}`", text::escape(name)))?;
        if sha256 != copied.sha256 {
            changed.push((
                name.clone(),
                format!("its values have SHA-256 {sha256}, and the provenance says {}", copied.sha256),
            ));
        }
    }
    Ok(changed)
}

/// What is wrong with an entry before any value is looked at.
fn mismatch(tensor: &Tensor, entry: &Entry) -> Option<String> {
    if *tensor.shape() != entry.shape {
        return Some(format!("it has shape {}, not {}", entry.shape, tensor.shape()));
    }
    if entry.element() != Some(tensor.element()) {
        return Some(format!("it has dtype {}, not {}", entry.type_word, tensor.element().word()));
    }
    None
}
