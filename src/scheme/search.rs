//! Searches the schemes for words.

use super::frameworks::Alias;
use super::{Scheme, all};

/// Words that say nothing of a scheme, as in `He et al`.
const NOISE: &[&str] =
    &["al", "and", "by", "et", "init", "initialisation", "initialization", "initializer", "of", "the", "weights"];

/// Words shorter than this match only themselves: `he` is in `the`.
const SHORTEST_PART: usize = 4;

/// The schemes that have every word in their names, summaries or sources. Words such as `et al` do not count.
pub fn search(text: &str) -> Vec<&'static Scheme> {
    let mut wanted = words(text);
    if wanted.iter().any(|word| !NOISE.contains(&word.as_str())) {
        wanted.retain(|word| !NOISE.contains(&word.as_str()));
    }
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<&Scheme> = all().filter(|scheme| scheme.has(&wanted)).collect();
    // Those with such a name come first.
    found.sort_by_key(|scheme| !words(scheme.name).iter().any(|word| wanted.contains(word)));
    found
}

impl Scheme {
    fn has(&self, wanted: &[String]) -> bool {
        let aliases = self.framework_aliases().flat_map(|Alias { framework, name, .. }| [*framework, *name]);
        let texts =
            [self.name, self.summary, self.source].into_iter().chain(self.aliases.iter().copied()).chain(aliases);
        let own: Vec<String> = texts.flat_map(words).collect();
        wanted.iter().all(|wanted| {
            own.iter()
                .any(|word| word == wanted || wanted.chars().count() >= SHORTEST_PART && word.contains(wanted.as_str()))
        })
    }
}

/// The words of a text in lower case.
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|character: char| !character.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect()
}
