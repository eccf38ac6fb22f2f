//! The report of a comparison.

use std::io::Write;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::screen::Screen;
use crate::plan::{self, Plan};
use crate::reader::Entry;
use crate::show::{GLUE, shortest};
use crate::text::{counted, cut, escape, grouped, json_line};
use crate::verify::Difference;
use crate::verify::distribution::position;

/// The result of a comparison.
pub(super) struct Compared<'a> {
    /// The plan of the recipe, the provenance or the command line.
    pub(super) plan: &'a Plan,
    /// Faults found before the comparison of values: names, and their faults.
    pub(super) faults: &'a [(String, String)],
    /// The compared tensors.
    pub(super) tensors: Vec<Tensor<'a>>,
    /// Copied tensors whose values have the hash of the provenance.
    pub(super) copied: Vec<&'a Entry>,
    /// The names of tensors that no distribution draws.
    pub(super) undrawn: &'a [String],
    /// The elapsed time.
    pub(super) seconds: f64,
}

/// A compared tensor.
pub(super) struct Tensor<'a> {
    /// Its name in the file.
    pub(super) name: &'a str,
    /// The expected tensor: the one of that name, or the one that it is tied to.
    pub(super) planned: &'a plan::Tensor,
    pub(super) difference: Option<Difference>,
}

impl Tensor<'_> {
    /// The name of the tensor that it is tied to.
    fn source(&self) -> Option<&str> {
        let planned = self.planned.name().as_str();
        (planned != self.name).then_some(planned)
    }
}

impl Compared<'_> {
    pub(super) fn is_equal(&self) -> bool {
        self.faults.is_empty() && self.tensors.iter().all(|tensor| tensor.difference.is_none())
    }

    /// A line per difference, and a summary line.
    pub(super) fn human(&self, screen: &mut Screen) -> Result<()> {
        for (name, fault) in self.faults {
            match name.as_str() {
                "" => screen.line(escape(fault))?,
                name => screen.line(format!("`{}`: {}", shown(name), escape(fault)))?,
            }
        }
        for tensor in &self.tensors {
            let name = shown(tensor.name);
            match (tensor.difference, tensor.source()) {
                (Some(difference), source) => {
                    let tie = source.map(|source| format!(" (tied to `{source}`)")).unwrap_or_default();
                    screen.line(format!("`{name}`{}{tie}", described(tensor.planned, difference)))?;
                }
                (None, Some(source)) => {
                    screen.note(&format!("`{}` is tied to `{source}`, and equal to it", cut(tensor.name, 100)))?;
                }
                (None, None) => {}
            }
        }
        if let Some(note) = super::undrawn_note(self.undrawn) {
            screen.note(&note)?;
        }
        let (tensors, bytes) = ((self.tensors.len() + self.copied.len()) as u64, self.bytes());
        let origin = format!("seed {}, {}", self.plan.seed(), self.plan.generator().name);
        if self.is_equal() {
            #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
            let rate = bytes as f64 / self.seconds.max(1e-9) / 1e9;
            let size = format!("{} of {} bytes", counted(tensors, "tensor"), grouped(bytes));
            let speed = format!("{:.2}{GLUE}s, {rate:.2}{GLUE}GB/s", self.seconds);
            screen.verdict(true, &format!("equal: {size}{}, {origin}; {speed}", self.copies()))?;
        } else {
            let wrong = self.tensors.iter().filter(|tensor| tensor.difference.is_some()).count() + self.faults.len();
            let plural = if wrong == 1 { "" } else { "es" };
            screen.verdict(false, &format!("different: {} mismatch{plural}, {origin}", grouped(wrong as u64)))?;
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        let copied = self.copied.iter().filter_map(|entry| entry.bytes());
        self.tensors.iter().map(|tensor| tensor.planned.bytes()).chain(copied).sum()
    }

    /// ` (2 copied, compared by SHA-256)`, or nothing.
    fn copies(&self) -> String {
        match self.copied.len() as u64 {
            0 => String::new(),
            count => format!(" ({} copied, compared by SHA-256)", grouped(count)),
        }
    }

    /// The result as one JSON object.
    pub(super) fn machine(&self, out: &mut dyn Write) -> Result<()> {
        let faults = self.faults.iter().map(|(name, fault)| json!({ "name": name, "equal": false, "fault": fault }));
        let compared = self.tensors.iter().map(entry);
        let copied = self
            .copied
            .iter()
            .map(|entry| json!({ "name": entry.name, "equal": true, "elements": entry.shape.count(), "copied": true }));
        let report = json!({
            "equal": self.is_equal(),
            "generator": self.plan.generator().name,
            "seed": crate::cli::report::seed(self.plan.seed()),
            "tensors": faults.chain(compared).chain(copied).collect::<Vec<Value>>(),
            "not_drawn": self.undrawn,
            "value_bytes": self.bytes(),
            "seconds": self.seconds,
        });
        Ok(writeln!(out, "{}", json_line(&report))?)
    }
}

fn shown(name: &str) -> String {
    cut(&escape(name), 100)
}

/// `[3, 17]: found 0.1, expected 0.2; 1 of 12 elements differs`.
fn described(tensor: &plan::Tensor, Difference { first, found, expected, count }: Difference) -> String {
    let value = |value: f64| {
        if value.is_finite() { tensor.element().dtype().map_or(value, |dtype| shortest(value, dtype)) } else { value }
    };
    let (found, expected) = (format!("{:?}", value(found)), format!("{:?}", value(expected)));
    let bits = if found == expected { " (different bits)" } else { "" };
    format!(
        "{}: found {found}, expected {expected}{bits}; {} of {} elements differ{}",
        position(tensor.shape(), first),
        grouped(count),
        grouped(tensor.shape().count()),
        if count == 1 { "s" } else { "" }
    )
}

fn entry(compared: &Tensor) -> Value {
    let (name, tensor) = (compared.name, compared.planned);
    let mut entry = match compared.difference {
        None => json!({ "name": name, "equal": true, "elements": tensor.shape().count() }),
        Some(Difference { first, found, expected, count }) => json!({
            "name": name,
            "equal": false,
            "elements": tensor.shape().count(),
            "first": first,
            "position": position(tensor.shape(), first),
            "found": found,
            "expected": expected,
            "count": count,
        }),
    };
    if let Some(source) = compared.source() {
        entry["tied"] = source.into();
    }
    entry
}
