//! Writes the files of a plan so that published files never mix old and new content.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::files::{Files, PlannedFile, is_free};
use super::shards;
use crate::format::Piece;
use crate::text::shown;
use crate::writer::{
    self, Existing, FileOptions, Outcome, Prepared, Settings, Standing, sha256_of_bytes, sha256_of_files,
};

/// The result of writing files.
#[derive(Default)]
pub struct WriteSummary {
    /// Files that were written, in order.
    pub written: Vec<PathBuf>,
    /// Files that were already complete.
    pub skipped: Vec<PathBuf>,
    /// Written files that replaced a damaged one.
    pub damaged: Vec<PathBuf>,
    /// Size of the written values, in bytes.
    pub value_bytes: u64,
    /// Number of files of other ranks that do not exist yet.
    pub missing: usize,
    /// SHA-256 of each file.
    pub sha256: Vec<(PathBuf, String)>,
    /// Modes of the files that were removed before the first tensor file was replaced.
    pub(crate) withdrawn: HashMap<PathBuf, u32>,
}

impl PlannedFile {
    /// Path and hash of a small file; `None` for a tensor file.
    fn sha256(&self) -> Option<(PathBuf, String)> {
        let [Piece::Bytes(bytes)] = self.pieces.as_slice() else { return None };
        Some((self.path.clone(), sha256_of_bytes(bytes)))
    }

    /// Errors if the file could not be written. With `in_folder`, the folder may not exist yet.
    fn check(&self, options: FileOptions, in_folder: bool) -> Result<()> {
        if in_folder && is_free(&self.path) {
            return Ok(());
        }
        writer::check_target(&self.plan, &self.pieces, &self.path, options).with_context(|| shown(&self.path))
    }

    /// True if the file exists and is complete. Errors if another file exists and must not be replaced.
    fn is_complete(&self, existing: Existing) -> Result<bool> {
        if is_free(&self.path) {
            return Ok(false);
        }
        let standing = match self.path.is_file() {
            true => writer::standing(&self.plan, &self.pieces, &self.path)?,
            false => Standing::Other,
        };
        ensure!(
            standing != Standing::Other || existing == Existing::Replace,
            "{}: {}",
            shown(&self.path),
            writer::OTHER
        );
        Ok(standing == Standing::Whole)
    }

    fn prepare(&self, options: FileOptions, settings: &Settings) -> Result<Prepared<'_>> {
        writer::prepare_file(&self.plan, &self.pieces, &self.path, options, settings)
    }

    fn publish(&self, prepared: Prepared, done: &mut WriteSummary) -> Result<()> {
        let outcome = prepared.publish(done.withdrawn.get(&self.path).copied())?;
        if outcome == Outcome::Mended {
            done.damaged.push(self.path.clone());
        }
        match outcome {
            Outcome::Written | Outcome::Mended => {
                done.value_bytes += self.plan.bytes();
                done.written.push(self.path.clone());
            }
            Outcome::Skipped => done.skipped.push(self.path.clone()),
        }
        Ok(())
    }
}

impl Files {
    /// Errors if any file could not be put in place. Runs before any work is done.
    pub fn check(&self, options: FileOptions) -> Result<()> {
        let in_folder = self.folder.is_some();
        for (number, file) in self.data.iter().enumerate() {
            if self.owns(number) {
                file.check(options, in_folder)?;
            } else {
                file.is_complete(options.existing)?;
            }
            let no_file = fs::metadata(&file.path).is_ok_and(|metadata| !metadata.is_file());
            if let Some(option) = self.hashed_for().filter(|_| no_file) {
                bail!("{}: {option} needs a regular file", shown(&file.path));
            }
        }
        self.small.iter().try_for_each(|file| file.check(of_small(options), in_folder))?;
        let about = self.sha256_path().into_iter().chain(self.statement_path().map(Path::to_path_buf));
        // A rank may find the list and the statement that another rank wrote.
        for path in about.filter(|_| options.existing == Existing::Refuse && self.rank.is_none()) {
            ensure!(is_free(&path), "{}: already exists: use --force to overwrite", shown(&path));
        }
        if let Some(path) = self.statement_path() {
            // Its content is unknown before the work, and so an existing one is not compared.
            let replaced = FileOptions { existing: Existing::Replace, ..options };
            let file = PlannedFile::of_bytes(path.into(), Vec::new(), &self.data[0].plan);
            file.check(replaced, self.folder.as_ref().is_some_and(|folder| path.starts_with(folder)))?;
        }
        self.refuse_others()
    }

    /// The option that needs the hashes of the files; `None` if none does.
    fn hashed_for(&self) -> Option<&'static str> {
        let statement = self.statement.as_ref().map(|_| "--provenance");
        self.sha256.then_some("--sha256").or(statement)
    }

    /// Errors if the folder has shards of another checkpoint: a reader would take them for parts of this one.
    fn refuse_others(&self) -> Result<()> {
        let Some(folder) = self.folder.as_ref().filter(|folder| self.is_checkpoint && folder.is_dir()) else {
            return Ok(());
        };
        let ours: HashSet<&Path> = self.all().map(|file| file.path.as_path()).collect();
        for entry in fs::read_dir(folder).with_context(|| shown(folder))? {
            let name = entry.with_context(|| shown(folder))?.file_name();
            let path = folder.join(&name);
            if name.to_str().is_some_and(shards::is_part) && !ours.contains(path.as_path()) {
                bail!("{} belongs to another checkpoint: remove it, or use another folder", shown(&path));
            }
        }
        Ok(())
    }

    /// Size of the values that this process has to write, in bytes.
    pub fn bytes_to_write(&self, existing: Existing) -> u64 {
        let is_skipped = |file: &PlannedFile| {
            existing == Existing::KeepComplete && file.is_complete(Existing::KeepComplete).unwrap_or(false)
        };
        self.own().filter(|(_, file)| !is_skipped(file)).map(|(_, file)| file.plan.bytes()).sum()
    }

    /// Writes this process's tensor files, then the small files if all tensor files exist by then.
    pub fn write(&self, options: FileOptions, settings: &Settings) -> Result<WriteSummary> {
        let mut done = WriteSummary::default();
        // The folder of a single file already exists.
        for folder in self.folder.iter().flat_map(|_| self.all()).filter_map(|file| file.path.parent()) {
            fs::create_dir_all(folder).with_context(|| shown(folder))?;
        }
        let sidecars: HashMap<usize, &PlannedFile> =
            self.small.iter().filter_map(|file| Some((file.sidecar_of?, file))).collect();
        for (number, file) in self.own() {
            self.write_one(file, sidecars.get(&number).copied(), options, settings, &mut done)?;
        }
        for (number, file) in self.data.iter().enumerate() {
            if !self.owns(number) && !file.is_complete(options.existing)? {
                done.missing += 1;
            }
        }
        if self.folder.is_some() && done.missing == 0 {
            self.finish(options, settings, &mut done)?;
        }
        Ok(done)
    }

    /// Writes a tensor file and its own sidecars. All of them are complete before the first is published.
    fn write_one(
        &self,
        file: &PlannedFile,
        sidecar: Option<&PlannedFile>,
        options: FileOptions,
        settings: &Settings,
        done: &mut WriteSummary,
    ) -> Result<()> {
        let mut prepared = file.prepare(options, settings)?;
        if self.folder.is_none() && self.hashed_for().is_some() {
            done.sha256.push((file.path.clone(), prepared.sha256()?));
            done.sha256.extend(sidecar.and_then(PlannedFile::sha256));
        }
        let (sums, statement) = (self.sha256_file(done), self.statement_file(done, settings)?);
        let small: Vec<&PlannedFile> = sums.iter().chain(sidecar).chain(&statement).collect();
        let mut prepared_small: Vec<Prepared> =
            small.iter().map(|file| file.prepare(of_small(options), settings)).collect::<Result<_>>()?;
        std::iter::once(&mut prepared).chain(&mut prepared_small).try_for_each(Prepared::name)?;
        self.withdraw(&small, options, done)?;
        file.publish(prepared, done)?;
        small.iter().zip(prepared_small).try_for_each(|(file, prepared)| file.publish(prepared, done))
    }

    /// Removes a tensor file's own sidecars before it is replaced. Before the first replacement it also removes the
    /// statement and shared sidecars, index first.
    fn withdraw(&self, own: &[&PlannedFile], options: FileOptions, done: &mut WriteSummary) -> Result<()> {
        if options.existing != Existing::Replace {
            return Ok(());
        }
        if self.folder.is_some() && done.written.is_empty() {
            let sums = self.sha256_path();
            let shared = self.of_all().rev().map(|file| file.path.as_path()).chain(sums.as_deref());
            done.withdrawn.extend(writer::withdraw(self.statement_path().into_iter().chain(shared), options.fsync)?);
        }
        done.withdrawn.extend(writer::withdraw(own.iter().rev().map(|file| file.path.as_path()), options.fsync)?);
        Ok(())
    }

    /// Small files shared by all tensor files.
    fn of_all(&self) -> impl DoubleEndedIterator<Item = &PlannedFile> {
        self.small.iter().filter(|file| file.sidecar_of.is_none())
    }

    /// Writes the small files of a folder. The index comes last: its presence means that the checkpoint is complete. Only the statement
    /// about all files comes later.
    fn finish(&self, options: FileOptions, settings: &Settings, done: &mut WriteSummary) -> Result<()> {
        if self.hashed_for().is_some() {
            let paths: Vec<&Path> = self.data.iter().map(|file| file.path.as_path()).collect();
            let hashes = sha256_of_files(&paths, (settings.threads)())?;
            done.sha256 = paths.into_iter().map(Path::to_path_buf).zip(hashes).collect();
            done.sha256.extend(self.small.iter().filter_map(PlannedFile::sha256));
        }
        let (sums, statement) = (self.sha256_file(done), self.statement_file(done, settings)?);
        for file in sums.iter().chain(self.of_all()).chain(&statement) {
            file.publish(file.prepare(of_small(options), settings)?, done)?;
        }
        Ok(())
    }

    /// List of hashes as a file; `None` if there are no hashes.
    fn sha256_file(&self, done: &WriteSummary) -> Option<PlannedFile> {
        let path = self.sha256_path().filter(|_| !done.sha256.is_empty())?;
        let named =
            done.sha256.iter().map(|(path, hash)| (self.name(path).as_os_str().as_encoded_bytes().to_vec(), hash));
        let sums = writer::sums_file(named.map(|(name, hash)| (name, hash.clone())).collect());
        Some(PlannedFile::of_bytes(path, sums, &self.data.first()?.plan))
    }

    /// The statement as a file; `None` if there are no hashes.
    fn statement_file(&self, done: &WriteSummary, settings: &Settings) -> Result<Option<PlannedFile>> {
        let Some(statement) = self.statement.as_ref().filter(|_| !done.sha256.is_empty()) else { return Ok(None) };
        let named =
            done.sha256.iter().map(|(path, hash)| (self.name(path).to_string_lossy().into_owned(), hash.clone()));
        let text = statement.text(named.collect(), (settings.threads)())?;
        Ok(Some(PlannedFile::of_bytes(statement.path.clone(), text.into_bytes(), &statement.plan)))
    }

    /// Name of a file in the list of hashes and in the statement: from the folder of all files.
    fn name<'a>(&self, path: &'a Path) -> &'a Path {
        match &self.folder {
            Some(folder) => path.strip_prefix(folder).unwrap_or(path),
            None => path.file_name().map_or(path, Path::new),
        }
    }
}

/// Options for a small file, whose full content can be compared.
fn of_small(options: FileOptions) -> FileOptions {
    let existing = match options.existing {
        Existing::Replace | Existing::ReplaceLink => Existing::ReplaceLink,
        Existing::Refuse | Existing::KeepComplete => Existing::KeepComplete,
    };
    FileOptions { existing, ..options }
}
