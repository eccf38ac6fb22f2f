//! The pickles of `torch.save`. A pickle is a program; [`decoder`] runs its instructions, and calls nothing that it names.
//! Memory is in proportion to the pickle's own length, and limited beyond that.

mod decoder;
mod heap;
mod known;
mod opcodes;
mod tensors;

use anyhow::{Context, Result, bail};

use crate::format::shown_name;
use crate::tensor::Shape;
use heap::{Heap, Value};
pub(super) use known::Element;
pub(super) use opcodes::extent;

/// A pickle that has been run.
pub(super) struct Pickle<'a> {
    root: Value,
    heap: Heap<'a>,
}

/// A tensor: a part of a storage.
#[derive(Debug)]
pub(super) struct Tensor {
    /// The name of its storage.
    pub(super) storage: String,
    /// The bytes of all of its storage.
    pub(super) held: u64,
    /// The byte of the storage at which its first element begins.
    pub(super) begin: u64,
    pub(super) element: &'static Element,
    pub(super) shape: Shape,
    /// The steps along its axes, in elements; none leads out of the storage.
    pub(super) strides: Vec<u64>,
    /// Flags of a view with the other sign than the storage has, of all of a value or its imaginary part.
    pub(super) negated: bool,
    pub(super) conjugated: bool,
}

impl<'a> Pickle<'a> {
    /// Runs a pickle, which is all of `bytes`.
    pub(super) fn run(bytes: &'a [u8]) -> Result<Self> {
        let (root, heap) = decoder::run(bytes)?;
        Ok(Self { root, heap })
    }

    /// Hands its tensors over with their names, in its order. Tells what else is in it.
    pub(super) fn tensors(&self, visit: &mut dyn FnMut(String, Tensor) -> Result<()>) -> Result<Vec<String>> {
        tensors::walk(&self.heap, self.root, visit)
    }

    /// The name of each storage that it speaks of, the size of its elements in bytes and their number.
    pub(super) fn storages(&self) -> impl Iterator<Item = Result<(&'a str, u64, u64)>> {
        let storages = self.heap.storages.iter();
        storages.map(|storage| Ok((self.heap.text(storage.key)?, storage.element.size, storage.count)))
    }

    /// The number that it is.
    pub(super) fn number(&self) -> Result<i64> {
        self.heap.number(self.root)
    }

    /// The texts of the list that it is.
    pub(super) fn texts(&self) -> Result<Vec<&'a str>> {
        let Value::Container(list) = self.root else {
            bail!("{} stands where a list should", self.heap.kind(self.root))
        };
        self.heap.links(list).map(|link| self.heap.text(link.value)).collect::<Result<_>>().context("a list of texts")
    }
}
