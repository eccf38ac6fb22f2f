//! The colours of help and errors.

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice, adapter};
use clap::builder::Styles;
use clap::builder::styling::{AnsiColor, Style};

/// The style of headings.
pub(super) const HEADING: Style = AnsiColor::Green.on_default().bold();
/// The style of the word before an error.
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The style of the word before a note.
pub(super) const NOTE: Style = AnsiColor::Yellow.on_default().bold();
/// The style of the word before a good result.
pub(super) const GOOD: Style = HEADING;
const LITERAL: Style = AnsiColor::Cyan.on_default().bold();

/// The styles of help.
pub(super) const STYLES: Styles =
    Styles::styled().header(HEADING).usage(HEADING).literal(LITERAL).placeholder(AnsiColor::Cyan.on_default());

/// True if a stream shows colours: a terminal does, unless `NO_COLOR`, `CLICOLOR` or `TERM` refuse them.
pub(super) fn is_coloured(stream: &impl RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

/// The text without its colours, if a stream does not show them.
pub(super) fn coloured(text: &str, stream: &impl RawStream) -> String {
    if is_coloured(stream) { text.into() } else { adapter::strip_str(text).to_string() }
}
