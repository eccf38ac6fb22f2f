//! `fanin list`: every row names something that other commands accept.

use crate::common::{Ended, Folder};
use serde_json::Value;

/// The rows of a list, each as its first two columns.
fn rows(folder: &Folder, list: &str) -> Vec<[String; 2]> {
    let listed = String::from_utf8(folder.done(&format!("list {list}"))).unwrap();
    let rows: Vec<_> = listed
        .lines()
        .take_while(|line| !line.is_empty())
        .map(|line| {
            let mut words = line.split_whitespace().map(ToString::to_string);
            [words.next().unwrap(), words.next().unwrap_or_default()]
        })
        .collect();
    assert!(rows.len() > 1, "{listed}");
    rows
}

#[test]
fn every_listed_format_is_written_by_its_extension() {
    let folder = Folder::new();
    for [name, extension] in rows(&folder, "formats") {
        let shown = String::from_utf8(folder.done(&format!("init zeros 3 -q -o w{extension}"))).unwrap();
        assert!(
            shown.is_empty() && folder.path().join(format!("w{extension}")).exists(),
            "{name} {extension}: {shown}"
        );
    }
}

#[test]
fn every_listed_layout_and_gain_is_accepted() {
    let folder = Folder::new();
    for [layout, _] in rows(&folder, "layouts") {
        folder.done(&format!("init he-normal 4x4x4x4 --layout {layout} --dry-run"));
    }
    for [gain, _] in rows(&folder, "gains") {
        folder.done(&format!("init he-normal:gain={gain} 4x4 --dry-run"));
    }
}

#[test]
fn every_listed_framework_has_a_list_of_its_names() {
    let folder = Folder::new();
    for [framework, count] in rows(&folder, "frameworks") {
        let names = rows(&folder, &format!("schemes --framework {framework}"));
        assert!(names.len() >= count.parse().unwrap(), "{framework}: {} names, {count} listed", names.len());
    }
}

#[test]
fn the_page_of_schemes_has_every_listed_scheme() {
    let folder = Folder::new();
    let listed = String::from_utf8(folder.done("list schemes")).unwrap();
    let page = String::from_utf8(folder.done("list schemes --markdown")).unwrap();
    for name in listed.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(' ')).map(|(name, _)| name) {
        assert!(page.contains(&format!("`{name}`")) || page.contains(&format!("# {name}\n")), "{name}");
    }
}

#[test]
fn a_search_finds_schemes_by_names_of_frameworks_summaries_and_sources() {
    let folder = Folder::new();
    for (words, found) in [
        ("kaiming", "he-normal"),
        ("Saxe", "orthogonal"),
        ("Glorot 2010", "glorot-uniform"),
        ("truncated", "truncated-normal"),
        ("XavierUniform", "glorot-uniform"),
    ] {
        let printed = |line| String::from_utf8(folder.fanin(line).arg(words).output().unwrap().stdout).unwrap();
        let listed = printed("list schemes --search");
        assert!(listed.contains(&format!("  {found} ")), "{words}: {listed}");
        assert!(!listed.contains("  zeros "), "{words}: {listed}");
        let rows: Vec<Value> = serde_json::from_str(&printed("list schemes --json --search")).unwrap();
        assert_eq!(rows.len(), listed.lines().filter(|line| line.starts_with("  ")).count());
        assert!(rows.iter().any(|row| row["name"] == found && row["source"].is_string()), "{rows:?}");
    }
    let ended = Ended::of(&mut folder.fanin("list schemes --search qqqq"));
    assert!(ended.is_refusal() && ended.stderr.contains("no scheme has `qqqq`"), "{}", ended.stderr);
    let ended = Ended::of(&mut folder.fanin("list formats --search npy"));
    assert!(ended.is_refusal() && ended.stderr.contains("--search is only for schemes and models"), "{}", ended.stderr);
}

#[test]
fn models_are_grouped_by_kind_and_found_by_names_and_classes() {
    let folder = Folder::new();
    let listed = String::from_utf8(folder.done("list models")).unwrap();
    let rows = listed.lines().take_while(|line| !line.is_empty());
    let kinds: Vec<&str> = rows.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(kinds, ["decoder", "encoder", "encoder-decoder", "vision", "vision-language", "audio", "other"]);
    let line = |text: &str, name: &str| {
        text.lines().find(|line| line.split_whitespace().any(|word| word == name)).unwrap().to_string()
    };
    assert!(line(&listed, "llama").starts_with("decoder "), "{listed}");
    let llama = String::from_utf8(folder.done("list models --search llama")).unwrap();
    assert!(line(&llama, "llama").contains("  Llama: ForCausalLM, Model, "), "{llama}");
    let narrow = folder.fanin("list models").env("COLUMNS", "80").output().unwrap().stdout;
    assert!(String::from_utf8(narrow).unwrap().lines().all(|line| line.chars().count() <= 80));
    for (words, found) in [
        ("CLIP vision", "clip_vision_model"),
        ("clipvision", "clip_vision_model"),
        ("GPT2DoubleHeads", "gpt2"),
        ("encoder-decoder", "t5"),
        ("gemma3", "gemma3_text"),
    ] {
        let rows = folder.fanin("list models --json --search").arg(words).output().unwrap().stdout;
        let rows: Vec<Value> = serde_json::from_slice(&rows).unwrap();
        let row = rows.iter().find(|row| row["name"] == found).unwrap_or_else(|| panic!("{words}: {rows:?}"));
        assert!(row["architectures"].as_array().unwrap().len() == row["heads"].as_array().unwrap().len());
        assert!(rows.iter().all(|row| row["name"] != "mamba"), "{words}: {rows:?}");
    }
    let ended = Ended::of(&mut folder.fanin("list models --search qqqq"));
    assert!(ended.is_refusal() && ended.stderr.contains("no model has `qqqq`"), "{}", ended.stderr);
}

#[test]
fn every_list_has_a_form_for_machines() {
    let folder = Folder::new();
    for list in
        ["schemes", "frameworks", "formats", "generators", "layouts", "gains", "models", "modules", "pretrain-methods"]
    {
        let rows: Vec<Value> = serde_json::from_slice(&folder.done(&format!("list {list} --json"))).unwrap();
        let listed = String::from_utf8(folder.done(&format!("list {list}"))).unwrap();
        assert!(rows.len() > 3, "{list}: {rows:?}");
        for row in rows {
            let name = row["name"].as_str().unwrap();
            assert!(listed.split_whitespace().any(|word| word == name), "{name} of {list}");
        }
    }
    let rows: Vec<Value> = serde_json::from_slice(&folder.done("list schemes --framework torch --json")).unwrap();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!(row("normal_")["means"], "normal:std=1,mean=0");
    assert!(row("calculate_gain")["refusal"].as_str().unwrap().contains("gain of an activation"));
}
