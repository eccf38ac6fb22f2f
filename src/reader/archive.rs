//! Zip archives, for the formats that are one.

use std::fs::File;
use std::io::BufReader;

use anyhow::{Result, ensure};
use zip::ZipArchive;

use super::zip_end::End;

pub(super) type Archive = ZipArchive<BufReader<File>>;

/// Opens an archive that is exactly its file, and of which no two readers could see different members.
pub(super) fn open(file: File, length: u64) -> Result<Archive> {
    let end = End::read(&file, length)?;
    let mut archive = Archive::new(BufReader::new(file))?;
    ensure!(!archive.has_duplicate_names(), "two members have one name");
    let read = End {
        members: archive.len() as u64,
        directory: archive.central_directory_start(),
        comment: archive.comment().len(),
    };
    ensure!(read == end && archive.offset() == 0, "it can be read as two different archives");
    archive.validate_header_consistency()?;
    Ok(archive)
}
