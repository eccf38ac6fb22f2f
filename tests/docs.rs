//! Documents that are made from the registries say what the registries say.

use std::process::Command;

#[test]
fn the_page_of_schemes_is_what_the_program_prints() {
    let printed = Command::new(env!("CARGO_BIN_EXE_fanin")).args(["list", "schemes", "--markdown"]).output().unwrap();
    let written = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemes.md")).unwrap();
    assert!(printed.status.success());
    assert!(
        printed.stdout == written,
        "stale: `fanin list schemes --markdown > docs/schemes.md` renews docs/schemes.md"
    );
}
