//! An unpublished file: unnamed if the file system supports that, else under a temporary name; and the steps that
//! publish it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{AtFlags, CWD, FallocateFlags, RenameFlags};
#[cfg(target_os = "linux")]
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

/// Smallest size, in bytes, that is worth reserving.
const LEAST_RESERVED: u64 = 1 << 20;
/// Errors of file systems that do not support an operation.
const UNABLE: &[Errno] = &[Errno::INVAL, Errno::MLINK, Errno::NOSYS, Errno::OPNOTSUPP, Errno::PERM, Errno::XDEV];

/// A file without its final name.
pub(super) struct Unfinished {
    file: File,
    /// `None` for an unnamed file, which disappears when it is closed.
    temporary: Option<Temporary>,
}

/// A temporary name. Dropping it removes the file.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl Temporary {
    /// Result of `make` at a random name next to `path`. Randomness avoids names left by killed processes.
    fn beside<T>(path: &Path, make: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<(T, Self)> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let short: String = name.chars().take(40).collect();
        let beside = folder(path).join(format!(".{short}.{:016x}.tmp", rand::random::<u64>()));
        Ok((make(&beside)?, Self(beside)))
    }

    /// Creates an empty file. Errors if it could not be renamed later.
    fn create(path: &Path) -> Result<(File, Self)> {
        let create = |path: &Path| OpenOptions::new().read(true).write(true).create_new(true).mode(0o666).open(path);
        let (file, first) = Self::beside(path, create)?;
        let renamed = Self::beside(path, |second| fs::rename(&first.0, second));
        let ((), second) =
            renamed.context("cannot rename files here: write to another file system, or redirect `-o -`")?;
        // Its name no longer exists.
        std::mem::forget(first);
        Ok((file, second))
    }

    /// Renames the file to `path`, over an existing file.
    fn replace(self, path: &Path) -> Result<(), (io::Error, Self)> {
        match fs::rename(&self.0, path) {
            Ok(()) => {
                // The name no longer exists; dropping it would remove nothing, or another process's file.
                std::mem::forget(self);
                Ok(())
            }
            Err(error) => Err((error, self)),
        }
    }

    /// Renames the file to a free name.
    fn take_free(self, path: &Path) -> Result<(), (io::Error, Self)> {
        match rustix::fs::renameat_with(CWD, &self.0, CWD, path, RenameFlags::NOREPLACE) {
            Ok(()) => {
                std::mem::forget(self);
                return Ok(());
            }
            Err(error) if !UNABLE.contains(&error) => return Err((error.into(), self)),
            Err(_) => {}
        }
        match fs::hard_link(&self.0, path) {
            Ok(()) => Ok(()),
            Err(error) if !is_unable(&error) => Err((error, self)),
            Err(_) => self.claim(path),
        }
    }

    /// Renames the file to a free name, which an empty file claims first: every file system supports exclusive
    /// creation. A kill in between leaves the empty file.
    fn claim(self, path: &Path) -> Result<(), (io::Error, Self)> {
        if let Err(error) = OpenOptions::new().write(true).create_new(true).open(path) {
            return Err((error, self));
        }
        self.replace(path).inspect_err(|_| drop(fs::remove_file(path)))
    }
}

impl Unfinished {
    pub(super) fn create(path: &Path) -> Result<Self> {
        if let Some(file) = unnamed(folder(path))? {
            return Ok(Self { file, temporary: None });
        }
        let (file, temporary) = Temporary::create(path)?;
        Ok(Self { file, temporary: Some(temporary) })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Reserves the full size, so that a full disk is detected before any value is drawn. Small files are skipped:
    /// writing them is faster.
    pub(super) fn reserve(&self, size: u64) -> Result<()> {
        if size < LEAST_RESERVED {
            return Ok(());
        }
        match retry_on_intr(|| rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, size)) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
            Err(error) => Err(io::Error::from(error)).with_context(|| format!("reserving {size} bytes")),
        }
    }

    /// Sets the mode, if the file system supports modes.
    pub(super) fn set_mode(&self, mode: u32) -> io::Result<()> {
        match self.file.set_permissions(fs::Permissions::from_mode(mode)) {
            Err(error) if is_unable(&error) => Ok(()),
            other => other,
        }
    }

    /// Publishes the file. The name must be free, unless `replace` is set. May be called again after an error.
    pub(super) fn publish(&mut self, path: &Path, replace: bool, fsync: bool) -> Result<()> {
        if self.temporary.is_none() && !replace && self.link(path)? {
            return if fsync { self.sync().context(UNCONFIRMED) } else { Ok(()) };
        }
        self.name(path, fsync)?;
        let Some(temporary) = self.temporary.take() else { return Ok(()) };
        let moved = if replace { temporary.replace(path) } else { temporary.take_free(path) };
        moved.map_err(|(error, temporary)| {
            self.temporary = Some(temporary);
            exists(error).into()
        })
    }

    /// Gives an unnamed file a temporary name next to `path`.
    pub(super) fn name(&mut self, path: &Path, fsync: bool) -> Result<()> {
        if self.temporary.is_some() {
            return Ok(());
        }
        let linked = Temporary::beside(path, |path| link_unnamed(&self.file, path));
        match linked {
            Ok(((), temporary)) => {
                self.temporary = Some(temporary);
                // Sync before the old file is replaced.
                if fsync { self.sync() } else { Ok(()) }
            }
            Err(error) if is_unable(&error) => self.copy(path, fsync),
            Err(error) => Err(error.into()),
        }
    }

    /// Switches to a copy with a temporary name, because this file cannot be linked.
    fn copy(&mut self, path: &Path, fsync: bool) -> Result<()> {
        let (mut file, temporary) = Temporary::create(path)?;
        self.file.rewind()?;
        io::copy(&mut self.file, &mut file)?;
        let mode = self.file.metadata()?.permissions().mode();
        *self = Self { file, temporary: Some(temporary) };
        self.set_mode(mode)?;
        if fsync { self.sync() } else { Ok(()) }
    }

    /// Links an unnamed file to a free name; false if the file system does not support it.
    fn link(&self, path: &Path) -> Result<bool> {
        match link_unnamed(&self.file, path) {
            Ok(()) => Ok(true),
            Err(error) if is_unable(&error) => Ok(false),
            Err(error) => Err(exists(error).into()),
        }
    }

    /// Syncs the file together with its link count. Without a journal, a file that was synced while unlinked is lost
    /// in a power cut, even if the folder lists it.
    fn sync(&self) -> Result<()> {
        Ok(self.file.sync_all()?)
    }
}

/// Error of a published file that may not be on disk.
pub(super) const UNCONFIRMED: &str = "the file is written, but its name may not be on the disk yet";

/// Syncs the folder of a file, if the file system supports that.
pub(super) fn sync_names(path: &Path) -> io::Result<()> {
    match File::open(folder(path)).and_then(|folder| folder.sync_all()) {
        Err(error) if !is_unable(&error) => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// True if an error means that the file system does not support the operation.
pub(super) fn is_unable(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|number| UNABLE.contains(&Errno::from_raw_os_error(number)))
}

/// An unnamed file in a folder; `None` if the file system does not support it.
#[cfg(target_os = "linux")]
fn unnamed(folder: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match retry_on_intr(|| rustix::fs::openat(CWD, folder, flags, Mode::from_raw_mode(0o666))) {
        // An unnamed file is linked through /proc.
        Ok(descriptor) if Path::new("/proc/self/fd").exists() => Ok(Some(descriptor.into())),
        Ok(_) | Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT | Errno::NOSYS) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Other systems have no unnamed files.
#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

/// Links an unnamed file to a name. The kernel refuses an existing name.
fn link_unnamed(file: &File, path: &Path) -> io::Result<()> {
    let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(rustix::fs::linkat(CWD, descriptor, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// Adds the fix to the error if another file appeared at the target in the meantime.
fn exists(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists => io::Error::new(
            io::ErrorKind::AlreadyExists,
            "created by another program meanwhile: use --force to overwrite",
        ),
        _ => error,
    }
}
