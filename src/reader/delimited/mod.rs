//! Matrices in text: lines of numbers as spreadsheets, `numpy.savetxt`, pandas and R write them.

mod columns;
mod number;
mod records;

use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

pub use columns::Columns;
pub use records::Delimiter;

use super::check_memory;
use crate::format::{OPENING, opening, sidecar_of};
use crate::tensor::{Backing, Origin, to_usize};
use crate::text::{cut, escape, grouped};
use number::{Field, fault, misspelled};
use records::Records;

/// Longest record, in bytes.
const MAX_RECORD: u64 = 1 << 24;
/// Largest share of the memory limit for one record, as a divisor. A record with its field positions and names takes
/// 29 times its bytes.
const SHARE_OF_A_RECORD: u64 = 32;
/// Number of bytes from which the delimiter is guessed.
const GUESSED_FROM: u64 = 1 << 16;

/// Options for reading a text file.
#[derive(Clone, Debug, Default)]
pub struct TextOptions {
    /// Delimiter between fields.
    pub delimiter: Delimiter,
    /// Columns to read; `None` for all.
    pub columns: Option<Columns>,
}

/// Matrix read from a text file.
pub(super) struct Matrix {
    /// Values in row-major order, one sample after the other.
    pub(super) values: Vec<f64>,
    pub(super) samples: u64,
    pub(super) features: usize,
    pub(super) notes: Vec<String>,
}

/// True if the content is text: no weights format matches, and there are no control characters.
pub(super) fn is_text(path: &Path) -> Result<bool> {
    if path.is_dir() || sidecar_of(path).is_some() {
        return Ok(false);
    }
    Ok(super::is_text(&opening(&Origin::open(path)?, OPENING)?))
}

/// Reads the numbers of a text file into at most `limit` bytes of memory.
pub(super) fn read(path: &Path, options: &TextOptions, limit: u64) -> Result<Matrix> {
    let origin = Origin::open(path)?;
    let length = origin.length();
    ensure!(length > 0, "it is empty");
    let delimiter = options.delimiter.or_guessed(&opening(&origin, GUESSED_FROM)?);
    let longest = MAX_RECORD.min(limit / SHARE_OF_A_RECORD);
    let mut rows = Rows::new(Records::new(BufReader::new(origin.reader()), delimiter, longest), limit);
    rows.begin(options.columns.as_ref())?;
    loop {
        rows.take()?;
        if !rows.records.next()? {
            return rows.finish();
        }
    }
}

/// Records of equal width. The selected columns become samples.
struct Rows<R> {
    records: Records<R>,
    limit: u64,
    heading: Option<Vec<String>>,
    width: usize,
    /// Positions of the selected columns.
    places: Vec<usize>,
    values: Vec<f64>,
    samples: u64,
    missing: Missing,
    notes: Vec<String>,
}

/// Number of missing values so far.
#[derive(Default)]
struct Missing {
    count: u64,
    first: String,
    /// True for each column without missing values.
    complete: Vec<bool>,
}

impl<R: std::io::BufRead> Rows<R> {
    fn new(records: Records<R>, limit: u64) -> Self {
        Self {
            records,
            limit,
            heading: None,
            width: 0,
            places: Vec::new(),
            values: Vec::new(),
            samples: 0,
            missing: Missing::default(),
            notes: Vec::new(),
        }
    }

    /// Advances to the first record of numbers and resolves the selected columns.
    fn begin(&mut self, columns: Option<&Columns>) -> Result<()> {
        let nothing = "it has no line of numbers";
        ensure!(self.records.next()?, nothing);
        if let Some(heading) = self.heading_of_record() {
            ensure!(self.records.next()?, nothing);
            self.heading = Some(heading);
        }
        self.width = self.records.width();
        if let Some(heading) = &mut self.heading {
            // R names the data columns only, and leaves the column of row names without a heading.
            if heading.len() + 1 == self.width && !self.records.field(self.width - 1).is_empty() {
                heading.insert(0, String::new());
            }
            let (line, names) = (self.records.line, heading.len());
            ensure!(names == self.width, "line {line} has {} values, but the header has {names} names", self.width);
            ensure!(
                columns.is_some() || names < 2 || !heading[0].is_empty(),
                "its first column has no name, like an index from pandas or R: use --columns 2- to omit it"
            );
        }
        self.places = match columns {
            Some(columns) => columns.places(self.heading.as_deref(), self.width).context("--columns")?,
            None => (0..self.width).collect(),
        };
        self.missing.complete = vec![true; self.width];
        Ok(())
    }

    /// Names in the record if it is a heading: one without numbers, or the column numbers of pandas.
    fn heading_of_record(&mut self) -> Option<Vec<String>> {
        let is_counting = |from: usize| {
            let mut rest = self.records.fields().skip(from).enumerate();
            self.records.width() >= 3 && rest.all(|(number, field)| *field == number.to_string())
        };
        let is_word = |field: &str| Field::of(field) == Field::Word && misspelled(field).is_none();
        let is_words = self.records.fields().any(|field| is_word(&field))
            && self.records.fields().all(|field| is_word(&field) || Field::of(&field) == Field::Missing);
        let has_index = self.records.width() > 0 && self.records.field(0).is_empty();
        let counts = is_counting(usize::from(has_index));
        if counts && !has_index {
            let line = self.records.line;
            self.notes.push(format!("line {line} of the data is 0, 1, 2, ... and is read as a header"));
        }
        (is_words || counts).then(|| self.records.fields().map(std::borrow::Cow::into_owned).collect())
    }

    /// Appends the selected fields of the record as a sample.
    fn take(&mut self) -> Result<()> {
        let (line, width) = (self.records.line, self.records.width());
        ensure!(width == self.width, "line {line} has {width} values, but earlier lines have {}", self.width);
        let features = self.places.len();
        self.samples += 1;
        check_memory(self.samples, features, self.limit)?;
        self.make_room(features)?;
        for at in 0..features {
            let place = self.places[at];
            match Field::of(&self.records.field(place)) {
                Field::Number(value) => self.values.push(value),
                Field::Missing => self.miss(place),
                Field::Infinite | Field::Word => bail!(self.fault(place)),
            }
        }
        Ok(())
    }

    /// Reserves room for `further` values: at most doubles the capacity, and never exceeds the limit.
    fn make_room(&mut self, further: usize) -> Result<()> {
        let (held, most) = (self.values.len(), to_usize(self.limit / 8));
        if self.values.capacity() - held < further {
            let room = (2 * held).min(most).max(held + further) - held;
            self.values.try_reserve_exact(room).context("it does not fit in memory")?;
        }
        Ok(())
    }

    fn miss(&mut self, place: usize) {
        if self.missing.count == 0 {
            self.missing.first = format!("{}: `{}`", self.place(place), cut(&escape(&self.records.field(place)), 30));
        }
        self.missing.count += 1;
        self.missing.complete[place] = false;
    }

    /// Position for errors, such as `line 3, column 2 (age)`.
    fn place(&self, place: usize) -> String {
        let name = self.heading.as_ref().map(|names| format!(" (`{}`)", cut(&escape(&names[place]), 60)));
        format!("line {}, column {}{}", self.records.line, place + 1, name.unwrap_or_default())
    }

    /// Reason why a field of the record is invalid.
    fn fault(&self, place: usize) -> String {
        let fault = format!("{}: {}", self.place(place), fault(&self.records.field(place)));
        if self.samples == 1 && self.heading.is_none() {
            return format!("{fault}, but a header cannot contain numbers");
        }
        let is_number = |at| matches!(Field::of(&self.records.field(at)), Field::Number(_));
        match self.option(is_number) {
            Some(option) => format!("{fault}: choose the numeric columns with {option}"),
            None => fault,
        }
    }

    /// Usable columns in the syntax of `--columns`; `None` if there are none.
    fn option(&self, is_of_use: impl Fn(usize) -> bool) -> Option<String> {
        let mut holds = vec![false; self.width];
        self.places.iter().for_each(|&place| holds[place] = is_of_use(place));
        columns::option(&holds)
    }

    fn finish(self) -> Result<Matrix> {
        let Missing { count, first, complete } = &self.missing;
        if *count > 0 {
            let option = self.option(|place| complete[place]);
            bail!(
                "{first} is a missing value, {}: fill {} in{}",
                if *count == 1 { "the only one".into() } else { format!("one of {}", grouped(*count)) },
                if *count == 1 { "it" } else { "them" },
                option.map_or(String::new(), |option| format!(", or choose other columns with {option}"))
            );
        }
        let Self { values, samples, places, notes, .. } = self;
        Ok(Matrix { values, samples, features: places.len(), notes })
    }
}
