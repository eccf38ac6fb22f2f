//! `fanin explain`: one scheme, by any of its names.

use crate::common::Folder;

/// The names of all schemes in `fanin list schemes`.
fn schemes(folder: &Folder) -> Vec<String> {
    let listed = String::from_utf8(folder.done("list schemes")).unwrap();
    let rows = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(' '));
    rows.map(|(name, _)| name.to_string()).collect()
}

fn explain(folder: &Folder, name: &str) -> String {
    String::from_utf8(folder.done(&format!("explain {name}"))).unwrap()
}

/// The text of a section, which begins with its word in the third column.
fn section<'t>(text: &'t str, word: &str) -> &'t str {
    let start = text.find(&format!("\n  {word} ")).unwrap_or_else(|| panic!("no {word} in {text}"));
    text[start..].trim_start().strip_prefix(word).unwrap().trim_start()
}

#[test]
fn every_scheme_has_a_formula_a_source_and_an_example_that_runs() {
    let folder = Folder::new();
    folder.done("init normal:std=1 8x8 -q -o base.npy");
    let schemes = schemes(&folder);
    assert!(schemes.len() > 100, "{}", schemes.len());
    for name in schemes {
        let text = explain(&folder, &name);
        assert!(text.starts_with(&format!("{name}: ")), "{text}");
        for word in ["formula", "source"] {
            assert!(!section(&text, word).lines().next().unwrap().is_empty(), "{text}");
        }
        let example = section(&text, "example").strip_prefix("fanin ").unwrap_or_else(|| panic!("{text}"));
        folder.done(&format!("{} -q --dry-run", example.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
}

#[test]
fn a_scheme_is_explained_by_a_name_of_a_framework_and_with_parameters() {
    let folder = Folder::new();
    let text = explain(&folder, "he-normal");
    assert_eq!(explain(&folder, "torch.nn.init.kaiming_normal_"), text);
    assert_eq!(explain(&folder, "he-normal:gain=tanh"), text);
    assert!(section(&text, "parameters").starts_with("gain=relu: "), "{text}");
}

#[test]
fn packing_is_explained_like_a_scheme() {
    let text = explain(&Folder::new(), "packing");
    for parameter in ["groups: ", "heads: ", "split: ", "axis: ", "transposed: "] {
        assert!(text.contains(parameter), "{parameter} in {text}");
    }
}
