//! The names of a file's tensors as a tree, with the numbers of tensors, elements and bytes in each branch.

use std::collections::HashMap;

use crate::reader::Contents;
use crate::show::{Column, Table};
use crate::tensor::Shape;
use crate::text::{bytes, cut, escape, grouped};

/// The maximum number of parts of a name that get separate branches; the rest share one.
const DEEPEST: usize = 32;
/// The maximum number of characters shown of a part of a name.
const LONGEST: usize = 60;

/// The part of the tree below a name.
#[derive(Default, PartialEq)]
struct Branch {
    parts: Vec<(String, Branch)>,
    places: HashMap<String, usize>,
    tensor: Option<(Shape, String)>,
    tensors: u64,
    elements: u64,
    bytes: u64,
}

/// A row for each branch, in the order of the file. Equal branches with consecutive numbers, such as layers, share a row.
pub fn tree(contents: &Contents, wanted: &dyn Fn(&str) -> bool) -> Table {
    let mut root = Branch::default();
    for entry in contents.entries.iter().filter(|entry| wanted(&entry.name)) {
        let elements = entry.shape.count();
        let size = entry.bytes().unwrap_or(0);
        let mut branch = &mut root;
        branch.count(elements, size);
        for part in entry.name.splitn(DEEPEST, ['.', '/']) {
            branch = branch.part(part);
            branch.count(elements, size);
        }
        branch.tensor = Some((entry.shape.clone(), entry.type_word.clone()));
    }
    let mut lines = Vec::new();
    root.lines("", &mut lines);
    let rows = lines.into_iter().map(|(name, content)| vec![name, content]);
    Table::new([Column::words(""), Column::text("")], rows)
}

impl Branch {
    fn count(&mut self, elements: u64, bytes: u64) {
        self.tensors += 1;
        self.elements = self.elements.saturating_add(elements);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn part(&mut self, name: &str) -> &mut Self {
        let place = *self.places.entry(name.into()).or_insert_with(|| {
            self.parts.push((name.into(), Self::default()));
            self.parts.len() - 1
        });
        &mut self.parts[place].1
    }

    fn lines(&self, indent: &str, lines: &mut Vec<(String, String)>) {
        let mut number = 0;
        while number < self.parts.len() {
            let equal = self.equal_from(number);
            let last = number + equal == self.parts.len();
            let (mut name, mut branch) = (cut(&escape(&self.parts[number].0), LONGEST), &self.parts[number].1);
            if equal > 1 {
                name = format!("{name}..{}", self.parts[number + equal - 1].0);
            }
            // A branch with a single part shares its line.
            while branch.tensor.is_none() && branch.parts.len() == 1 {
                name = format!("{name}.{}", cut(&escape(&branch.parts[0].0), LONGEST));
                branch = &branch.parts[0].1;
            }
            let times = if equal > 1 { format!("{equal} x ") } else { String::new() };
            lines.push((
                format!("{indent}{}{name}", if last { "└ " } else { "├ " }),
                format!("{times}{}", branch.content()),
            ));
            branch.lines(&format!("{indent}{}", if last { "  " } else { "│ " }), lines);
            number += equal;
        }
    }

    /// The number of equal branches from `number` on whose names are consecutive numbers.
    fn equal_from(&self, number: usize) -> usize {
        let (name, branch) = &self.parts[number];
        let Ok(first) = name.parse::<u64>() else { return 1 };
        let follows = |(further, (name, other)): (u64, &(String, Self))| {
            first.checked_add(further).is_some_and(|wanted| *name == wanted.to_string()) && other == branch
        };
        (0..).zip(&self.parts[number..]).take_while(|&pair| follows(pair)).count().max(1)
    }

    fn content(&self) -> String {
        let size = if self.bytes > 0 || self.elements == 0 { bytes(self.bytes) } else { "-".into() };
        match &self.tensor {
            Some((shape, word)) if self.parts.is_empty() => format!("{shape} {}, {size}", cut(&escape(word), LONGEST)),
            _ => format!("{} tensors, {} elements, {size}", grouped(self.tensors), grouped(self.elements)),
        }
    }
}
