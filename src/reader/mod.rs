//! Readers: bytes to header and values. A file is known by its content, not by its name. Nothing is allocated by a number
//! from the file before that number has been checked against the file's length.

mod archive;
mod base;
mod delimited;
mod directory;
mod json;
mod kept;
mod npy;
mod npz;
mod pickle;
mod pt;
mod raw;
mod safetensors;
mod table;
mod values;
mod zip_end;

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::OFlags;

use crate::generator::{Generator, NATIVE};
use crate::passing;
use crate::plan::{DType, Element, KeptIdentity, Origin, Shape, Tensor};
use crate::recipe::{Recipe, TensorRecipe};
use crate::scheme;
use crate::text;
pub use delimited::{Columns, Delimiter, TextOptions};
pub use directory::files_of;
pub use table::{Table, TableOptions};
pub use values::Raw;
use values::{Encoding, Values};

/// Reads one file format.
pub struct Reader {
    /// The format's name, the same as the writer's.
    pub format: &'static str,
    /// Whether a file that begins with these bytes is of this format.
    recognizes: fn(&[u8]) -> bool,
    /// Reads all of a file of that length but its values. The path is for formats of more than one file.
    open: fn(File, u64, &Path) -> Result<Found>,
}

/// Every reader, in the order in which they are asked.
pub const READERS: &[Reader] = &[npy::READER, pt::READER, npz::READER, safetensors::READER, raw::READER, json::READER];

/// How many bytes tell the formats apart.
const OPENING: usize = 512;

/// What a reader finds in a file.
struct Found {
    entries: Vec<Entry>,
    recipe: Option<Recipe>,
    notes: Vec<String>,
    values: Box<dyn Values>,
}

/// An open file, or several that belong together: what is in it, and access to its values.
pub struct Contents {
    /// The name of its format.
    pub format: &'static str,
    /// Its tensors, in the order of the file.
    pub entries: Vec<Entry>,
    /// The recipe that it carries.
    pub recipe: Option<Recipe>,
    /// What the user should know about it.
    pub notes: Vec<String>,
    /// The file itself, where it is one, for tensors that are copied from it.
    origin: Option<Arc<Origin>>,
    /// What its index says and its files do not bear out, short of a name.
    pub faults: Vec<String>,
    values: Box<dyn Values>,
}

/// A tensor in a file.
pub struct Entry {
    /// Its name, as it stands in the file: not to be shown without [`text::escape`].
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// The type of its elements for people, in the file's own word where it is none of ours.
    pub type_word: String,
    /// The same tensor derived again from the recipe, where there is one and it fits.
    pub planned: Option<Tensor>,
    /// What its recipe calls the scheme, where that cannot be derived for want of the tensor that it started from.
    pub scheme: Option<String>,
    /// Which values it holds, by its recipe, where they were copied from another file.
    pub kept: Option<KeptIdentity>,
    /// Which file of several it lies in, below their folder: not to be shown without [`text::escape`].
    pub file: Option<String>,
    /// How its values are stored; `None` where they are of another type than ours.
    encoding: Option<Encoding>,
    /// The type of its elements, where it is known and little-endian.
    element: Option<Element>,
    /// Whether its first axis varies fastest: Fortran order.
    pub fortran: bool,
}

impl Entry {
    /// A tensor of which the recipe has not been heard yet.
    fn new(name: String, shape: Shape, type_word: String, encoding: Option<Encoding>) -> Self {
        Self {
            name,
            shape,
            type_word,
            planned: None,
            scheme: None,
            kept: None,
            file: None,
            encoding,
            element: None,
            fortran: false,
        }
    }

    /// The type of its elements, where it is one of ours.
    pub fn dtype(&self) -> Option<DType> {
        self.encoding.map(|encoding| encoding.dtype)
    }

    /// Whether the bytes of each value stand in big-endian order.
    pub fn big_endian(&self) -> bool {
        self.encoding.is_some_and(|encoding| encoding.big_endian)
    }

    /// Appends values of this tensor, widened, of their bytes in the file.
    pub fn widen(&self, bytes: &[u8], values: &mut Vec<f64>) {
        if let Some(encoding) = self.encoding {
            values::widen(bytes, encoding, values);
        }
    }
}

impl Contents {
    /// Opens a file, an index of files (`*.index.json`) or a folder of weights and reads all but the values. Errors name the file and its fault, in one line that is safe to show.
    pub fn open(path: &Path) -> Result<Self> {
        open(path).map_err(|error| shown(path, &error))
    }

    /// Hands the values of an entry over in chunks, widened, in the order of the file. Errors where they are not of a
    /// type that is read here, or damaged.
    pub fn read(&mut self, number: usize, visit: &mut dyn FnMut(&[f64])) -> Result<()> {
        let entry = self.entries.get(number).context("there is no such tensor")?;
        let encoding = entry.encoding.with_context(|| format!("values of type {} are not read", entry.type_word));
        let read = encoding
            .and_then(|encoding| values::read(&mut *self.values.open(number)?, encoding, entry.shape.count(), visit));
        read.map_err(|error| shown(Path::new(&entry.name), &error))
    }

    /// Where the values of an entry lie as they are; `None` where they are packed, and only [`Contents::bytes`] has them.
    pub fn raw(&mut self, number: usize) -> Result<Option<Raw>> {
        self.values.raw(number)
    }

    /// The bytes of an entry's values one after the other.
    pub fn bytes(&mut self, number: usize) -> Result<Box<dyn Read + Send + '_>> {
        Ok(self.bytes_of(number)?.0)
    }

    /// The same, and the entry.
    pub fn bytes_of(&mut self, number: usize) -> Result<(Box<dyn Read + Send + '_>, &Entry)> {
        let entry = self.entries.get(number).context("there is no such tensor")?;
        Ok((self.values.open(number)?, entry))
    }
}

fn open(path: &Path) -> Result<Contents> {
    if fs::metadata(path)?.is_dir() {
        return directory::of_folder(path);
    }
    if directory::is_index(path) {
        return directory::of_index(path);
    }
    let (format, found, origin) = open_file(path)?;
    Ok(Contents { origin: Some(Arc::new(origin)), ..found.contents(format) })
}

/// Reads all of one file but its values; tells its format too, and what to copy from.
fn open_file(path: &Path) -> Result<(&'static str, Found, Origin)> {
    // Bare values are known by what stands beside them.
    let manifest = raw::manifest_of(path);
    let path = manifest.as_deref().unwrap_or(path);
    let (file, length) = regular(path)?;
    let opening = opening(&file, length.min(OPENING as u64))?;
    ensure!(!opening.is_empty(), "it is empty");
    let Some(reader) = READERS.iter().find(|reader| (reader.recognizes)(&opening)) else {
        let formats: Vec<&str> = READERS.iter().map(|reader| reader.format).collect();
        bail!("its content is of no format that is read here: {}", formats.join(", "));
    };
    let origin = Origin::new(file.try_clone()?, path)?;
    let found = (reader.open)(file, length, path).with_context(|| format!("as {}", reader.format))?;
    Ok((reader.format, found, origin))
}

/// Opens a regular file, and tells its length. Never waits for a pipe to be opened at its other end.
fn regular(path: &Path) -> Result<(File, u64)> {
    let check = |metadata: &fs::Metadata| {
        ensure!(!metadata.is_dir(), "it is a folder");
        ensure!(metadata.is_file(), "it is no regular file: a pipe or device cannot be read from any place");
        Ok(())
    };
    check(&fs::metadata(path)?)?;
    let flags = i32::try_from(OFlags::NONBLOCK.bits())?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    check(&metadata)?;
    Ok((file, metadata.len()))
}

/// The first bytes of a file that has as many.
fn opening(file: &File, length: u64) -> Result<Vec<u8>> {
    let mut opening = vec![0; usize::try_from(length)?];
    file.read_exact_at(&mut opening, 0).context("it cannot be read")?;
    Ok(opening)
}

impl Found {
    /// With each tensor derived again by the recipe.
    fn contents(self, format: &'static str) -> Contents {
        let Self { mut entries, recipe, mut notes, values } = self;
        if let Some(recipe) = &recipe {
            notes.extend(plan(&mut entries, recipe));
        }
        Contents { format, entries, recipe, notes, faults: Vec::new(), origin: None, values }
    }
}

/// A name from a file between backquotes, safe to show.
fn shown_name(name: &str) -> String {
    format!("`{}`", text::cut(&text::escape(name), 100))
}

/// The longest error that is shown.
const MAX_MESSAGE: usize = 400;

/// An error with the name of what it is about. The texts of both may come from a stranger.
fn shown(name: &Path, error: &anyhow::Error) -> anyhow::Error {
    let message = text::cut(&text::escape(&format!("{error:#}")), MAX_MESSAGE);
    passing::in_one_text(error, format!("`{}`: {message}", text::escape(&name.to_string_lossy())))
}

/// Derives each entry again by the recipe, and says where the two do not meet.
fn plan(entries: &mut [Entry], recipe: &Recipe) -> Vec<String> {
    let mut notes = Vec::new();
    // What a scheme means does not hang on a generator that is not known here.
    let generator = Generator::find(&recipe.generator).unwrap_or(NATIVE);
    let known = |name: &str| recipe.tensors.as_ref().and_then(|tensors| tensors.get(name));
    for entry in &mut *entries {
        let Some(tensor) = known(&entry.name) else {
            notes.push(format!("the recipe does not know `{}`", entry.name));
            continue;
        };
        if let Some(identity) = &tensor.kept {
            match kept::agrees(entry, tensor) {
                Ok(()) => kept::tell(entry, identity),
                Err(error) => notes.push(format!("the recipe of `{}` is left aside: {error:#}", entry.name)),
            }
            continue;
        }
        if let Some(trained) = &tensor.trained {
            match agrees(entry, tensor) {
                Ok(()) => {
                    entry.scheme = Some(trained.method.clone());
                    let note = format!("{trained}, without which its values are not to be had again");
                    if !notes.contains(&note) {
                        notes.push(note);
                    }
                }
                Err(error) => notes.push(format!("the recipe of `{}` is left aside: {error:#}", entry.name)),
            }
            continue;
        }
        if let Some(base) = &tensor.base {
            match agrees(entry, tensor) {
                Ok(()) => {
                    entry.scheme = Some(tensor.scheme.clone());
                    notes.push(format!(
                        "`{}` started from `{}` (SHA-256 {}), without which its law is not known",
                        entry.name, base.name, base.sha256
                    ));
                }
                Err(error) => notes.push(format!("the recipe of `{}` is left aside: {error:#}", entry.name)),
            }
            continue;
        }
        match derive(entry, tensor, generator) {
            Ok(planned) => {
                // The recipe confirms what two bytes of no type are.
                if entry.type_word == npy::BFLOAT16 {
                    entry.type_word = planned.dtype.word().into();
                }
                entry.planned = Some(planned);
            }
            Err(error) => notes.push(format!("the recipe of `{}` is left aside: {error:#}", entry.name)),
        }
    }
    let held: HashSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let unmet = recipe.tensors.iter().flatten().filter(|(name, _)| !held.contains(name.as_str()));
    notes.extend(unmet.map(|(name, _)| format!("the recipe tells of `{name}`, which is not in the file")));
    notes
}

/// Whether the recipe of a tensor that cannot be derived is of what the file holds.
fn agrees(entry: &mut Entry, recipe: &TensorRecipe) -> Result<()> {
    let (shape, dtype) = (Shape::new(recipe.shape.clone())?, recipe.dtype()?);
    scheme::resolve(&recipe.scheme)?;
    same(entry, &shape, dtype)?;
    if entry.type_word == npy::BFLOAT16 {
        entry.type_word = dtype.word().into();
    }
    Ok(())
}

/// Errors where a recipe's shape or dtype is not that of the file.
fn same(entry: &Entry, shape: &Shape, dtype: DType) -> Result<()> {
    ensure!(*shape == entry.shape, "it says shape {shape}, and the file {}", entry.shape);
    ensure!(Some(dtype) == entry.dtype(), "it says dtype {dtype}, and the file {}", entry.type_word);
    Ok(())
}

/// The tensor by its recipe. Errors where that is not what the file holds.
fn derive(entry: &Entry, recipe: &TensorRecipe, generator: &'static Generator) -> Result<Tensor> {
    let tensor = recipe.tensor(&entry.name, generator)?;
    same(entry, &tensor.shape, tensor.dtype)?;
    Ok(tensor)
}

/// A recipe where its text is one; else a note that says why it is not.
fn recipe(text: &str, notes: &mut Vec<String>) -> Option<Recipe> {
    Recipe::parse(text).map_err(|error| notes.push(format!("the recipe is left aside: {error:#}"))).ok()
}

/// Reads exactly `length` bytes, which the caller has checked against the file's length.
fn read_bytes(source: &mut dyn Read, length: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length)?];
    source.read_exact(&mut bytes).context("it ends too early")?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::FORMATS;

    #[test]
    fn every_format_that_is_written_is_read() {
        for format in FORMATS {
            assert!(READERS.iter().any(|reader| reader.format == format.name), "{} has no reader", format.name);
        }
    }

    #[test]
    fn formats_are_told_apart_by_their_first_bytes() {
        let cases: [(&[u8], Option<&str>); 11] = [
            (b"\x93NUMPY\x01\x00", Some("npy")),
            (b"PK\x03\x04", Some("npz")),
            (b"PK\x03\x04\x2d\0\x08\x08\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\0\0a/data.pkl", Some("pt")),
            (b"{\"format\":\"raw\",\n", Some("raw")),
            (b"{\"fanin\":{}}", Some("json")),
            (b" \n{\"tensors\":{}}", Some("json")),
            (b"{\"a\":    {\"dtype\"", Some("json")),
            (b"\x02\0\0\0\0\0\0\0{}", Some("safetensors")),
            (b"{\0\0\0\0\0\0\0{\"w\":{", Some("safetensors")),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff{}", Some("safetensors")),
            (b"GGUF\x03\0\0\0", None),
        ];
        for (opening, format) in cases {
            let found = READERS.iter().find(|reader| (reader.recognizes)(opening));
            assert_eq!(found.map(|reader| reader.format), format, "{opening:?}");
        }
    }

    #[test]
    fn messages_are_short_and_safe() {
        let message = shown(Path::new("a\u{1b}b"), &anyhow::anyhow!("{}\n", "x".repeat(1000))).to_string();
        assert!(message.starts_with("`a\\u{1b}b`: xxx") && message.ends_with("...") && message.len() < 450);
    }
}
