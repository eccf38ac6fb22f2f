//! Repeated layers, folded into one line of a report: `layers.{0..31}.weight=8x8 f32: zeros (x32)`.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// The least number of lines that are folded.
const REPEATED: usize = 3;

/// The line of a tensor.
pub(super) struct Line {
    /// Its name, safe to show.
    pub(super) name: String,
    /// All the rest.
    pub(super) description: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.description)
    }
}

/// The place of a number in the pattern of names. Names that are safe to show have no such character.
const NUMBER: char = '\0';

/// Lines that differ only in the numbers of their names.
struct Group {
    /// The names, with [`NUMBER`] in the place of each number.
    pattern: String,
    description: String,
    /// The different numbers at each place.
    numbers: Vec<BTreeSet<u64>>,
    count: usize,
}

/// The lines of items in order. Lines that differ only in numbers in their names become one, at the place of the first, if their names
/// have all combinations of those numbers.
pub(super) fn folded<T>(items: &[T], line: impl Fn(&T) -> Line) -> Vec<String> {
    let mut groups: Vec<Group> = Vec::new();
    let mut numbers: HashMap<(String, String), usize> = HashMap::new();
    let members: Vec<usize> = items
        .iter()
        .map(|item| {
            let Line { name, description } = line(item);
            let (pattern, layers) = taken_apart(&name);
            let group = *numbers.entry((pattern, description)).or_insert_with_key(|(pattern, description)| {
                let numbers = vec![BTreeSet::new(); layers.len()];
                groups.push(Group { pattern: pattern.clone(), description: description.clone(), numbers, count: 0 });
                groups.len() - 1
            });
            for (seen, layer) in groups[group].numbers.iter_mut().zip(layers) {
                seen.insert(layer);
            }
            groups[group].count += 1;
            group
        })
        .collect();
    let mut shown = vec![false; groups.len()];
    let mut folded = Vec::new();
    let complete: Vec<bool> = groups.iter().map(Group::is_complete).collect();
    for (item, group) in items.iter().zip(members) {
        if !complete[group] {
            // Such lines are made twice, because all lines together take much memory.
            folded.push(line(item).to_string());
        } else if !std::mem::replace(&mut shown[group], true) {
            folded.push(groups[group].to_string());
        }
    }
    folded
}

impl Group {
    /// True if it has enough lines, with all combinations of their numbers.
    fn is_complete(&self) -> bool {
        let combinations = self.numbers.iter().try_fold(1usize, |product, seen| product.checked_mul(seen.len()));
        self.count >= REPEATED && combinations == Some(self.count)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, text) in self.pattern.split(NUMBER).enumerate() {
            f.write_str(text)?;
            match self.numbers.get(position) {
                Some(seen) if seen.len() > 1 => write!(f, "{{{}}}", ranges(seen))?,
                Some(seen) => seen.iter().try_for_each(|number| write!(f, "{number}"))?,
                None => {}
            }
        }
        write!(f, "={} (x{})", self.description, self.count)
    }
}

/// The pattern of a name, and its numbers. A number is a full part between dots or slashes.
fn taken_apart(name: &str) -> (String, Vec<u64>) {
    let (mut pattern, mut numbers) = (String::with_capacity(name.len()), Vec::new());
    for part in name.split_inclusive(['.', '/']) {
        let word = part.trim_end_matches(['.', '/']);
        match number(word) {
            Some(number) => {
                numbers.push(number);
                pattern.push(NUMBER);
                pattern.push_str(&part[word.len()..]);
            }
            None => pattern.push_str(part),
        }
    }
    (pattern, numbers)
}

/// The number of a word that is written back as it was.
fn number(word: &str) -> Option<u64> {
    let is_digits = word.bytes().all(|byte| byte.is_ascii_digit()) && (word.len() == 1 || !word.starts_with('0'));
    word.parse().ok().filter(|_| is_digits)
}

/// Numbers as in a shell's braces: `0..31`, `0..10..2`, or ranges `0..3,5,7..9`.
fn ranges(numbers: &BTreeSet<u64>) -> String {
    let all: Vec<u64> = numbers.iter().copied().collect();
    let step = all[1] - all[0];
    if step > 1 && all.len() > 2 && all.windows(2).all(|pair| pair[1] - pair[0] == step) {
        return format!("{}..{}..{step}", all[0], all[all.len() - 1]);
    }
    let runs = all.chunk_by(|one, next| one + 1 == *next).map(|run| match run {
        [one] => one.to_string(),
        run => format!("{}..{}", run[0], run[run.len() - 1]),
    });
    runs.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded_names(names: &[&str]) -> Vec<String> {
        folded(names, |name| Line { name: (*name).into(), description: "d".into() })
    }

    #[test]
    fn numbers_are_ranges_steps_or_lists() {
        for (names, line) in [
            (&["h.0.w", "h.1.w", "h.2.w"][..], "h.{0..2}.w=d (x3)"),
            (&["h/1", "h/3", "h/5", "h/7"], "h/{1..7..2}=d (x4)"),
            (&["h.0", "h.1", "h.5", "h.9"], "h.{0..1,5,9}=d (x4)"),
            (&["l.0.e.0", "l.0.e.1", "l.1.e.0", "l.1.e.1"], "l.{0..1}.e.{0..1}=d (x4)"),
            (&["l.3.e.0", "l.3.e.1", "l.3.e.2"], "l.3.e.{0..2}=d (x3)"),
        ] {
            assert_eq!(folded_names(names), [line]);
        }
    }

    #[test]
    fn names_that_are_few_or_not_all_combinations_keep_their_lines() {
        let names = ["l.0.e.0", "l.0.e.1", "l.1.e.0", "x1", "x2", "x3", "h.00", "h.01", "h.02", "k.0", "k.1"];
        assert_eq!(folded_names(&names), names.map(|name| format!("{name}=d")));
    }

    #[test]
    fn a_folded_line_is_at_the_place_of_its_first_tensor() {
        let names = ["a", "h.0.w", "h.0.b", "h.1.w", "h.1.b", "h.2.w", "h.2.b", "z"];
        assert_eq!(folded_names(&names), ["a=d", "h.{0..2}.w=d (x3)", "h.{0..2}.b=d (x3)", "z=d"]);
    }
}
