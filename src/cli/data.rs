//! The options of a data file, for the commands that read one.

use crate::reader::{Columns, DatasetOptions, Delimiter, TextOptions};

/// The samples of the data that are read.
#[derive(clap::Args)]
pub(super) struct DataOptions {
    /// The name of the data, if its file holds several tensors
    #[arg(long, value_name = "NAME", requires = "data")]
    data_tensor: Option<String>,
    /// The delimiter of data in a text: one character, tab, space (any number of blanks) or auto [default: auto]
    #[arg(long, value_name = "CHAR", requires = "data")]
    delimiter: Option<Delimiter>,
    /// The columns of a text to read, counted from 1 or by their names in the heading, as in 1-64,70, 2- or age,height
    #[arg(long, value_name = "LIST", requires = "data")]
    columns: Option<Columns>,
}

impl DataOptions {
    pub(super) fn table(&self) -> DatasetOptions {
        let Self { data_tensor, delimiter, columns } = self;
        let is_of_text = delimiter.is_some() || columns.is_some();
        let text = || TextOptions { delimiter: delimiter.unwrap_or_default(), columns: columns.clone() };
        DatasetOptions { tensor: data_tensor.clone(), text: is_of_text.then(text) }
    }
}
