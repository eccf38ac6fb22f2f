//! The files of a plan: what each is called and made of, which of them this process writes, and in which order.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::output::OPTION;
use super::overlap::Touched;
use super::rank::Part;
use super::shown;
use crate::format::{self, FORMATS, Format, Piece};
use crate::plan::Plan;
use crate::writer::{
    self, Beside, Checkpoint, Existing, FileOptions, Outcome, Prepared, Settings, Standing, sha256_of_bytes,
    sha256_of_files,
};

/// A file to write, and what it is made of.
pub(super) struct PlannedFile {
    pub(super) path: PathBuf,
    plan: Plan,
    pieces: Vec<Piece>,
    /// The number of the file of tensors that it tells about, if it tells about one alone.
    about: Option<usize>,
}

/// All files of a plan.
pub(super) struct Files {
    /// The folder that they lie in, which may be still to be made; none for a single file.
    folder: Option<PathBuf>,
    /// The files of tensors.
    pub(super) data: Vec<PlannedFile>,
    /// Small files, written when all tensors are there. The index is the last of them.
    small: Vec<PlannedFile>,
    /// True if those who load the folder would take other files in it for parts of the same.
    is_checkpoint: bool,
}

/// How they are written.
pub(super) struct WriteOptions {
    pub(super) options: FileOptions,
    /// The part that this process has; all where there is none.
    pub(super) part: Option<Part>,
    /// True if the hashes are reported and written.
    pub(super) sums: bool,
}

/// What has been done.
#[derive(Default)]
pub(super) struct WriteSummary {
    /// The files that were written, in order.
    pub(super) written: Vec<PathBuf>,
    /// The files that were there already.
    pub(super) kept: Vec<PathBuf>,
    /// Those of the written files that were there already, damaged.
    pub(super) damaged: Vec<PathBuf>,
    /// The size of the values that were written.
    pub(super) value_bytes: u64,
    /// How many files of other ranks are still missing.
    pub(super) missing: usize,
    /// The hash of each file.
    pub(super) sums: Vec<(PathBuf, String)>,
    /// The modes of files that were taken away before the first file of tensors was replaced.
    pub(super) withdrawn: HashMap<PathBuf, u32>,
}

/// The longest name that file systems take for a file, in bytes.
const MAX_FILE_NAME: usize = 255;
/// The list of hashes in a folder.
const SUMS: &str = "SHA256SUMS";

impl PlannedFile {
    fn small(folder: &Path, Beside { name, bytes }: Beside, plan: &Plan) -> Self {
        Self::of_bytes(folder.join(name), bytes, plan)
    }

    /// What the format puts beside a file of tensors; nothing beside a pipe, as beside standard output.
    fn sidecar(path: &Path, plan: &Plan, format: &Format, number: usize) -> Result<Option<Self>> {
        let sidecar = format.sidecar(plan)?.filter(|_| !writer::is_stream(path));
        let planned = sidecar.map(|sidecar| Self::of_bytes(sidecar.path(path), sidecar.bytes, plan));
        Ok(planned.map(|planned| Self { about: Some(number), ..planned }))
    }

    fn of_bytes(path: PathBuf, bytes: Vec<u8>, plan: &Plan) -> Self {
        Self { path, plan: plan.of(Vec::new()), pieces: vec![Piece::Bytes(bytes)], about: None }
    }

    fn of_tensors(path: PathBuf, plan: Plan, pieces: Vec<Piece>) -> Self {
        Self { path, plan, pieces, about: None }
    }

    /// Its hash, if it is a small file.
    fn sum(&self) -> Option<(PathBuf, String)> {
        let [Piece::Bytes(bytes)] = self.pieces.as_slice() else { return None };
        Some((self.path.clone(), sha256_of_bytes(bytes)))
    }

    /// Its size; `None` where that is not known before the numbers are.
    pub(super) fn size(&self) -> Option<u64> {
        format::size(&self.pieces, &self.plan)
    }

    /// Errors where it could not be written. Where its folder may be still to be made, only what is in the way is told.
    fn check(&self, options: FileOptions, folder_may_be_missing: bool) -> Result<()> {
        if folder_may_be_missing && is_free(&self.path) {
            return Ok(());
        }
        writer::check_target(&self.plan, &self.pieces, &self.path, options).with_context(|| shown(&self.path))
    }

    /// If it is there, whole. Errors where another file is, unless that one is about to be replaced.
    fn is_there(&self, existing: Existing) -> Result<bool> {
        if is_free(&self.path) {
            return Ok(false);
        }
        let standing = match self.path.is_file() {
            true => writer::standing(&self.plan, &self.pieces, &self.path)?,
            false => Standing::Other,
        };
        ensure!(
            standing != Standing::Other || existing == Existing::Replace,
            "{}: it exists and is of another plan: take another folder, or replace it by --force",
            shown(&self.path)
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
            Outcome::Copied => done.kept.push(self.path.clone()),
        }
        Ok(())
    }
}

/// True if nothing is at a path.
fn is_free(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

impl Files {
    /// One file.
    pub(super) fn single(path: PathBuf, plan: &Plan, format: &Format) -> Result<Self> {
        let pieces = format.pieces(plan)?;
        let small = PlannedFile::sidecar(&path, plan, format, 0)?.into_iter().collect();
        let data = vec![PlannedFile::of_tensors(path, plan.clone(), pieces)];
        Ok(Self { folder: None, data, small, is_checkpoint: false })
    }

    /// A file for each tensor, none of them in the way of another.
    pub(super) fn of_tensors(folder: &Path, plan: &Plan, format: &Format, beside: Vec<Beside>) -> Result<Self> {
        ensure_folder(folder)?;
        let mut data = Vec::with_capacity(plan.tensors().len());
        let mut small = Vec::new();
        for tensor in plan.tensors() {
            let path = folder.join(format!("{}.{}", tensor.name(), format.extensions[0]));
            let longest = path.components().map(|part| part.as_os_str().len()).max().unwrap_or(0);
            ensure!(longest <= MAX_FILE_NAME, "{}: a file's name has at most {MAX_FILE_NAME} bytes", shown(&path));
            let plan = plan.of(vec![tensor.clone()]);
            let pieces = format.pieces(&plan)?;
            small.extend(PlannedFile::sidecar(&path, &plan, format, data.len())?);
            data.push(PlannedFile::of_tensors(path, plan, pieces));
        }
        let paths: HashSet<&Path> = data.iter().map(|file| file.path.as_path()).collect();
        let both = paths.iter().flat_map(|path| path.ancestors().skip(1)).find(|folder| paths.contains(folder));
        ensure!(both.is_none(), "{} would be both a file and a folder", both.map(shown).unwrap_or_default());
        small.extend(beside.into_iter().map(|file| PlannedFile::small(folder, file, plan)));
        Ok(Self { folder: Some(folder.into()), data, small, is_checkpoint: false })
    }

    /// The files of a checkpoint.
    pub(super) fn of_checkpoint(folder: &Path, plan: &Plan, limit: u64, beside: Vec<Beside>) -> Result<Self> {
        ensure_folder(folder)?;
        let Checkpoint { shards, index } = Checkpoint::new(plan, limit)?;
        let planned = |shard: writer::Shard| PlannedFile::of_tensors(folder.join(shard.name), shard.plan, shard.pieces);
        let data = shards.into_iter().map(planned).collect();
        let small = beside.into_iter().chain(index).map(|file| PlannedFile::small(folder, file, plan)).collect();
        Ok(Self { folder: Some(folder.into()), data, small, is_checkpoint: true })
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &PlannedFile> {
        self.data.iter().chain(&self.small)
    }

    /// The same files as those that a command writes. A small file that is there already, byte for byte, does no harm to anybody.
    pub(super) fn touched(&self, mut touched: Touched, sums: bool) -> Touched {
        let is_same = |file: &PlannedFile| writer::is_whole(&file.plan, &file.pieces, &file.path).unwrap_or(false);
        for file in self.data.iter().chain(self.small.iter().filter(|file| !is_same(file))) {
            touched = touched.writes(OPTION, &file.path);
        }
        match self.sums_path().filter(|_| sums) {
            Some(path) => touched.writes("--sha256", &path),
            None => touched,
        }
    }

    /// Every file that is written, with its size if the numbers do not decide it; those of tensors first.
    pub(super) fn sizes(&self, sums: bool) -> Vec<(PathBuf, Option<u64>)> {
        let sums = self.sums_path().filter(|_| sums).map(|path| (path, None));
        self.all().map(|file| (file.path.clone(), file.size())).chain(sums).collect()
    }

    /// Errors where one of them could not be put in its place, before any work is done.
    pub(super) fn check(&self, manner: &WriteOptions) -> Result<()> {
        let in_folder = self.folder.is_some();
        for (number, file) in self.data.iter().enumerate() {
            if manner.owns(number) {
                file.check(manner.options, in_folder)?;
            } else {
                file.is_there(manner.options.existing)?;
            }
            let no_file = manner.sums && fs::metadata(&file.path).is_ok_and(|metadata| !metadata.is_file());
            ensure!(!no_file, "{}: --sha256 reads a file again, and it is none", shown(&file.path));
        }
        self.small.iter().try_for_each(|file| file.check(manner.small(), in_folder))?;
        if let Some(path) = self.sums_path().filter(|_| manner.sums && manner.options.existing == Existing::Refuse) {
            // A rank may find the list of another.
            ensure!(manner.part.is_some() || is_free(&path), "{}: it exists: --force replaces it", shown(&path));
        }
        self.refuse_strangers()
    }

    /// Refuses files of another checkpoint in the folder, which would be loaded beside or in place of these.
    fn refuse_strangers(&self) -> Result<()> {
        let Some(folder) = self.folder.as_ref().filter(|folder| self.is_checkpoint && folder.is_dir()) else {
            return Ok(());
        };
        let ours: HashSet<&Path> = self.all().map(|file| file.path.as_path()).collect();
        for entry in fs::read_dir(folder).with_context(|| shown(folder))? {
            let name = entry.with_context(|| shown(folder))?.file_name();
            let path = folder.join(&name);
            if name.to_str().is_some_and(Checkpoint::is_part) && !ours.contains(path.as_path()) {
                bail!("{}: it is of another checkpoint: remove it, or take another folder", shown(&path));
            }
        }
        Ok(())
    }

    /// How many bytes of values are to be written.
    pub(super) fn bytes_to_write(&self, manner: &WriteOptions) -> u64 {
        let own = self.data.iter().enumerate().filter(|(number, _)| manner.owns(*number)).map(|(_, file)| file);
        let keeps = |file: &PlannedFile| {
            manner.options.existing == Existing::KeepComplete && file.is_there(Existing::KeepComplete).unwrap_or(false)
        };
        own.filter(|file| !keeps(file)).map(|file| file.plan.bytes()).sum()
    }

    /// Writes this process's files of tensors, and the small ones where all tensors are there then.
    pub(super) fn write(&self, manner: &WriteOptions, settings: &Settings) -> Result<WriteSummary> {
        let mut done = WriteSummary::default();
        // The folder of a single file is there already.
        for folder in self.folder.iter().flat_map(|_| self.all()).filter_map(|file| file.path.parent()) {
            fs::create_dir_all(folder).with_context(|| shown(folder))?;
        }
        let mut companions: HashMap<usize, &PlannedFile> =
            self.small.iter().filter_map(|file| Some((file.about?, file))).collect();
        for (number, file) in self.data.iter().enumerate().filter(|(number, _)| manner.owns(*number)) {
            self.write_one(file, companions.remove(&number), manner, settings, &mut done)?;
        }
        for (number, file) in self.data.iter().enumerate() {
            if !manner.owns(number) && !file.is_there(manner.options.existing)? {
                done.missing += 1;
            }
        }
        if self.folder.is_some() && done.missing == 0 {
            self.finish(manner, settings, &mut done)?;
        }
        Ok(done)
    }

    /// Writes a file of tensors, and what tells about it alone: all of that is whole before the first of it gets its name.
    fn write_one(
        &self,
        file: &PlannedFile,
        sidecar: Option<&PlannedFile>,
        manner: &WriteOptions,
        settings: &Settings,
        done: &mut WriteSummary,
    ) -> Result<()> {
        let mut prepared = file.prepare(manner.options, settings)?;
        let sums = match &self.folder {
            None if manner.sums => {
                done.sums.push((file.path.clone(), prepared.sha256()?));
                done.sums.extend(sidecar.and_then(PlannedFile::sum));
                self.sums_file(done)
            }
            _ => None,
        };
        let small: Vec<&PlannedFile> = sums.iter().chain(sidecar).collect();
        let mut prepared_small: Vec<Prepared> =
            small.iter().map(|file| file.prepare(manner.small(), settings)).collect::<Result<_>>()?;
        std::iter::once(&mut prepared).chain(&mut prepared_small).try_for_each(Prepared::name)?;
        self.withdraw(&small, manner, done)?;
        file.publish(prepared, done)?;
        small.iter().zip(prepared_small).try_for_each(|(file, prepared)| file.publish(prepared, done))
    }

    /// Takes away, before a file of tensors is replaced, what tells about it, and before the first one what tells about them all: nobody
    /// takes new files and old ones for a whole. The index goes first.
    fn withdraw(&self, about: &[&PlannedFile], manner: &WriteOptions, done: &mut WriteSummary) -> Result<()> {
        if manner.options.existing != Existing::Replace {
            return Ok(());
        }
        let fsync = manner.options.fsync;
        if let Some(folder) = self.folder.as_ref().filter(|_| done.written.is_empty()) {
            let all = self.small.iter().rev().filter(|file| file.about.is_none()).map(|file| file.path.as_path());
            let sums = folder.join(SUMS);
            let sums = Some(sums.as_path()).filter(|_| manner.sums);
            done.withdrawn.extend(writer::withdraw(all.chain(sums), fsync)?);
        }
        done.withdrawn.extend(writer::withdraw(about.iter().rev().map(|file| file.path.as_path()), fsync)?);
        Ok(())
    }

    /// Writes the small files of a folder. The last is the index, so that a checkpoint with one is complete.
    fn finish(&self, manner: &WriteOptions, settings: &Settings, done: &mut WriteSummary) -> Result<()> {
        if manner.sums {
            let paths: Vec<&Path> = self.data.iter().map(|file| file.path.as_path()).collect();
            let hashes = sha256_of_files(&paths, (settings.threads)())?;
            done.sums = paths.into_iter().map(Path::to_path_buf).zip(hashes).collect();
            done.sums.extend(self.small.iter().filter_map(PlannedFile::sum));
        }
        let sums = self.sums_file(done);
        for file in sums.iter().chain(self.small.iter().filter(|file| file.about.is_none())) {
            file.publish(file.prepare(manner.small(), settings)?, done)?;
        }
        Ok(())
    }

    /// The list of hashes as a file; none where none are known.
    fn sums_file(&self, done: &WriteSummary) -> Option<PlannedFile> {
        let WriteSummary { sums, .. } = done;
        let name = |path: &Path| {
            let named = match &self.folder {
                Some(folder) => path.strip_prefix(folder).ok().map(Path::as_os_str),
                None => path.file_name(),
            };
            named.unwrap_or(path.as_os_str()).as_encoded_bytes().to_vec()
        };
        let named: Vec<_> = sums.iter().map(|(path, hash)| (name(path), hash.clone())).collect();
        let path = self.sums_path().filter(|_| !sums.is_empty())?;
        Some(PlannedFile::of_bytes(path, writer::sums_file(named), &self.data.first()?.plan))
    }

    /// Where the hashes are written: in the folder, or beside the single file.
    fn sums_path(&self) -> Option<PathBuf> {
        match &self.folder {
            Some(folder) => Some(folder.join(SUMS)),
            None => {
                let mut path = self.data.first()?.path.clone().into_os_string();
                path.push(".sha256");
                Some(path.into())
            }
        }
    }
}

/// The format that the extension of a file stands for.
pub(super) fn by_extension(path: &Path) -> Result<&'static Format> {
    let found = path.extension().and_then(|extension| Format::of_extension(extension.to_str()?));
    found.with_context(|| {
        let known: Vec<String> = FORMATS.iter().map(|format| format!(".{}", format.extensions[0])).collect();
        format!("{}: its extension is none of {}: say --format", shown(path), known.join(", "))
    })
}

/// Errors where a folder's name is that of a file.
fn ensure_folder(folder: &Path) -> Result<()> {
    // Without the slash at its end, which asks the system for a folder.
    let plain: PathBuf = folder.components().collect();
    // One call: another process may make the folder between two.
    match fs::metadata(&plain) {
        Ok(metadata) => ensure!(metadata.is_dir(), "{} is a file, and not a folder to put files in", shown(&plain)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| shown(&plain)),
    }
    Ok(())
}

impl WriteOptions {
    pub(super) fn owns(&self, file: usize) -> bool {
        self.part.as_ref().is_none_or(|part| part.owns(file))
    }

    /// The same for a small file, which is told from another by its whole content.
    fn small(&self) -> FileOptions {
        let existing = match self.options.existing {
            Existing::Replace | Existing::ReplaceLink => Existing::ReplaceLink,
            Existing::Refuse | Existing::KeepComplete => Existing::KeepComplete,
        };
        FileOptions { existing, ..self.options }
    }
}
