//! Documents that are made from the registries say what the registries say, and the Python module has the version of the program.

use std::path::{Path, PathBuf};
use std::process::Command;

#[track_caller]
fn is_fresh(page: &str, listed: &str) {
    let printed = Command::new(env!("CARGO_BIN_EXE_fanin")).args(["list", listed, "--markdown"]).output().unwrap();
    let written = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    assert!(printed.status.success());
    assert!(printed.stdout == written, "stale: `fanin list {listed} --markdown > {page}` renews {page}");
}

#[test]
fn the_page_of_schemes_is_what_the_program_prints() {
    is_fresh("docs/schemes.md", "schemes");
}

#[test]
fn the_page_of_coverage_is_what_the_program_prints() {
    is_fresh("docs/coverage.md", "frameworks");
}

#[test]
fn the_page_of_models_begins_with_what_the_program_prints() {
    let printed = Command::new(env!("CARGO_BIN_EXE_fanin")).args(["list", "models", "--markdown"]).output().unwrap();
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/models.md")).unwrap();
    let (listed, _) = page.split_once("\n## Oddities of the library").unwrap();
    assert!(printed.stdout == listed.as_bytes(), "stale: `scripts/families page` renews docs/models.md");
}

/// Every file and folder below some others.
fn below(folders: &[&str]) -> Vec<PathBuf> {
    let (mut found, mut folders): (_, Vec<PathBuf>) = (Vec::new(), folders.iter().map(Into::into).collect());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            folders.extend(path.is_dir().then(|| path.clone()));
            found.push(path);
        }
    }
    found
}

/// The source files that a page names in backticks and that are not there.
fn missing_files(page: &str, files: &[PathBuf]) -> Vec<String> {
    let named = page.split('`').skip(1).step_by(2).filter(|word| !word.contains("NAME"));
    let named = named.filter(|word| Path::new(word).extension().is_some_and(|extension| extension == "rs"));
    named.filter(|word| !files.iter().any(|file| file.ends_with(word))).map(Into::into).collect()
}

#[test]
fn the_files_that_the_pages_for_developers_name_exist() {
    let files = below(&["src", "tests", "scripts"]);
    for page in ["docs/design.md", "docs/contributing.md"] {
        let missing = missing_files(&std::fs::read_to_string(page).unwrap(), &files);
        assert!(missing.is_empty(), "{page}: {missing:?}");
    }
    assert_eq!(missing_files("`plan/mod.rs`, `plan/nothing.rs` and `gain.rs`", &files), ["plan/nothing.rs"]);
}

#[test]
fn the_python_module_has_the_version_of_the_program() {
    let module = std::fs::read_to_string("scripts/wheel/fanin/_version.py").unwrap();
    let line = format!("__version__ = {:?}", env!("CARGO_PKG_VERSION"));
    assert!(module.lines().any(|one| one == line), "scripts/wheel/fanin/_version.py has no line `{line}`");
}
