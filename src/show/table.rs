//! Tables and lines that fit a width, in columns of a terminal.

use unicode_width::UnicodeWidthStr;

/// A column of a table.
#[derive(Clone, Copy)]
pub struct Column {
    title: &'static str,
    is_number: bool,
    narrow: Narrow,
}

/// The place of a column in a table that is too narrow for all columns side by side.
#[derive(Clone, Copy, PartialEq)]
enum Narrow {
    Beside,
    /// Under the column with this title, which is the end of its own.
    Below(&'static str),
    /// In lines of its own.
    Apart,
}

impl Column {
    /// A column of names or other short words.
    pub const fn words(title: &'static str) -> Self {
        Self { title, is_number: false, narrow: Narrow::Beside }
    }

    /// A column of numbers, aligned to the right.
    pub const fn numbers(title: &'static str) -> Self {
        Self { title, is_number: true, narrow: Narrow::Beside }
    }

    /// A column of text, which a narrow table breaks between words or shows in lines of its own.
    pub const fn text(title: &'static str) -> Self {
        Self { title, is_number: false, narrow: Narrow::Apart }
    }

    /// A column of numbers that a narrow table shows below the column `below`; its title is a word and that one's title.
    pub const fn numbers_below(title: &'static str, below: &'static str) -> Self {
        Self { title, is_number: true, narrow: Narrow::Below(below) }
    }
}

/// The cell of a value that a row does not have.
pub const ABSENT: &str = "-";

/// The number of columns between two cells, and before a line that continues another.
const GAP: usize = 2;
/// The least width of text beside other columns, unless all of it is shorter.
const NARROWEST_TEXT: usize = 30;

/// Rows of cells, with or without a heading.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

/// The lines of a table.
#[derive(Debug, Default, PartialEq)]
pub struct Lines {
    /// The titles of the columns; empty if the columns have none or each cell has its own.
    pub heading: Vec<String>,
    /// The rows.
    pub rows: Vec<String>,
}

impl Table {
    /// A table of rows with a cell for each column.
    pub fn new(columns: impl IntoIterator<Item = Column>, rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: rows.into_iter().collect() }
    }

    /// The lines of the first layout that fits `width`: a line for each row, columns below each other, the same with the first column in
    /// a line of its own, or a line for each cell. A line exceeds the width only if it is a single word.
    pub fn lines(&self, width: usize) -> Lines {
        let layouts = [Self::side_by_side, Self::stacked, Self::led];
        layouts.iter().find_map(|layout| layout(self, width)).unwrap_or_else(|| self.cell_by_cell(width))
    }

    fn is_titled(&self) -> bool {
        self.columns.iter().any(|column| !column.title.is_empty())
    }

    fn titles(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.title.into()).collect()
    }

    /// All columns side by side; text in the last one may continue below itself.
    fn side_by_side(&self, width: usize) -> Option<Lines> {
        let heading: Vec<Vec<String>> = self.is_titled().then(|| self.titles()).into_iter().collect();
        let mut widths = widths(heading.iter().chain(&self.rows), self.columns.len());
        let (last, before) = (*widths.last()?, total(&widths) - widths.last()?);
        let room = width.saturating_sub(before);
        if last > room {
            let text = self.columns.last().filter(|column| column.narrow == Narrow::Apart);
            text.filter(|_| room >= last.min(NARROWEST_TEXT).max(self.longest_last_word()))?;
            *widths.last_mut()? = room;
        }
        let line = |row: &Vec<String>| {
            let (text, cells) = row.split_last()?;
            let mut lines = hanging(text, room, 0).into_iter();
            let first =
                padded(&[cells, &lines.next().into_iter().collect::<Vec<_>>()].concat(), &widths, &self.columns);
            Some([first].into_iter().chain(lines.map(|line| format!("{:before$}{line}", ""))).collect::<Vec<_>>())
        };
        let lines = |rows: &[Vec<String>]| rows.iter().filter_map(line).flatten().collect();
        Some(Lines { heading: lines(&heading), rows: lines(&self.rows) })
    }

    fn longest_last_word(&self) -> usize {
        let words = self.rows.iter().filter_map(|row| row.last()).flat_map(|text| text.split_whitespace());
        words.map(columns_of).max().unwrap_or(0)
    }

    fn stacked(&self, width: usize) -> Option<Lines> {
        self.columns.iter().any(|column| column.narrow != Narrow::Beside).then_some(())?;
        self.below_each_other(0, width)
    }

    fn led(&self, width: usize) -> Option<Lines> {
        self.below_each_other(1, width)
    }

    /// Each row as several lines: the first `lead` columns in a line each, then the columns that stay side by side, the other columns below
    /// them, and the text last.
    fn below_each_other(&self, lead: usize, width: usize) -> Option<Lines> {
        let beside: Vec<usize> =
            self.with(|narrow| narrow == Narrow::Beside).filter(|&column| column >= lead).collect();
        let (columns, indent) = (beside.iter().map(|&column| self.columns[column]).collect::<Vec<_>>(), GAP * lead);
        let titles: Vec<String> = columns.iter().map(|column| column.title.into()).collect();
        let heading: Vec<Vec<String>> = self.is_titled().then_some(titles).into_iter().collect();
        let cells = |row: &Vec<String>| {
            let first = beside.iter().map(|&column| row[column].clone()).collect();
            [vec![first], self.cells_below(row, &beside, 1 - lead)].concat()
        };
        let rows: Vec<Vec<Vec<String>>> = self.rows.iter().map(cells).collect();
        let widths = widths(heading.iter().chain(rows.iter().flatten()), columns.len());
        (indent + total(&widths) <= width).then_some(())?;
        let line = |cells: &Vec<String>| format!("{:indent$}{}", "", padded(cells, &widths, &columns));
        let mut lines = Lines::default();
        if self.is_titled() {
            lines.heading.extend(self.columns[..lead].iter().map(|column| column.title.into()));
            lines.heading.extend(heading.iter().map(line));
        }
        let text_at = self.text_column(lead, &widths, width);
        for (number, (row, cells)) in self.rows.iter().zip(&rows).enumerate() {
            // Rows of one name follow each other.
            let is_repeated = number > 0 && self.rows[number - 1][0] == row[0];
            let names = row[..lead].iter().filter(|_| !is_repeated);
            lines.rows.extend(names.flat_map(|name| hanging(name, width, GAP)));
            lines.rows.extend(cells.iter().filter(|cells| !cells.is_empty()).map(line));
            self.push_texts(&mut lines.rows, row, text_at, width);
        }
        Some(lines)
    }

    /// The column in which texts begin: that of the second cell, or behind all others if no titles tell them apart. `None` if too little
    /// room is left.
    fn text_column(&self, lead: usize, widths: &[usize], width: usize) -> Option<usize> {
        let others = if self.is_titled() { &widths[..1.min(widths.len())] } else { widths };
        Some(total(others) + GAP).filter(|column| lead == 0 && column + NARROWEST_TEXT <= width)
    }

    /// Adds the texts of a row below its lines. Without titles the first one begins in the last of these.
    fn push_texts(&self, lines: &mut Vec<String>, row: &[String], text_at: Option<usize>, width: usize) {
        let indent = text_at.unwrap_or(blanks_before(&row[0]) + GAP);
        let texts = self.with(|narrow| narrow == Narrow::Apart).map(|column| &row[column]);
        let mut texts = texts.filter(|text| is_there(text)).flat_map(|text| indented(text, width, indent));
        if let Some(last) = lines.last_mut().filter(|_| text_at.is_some() && !self.is_titled()) {
            let gap = indent.saturating_sub(columns_of(last));
            let first = texts.next().unwrap_or_default();
            last.extend([" ".repeat(gap).as_str(), first.trim_start()]);
            last.truncate(last.trim_end().len());
        }
        lines.extend(texts);
    }

    fn with(&self, wanted: impl Fn(Narrow) -> bool) -> impl Iterator<Item = usize> {
        let columns = self.columns.iter().enumerate();
        columns.filter(move |(_, column)| wanted(column.narrow)).map(|(number, _)| number)
    }

    /// The cells of a row below its first line: a line for each word that the titles of the cells below begin with, labelled at `label_at`.
    fn cells_below(&self, row: &[String], beside: &[usize], label_at: usize) -> Vec<Vec<String>> {
        let mut found: Vec<(&str, Vec<String>)> = Vec::new();
        for (column, cell) in self.columns.iter().zip(row).filter(|(_, cell)| is_there(cell)) {
            let Narrow::Below(below) = column.narrow else { continue };
            let label = column.title.strip_suffix(below).unwrap_or(column.title).trim_end();
            let Some(at) = beside.iter().position(|&number| self.columns[number].title == below) else { continue };
            if found.last().is_none_or(|(last, _)| *last != label) {
                let mut cells = vec![String::new(); beside.len()];
                cells[label_at] = label.into();
                found.push((label, cells));
            }
            if let Some((_, cells)) = found.last_mut() {
                cells[at].clone_from(cell);
            }
        }
        found.into_iter().map(|(_, cells)| cells).collect()
    }

    /// The first cell of each row, then a line with a title for each other one.
    fn cell_by_cell(&self, width: usize) -> Lines {
        let title = self.columns.iter().skip(1).map(|column| columns_of(column.title)).max().unwrap_or(0);
        let mut lines = Vec::new();
        for row in &self.rows {
            if title > 0 && !lines.is_empty() {
                lines.push(String::new());
            }
            let mut cells = self.columns.iter().zip(row);
            lines.extend(cells.next().iter().flat_map(|(_, first)| hanging(first, width, GAP)));
            for (column, cell) in cells.filter(|(_, cell)| is_there(cell)) {
                if title == 0 {
                    lines.extend(indented(cell, width, GAP));
                } else if GAP + title + GAP + columns_of(cell) <= width {
                    lines.push(format!("{:GAP$}{:title$}{:GAP$}{cell}", "", column.title, ""));
                } else {
                    lines.push(format!("{:GAP$}{}", "", column.title));
                    lines.extend(indented(cell, width, 2 * GAP));
                }
            }
        }
        Lines { heading: Vec::new(), rows: lines }
    }
}

fn is_there(cell: &str) -> bool {
    !cell.is_empty() && cell != ABSENT
}

/// The width of the widest cell in each of `count` columns.
fn widths<'a>(rows: impl Iterator<Item = &'a Vec<String>>, count: usize) -> Vec<usize> {
    rows.fold(vec![0; count], |widths, row| {
        widths.into_iter().zip(row).map(|(width, cell)| width.max(columns_of(cell))).collect()
    })
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// Cells in a line, each padded to its width.
fn padded(cells: &[String], widths: &[usize], columns: &[Column]) -> String {
    let pad = |((cell, &width), column): ((&String, &usize), &Column)| {
        let blanks = " ".repeat(width.saturating_sub(columns_of(cell)));
        if column.is_number { blanks + cell } else { cell.clone() + &blanks }
    };
    let cells: Vec<String> = cells.iter().zip(widths).zip(columns).map(pad).collect();
    cells.join("  ").trim_end().to_string()
}

/// The number of columns of a text in a terminal.
fn columns_of(text: &str) -> usize {
    text.width()
}

/// The text broken between words into lines that begin with `indent` blanks.
fn indented(text: &str, width: usize, indent: usize) -> Vec<String> {
    let lines = hanging(text, width.saturating_sub(indent), 0);
    lines.into_iter().map(|line| format!("{:indent$}{line}", "")).collect()
}

/// The number of blanks that a line begins with.
fn blanks_before(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// A blank between two words that stay on one line. It is a control character, so that text from outside never contains it.
pub const GLUE: char = '\u{1f}';

/// A line broken between words into lines of at most `width` columns. Each but the first begins with the blanks of the first and `indent`
/// more. A line that fits stays as it is, and a word that is too long for a line is broken behind commas.
pub fn hanging(line: &str, width: usize, indent: usize) -> Vec<String> {
    if columns_of(line) <= width {
        return vec![line.replace(GLUE, " ")];
    }
    let begin = blanks_before(line);
    let mut lines = vec![" ".repeat(begin)];
    let mut is_empty = true;
    for word in line.split(' ').filter(|word| !word.is_empty()).map(|word| word.replace(GLUE, " ")) {
        let mut gap = " ";
        for part in parts(&word, width.saturating_sub(begin + indent)) {
            let fits = |last: &&mut String| is_empty || columns_of(last) + columns_of(gap) + columns_of(part) <= width;
            match lines.last_mut().filter(fits) {
                Some(last) => last.extend([if is_empty { "" } else { gap }, part]),
                None => lines.push(" ".repeat(begin + indent) + part),
            }
            (is_empty, gap) = (false, "");
        }
    }
    lines
}

/// A word as it is, or its parts that end with commas if it is wider than `width`.
fn parts(word: &str, width: usize) -> Vec<&str> {
    if columns_of(word) <= width { vec![word] } else { word.split_inclusive(',').collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let columns = [
            Column::words("name"),
            Column::words("shape"),
            Column::numbers("mean"),
            Column::numbers_below("expected mean", "mean"),
            Column::text("scheme"),
        ];
        let rows = [["layer.0", "3x2", "0.25", "0", "normal"], ["b", "2", "1", "-", "-"]];
        Table::new(columns, rows.map(|row| row.map(String::from).to_vec()))
    }

    fn text(width: usize) -> String {
        let Lines { heading, rows } = table().lines(width);
        [heading, rows].concat().join("\n")
    }

    #[test]
    fn a_wide_table_has_a_line_for_each_row() {
        let wide = "\
name     shape  mean  expected mean  scheme
layer.0  3x2    0.25              0  normal
b        2         1              -  -";
        assert_eq!(text(43), wide);
        assert_eq!(text(usize::MAX), wide);
    }

    #[test]
    fn a_narrow_table_shows_columns_below_each_other() {
        let narrow = "\
name     shape     mean
layer.0  3x2       0.25
         expected     0
         normal
b        2            1";
        assert_eq!(text(42), narrow);
        assert_eq!(text(23), narrow.replace("         normal", "  normal"));
    }

    #[test]
    fn a_narrower_table_shows_the_first_column_in_lines_of_its_own() {
        let led = "\
name
  shape     mean
layer.0
  3x2       0.25
  expected     0
  normal
b
  2            1";
        assert_eq!(text(22), led);
    }

    #[test]
    fn the_narrowest_table_has_a_line_for_each_cell() {
        let cells = "\
layer.0
  shape
    3x2
  mean
    0.25
  expected mean
    0
  scheme
    normal

b
  shape
    2
  mean
    1";
        assert_eq!(text(15), cells);
    }

    #[test]
    fn text_in_the_last_column_continues_below_itself() {
        let row = vec!["a".into(), "one two three four five six seven eight".into()];
        let table = Table::new([Column::words(""), Column::text("")], [row]);
        let Lines { heading, rows } = table.lines(33);
        assert_eq!((heading, rows), (vec![], vec!["a  one two three four five six".into(), "   seven eight".into()]));
    }

    #[test]
    fn rows_of_one_name_share_its_line() {
        let rows = [["long-name", "a.npz", "1"], ["long-name", "b.npz", "2"], ["w", "a.npz", "3"]];
        let columns = [Column::words("name"), Column::words("file"), Column::numbers("mean")];
        let table = Table::new(columns, rows.map(|row| row.map(String::from).to_vec()));
        assert_eq!(table.lines(15).rows, ["long-name", "  a.npz     1", "  b.npz     2", "w", "  a.npz     3"]);
    }

    #[test]
    fn several_texts_begin_beside_the_name_and_continue_below() {
        let row = ["a", "a text of more than thirty columns", "another"].map(String::from).to_vec();
        let table = Table::new([Column::words(""), Column::text(""), Column::text("")], [row]);
        assert_eq!(table.lines(33).rows, ["a  a text of more than thirty", "   columns", "   another"]);
        assert_eq!(table.lines(20).rows, ["a", "  a text of more", "  than thirty", "  columns", "  another"]);
    }

    #[test]
    fn words_are_not_broken_and_wide_characters_count_twice() {
        assert_eq!(hanging("  one two three", 9, 2), ["  one two", "    three"]);
        assert_eq!(hanging("unbreakable word", 5, 2), ["unbreakable", "  word"]);
        assert_eq!(hanging("重み 重み", 8, 0), ["重み", "重み"]);
        assert_eq!(hanging("low\u{1f}0, high\u{1f}1", 12, 2), ["low 0,", "  high 1"]);
    }
}
