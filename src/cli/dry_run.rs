//! `--dry-run`: prints the planned output.

use std::io::Write;

use anyhow::Result;
use serde_json::json;

use super::report;
use super::screen::Screen;
use crate::checkpoint::{Files, PlannedFile};
use crate::format::Format;
use crate::plan::Plan;
use crate::text::bytes;

/// Prints the plan as text. A terminal has no format, and neither a terminal nor a stream has files.
pub(super) fn as_text(
    screen: &mut Screen,
    plan: &Plan,
    format: Option<&Format>,
    set: Option<&Files>,
    verbose: bool,
) -> Result<()> {
    screen.line(report::sizes(plan, set))?;
    for line in report::lines(plan, verbose) {
        screen.line(line)?;
    }
    let files: Vec<&PlannedFile> = set.iter().flat_map(|files| files.all()).collect();
    for note in report::notes(plan, format, files.iter().map(|file| file.path.as_path())) {
        screen.note(&note)?;
    }
    for file in &files {
        // Text is as long as its numbers turn out.
        let size = file.size().map_or("of unknown size".into(), bytes);
        screen.line(format!("file {}: {size}", report::shown(&file.path)))?;
    }
    if let Some((set, rank)) = set.and_then(|set| Some((set, set.rank.as_ref()?))) {
        screen.line(report::share(rank, set.data.len()))?;
        for (_, file) in set.own() {
            screen.line(format!("this rank's: {}", report::shown(&file.path)))?;
        }
    }
    match workspace(plan) {
        0 => screen.line("workspace: none beyond fixed buffers")?,
        size => screen.line(format!("workspace: {} to draw the largest matrix", bytes(size)))?,
    }
    Ok(screen.line(format!("seed {}, {}; nothing was written", plan.seed(), plan.generator().name))?)
}

/// The maximum memory to draw one of the tensors, beyond fixed buffers.
fn workspace(plan: &Plan) -> u64 {
    plan.drawn_for(0..plan.tensors().len()).map(|tensor| plan.workspace(tensor)).max().unwrap_or(0)
}

/// Prints the plan as JSON.
pub(super) fn as_json(out: &mut dyn Write, plan: &Plan, format: Option<&Format>, set: Option<&Files>) -> Result<()> {
    let files: Vec<&PlannedFile> = set.iter().flat_map(|files| files.all()).collect();
    let names: Vec<String> = files.iter().map(|file| file.path.display().to_string()).collect();
    let sizes: Vec<Option<u64>> = files.iter().map(|file| file.size()).collect();
    let mut printed = json!({
        "dry_run": true,
        "generator": plan.generator().name,
        "seed": report::seed(plan.seed()),
        "notes": report::notes(plan, format, files.iter().map(|file| file.path.as_path())),
        "format": format.map(|format| format.name),
        "parameters": plan.parameters(),
        "value_bytes": plan.bytes(),
        "workspace_bytes": workspace(plan),
        "files": names,
        "file_bytes": sizes,
        "version": env!("CARGO_PKG_VERSION"),
    });
    if !plan.tied().is_empty() {
        printed["tied"] = report::tied(plan);
    }
    if let Some((set, rank)) = set.and_then(|set| Some((set, set.rank.as_ref()?))) {
        let own: Vec<String> = set.own().map(|(_, file)| file.path.display().to_string()).collect();
        printed["rank"] = report::rank(rank);
        printed["rank"]["files"] = json!(own);
    }
    report::print_json(out, &printed, plan)
}
