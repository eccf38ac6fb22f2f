//! The log of a run: one JSON object per line, with the name of the run. Each line is one write.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::cli::shown;
use crate::pretrain::{History, Row};
use crate::writer;

/// A log. The file is opened for the first line, so that a refused run does not touch an older file.
pub(super) struct Log {
    path: PathBuf,
    run: String,
    start: Start,
    file: Option<File>,
}

/// The state of the file before its first line.
enum Start {
    /// A new file; an older one is replaced if that is allowed.
    Empty { replaces: bool },
    /// The file of a resumed run: these bytes stay, and these lines follow.
    Copied { bytes: u64, lines: String },
}

/// The maximum length of a line in bytes.
const MAX_LINE: u64 = 1 << 16;

impl Log {
    pub(super) fn new(path: &Path, run: &str, replaces: bool) -> Self {
        Self { path: path.into(), run: run.into(), start: Start::Empty { replaces }, file: None }
    }

    /// The log of a run that resumes after these measurements. Errors if the file has lines of another run, unless `replaces`.
    pub(super) fn resumed(path: &Path, run: &str, history: &History, replaces: bool) -> Result<Self> {
        let mut rows = history.rows().map(|row| line(run, &row)).peekable();
        let mut bytes = 0;
        if path.is_file() {
            let mut file = BufReader::new(File::open(path).with_context(|| shown(path))?);
            let (mut held, mut number) = (Vec::new(), 0);
            let mut same = true;
            while file.by_ref().take(MAX_LINE).read_until(b'\n', &mut held).with_context(|| shown(path))? > 0 {
                number += 1;
                if !is_of(run, &held) && !replaces {
                    bail!("{}: line {number} is from another run: name another file, or add --force", shown(path));
                }
                same = same && rows.next_if(|row| row.as_bytes() == held).is_some();
                bytes += if same { held.len() as u64 } else { 0 };
                held.clear();
            }
        }
        let start = Start::Copied { bytes, lines: rows.collect() };
        Ok(Self { path: path.into(), run: run.into(), start, file: None })
    }

    pub(super) fn add(&mut self, row: &Row) -> Result<()> {
        let text = line(&self.run, row);
        self.opened()?.write_all(text.as_bytes()).context("--log")
    }

    /// Completes the file, as a run may end without another line.
    pub(super) fn finish(&mut self, fsync: bool) -> Result<()> {
        let file = self.opened()?;
        // A device or pipe has nothing to sync.
        if fsync && file.metadata().context("--log")?.is_file() {
            file.sync_all().context("--log")?;
        }
        Ok(())
    }

    fn opened(&mut self) -> Result<&mut File> {
        if self.file.is_none() {
            self.file = Some(self.open().with_context(|| shown(&self.path)).context("--log")?);
        }
        self.file.as_mut().context("--log")
    }

    fn open(&self) -> Result<File> {
        let mut options = OpenOptions::new();
        options.write(true);
        if writer::is_stream(&self.path) {
            return Ok(options.append(true).open(&self.path)?);
        }
        match &self.start {
            Start::Empty { replaces: true } => Ok(options.create(true).truncate(true).open(&self.path)?),
            Start::Empty { replaces: false } => Ok(options.create_new(true).open(&self.path)?),
            Start::Copied { bytes, lines } => {
                let mut file = options.create(true).truncate(false).open(&self.path)?;
                file.set_len(*bytes)?;
                file.seek(SeekFrom::End(0))?;
                file.write_all(lines.as_bytes())?;
                Ok(file)
            }
        }
    }
}

/// The beginning of every line of a run.
fn opening(run: &str) -> String {
    format!("{{\"run\":\"{run}\",")
}

/// True for a line of that run, for the beginning of one, and for the zeros that a power cut leaves.
fn is_of(run: &str, held: &[u8]) -> bool {
    let opening = opening(run);
    let zeros = held.iter().all(|&byte| byte == 0);
    let begins = !held.ends_with(b"\n") && opening.as_bytes().starts_with(held);
    held.starts_with(opening.as_bytes()) || begins || zeros
}

fn line(run: &str, row: &Row) -> String {
    let means = |means: &[(&str, f64)]| -> Map<String, Value> {
        means.iter().map(|&(name, value)| (name.into(), json!(value))).collect()
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let epoch = row.epoch as u64;
    let values = json!({
        "layer": row.layer,
        "epoch": epoch,
        "training": means(&row.training),
        "held_out": means(&row.held_out),
        "seconds": row.seconds,
    });
    let values = values.to_string();
    format!("{}{}\n", opening(run), values.strip_prefix('{').unwrap_or(&values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_their_beginnings_are_of_their_run() {
        for held in ["{\"run\":\"ab\",\"epoch\":1}\n", "{\"run\":\"ab\",\"ep", "{\"ru", "{", "\0\0\0"] {
            assert!(is_of("ab", held.as_bytes()), "{held:?}");
        }
        for held in ["{\"run\":\"ac\",\"epoch\":1}\n", "{\n", "{\"epoch\":1}\n", "notes", "\n", "{\"run\":\"a\","] {
            assert!(!is_of("ab", held.as_bytes()), "{held:?}");
        }
    }
}
