//! Finds the model families, so that one more is one file more in src/model/families.

use std::path::Path;
use std::{env, fs, io};

const FOLDER: &str = "src/model/families";

fn main() -> io::Result<()> {
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
