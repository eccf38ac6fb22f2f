//! Finds the model families, so that one more is one file more in src/model/families, and says how the program is linked.

use std::path::Path;
use std::{env, fs, io};

const FOLDER: &str = "src/model/families";

fn main() -> io::Result<()> {
    link();
    println!("cargo:rerun-if-changed={FOLDER}");
    let mut names: Vec<String> = fs::read_dir(FOLDER)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()?;
    names.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == "toml"));
    names.sort();
    let files = names.iter().map(|name| {
        format!("({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{FOLDER}/{name}\"))),\n")
    });
    let out = env::var_os("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&out).join("families.rs"), format!("&[\n{}]\n", files.collect::<String>()))
}

/// A program at a fixed address has no pointers to relocate when it starts: fourteen thousand of them, a tenth of the time that a small
/// file takes, at the price of an address that can be foreseen. Who wants a position-independent one builds with `FANIN_PIE` set.
fn link() {
    println!("cargo:rerun-if-env-changed=FANIN_PIE");
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    let gnu = ["ARCH", "OS", "ENV"].map(target) == ["x86_64", "linux", "gnu"];
    let sanitized = env::var_os("CARGO_CFG_SANITIZE").is_some();
    if gnu && !sanitized && !target("FEATURE").contains("crt-static") && env::var_os("FANIN_PIE").is_none() {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
