//! The files of a plan: their names, their content and their order.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::rank::Rank;
use super::statement::Statement;
use crate::format::{self, Format, Piece, Sidecar};
use crate::plan::Plan;
use crate::text::shown;
use crate::writer;

/// A file to write, and its content.
pub struct PlannedFile {
    /// Path of the file.
    pub path: PathBuf,
    pub(super) plan: Plan,
    pub(super) pieces: Vec<Piece>,
    /// Number of the tensor file that this sidecar belongs to. `None` for tensor files and for sidecars of all of
    /// them.
    pub(super) sidecar_of: Option<usize>,
}

/// All files of a plan.
pub struct Files {
    /// Folder of the files, which may not exist yet; `None` for a single file.
    pub(super) folder: Option<PathBuf>,
    /// Files of tensors.
    pub data: Vec<PlannedFile>,
    /// Small files, written after all tensors, the index last.
    pub(super) small: Vec<PlannedFile>,
    /// True if a reader would take any other shard in the folder for a part of the same checkpoint.
    pub(super) is_checkpoint: bool,
    /// The rank of this process; `None` if it writes every file.
    pub rank: Option<Rank>,
    /// True if the SHA-256 of each file is listed in another file.
    pub(super) sha256: bool,
    /// The statement about the files, written last; `None` if none is written.
    pub(super) statement: Option<Statement>,
}

/// Longest file name, in bytes, of common file systems.
const MAX_FILE_NAME: usize = 255;
const SHA256SUMS: &str = "SHA256SUMS";

impl PlannedFile {
    pub(super) fn of_bytes(path: PathBuf, bytes: Vec<u8>, plan: &Plan) -> Self {
        Self { path, plan: plan.of(Vec::new()), pieces: vec![Piece::Bytes(bytes)], sidecar_of: None }
    }

    pub(super) fn of_tensors(path: PathBuf, plan: Plan, pieces: Vec<Piece>) -> Self {
        Self { path, plan, pieces, sidecar_of: None }
    }

    /// The format's sidecar for tensor file `number`; `None` for pipes and standard output.
    fn sidecar(path: &Path, plan: &Plan, format: &Format, number: usize) -> Result<Option<Self>> {
        let sidecar = format.sidecar(plan, path)?.filter(|_| !writer::is_stream(path));
        Ok(sidecar.map(|Sidecar { name, bytes }| Self {
            sidecar_of: Some(number),
            ..Self::of_bytes(path.with_file_name(name), bytes, plan)
        }))
    }

    /// Size in bytes; `None` for text, whose length depends on the values.
    pub fn size(&self) -> Option<u64> {
        format::size(&self.pieces, &self.plan)
    }
}

/// True if no file, folder or link has this path.
pub(super) fn is_free(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

impl Files {
    /// A single file, with its sidecar.
    pub fn single(path: PathBuf, plan: &Plan, format: &Format) -> Result<Self> {
        let pieces = format.pieces(plan)?;
        let small = PlannedFile::sidecar(&path, plan, format, 0)?.into_iter().collect();
        let data = vec![PlannedFile::of_tensors(path, plan.clone(), pieces)];
        Ok(Self { folder: None, data, small, is_checkpoint: false, rank: None, sha256: false, statement: None })
    }

    /// One file for each tensor. Errors if a path would be both a file and a folder.
    pub fn of_tensors(folder: &Path, plan: &Plan, format: &Format, sidecars: Vec<Sidecar>) -> Result<Self> {
        check_folder(folder)?;
        let mut data = Vec::with_capacity(plan.tensors().len());
        let mut small = Vec::new();
        for tensor in plan.tensors() {
            let path = folder.join(format!("{}.{}", tensor.name(), format.extensions[0]));
            let longest = path.components().map(|part| part.as_os_str().len()).max().unwrap_or(0);
            ensure!(longest <= MAX_FILE_NAME, "{}: a file name has at most {MAX_FILE_NAME} bytes", shown(&path));
            let plan = plan.of(vec![tensor.clone()]);
            let pieces = format.pieces(&plan)?;
            small.extend(PlannedFile::sidecar(&path, &plan, format, data.len())?);
            data.push(PlannedFile::of_tensors(path, plan, pieces));
        }
        let paths: HashSet<&Path> = data.iter().map(|file| file.path.as_path()).collect();
        let both = paths.iter().flat_map(|path| path.ancestors().skip(1)).find(|folder| paths.contains(folder));
        ensure!(both.is_none(), "{} would be both a file and a folder", both.map(shown).unwrap_or_default());
        Ok(Self::in_folder(folder, data, small, plan, sidecars))
    }

    /// Tensor files, their own sidecars, and the sidecars shared by all of them.
    pub(super) fn in_folder(
        folder: &Path,
        data: Vec<PlannedFile>,
        mut small: Vec<PlannedFile>,
        plan: &Plan,
        sidecars: Vec<Sidecar>,
    ) -> Self {
        let of_all = |Sidecar { name, bytes }| PlannedFile::of_bytes(folder.join(name), bytes, plan);
        small.extend(sidecars.into_iter().map(of_all));
        let folder = Some(folder.into());
        Self { folder, data, small, is_checkpoint: false, rank: None, sha256: false, statement: None }
    }

    /// Limits the files to those that `rank` writes. With `sha256` their hashes are listed too, and with a statement they are stated.
    #[must_use]
    pub fn written_by(self, rank: Option<Rank>, sha256: bool, statement: Option<Statement>) -> Self {
        Self { rank, sha256, statement, ..self }
    }

    /// All files except the list of hashes and the statement, tensor files first.
    pub fn all(&self) -> impl Iterator<Item = &PlannedFile> {
        self.data.iter().chain(&self.small)
    }

    /// Tensor files that this process writes, with their numbers.
    pub fn own(&self) -> impl Iterator<Item = (usize, &PlannedFile)> {
        self.data.iter().enumerate().filter(|(number, _)| self.owns(*number))
    }

    pub(super) fn owns(&self, file: usize) -> bool {
        self.rank.as_ref().is_none_or(|rank| rank.owns(file))
    }

    /// Paths of the files that change. A small file with the same bytes on disk is left out.
    pub fn changed(&self) -> impl Iterator<Item = &Path> {
        let is_same = |file: &PlannedFile| writer::is_whole(&file.plan, &file.pieces, &file.path).unwrap_or(false);
        let small = self.small.iter().filter(move |file| !is_same(file));
        self.data.iter().chain(small).map(|file| file.path.as_path())
    }

    /// Every file with its size in bytes, tensor files first; `None` if the size depends on the values.
    pub fn sizes(&self) -> Vec<(PathBuf, Option<u64>)> {
        let about = self.sha256_path().into_iter().chain(self.statement_path().map(Path::to_path_buf));
        self.all().map(|file| (file.path.clone(), file.size())).chain(about.map(|path| (path, None))).collect()
    }

    /// Path of the statement; `None` if none is written.
    pub fn statement_path(&self) -> Option<&Path> {
        self.statement.as_ref().map(|statement| statement.path.as_path())
    }

    /// Path of the list of hashes: in the folder, or next to the single file; `None` if none is written.
    pub fn sha256_path(&self) -> Option<PathBuf> {
        let path = match &self.folder {
            Some(folder) => folder.join(SHA256SUMS),
            None => {
                let mut path = self.data.first()?.path.clone().into_os_string();
                path.push(".sha256");
                path.into()
            }
        };
        Some(path).filter(|_| self.sha256)
    }
}

/// Errors if a file already has this path.
pub(super) fn check_folder(folder: &Path) -> Result<()> {
    // Without its trailing slash, which would make the system require a folder.
    let plain: PathBuf = folder.components().collect();
    // A single call, because another process may create the folder between two calls.
    match fs::metadata(&plain) {
        Ok(metadata) => ensure!(metadata.is_dir(), "{} is a file, not a folder: use another name", shown(&plain)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| shown(&plain)),
    }
    Ok(())
}
