//! The options of a data file, for commands that read one.

use crate::reader::{Columns, DatasetOptions, Delimiter, TextOptions};

/// The part of a data file that is read.
#[derive(clap::Args)]
#[command(next_help_heading = super::help::INPUT)]
pub(super) struct DataOptions {
    /// Tensor of that file, if it has several
    #[arg(long, value_name = "NAME", requires = "data")]
    data_tensor: Option<String>,
    /// Delimiter of text: tab, space, ... [default: auto]
    ///
    /// Any character, `tab`, `space` for any number of blanks, or `auto`.
    #[arg(long, value_name = "CHAR", requires = "data")]
    delimiter: Option<Delimiter>,
    /// Columns of text: 1-64,70 or 2- or age,height
    ///
    /// By number, counted from 1, or by name.
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
