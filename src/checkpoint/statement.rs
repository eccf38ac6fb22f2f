//! The in-toto statement about the files of a plan, for signing: their hashes, the origin of their values, and the program that wrote
//! them. It is the same for every rank and every number of threads.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::plan::Plan;
use crate::provenance::Provenance;
use crate::writer::sha256_of_files;

/// The type of the statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The type of its predicate: a package URL, which names no host.
const PREDICATE: &str = "pkg:cargo/fanin#provenance/v1";

/// A statement to write.
#[derive(Clone)]
pub struct Statement {
    /// Path of its file.
    pub path: PathBuf,
    /// The full plan, also of a checkpoint of several files.
    pub plan: Plan,
    /// The files that the command reads.
    pub inputs: Vec<PathBuf>,
}

impl Statement {
    /// The text of the statement, about files with these names and hashes.
    pub(super) fn text(&self, mut subjects: Vec<(String, String)>, threads: usize) -> Result<String> {
        subjects.sort_unstable();
        let program = std::env::current_exe().context("the path of this program is unknown")?;
        let inputs = self.inputs.iter().filter(|path| path.is_file()).map(PathBuf::as_path);
        let mut read: Vec<(&Path, String)> = with_hashes(inputs.chain([program.as_path()]).collect(), threads)?;
        let program = read.pop().map(|(_, hash)| hash);
        let read = read.into_iter().map(|(path, hash)| resource(&path.to_string_lossy(), &hash));
        let statement = json!({
            "_type": STATEMENT,
            "subject": subjects.iter().map(|(name, hash)| resource(name, hash)).collect::<Vec<_>>(),
            "predicateType": PREDICATE,
            "predicate": {
                "inputs": read.collect::<Vec<_>>(),
                "program": {
                    "name": env!("CARGO_PKG_NAME"),
                    "version": env!("CARGO_PKG_VERSION"),
                    "digest": { "sha256": program },
                },
                "values": serde_json::from_str::<Value>(&Provenance::json(&self.plan)?)?,
            },
        });
        Ok(format!("{statement}\n"))
    }
}

fn with_hashes(paths: Vec<&Path>, threads: usize) -> Result<Vec<(&Path, String)>> {
    let hashes = sha256_of_files(&paths, threads)?;
    Ok(paths.into_iter().zip(hashes).collect())
}

/// A resource descriptor of in-toto.
fn resource(name: &str, hash: &str) -> Value {
    json!({ "name": name, "digest": { "sha256": hash } })
}
