//! Patterns of tensor names, compiled together. `*` also matches dots and slashes; a pattern matches whole names.

use std::cell::RefCell;

use anyhow::{Result, anyhow, ensure};
use globset::{Glob, GlobBuilder, GlobSet};

/// The maximum number of patterns of a set.
pub(super) const MAX_PATTERNS: usize = 4096;
/// The longest pattern, in bytes.
const MAX_LENGTH: usize = 4096;
/// The maximum number of bytes of all patterns of a set.
const MAX_TOTAL: usize = 1 << 18;
/// The deepest nesting of braces, since `globset` and its engine recurse.
const MAX_NESTING: usize = 16;

/// Patterns in order, each with a flag that is true once it has matched a name.
pub(super) struct Patterns {
    set: GlobSet,
    matched: RefCell<Vec<bool>>,
}

/// Patterns before they are compiled.
#[derive(Default)]
pub(super) struct Globs {
    globs: Vec<Glob>,
    bytes: usize,
}

impl Globs {
    /// Adds a pattern. Errors if it is invalid or exceeds a limit.
    pub(super) fn add(&mut self, text: &str) -> Result<()> {
        ensure!(self.globs.len() < MAX_PATTERNS, "more than {MAX_PATTERNS} patterns");
        ensure!(text.len() <= MAX_LENGTH, "{} bytes: at most {MAX_LENGTH} are allowed", text.len());
        self.bytes += text.len();
        ensure!(self.bytes <= MAX_TOTAL, "the patterns up to this one exceed {MAX_TOTAL} bytes");
        let depth = nesting(text);
        ensure!(depth <= MAX_NESTING, "braces are nested {depth} deep: at most {MAX_NESTING} are allowed");
        self.globs.push(glob(text)?);
        Ok(())
    }

    /// Compiles all patterns. Errors if they are too large together.
    pub(super) fn compile(&self) -> Result<Patterns> {
        let set = self.globs.iter().map(shared).collect::<Result<Vec<_>>>().and_then(|globs| Ok(GlobSet::new(globs)?));
        let set = set.map_err(|_| anyhow!("the patterns are too large in total: write shorter or fewer ones"))?;
        Ok(Patterns { set, matched: RefCell::new(vec![false; self.globs.len()]) })
    }
}

impl Patterns {
    /// The numbers of the patterns that a name matches, in order.
    pub(super) fn matching(&self, name: &str) -> Vec<usize> {
        let numbers = self.set.matches(name);
        let mut matched = self.matched.borrow_mut();
        for &number in &numbers {
            matched[number] = true;
        }
        numbers
    }

    /// The first pattern that has matched no name and that is not `excused`.
    pub(super) fn unmatched(&self, excused: impl Fn(usize) -> bool) -> Option<usize> {
        let matched = self.matched.borrow();
        (0..matched.len()).find(|&number| !matched[number] && !excused(number))
    }
}

fn glob(text: &str) -> Result<Glob> {
    let glob = GlobBuilder::new(text).literal_separator(false).backslash_escape(true).empty_alternates(true).build();
    glob.map_err(|error| anyhow!("not a pattern: {}", error.kind()))
}

/// A pattern as the set compiles it. `globset` would compile one automaton for each pattern that ends in an extension such as
/// `.weight`, and try them all. An empty alternative at the end prevents that, so all wildcards share one automaton.
fn shared(pattern: &Glob) -> Result<Glob> {
    match pattern.glob().contains(['*', '?', '[', '{']) {
        true => glob(&format!("{}{{,}}", pattern.glob())),
        false => Ok(pattern.clone()),
    }
}

/// The deepest nesting of braces that are not escaped.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest, mut escaped) = (0_usize, 0, false);
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(patterns: &[&str]) -> Patterns {
        let mut globs = Globs::default();
        for text in patterns {
            globs.add(text).unwrap();
        }
        globs.compile().unwrap()
    }

    #[test]
    fn patterns_match_whole_names_and_in_order() {
        let patterns = compiled(&[
            "*",
            "h.0.weight",
            "h.*.weight",
            "*.{weight,bias}",
            "h.?.w*",
            "[gh].[0-9].*t",
            "weight",
            "x*",
            r"h.\*",
        ]);
        assert_eq!(patterns.matching("h.0.weight"), [0, 1, 2, 3, 4, 5]);
        assert_eq!(patterns.matching("h.10/mlp.weight"), [0, 2, 3]);
        assert_eq!(patterns.matching("h.1.mlp/weight"), [0, 5]);
        assert_eq!(patterns.matching("h.*"), [0, 8]);
        assert_eq!(patterns.matching(""), [0]);
        assert_eq!(compiled(&[]).matching("w"), [0usize; 0]);
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_found() {
        let patterns = compiled(&["a*", "*", "b"]);
        assert_eq!(patterns.unmatched(|_| false), Some(0));
        assert_eq!(patterns.matching("abc"), [0, 1]);
        assert_eq!(patterns.unmatched(|number| number == 1), Some(2));
        assert_eq!(patterns.unmatched(|number| number == 2), None);
    }

    #[test]
    fn patterns_are_bounded_before_they_are_compiled() {
        let nested = |depth: usize| format!("{}a{}", "{b,".repeat(depth), "}".repeat(depth));
        let pattern = |text: &str| Globs::default().add(text);
        assert!(pattern(&nested(MAX_NESTING)).is_ok());
        for text in [nested(17), nested(250), nested(1300), "{".repeat(60_000), "[".into(), "{a".into(), "a\\".into()] {
            let error = format!("{:#}", pattern(&text).unwrap_err());
            assert!(error.contains("allowed") || error.contains("not a pattern"), "{error}");
        }
        // An escaped brace opens nothing.
        assert!(pattern(&"\\{".repeat(300)).is_ok());
    }
}
