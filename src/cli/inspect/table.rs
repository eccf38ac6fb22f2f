//! The table of `fanin inspect`.

use super::{Inspected, Looked, expected, plots, scheme, shown};
use crate::reader::Entry;
use crate::show::{ABSENT, Column, Table};
use crate::statistics::summary::Summary;
use crate::text::{figure, grouped};

/// The measured columns.
const MEASURED: &[(Column, Cell)] = &[
    (Column::words("shape"), |entry, _| Some(entry.shape.to_string())),
    (Column::words("dtype"), |entry, _| Some(shown(&entry.type_word))),
    (Column::numbers("count"), |entry, _| Some(grouped(entry.shape.count()))),
    (Column::numbers("min"), |_, summary| summary?.min.map(figure)),
    (Column::numbers("max"), |_, summary| summary?.max.map(figure)),
    (Column::numbers("mean"), |_, summary| summary?.mean().map(figure)),
    (Column::numbers("std"), |_, summary| summary?.std().map(figure)),
];

/// The columns of files with schemes.
const EXPECTED: &[(Column, Cell)] = &[
    (Column::numbers_below("expected min", "min"), |entry, _| Some(figure(expected(entry)?.bounds?.0))),
    (Column::numbers_below("expected max", "max"), |entry, _| Some(figure(expected(entry)?.bounds?.1))),
    (Column::numbers_below("expected mean", "mean"), |entry, _| expected(entry)?.mean.map(figure)),
    (Column::numbers_below("expected std", "std"), |entry, _| expected(entry)?.std.map(figure)),
    (Column::text("scheme"), |entry, _| scheme(entry).map(shown)),
];

/// The text of a tensor's cell in a column, if any.
type Cell = fn(&Entry, Option<&Summary>) -> Option<String>;

/// The tensors of all files, with the file of each if there are several. Tensors of one name follow each other.
pub(super) fn table(labels: &[String], files: &[Inspected]) -> Table {
    let is_planned = files.iter().flat_map(|file| &file.contents.entries).any(|entry| scheme(entry).is_some());
    let columns: Vec<(Column, Cell)> = [MEASURED, if is_planned { EXPECTED } else { &[] }].concat();
    let several = files.len() > 1;
    let file = several.then_some(Column::words("file"));
    let titles = [Column::words("name")].into_iter().chain(file).chain(columns.iter().map(|(column, _)| *column));
    let places = plots::rows(files).into_iter().flat_map(|row| row.into_iter().enumerate());
    let rows = places.filter_map(|(number, place)| {
        let Looked { number: entry, summary, .. } = &files[number].looked[place?];
        let entry = &files[number].contents.entries[*entry];
        let names = [shown(&entry.name)].into_iter().chain(several.then(|| shown(&labels[number])));
        let cell = |(_, cell): &(Column, Cell)| cell(entry, summary.as_ref()).unwrap_or_else(|| ABSENT.into());
        Some(names.chain(columns.iter().map(cell)).collect())
    });
    Table::new(titles, rows)
}
