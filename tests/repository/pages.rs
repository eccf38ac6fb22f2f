//! Documents that are made from the registries say what the registries say.

use std::path::Path;
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
