//! The pickles of `torch.save`. A pickle is a program; [`decoder`] interprets it and calls nothing that it names.
//! Memory is proportional to the pickle's length, with an absolute limit.

mod decoder;
mod heap;
mod known;
mod opcodes;
mod tensors;

use anyhow::{Result, bail};

use crate::format::shown_name;
use crate::tensor::Shape;
use heap::{Heap, Value};
pub(super) use known::Element;
pub(super) use opcodes::extent;

/// The result of a pickle.
pub(super) struct Pickle<'a> {
    root: Value,
    heap: Heap<'a>,
}

/// A tensor: a view of a storage.
#[derive(Debug)]
pub(super) struct Tensor {
    pub(super) storage: String,
    /// The byte size of the storage.
    pub(super) held: u64,
    /// The byte offset of the first element in the storage.
    pub(super) begin: u64,
    pub(super) element: &'static Element,
    pub(super) shape: Shape,
    /// The strides in elements, checked to stay within the storage.
    pub(super) strides: Vec<u64>,
    /// The flags of views that negate values, or their imaginary parts.
    pub(super) negated: bool,
    pub(super) conjugated: bool,
}

impl<'a> Pickle<'a> {
    /// Runs a pickle of all of `bytes`.
    pub(super) fn run(bytes: &'a [u8]) -> Result<Self> {
        let (root, heap) = decoder::run(bytes)?;
        Ok(Self { root, heap })
    }

    /// Passes its tensors with their names to `visit`, in order. Returns notes on other content.
    pub(super) fn tensors(&self, visit: &mut dyn FnMut(String, Tensor) -> Result<()>) -> Result<Vec<String>> {
        tensors::walk(&self.heap, self.root, visit)
    }

    /// The name, element size in bytes and number of elements of each storage.
    pub(super) fn storages(&self) -> impl Iterator<Item = Result<(&'a str, u64, u64)>> {
        let storages = self.heap.storages.iter();
        storages.map(|storage| Ok((self.heap.text(storage.key)?, storage.element.size, storage.count)))
    }

    /// The result as a number.
    pub(super) fn number(&self) -> Result<i64> {
        self.heap.number(self.root)
    }

    /// The result as a list of strings.
    pub(super) fn texts(&self) -> Result<Vec<&'a str>> {
        let Value::Container(list) = self.root else { bail!("expected a list, found {}", self.heap.kind(self.root)) };
        self.heap.links(list).map(|link| self.heap.text(link.value)).collect::<Result<_>>()
    }
}
