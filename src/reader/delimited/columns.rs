//! Column selection of a text file, by position or by name in the heading.

use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};

use crate::text::{cut, did_you_mean, escape};

/// Columns in the order in which they are selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Vec<Column>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    /// First and last position, from 1; `None` for the last column.
    Places(usize, Option<usize>),
    Name(String),
}

impl FromStr for Columns {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(Self(text.split(',').map(|part| column(part.trim())).collect::<Result<_>>()?))
    }
}

fn column(part: &str) -> Result<Column> {
    ensure!(!part.is_empty(), "a number or name is missing: use columns such as 1-64,70 or age,height");
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if first.is_empty() || !digits(first) || !digits(last) {
        return Ok(Column::Name(part.into()));
    }
    let place = |text: &str| text.parse::<usize>().with_context(|| format!("`{part}`: no such column"));
    let first = place(first)?;
    let last = if last.is_empty() { None } else { Some(place(last)?) };
    ensure!(first > 0, "`{part}`: columns are counted from 1");
    ensure!(last.is_none_or(|last| first <= last), "`{part}`: the range ends before it begins");
    Ok(Column::Places(first, last))
}

impl Columns {
    /// Selected positions, from 0, among `width` columns with these names.
    pub(super) fn places(&self, names: Option<&[String]>, width: usize) -> Result<Vec<usize>> {
        let (mut places, mut taken) = (Vec::new(), vec![false; width]);
        for column in &self.0 {
            let (first, last) = match column {
                Column::Places(first, last) => (*first, last.unwrap_or(width)),
                Column::Name(name) => {
                    let place = place_of(name, names)? + 1;
                    (place, place)
                }
            };
            ensure!(first <= width && last <= width, "column {}: the data has only {width}", first.max(last));
            for (place, taken) in taken.iter_mut().enumerate().take(last).skip(first - 1) {
                ensure!(!*taken, "column {} is chosen twice", place + 1);
                *taken = true;
                places.push(place);
            }
        }
        Ok(places)
    }
}

fn place_of(name: &str, names: Option<&[String]>) -> Result<usize> {
    let shown = cut(&escape(name), 60);
    let names =
        names.with_context(|| format!("`{shown}`: the data has no header: choose columns by number, as in 1-64,70"))?;
    let mut found = names.iter().enumerate().filter(|(_, other)| *other == name);
    let Some((place, _)) = found.next() else {
        let hint = did_you_mean(name, names.iter().map(String::as_str));
        bail!("the header has no column `{shown}`{hint}");
    };
    ensure!(found.next().is_none(), "the header has `{shown}` twice: choose it by number, {}", place + 1);
    Ok(place)
}

/// Positions of the true entries in the syntax of `--columns`; `None` if there are none.
pub(super) fn option(holds: &[bool]) -> Option<String> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for (place, _) in holds.iter().enumerate().filter(|(_, holds)| **holds) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == place => *last = place,
            _ => ranges.push((place, place)),
        }
    }
    let shown = ranges.iter().map(|&(first, last)| match first == last {
        true => (first + 1).to_string(),
        false => format!("{}-{}", first + 1, last + 1),
    });
    (!ranges.is_empty()).then(|| format!("--columns {}", cut(&shown.collect::<Vec<_>>().join(","), 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Result<Vec<usize>> {
        let names: Vec<String> = ["a", "b-c", "d", "d"].map(String::from).to_vec();
        text.parse::<Columns>()?.places(Some(&names), 4)
    }

    #[test]
    fn columns_are_chosen_by_place_and_name() {
        for (text, expected) in
            [("1-3", &[0, 1, 2][..]), ("3-", &[2, 3]), ("4,a", &[3, 0]), ("b-c, 1", &[1, 0]), ("2-2", &[1])]
        {
            assert_eq!(places(text).unwrap(), expected, "{text}");
        }
        for text in ["0", "5", "2-5", "3-2", "1,1", "1-2,b-c", "d", "x", "", "1,", "-2", "99999999999999999999"] {
            assert!(places(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_left_is_told_as_the_option_takes_it() {
        assert_eq!(option(&[true, true, true, false, true]).as_deref(), Some("--columns 1-3,5"));
        assert_eq!(option(&[false, false]), None);
    }
}
