//! Files that are gone when their test is.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A file that is gone when the test is.
pub(crate) struct Temporary(pub(crate) PathBuf);

impl Temporary {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("fanin-readers-{}-{number}", std::process::id())))
    }

    /// Where the manifest of a file of raw values lies.
    pub(crate) fn manifest(&self) -> PathBuf {
        let mut path = self.0.clone().into_os_string();
        path.push(".json");
        path.into()
    }

    /// Raw values and their manifest.
    pub(crate) fn of_raw(values: &[u8], manifest: &[u8]) -> Self {
        let file = Self::of(values);
        fs::write(file.manifest(), manifest).unwrap();
        file
    }

    pub(crate) fn of(bytes: &[u8]) -> Self {
        let file = Self::new();
        fs::write(&file.0, bytes).unwrap();
        file
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_file(self.manifest());
    }
}
