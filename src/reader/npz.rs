//! `.npz`: a zip archive of `.npy` members, stored or deflated. The recipe lies in the comments, as the writer puts it there.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use zip::CompressionMethod;

use super::archive::{self, Archive, Members};
use super::foreign::foreign_archive;
use super::{Entry, Found, Reader, npy, recipe};
use crate::plan::Origin;
use crate::recipe::TensorRecipe;

pub(super) const READER: Reader = Reader { format: "npz", recognizes, open };

fn recognizes(opening: &[u8]) -> bool {
    // A local header, or an end of an archive without members; a heading of text may begin with the letters alone.
    [b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06"].iter().any(|magic| opening.starts_with(*magic))
}

fn open(origin: &Arc<Origin>, _: &Path) -> Result<Found> {
    let mut archive = archive::open(origin)?;
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    if let Some(foreign) = foreign_archive(&names) {
        bail!(foreign);
    }
    let mut members = Vec::with_capacity(archive.len());
    for number in 0..archive.len() {
        let name = archive.by_index_data(number)?.name()?.into_owned();
        members.push(Member::read(&mut archive, number, &name).with_context(|| format!("member `{name}`"))?);
    }
    let mut notes = Vec::new();
    let mut recipe = std::str::from_utf8(archive.comment())
        .ok()
        .filter(|comment| comment.starts_with('{'))
        .and_then(|comment| recipe(comment, &mut notes));
    if let Some(recipe) = &mut recipe {
        recipe.tensors = Some(recipes(&members, &mut notes));
    }
    let packed = Members::new(origin, archive);
    let entry = |(number, member): (usize, Member)| -> Result<Entry> {
        let name = member.name;
        member.header.entry(name.clone(), packed.member(number)?).with_context(|| format!("member `{name}`"))
    };
    let entries = members.into_iter().enumerate().map(entry).collect::<Result<_>>()?;
    Ok(Found { entries, recipe, notes, layout: None })
}

/// A member of an archive.
struct Member {
    name: String,
    comment: String,
    header: npy::Header,
}

/// More than deflate ever packs into a byte (1032), so that a member that claims to be longer lies.
const MAX_RATIO: u64 = 1100;

impl Member {
    fn read(archive: &mut Archive, number: usize, name: &str) -> Result<Self> {
        ensure!(!archive.by_index_data(number)?.encrypted(), "it is encrypted");
        let mut member = archive.by_index(number)?;
        let (packed, size) = (member.compressed_size(), member.size());
        match member.compression() {
            CompressionMethod::Stored => ensure!(packed == size, "it is stored in {packed} bytes, yet of {size}"),
            CompressionMethod::Deflated => {
                ensure!(size / MAX_RATIO <= packed, "{packed} bytes cannot be deflated from {size}");
            }
            other => bail!("it is compressed by {other}: stored and deflated members are read"),
        }
        let name = name.strip_suffix(".npy").context("it is no .npy array")?;
        let header = npy::Header::read(&mut member, size)?;
        Ok(Self { name: name.into(), comment: member.comment().into(), header })
    }
}

/// The recipes of the members, by name.
fn recipes(members: &[Member], notes: &mut Vec<String>) -> BTreeMap<String, TensorRecipe> {
    let mut recipes = BTreeMap::new();
    for Member { name, comment, .. } in members.iter().filter(|member| !member.comment.is_empty()) {
        match TensorRecipe::parse(comment) {
            Ok(recipe) => drop(recipes.insert(name.clone(), recipe)),
            Err(error) => notes.push(format!("the comment of `{name}` is no recipe: {error}")),
        }
    }
    recipes
}
