//! The objects made by a pickle. Values are small and copied; longer ones are in a few lists that are freed at once, so that deep nesting
//! uses no stack. Strings and numbers stay in the pickle's own bytes.

use std::mem::size_of;

use anyhow::{Context, Result, bail, ensure};

use super::known::{Element, Known, Unread};
use super::opcodes::{Instruction, number};

/// A value, or its index in the list of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Value {
    Nothing,
    Switch(bool),
    /// An integer, by the offset of its instruction.
    Number(u32),
    /// A string, by the offset of its instruction.
    Text(u32),
    /// Any other value that has no parts.
    Plain,
    Global(u32),
    Tuple(u32),
    Container(u32),
    Storage(u32),
    Tensor(u32),
    /// A tensor with unsupported values, by the index of its function.
    Unread(u32),
}

/// A function or class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Global {
    /// Its meaning, if known.
    pub(super) known: Option<Known>,
    /// The byte ranges of its module and its name.
    spans: [(u32, u32); 2],
}

/// A list, dict or other object with entries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Container {
    pub(super) class: Class,
    /// Numbers of its first and last entry, from 1.
    pub(super) first: u32,
    last: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Dict,
    /// A list or a set.
    List,
    /// An object of the class with this index, or of an unnamed class.
    Object(Option<u32>),
    /// An object of a subclass of `torch.nn.Module`.
    Module(Option<u32>),
}

/// An entry of a container.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The key; `None` for an element of a list.
    pub(super) key: Option<Value>,
    pub(super) value: Value,
    /// Number of the next entry, from 1; 0 for the last.
    pub(super) next: u32,
}

/// A member of an archive as values, or a part of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storage {
    pub(super) key: Value,
    pub(super) element: &'static Element,
    /// The total number of elements.
    pub(super) count: u64,
    /// The first element of the part, and its number of elements.
    pub(super) view: (u64, u64),
}

/// A tensor, by the arguments of its function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) storage: Value,
    pub(super) offset: Value,
    pub(super) sizes: Value,
    pub(super) strides: Value,
    /// The dtype, for an untyped storage.
    pub(super) dtype: Option<&'static Element>,
    /// Flags of views that are negated or conjugated.
    pub(super) negated: bool,
    pub(super) conjugated: bool,
}

/// The maximum memory for the values of a pickle: 2^20 tensors of `torch.save` need less.
const MAX_MEMORY: usize = 1 << 29;

#[derive(Default)]
pub(super) struct Heap<'a> {
    pub(super) bytes: &'a [u8],
    items: Vec<Value>,
    tuples: Vec<(u32, u32)>,
    pub(super) containers: Vec<Container>,
    links: Vec<Link>,
    globals: Vec<Global>,
    pub(super) storages: Vec<Storage>,
    tensors: Vec<Stored>,
    /// The bytes of memory in use.
    taken: usize,
}

impl<'a> Heap<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// Errors if the additional bytes exceed the limit.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<()> {
        self.taken += bytes;
        ensure!(self.taken <= MAX_MEMORY, "its values need more than {} MiB of memory", MAX_MEMORY >> 20);
        Ok(())
    }

    fn add<T>(&mut self, list: fn(&mut Self) -> &mut Vec<T>, value: T) -> Result<u32> {
        self.charge(size_of::<T>())?;
        let list = list(self);
        list.push(value);
        Ok(u32::try_from(list.len() - 1)?)
    }

    pub(super) fn tuple(&mut self, items: &[Value]) -> Result<Value> {
        self.charge(size_of_val(items))?;
        let begin = u32::try_from(self.items.len())?;
        self.items.extend_from_slice(items);
        let end = u32::try_from(self.items.len())?;
        Ok(Value::Tuple(self.add(|heap| &mut heap.tuples, (begin, end))?))
    }

    pub(super) fn container(&mut self, class: Class) -> Result<Value> {
        Ok(Value::Container(self.add(|heap| &mut heap.containers, Container { class, first: 0, last: 0 })?))
    }

    pub(super) fn storage(&mut self, storage: Storage) -> Result<Value> {
        Ok(Value::Storage(self.add(|heap| &mut heap.storages, storage)?))
    }

    pub(super) fn tensor(&mut self, tensor: Stored) -> Result<Value> {
        Ok(Value::Tensor(self.add(|heap| &mut heap.tensors, tensor)?))
    }

    /// The function or class of a module and name, which are slices of the pickle.
    pub(super) fn global(&mut self, module: &[u8], name: &[u8]) -> Result<Value> {
        let text = |bytes| std::str::from_utf8(bytes).context("a class name is not UTF-8 text");
        let known = Known::find(text(module)?, text(name)?);
        let spans = [self.span(module)?, self.span(name)?];
        Ok(Value::Global(self.add(|heap| &mut heap.globals, Global { known, spans })?))
    }

    /// The byte range of a part of the pickle.
    fn span(&self, part: &[u8]) -> Result<(u32, u32)> {
        let begin = part.as_ptr().addr() - self.bytes.as_ptr().addr();
        Ok((u32::try_from(begin)?, u32::try_from(begin + part.len())?))
    }

    pub(super) fn append(&mut self, container: u32, key: Option<Value>, value: Value) -> Result<()> {
        let number = self.add(|heap| &mut heap.links, Link { key, value, next: 0 })? + 1;
        let Container { first, last, .. } = &mut self.containers[container as usize];
        let before = std::mem::replace(last, number);
        if before == 0 {
            *first = number;
        } else {
            self.links[before as usize - 1].next = number;
        }
        Ok(())
    }

    /// The entry with this number, from 1.
    pub(super) fn link(&self, number: u32) -> Option<Link> {
        self.links.get((number as usize).checked_sub(1)?).copied()
    }

    pub(super) fn links(&self, container: u32) -> impl Iterator<Item = Link> {
        let first = self.link(self.containers[container as usize].first);
        std::iter::successors(first, |link| self.link(link.next))
    }

    pub(super) fn items(&self, tuple: u32) -> &[Value] {
        let (begin, end) = self.tuples[tuple as usize];
        &self.items[begin as usize..end as usize]
    }

    /// The items of a tuple. Errors for other values.
    pub(super) fn items_of(&self, value: Value) -> Result<&[Value]> {
        match value {
            Value::Tuple(tuple) => Ok(self.items(tuple)),
            other => bail!("expected a tuple, found {}", self.kind(other)),
        }
    }

    pub(super) fn known(&self, value: Value) -> Option<Known> {
        let Value::Global(number) = value else { return None };
        self.globals[number as usize].known
    }

    /// The storage of a value. Errors for other values.
    pub(super) fn storage_of(&self, value: Value) -> Result<Storage> {
        match value {
            Value::Storage(number) => Ok(self.storages[number as usize]),
            other => bail!("expected a storage, found {}", self.kind(other)),
        }
    }

    pub(super) fn stored(&self, tensor: u32) -> Stored {
        self.tensors[tensor as usize]
    }

    pub(super) fn unread(&self, global: u32) -> Option<&'static Unread> {
        match self.globals[global as usize].known {
            Some(Known::Unread(unread)) => Some(unread),
            _ => None,
        }
    }

    fn instruction(&self, at: u32) -> Result<Instruction<'a>> {
        Instruction::read(self.bytes, at as usize)?.context("unexpected end")
    }

    /// The integer of a value. Errors for other values.
    pub(super) fn number(&self, value: Value) -> Result<i64> {
        match value {
            Value::Number(at) => number(self.instruction(at)?),
            other => bail!("expected an integer, found {}", self.kind(other)),
        }
    }

    pub(super) fn size(&self, value: Value) -> Result<u64> {
        let number = self.number(value)?;
        u64::try_from(number).with_context(|| format!("{number} is negative"))
    }

    pub(super) fn sizes(&self, value: Value) -> Result<Vec<u64>> {
        let items = self.items_of(value)?;
        // No tensor has more axes.
        ensure!(items.len() <= 64, "{} axes: at most 64 are allowed", items.len());
        items.iter().map(|&item| self.size(item)).collect()
    }

    pub(super) fn text_bytes(&self, value: Value) -> Result<&'a [u8]> {
        match value {
            Value::Text(at) => Ok(self.instruction(at)?.argument),
            other => bail!("expected a string, found {}", self.kind(other)),
        }
    }

    pub(super) fn text(&self, value: Value) -> Result<&'a str> {
        std::str::from_utf8(self.text_bytes(value)?).context("a string is not UTF-8 text")
    }

    pub(super) fn class(&self, global: Option<u32>) -> String {
        let Some(global) = global else { return "a class without a name".into() };
        let part = |(begin, end): (u32, u32)| String::from_utf8_lossy(&self.bytes[begin as usize..end as usize]);
        let [module, name] = self.globals[global as usize].spans.map(part);
        super::shown_name(&format!("{module}.{name}"))
    }

    /// Kind of a value, for messages.
    pub(super) fn kind(&self, value: Value) -> String {
        match value {
            Value::Nothing => "None".into(),
            Value::Switch(_) => "a boolean".into(),
            Value::Number(_) => "an integer".into(),
            Value::Text(_) => "a string".into(),
            Value::Plain => "a number or bytes".into(),
            Value::Global(number) => self.class(Some(number)),
            Value::Tuple(_) => "a tuple".into(),
            Value::Storage(_) => "a storage".into(),
            Value::Tensor(_) | Value::Unread(_) => "a tensor".into(),
            Value::Container(number) => match self.containers[number as usize].class {
                Class::Dict => "a dict".into(),
                Class::List => "a list".into(),
                Class::Object(class) => format!("an object of {}", self.class(class)),
                Class::Module(class) => format!("a whole module of {}", self.class(class)),
            },
        }
    }
}
