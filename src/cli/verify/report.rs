//! What a comparison found.

use std::io::Write;

use anyhow::Result;
use serde_json::{Value, json};

use crate::plan::{Plan, Tensor};
use crate::show::shortest;
use crate::text::{cut, escape, grouped};
use crate::verify::law::place;
use crate::verify::{Difference, Meeting};

/// A comparison that was made.
pub(super) struct Compared<'a> {
    /// What the recipe gives.
    pub(super) plan: &'a Plan,
    /// Which tensors were compared, and what was wrong before that.
    pub(super) meeting: &'a Meeting,
    /// What differs in each tensor that was compared.
    pub(super) differences: Vec<Option<Difference>>,
    /// How long it took.
    pub(super) seconds: f64,
}

impl Compared<'_> {
    pub(super) fn is_equal(&self) -> bool {
        self.meeting.faults.is_empty() && self.differences.iter().all(Option::is_none)
    }

    fn tensors(&self) -> impl Iterator<Item = (&Tensor, Option<Difference>)> {
        let compared = self.meeting.pairs.iter().map(|&(number, _)| &self.plan.tensors[number]);
        compared.zip(self.differences.iter().copied())
    }

    /// A line for all that differs, and one for all together.
    pub(super) fn human(&self, out: &mut dyn Write) -> Result<()> {
        for (name, fault) in &self.meeting.faults {
            match name.as_str() {
                "" => writeln!(out, "{}", escape(fault))?,
                name => writeln!(out, "`{}`: {}", shown(name), escape(fault))?,
            }
        }
        for (tensor, difference) in self.tensors() {
            if let Some(difference) = difference {
                writeln!(out, "`{}`{}", shown(tensor.name.as_str()), told(tensor, difference))?;
            }
        }
        let (tensors, bytes) = (self.differences.len() as u64, self.bytes());
        let origin = format!("seed {}, {}", self.plan.seed, self.plan.generator.name);
        if self.is_equal() {
            #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
            let rate = bytes as f64 / self.seconds.max(1e-9) / 1e9;
            writeln!(
                out,
                "equal: {} tensor{} of {} bytes, {origin}; {:.2} s, {rate:.2} GB/s",
                grouped(tensors),
                if tensors == 1 { "" } else { "s" },
                grouped(bytes),
                self.seconds
            )?;
        } else {
            let wrong = self.differences.iter().flatten().count() + self.meeting.faults.len();
            writeln!(out, "different: {} fault{}, {origin}", grouped(wrong as u64), if wrong == 1 { "" } else { "s" })?;
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.tensors().map(|(tensor, _)| tensor.bytes()).sum()
    }

    /// One JSON object.
    pub(super) fn machine(&self, out: &mut dyn Write) -> Result<()> {
        let faults =
            self.meeting.faults.iter().map(|(name, fault)| json!({ "name": name, "equal": false, "fault": fault }));
        let compared = self.tensors().map(|(tensor, difference)| entry(tensor, difference));
        let report = json!({
            "equal": self.is_equal(),
            "generator": self.plan.generator.name,
            "seed": crate::cli::report::seed(&self.plan.seed),
            "tensors": faults.chain(compared).collect::<Vec<Value>>(),
            "value_bytes": self.bytes(),
            "seconds": self.seconds,
        });
        Ok(writeln!(out, "{report}")?)
    }
}

fn shown(name: &str) -> String {
    cut(&escape(name), 100)
}

/// `[3, 17]: the file holds 0.1, the recipe gives 0.2; 1 of 12 elements differs`.
fn told(tensor: &Tensor, Difference { first, held, derived, count }: Difference) -> String {
    let value = |value: f64| if value.is_finite() { shortest(value, tensor.dtype) } else { value };
    let (held, derived) = (format!("{:?}", value(held)), format!("{:?}", value(derived)));
    let bits = if held == derived { " of other bits" } else { "" };
    format!(
        "{}: the file holds {held}, the recipe gives {derived}{bits}; {} of {} elements differ{}",
        place(tensor, first),
        grouped(count),
        grouped(tensor.shape.count()),
        if count == 1 { "s" } else { "" }
    )
}

fn entry(tensor: &Tensor, difference: Option<Difference>) -> Value {
    let name = tensor.name.as_str();
    match difference {
        None => json!({ "name": name, "equal": true, "elements": tensor.shape.count() }),
        Some(Difference { first, held, derived, count }) => json!({
            "name": name,
            "equal": false,
            "elements": tensor.shape.count(),
            "first": first,
            "place": place(tensor, first),
            "held": held,
            "derived": derived,
            "count": count,
        }),
    }
}
