//! The tensors of a pickle, named by their keys and indices joined by dots.

use std::collections::HashSet;

use anyhow::{Context, Result, bail, ensure};

use super::heap::{Class, Heap, Value};
use super::{Tensor, shown_name};
use crate::plan::Plan;
use crate::tensor::Shape;

/// The deepest nesting that is searched.
const MAX_DEPTH: usize = 200;
/// The maximum number of entries that are visited; those of a shared container count each time.
const MAX_VISITS: usize = 1 << 25;
/// Longest tensor name, in bytes.
const MAX_NAME: usize = 1 << 12;
const MAX_NAMES: usize = 1 << 27;
/// The name of a single tensor without a container.
const ALONE: &str = "weight";
/// The number of names in a note.
const SHOWN: usize = 5;

/// A container that is being visited.
struct Frame {
    value: Value,
    /// The index of its next link, if any.
    next: u32,
    /// The number of entries visited.
    index: usize,
    /// Length of the container's name.
    name: usize,
    /// The numbers of tensors and of entries without tensors found earlier.
    tensors: usize,
    skipped: usize,
}

/// Traverses a pickle's result and names each tensor.
pub(super) struct Walk<'a, 'b> {
    heap: &'a Heap<'b>,
    visit: &'a mut dyn FnMut(String, Tensor) -> Result<()>,
    frames: Vec<Frame>,
    name: String,
    /// The containers around the current value, and those without tensors.
    around: HashSet<Value>,
    barren: HashSet<Value>,
    visits: usize,
    tensors: usize,
    bytes_of_names: usize,
    /// The number of entries without a tensor, and the first names.
    skipped: usize,
    shown: Vec<String>,
    /// The first module saved as an object.
    module: Option<String>,
}

/// Passes every tensor with its name to `visit`; returns notes on other content.
pub(super) fn walk(
    heap: &Heap,
    root: Value,
    visit: &mut dyn FnMut(String, Tensor) -> Result<()>,
) -> Result<Vec<String>> {
    let mut walk = Walk {
        heap,
        visit,
        frames: Vec::new(),
        name: String::new(),
        around: HashSet::new(),
        barren: HashSet::new(),
        visits: 0,
        tensors: 0,
        bytes_of_names: 0,
        skipped: 0,
        shown: Vec::new(),
        module: None,
    };
    match root {
        Value::Tensor(_) | Value::Unread(_) => {
            walk.name.push_str(ALONE);
            walk.enter(root)?;
        }
        Value::Tuple(_) => walk.open(root, 0),
        Value::Container(number) => match heap.containers[number as usize].class {
            Class::Module(class) => bail!("it is a whole module of {}: {STATE_DICT}", heap.class(class)),
            Class::Object(class) if heap.links(number).next().is_none() => {
                bail!("it holds an object of {}, not tensors", heap.class(class))
            }
            _ => walk.open(root, heap.containers[number as usize].first),
        },
        other => bail!("it holds {}, not tensors", heap.kind(other)),
    }
    while let Some((key, value)) = walk.next() {
        walk.visits += 1;
        ensure!(walk.visits <= MAX_VISITS, "more than {MAX_VISITS} entries");
        if walk.append(key) {
            walk.enter(value)?;
        } else {
            ensure!(
                !matches!(value, Value::Tensor(_)),
                "the key of a tensor{} cannot be a name: use a short string, an integer, a boolean or None",
                if walk.name.is_empty() { String::new() } else { format!(" in {}", shown_name(&walk.name)) }
            );
            walk.skip();
        }
    }
    walk.notes()
}

const STATE_DICT: &str = "only Python can rebuild it: save `module.state_dict()`";

/// The key or index of an entry.
#[derive(Clone, Copy)]
enum Key {
    Value(Value),
    Index(usize),
}

impl Walk<'_, '_> {
    /// The next entry of the innermost unfinished container; `None` at the end.
    fn next(&mut self) -> Option<(Key, Value)> {
        while let Some(frame) = self.frames.last_mut() {
            let index = frame.index;
            frame.index += 1;
            self.name.truncate(frame.name);
            let entry = match frame.value {
                Value::Tuple(tuple) => self.heap.items(tuple).get(index).map(|&item| (Key::Index(index), item)),
                _ => self.heap.link(frame.next).map(|link| {
                    frame.next = link.next;
                    (link.key.map_or(Key::Index(index), Key::Value), link.value)
                }),
            };
            if entry.is_some() {
                return entry;
            }
            self.close();
        }
        None
    }

    fn open(&mut self, value: Value, first: u32) {
        let (name, tensors, skipped) = (self.name.len(), self.tensors, self.skipped);
        self.around.insert(value);
        self.frames.push(Frame { value, next: first, index: 0, name, tensors, skipped });
    }

    /// Leaves the innermost container. One without tensors is skipped as a unit, unless it is the only one.
    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        self.around.remove(&frame.value);
        if self.tensors == frame.tensors && !self.frames.is_empty() {
            self.barren.insert(frame.value);
            self.skipped = frame.skipped;
            self.shown.truncate(frame.skipped);
            self.skip();
        }
    }

    /// Appends a key to the name. False if it is not a string or is too long.
    fn append(&mut self, key: Key) -> bool {
        let text = match key {
            Key::Index(index) => index.to_string(),
            Key::Value(key) => match self.text(key) {
                Some(text) => text,
                None => return false,
            },
        };
        if self.name.len() + text.len() >= MAX_NAME {
            return false;
        }
        if self.frames.len() > 1 {
            self.name.push('.');
        }
        self.name.push_str(&text);
        true
    }

    /// The text of a key, as printed by Python.
    fn text(&self, key: Value) -> Option<String> {
        match key {
            Value::Text(_) => {
                let bytes = self.heap.text_bytes(key).ok().filter(|bytes| bytes.len() < MAX_NAME)?;
                Some(std::str::from_utf8(bytes).ok()?.into())
            }
            Value::Number(_) => Some(self.heap.number(key).ok()?.to_string()),
            Value::Switch(true) => Some("True".into()),
            Value::Switch(false) => Some("False".into()),
            Value::Nothing => Some("None".into()),
            _ => None,
        }
    }

    /// Visits the value with the current name.
    fn enter(&mut self, value: Value) -> Result<()> {
        let first = match value {
            Value::Tensor(number) => return self.tensor(number),
            Value::Unread(function) => {
                let unread = self.heap.unread(function).context("a tensor of an unknown kind")?;
                bail!("{} is {}: {}", shown_name(&self.name), unread.kind, unread.instead)
            }
            Value::Tuple(tuple) if !self.heap.items(tuple).is_empty() => 0,
            Value::Container(number) => {
                let container = self.heap.containers[number as usize];
                if let Class::Module(class) = container.class {
                    let module =
                        || format!("{} is a whole module of {}", shown_name(&self.name), self.heap.class(class));
                    self.module.get_or_insert_with(module);
                }
                if matches!(container.class, Class::Module(_)) { 0 } else { container.first }
            }
            _ => {
                self.skip();
                return Ok(());
            }
        };
        let empty = matches!(value, Value::Container(_)) && first == 0;
        if empty || self.frames.len() >= MAX_DEPTH || self.around.contains(&value) || self.barren.contains(&value) {
            self.skip();
        } else {
            self.open(value, first);
        }
        Ok(())
    }

    fn tensor(&mut self, number: u32) -> Result<()> {
        self.tensors += 1;
        ensure!(self.tensors <= Plan::MAX_TENSORS, "more than 2^20 tensors");
        // Containers that are shared repeatedly could yield many tensors from few bytes.
        let bytes = self.heap.bytes.len();
        ensure!(self.tensors <= bytes, "it names more tensors than its {bytes} bytes can hold");
        self.bytes_of_names += self.name.len();
        ensure!(self.bytes_of_names <= MAX_NAMES, "its tensor names exceed {MAX_NAMES} bytes in total");
        let tensor = Tensor::new(self.heap, number).with_context(|| format!("tensor {}", shown_name(&self.name)))?;
        (self.visit)(self.name.clone(), tensor)
    }

    /// Counts an entry without tensors.
    fn skip(&mut self) {
        if self.shown.len() < SHOWN {
            self.shown.push(shown_name(&self.name));
        }
        self.skipped += 1;
    }

    /// The notes on skipped entries. Errors if there are no others.
    fn notes(self) -> Result<Vec<String>> {
        let mut names = self.shown.join(", ");
        if self.skipped > self.shown.len() {
            names = format!("{names} and {} more", self.skipped - self.shown.len());
        }
        let mut notes: Vec<String> = self.module.map(|module| format!("{module}: {STATE_DICT}")).into_iter().collect();
        if self.tensors == 0 && self.skipped > 0 {
            notes.push(format!("it holds no tensors, only {names}"));
            bail!(notes.join("; "));
        }
        match self.skipped {
            0 => {}
            1 => notes.push(format!("1 entry without tensors is skipped: {names}")),
            count => notes.push(format!("{count} entries without tensors are skipped: {names}")),
        }
        Ok(notes)
    }
}

impl Tensor {
    fn new(heap: &Heap, number: u32) -> Result<Self> {
        let stored = heap.stored(number);
        let storage = heap.storage_of(stored.storage)?;
        let element = stored.dtype.unwrap_or(storage.element);
        let (shape, strides) = (Shape::new(heap.sizes(stored.sizes)?)?, heap.sizes(stored.strides)?);
        ensure!(strides.len() == shape.rank(), "shape {shape} has {} strides", strides.len());
        let offset = heap.size(stored.offset)?;
        let in_bytes = |count: u64, size: u64| {
            count.checked_mul(size).with_context(|| format!("{count} elements exceed 2^64 bytes"))
        };
        let (first, count) = storage.view;
        ensure!(
            first.checked_add(count).is_some_and(|end| end <= storage.count),
            "a view of {count} elements from {first} exceeds its storage of {}",
            storage.count
        );
        let end = reach(&shape, &strides).and_then(|reach| reach.checked_add(offset)?.checked_mul(element.size));
        let held = in_bytes(count, storage.element.size)?;
        ensure!(
            end.is_some_and(|end| end <= held),
            "shape {shape} with strides {strides:?} from element {offset} exceeds its storage of {held} bytes"
        );
        Ok(Self {
            storage: heap.text(storage.key)?.into(),
            held: in_bytes(storage.count, storage.element.size)?,
            begin: in_bytes(first, storage.element.size)? + in_bytes(offset, element.size)?,
            element,
            shape,
            strides,
            negated: stored.negated,
            conjugated: stored.conjugated,
        })
    }
}

/// The number of elements from the first to the last, inclusive; `None` beyond 2^64.
fn reach(shape: &Shape, strides: &[u64]) -> Option<u64> {
    if shape.count() == 0 {
        return Some(0);
    }
    let mut steps = shape.axes().iter().zip(strides);
    steps.try_fold(1u64, |reach, (&size, &stride)| reach.checked_add((size - 1).checked_mul(stride)?))
}
