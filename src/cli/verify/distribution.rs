//! `fanin verify --distribution`: the tests of all tensors, and their joint verdict.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Expected, Verify};
use crate::cli::Outcome;
use crate::cli::screen::Screen;
use crate::plan::{DrawnTensor, Plan};
use crate::reader::Contents;
use crate::show::{ABSENT, Column, Table};
use crate::statistics::p_value::bonferroni;
use crate::text::{cut, escape, figure, grouped, json_line};
use crate::verify::distribution::{GoodnessOfFit, TestOptions, TestResult, repeated_tensors, test};

/// A tensor and its test results.
struct Row<'a> {
    tensor: &'a DrawnTensor,
    fit: GoodnessOfFit,
    /// The smallest p-value of its tests, corrected for the number of all tests.
    corrected: Option<f64>,
}

/// The names of tensors that are not tested.
struct Untested {
    underived: Vec<String>,
    undrawn: Vec<String>,
}

impl Verify {
    /// Tests if values fit their distributions. By Bonferroni's correction, `--alpha` is the probability of any failure if all
    /// distributions hold.
    pub(super) fn test(&self, out: &mut dyn Write, contents: &mut Contents) -> Result<Outcome> {
        let expected = self.expected(contents)?;
        // A tied tensor has the distribution of its source, and no separate values.
        let mut meeting = self.match_tensors(&expected, contents);
        let Expected { plan, underived, undrawn, .. } = expected;
        meeting.faults.retain(|(name, _)| !underived.contains(name));
        ensure!(
            !meeting.pairs.is_empty() || !meeting.faults.is_empty() || underived.is_empty(),
            "all tensors started from other weights: pass their file as --base FILE"
        );
        let options = TestOptions {
            threads: self.resources.threads(),
            max_memory: self.resources.limit(),
            total_values: meeting.pairs.iter().map(|&(number, _)| plan.tensors()[number].shape().count()).sum(),
        };
        let mut fits = meeting
            .pairs
            .iter()
            .map(|&(number, entry)| Ok((number, test(drawn(&plan, number)?.spec(), contents, entry, options)?)))
            .collect::<Result<Vec<_>>>()?;
        compare_tensors(&plan, &mut fits);
        let tests = fits.iter().map(|(_, fit)| fit.tests.len() as u64).sum();
        let row = |(number, fit)| Ok(Row::new(drawn(&plan, number)?, fit, tests));
        let rows: Vec<Row> = fits.into_iter().map(row).collect::<Result<_>>()?;
        let fit = meeting.faults.is_empty() && rows.iter().all(|row| row.fits(self.alpha));
        let untested = Untested { underived, undrawn };
        match (self.json, self.quiet) {
            (true, _) => writeln!(out, "{}", json_line(&self.machine(&rows, &meeting.faults, &untested, fit, tests)))?,
            (false, true) => {}
            (false, false) => self.human(&mut Screen::stdout(out), &rows, &meeting.faults, &untested, tests)?,
        }
        Ok(if fit { Outcome::Done } else { Outcome::Different })
    }

    fn human(
        &self,
        screen: &mut Screen,
        rows: &[Row],
        faults: &[(String, String)],
        untested: &Untested,
        tests: u64,
    ) -> Result<()> {
        if !rows.is_empty() {
            screen.table(&Table::new(COLUMNS.iter().copied(), rows.iter().map(|row| row.cells(self.alpha))))?;
        }
        for (name, fault) in faults {
            screen.line(format!("`{}`: {}", cut(&escape(name), 100), escape(fault)))?;
        }
        for row in rows {
            self.print_findings(screen, row, tests)?;
        }
        for name in &untested.underived {
            screen.note(&format!("`{}` started from another weight: add --base to test it", cut(name, 100)))?;
        }
        if let Some(note) = super::undrawn_note(&untested.undrawn) {
            screen.note(&note)?;
        }
        let wrong = rows.iter().filter(|row| !row.fits(self.alpha)).count() + faults.len();
        let (alpha, tests) = (figure(self.alpha), grouped(tests));
        let (wrong, all) = (grouped(wrong as u64), grouped((rows.len() + faults.len()) as u64));
        let line = match wrong.as_str() {
            "0" => format!("fits: {tests} tests, all corrected p-values above {alpha}"),
            _ => format!("does not fit: {wrong} of {all} tensors, at alpha {alpha} over {tests} tests"),
        };
        Ok(screen.verdict(wrong == "0", &line)?)
    }

    /// The faults of a tensor and its failed tests, the most significant first.
    fn print_findings(&self, screen: &mut Screen, row: &Row, tests: u64) -> Result<()> {
        let name = cut(&escape(row.tensor.name().as_str()), 100);
        for fault in &row.fit.faults {
            screen.line(format!("`{name}`: {fault}"))?;
        }
        let is_failed = |test: &&TestResult| bonferroni(test.p_value, tests) < self.alpha;
        let mut failed: Vec<&TestResult> = row.fit.tests.iter().filter(is_failed).collect();
        failed.sort_by(|one, other| one.p_value.total_cmp(&other.p_value));
        for test in failed.iter().take(SHOWN) {
            screen.line(format!("`{name}`: {} (p {})", test.text, shown_p(test.p_value, 1)))?;
        }
        if failed.len() > SHOWN {
            let more = grouped((failed.len() - SHOWN) as u64);
            screen.line(format!("`{name}`: {more} more tests fail; --json shows them"))?;
        }
        Ok(())
    }

    fn machine(&self, rows: &[Row], faults: &[(String, String)], untested: &Untested, fit: bool, tests: u64) -> Value {
        let tested = rows.iter().map(|row| {
            let one = |test: &TestResult| {
                json!({
                    "test": test.name,
                    "statistic": test.statistic,
                    "p_value": test.p_value,
                    "corrected_p_value": bonferroni(test.p_value, tests),
                    "finding": test.text,
                })
            };
            json!({
                "name": row.tensor.name().as_str(),
                "scheme": row.tensor.expression(),
                "fits": row.fits(self.alpha),
                "corrected_p_value": row.corrected,
                "tests": row.fit.tests.iter().map(one).collect::<Vec<_>>(),
                "faults": row.fit.faults,
                "untested": row.fit.untested,
            })
        });
        let structural = faults.iter().map(|(name, fault)| json!({ "name": name, "fits": false, "faults": [fault] }));
        json!({
            "fits": fit,
            "alpha": self.alpha,
            "tests": tests,
            "tensors": structural.chain(tested).collect::<Vec<_>>(),
            "not_derived": untested.underived,
            "not_drawn": untested.undrawn,
        })
    }
}

/// Adds to each verdict an earlier tensor with the same values, unless the plan has them as aliases.
fn compare_tensors(plan: &Plan, fits: &mut [(usize, GoodnessOfFit)]) {
    let fingerprints: Vec<_> = fits.iter().map(|(_, fit)| fit.fingerprint.as_ref()).collect();
    for (number, other, text) in repeated_tensors(&fingerprints) {
        let (tensor, other) = (&plan.tensors()[fits[number].0], &plan.tensors()[fits[other].0]);
        let is_copy = tensor.drawn().zip(other.drawn()).is_some_and(|(tensor, other)| tensor.is_copy_of(other));
        if !is_copy {
            let name = cut(&escape(other.name().as_str()), 100);
            fits[number].1.faults.push(format!("{text} `{name}`"));
        }
    }
}

/// The tensor with this index. Errors if it has no distribution.
fn drawn(plan: &Plan, number: usize) -> Result<&DrawnTensor> {
    let tensor = &plan.tensors()[number];
    tensor.drawn().with_context(|| format!("`{}` was not drawn, so it has no distribution", tensor.name()))
}

/// The number of failed tests that are printed per tensor.
const SHOWN: usize = 6;

const COLUMNS: &[Column] = &[
    Column::words("name"),
    Column::words("shape"),
    Column::words("dtype"),
    Column::numbers("distance"),
    Column::numbers("mean"),
    Column::numbers("std"),
    Column::numbers("p, corrected"),
    Column::words("verdict"),
    Column::text("scheme"),
];

impl<'a> Row<'a> {
    fn new(tensor: &'a DrawnTensor, fit: GoodnessOfFit, tests: u64) -> Self {
        let corrected = fit.least().map(|test| bonferroni(test.p_value, tests));
        Self { tensor, fit, corrected }
    }

    fn fits(&self, alpha: f64) -> bool {
        self.fit.faults.is_empty() && self.corrected.is_none_or(|probability| probability >= alpha)
    }

    fn cells(&self, alpha: f64) -> Vec<String> {
        let Self { tensor, fit, corrected } = self;
        let statistic = |name: &str| {
            let test = fit.tests.iter().find(|test| test.name.trim_end_matches('*') == name);
            test.map_or(ABSENT.into(), |test| match name {
                "mean" => format!("{:+.2} se", test.statistic),
                "std" => format!("x {:.5}", test.statistic),
                _ => format!("{:.6}{}", test.statistic, if test.name.ends_with('*') { "*" } else { "" }),
            })
        };
        let word = match (self.fits(alpha), &fit.untested) {
            (false, _) => "does not fit".into(),
            (true, None) => "fits".into(),
            (true, Some(why)) => format!("fits ({why})"),
        };
        vec![
            cut(&escape(tensor.name().as_str()), 100),
            tensor.shape().to_string(),
            tensor.element().word().into(),
            statistic("distance"),
            statistic("mean"),
            statistic("std"),
            corrected.map_or(ABSENT.into(), |probability| shown_p(probability, 2)),
            word,
            cut(tensor.expression(), 100),
        ]
    }
}

/// A p-value. One that doubles cannot hold is 0.
fn shown_p(probability: f64, digits: usize) -> String {
    if probability == 0.0 { "< 1e-300".into() } else { format!("{probability:.digits$e}") }
}
