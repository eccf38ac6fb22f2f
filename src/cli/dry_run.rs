//! `--dry-run`: what would be written.

use std::io::Write;

use anyhow::Result;
use serde_json::json;

use super::files::{Files, PlannedFile};
use super::rank::Part;
use super::report;
use crate::format::Format;
use crate::plan::Plan;
use crate::text::{bytes, escape, grouped, json_line};

/// Where the plan would go.
pub(super) struct Planned<'a> {
    /// The files; none for a stream or a terminal.
    pub(super) files: Option<&'a Files>,
    /// Their format.
    pub(super) format: Option<&'static Format>,
    /// The part that this process would write.
    pub(super) part: Option<&'a Part>,
}

/// Prints the plan, for people or for machines.
pub(super) fn print(out: &mut dyn Write, plan: &Plan, planned: &Planned, json: bool) -> Result<()> {
    match json {
        true => machine(out, plan, planned),
        false => human(out, plan, planned),
    }
}

fn human(out: &mut dyn Write, plan: &Plan, planned: &Planned) -> Result<()> {
    for tensor in plan.tensors() {
        writeln!(out, "{}", report::line(tensor))?;
    }
    for note in report::notes(plan, planned.format) {
        writeln!(out, "note: {}", escape(&note))?;
    }
    let files: Vec<&PlannedFile> = planned.files.iter().flat_map(|files| files.all()).collect();
    for file in &files {
        // Text is as long as its numbers turn out.
        let size = file.size().map_or("of unknown size".into(), bytes);
        writeln!(out, "file {}: {size}", escape(&file.path.display().to_string()))?;
    }
    if let (Some(part), Some(files)) = (planned.part, planned.files) {
        writeln!(out, "{}", report::share(part, files.data.len()))?;
        let own = files.data.iter().enumerate().filter(|(number, _)| part.owns(*number));
        for (_, file) in own {
            writeln!(out, "this rank's: {}", escape(&file.path.display().to_string()))?;
        }
    }
    let tensors = plan.tensors().len() as u64;
    writeln!(
        out,
        "{} {}, {} parameters, {} of values{}",
        grouped(tensors),
        if tensors == 1 { "tensor" } else { "tensors" },
        grouped(plan.parameters()),
        bytes(plan.bytes()),
        total(&files).map(|size| format!("; files: {}, {}", files.len(), bytes(size))).unwrap_or_default()
    )?;
    match workspace(plan) {
        0 => writeln!(out, "workspace: none beyond fixed buffers")?,
        size => writeln!(out, "workspace: {} to draw the largest matrix", bytes(size))?,
    }
    Ok(writeln!(out, "seed {}, {}; nothing was written", plan.seed(), plan.generator().name)?)
}

/// The size of all files; `None` where there is none, or a size is not known.
fn total(files: &[&PlannedFile]) -> Option<u64> {
    let sum = files.iter().try_fold(0u64, |sum, file| sum.checked_add(file.size()?));
    sum.filter(|_| !files.is_empty())
}

/// The most memory that drawing one of the tensors takes beyond fixed buffers.
fn workspace(plan: &Plan) -> u64 {
    plan.drawn_for(0..plan.tensors().len()).map(|tensor| plan.workspace(tensor)).max().unwrap_or(0)
}

fn machine(out: &mut dyn Write, plan: &Plan, planned: &Planned) -> Result<()> {
    let files: Vec<&PlannedFile> = planned.files.iter().flat_map(|files| files.all()).collect();
    let names: Vec<String> = files.iter().map(|file| file.path.display().to_string()).collect();
    let sizes: Vec<Option<u64>> = files.iter().map(|file| file.size()).collect();
    let mut plan_told = json!({
        "dry_run": true,
        "generator": plan.generator().name,
        "seed": report::seed(plan.seed()),
        "tensors": plan.tensors().iter().map(report::tensor).collect::<Vec<_>>(),
        "notes": report::notes(plan, planned.format),
        "format": planned.format.map(|format| format.name),
        "parameters": plan.parameters(),
        "value_bytes": plan.bytes(),
        "workspace_bytes": workspace(plan),
        "files": names,
        "file_bytes": sizes,
        "version": env!("CARGO_PKG_VERSION"),
    });
    if let (Some(part), Some(files)) = (planned.part, planned.files) {
        let own = files.data.iter().enumerate().filter(|(number, _)| part.owns(*number));
        let own: Vec<String> = own.map(|(_, file)| file.path.display().to_string()).collect();
        plan_told["part"] = json!({ "rank": part.rank, "world": part.world, "rule": part.rule, "files": own });
    }
    Ok(writeln!(out, "{}", json_line(&plan_told))?)
}
