//! `fanin inspect --json`. Missing statistics are null, and so are infinite numbers: an open bound, the condition of a singular matrix.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Inspect, Inspected, Looked, all_notes, expected, scheme};
use crate::inspect::{Expected, Spectrum};
use crate::provenance::Provenance;
use crate::reader::Entry;
use crate::statistics::summary::Summary;

impl Inspect {
    /// The findings as one JSON object; those of two files under `files`.
    pub(super) fn machine(&self, files: &[Inspected]) -> Result<Value> {
        let objects = files.iter().zip(&self.files).map(|(file, path)| {
            let mut object = self.file_json(file)?;
            object["file"] = json!(path.to_string_lossy());
            Ok(object)
        });
        let mut objects = objects.collect::<Result<Vec<_>>>()?;
        if let ([_], Some(object)) = (files, objects.pop_if(|_| files.len() == 1)) {
            return Ok(object);
        }
        Ok(json!({ "files": objects }))
    }

    fn file_json(&self, file: &Inspected) -> Result<Value> {
        let Inspected { contents, looked } = file;
        let seed = contents.provenance.as_ref().map(Provenance::seed).transpose()?;
        let mut tensors = Vec::new();
        for looked in looked {
            let mut object = tensor(&contents.entries[looked.number], looked);
            if self.plot.is_some() {
                object["histogram"] = file.histogram_json(looked)?;
            }
            tensors.push(object);
        }
        Ok(json!({
            "format": contents.format.name,
            "generator": contents.provenance.as_ref().map(|provenance| &provenance.generator),
            "seed": seed.as_ref().map(crate::cli::report::seed),
            "tensors": tensors,
            "notes": all_notes(contents, looked),
        }))
    }
}

fn tensor(entry: &Entry, looked: &Looked) -> Value {
    let summary = looked.summary.as_ref();
    let distribution = expected(entry).map(|Expected { mean, std, bounds }| {
        let (low, high) = bounds.unzip();
        json!({ "mean": mean, "std": std, "low": low, "high": high })
    });
    let mut object = json!({
        "name": entry.name,
        "shape": entry.shape.axes(),
        "dtype": entry.type_word,
        "count": entry.shape.count(),
        "bytes": entry.bytes(),
        "nan": summary.map(|summary| summary.nan),
        "infinite": summary.map(|summary| summary.infinite),
        "min": summary.and_then(|summary| summary.min),
        "max": summary.and_then(|summary| summary.max),
        "mean": summary.and_then(Summary::mean),
        "std": summary.and_then(Summary::std),
        "scheme": scheme(entry),
        "expected": distribution,
    });
    if let Some(file) = &entry.file {
        object["file"] = json!(file);
    }
    if let Some(found) = &looked.spectrum {
        object["spectrum"] = spectrum(found);
    }
    object
}

fn spectrum(spectrum: &Spectrum) -> Value {
    let Spectrum { sides: (rows, columns), values, random } = spectrum;
    json!({
        "rows": rows,
        "columns": columns,
        "singular_values": values,
        "condition": spectrum.condition(),
        "random": random.map(|(low, high)| json!({ "low": low, "high": high })),
    })
}
