//! The pickles of state dicts, and no others. A pickle is a program; this runs those of its instructions that a dict of
//! tensors needs, with the five functions that one calls, none of which does anything but name its arguments. Everything else
//! is refused by name. Values are shared and never copied, tuples are shallow, and nothing here calls itself, so that a
//! pickle takes memory in proportion to its own length and no more.

use std::collections::HashSet;
use std::rc::Rc;

use anyhow::{Context, Result, bail, ensure};

use super::shown_name;
use crate::plan::{DType, Plan, Shape};

/// A storage: the values of one member of the archive.
#[derive(Debug, PartialEq)]
pub(super) struct Storage {
    /// The name of its member, below `data/`.
    pub(super) key: String,
    pub(super) element: Element,
    /// How many elements it has.
    pub(super) count: u64,
}

/// A type of elements.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) struct Element {
    /// The class of its storages, in the module `torch`.
    class: &'static str,
    pub(super) word: &'static str,
    pub(super) size: u64,
}

impl Element {
    /// The type where it is one of ours.
    pub(super) fn dtype(self) -> Option<DType> {
        DType::ALL.into_iter().find(|dtype| dtype.word() == self.word)
    }
}

const ELEMENTS: &[Element] = &[
    element("DoubleStorage", "f64", 8),
    element("FloatStorage", "f32", 4),
    element("HalfStorage", "f16", 2),
    element("BFloat16Storage", "bf16", 2),
    element("LongStorage", "i64", 8),
    element("IntStorage", "i32", 4),
    element("ShortStorage", "i16", 2),
    element("CharStorage", "i8", 1),
    element("ByteStorage", "u8", 1),
    element("BoolStorage", "bool", 1),
    element("ComplexFloatStorage", "c64", 8),
    element("ComplexDoubleStorage", "c128", 16),
];

const fn element(class: &'static str, word: &'static str, size: u64) -> Element {
    Element { class, word, size }
}

/// A tensor: a part of a storage.
#[derive(Debug, PartialEq)]
pub(super) struct Stored {
    pub(super) storage: Rc<Storage>,
    /// Its first element in the storage.
    pub(super) offset: u64,
    pub(super) shape: Shape,
}

/// Something that a pickle may name and call.
#[derive(Clone, Copy, Debug)]
enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Class(Element),
}

#[derive(Clone, Debug)]
enum Value {
    Nothing,
    Switch,
    Integer(i64),
    Text(Rc<str>),
    Global(Global),
    Tuple(Rc<Tuple>),
    /// Its number among the dicts, so that one may hold itself and do no harm.
    Dict(usize),
    Storage(Rc<Storage>),
    Tensor(Rc<Stored>),
}

#[derive(Debug)]
struct Tuple {
    items: Vec<Value>,
    depth: usize,
}

impl Value {
    /// What it is, for a message.
    fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "None",
            Self::Switch => "True or False",
            Self::Integer(_) => "a number",
            Self::Text(_) => "a text",
            Self::Global(_) => "a function or class",
            Self::Tuple(_) => "a tuple",
            Self::Dict(_) => "a dict",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
        }
    }

    fn size(&self) -> Result<u64> {
        match self {
            Self::Integer(number) => u64::try_from(*number).with_context(|| format!("{number} is below 0")),
            other => bail!("{} stands where a number should", other.kind()),
        }
    }

    fn sizes(&self) -> Result<Vec<u64>> {
        match self {
            Self::Tuple(tuple) => tuple.items.iter().map(Self::size).collect(),
            other => bail!("{} stands where a tuple of numbers should", other.kind()),
        }
    }

    fn text(&self) -> Result<&Rc<str>> {
        match self {
            Self::Text(text) => Ok(text),
            other => bail!("{} stands where a text should", other.kind()),
        }
    }

    fn items(&self) -> Result<&[Self]> {
        match self {
            Self::Tuple(tuple) => Ok(&tuple.items),
            other => bail!("{} stands where a tuple should", other.kind()),
        }
    }
}

/// The deepest tuple: a call's arguments hold a storage's identity at most.
const MAX_DEPTH: usize = 8;
/// The most values that wait at a time: a thousand entries of a dict are two thousand.
const MAX_STACK: usize = 1 << 20;
/// The most values that are kept for later: torch keeps a dozen a tensor.
const MAX_MEMO: usize = 16 * Plan::MAX_TENSORS;
/// The longest name of a module or of what is in it.
const MAX_GLOBAL: usize = 256;

/// The tensors of a state dict by name, in its order.
pub(super) fn state_dict(bytes: &[u8]) -> Result<Vec<(Rc<str>, Rc<Stored>)>> {
    let mut machine =
        Machine { bytes, at: 0, stack: Vec::new(), marks: Vec::new(), memo: Vec::new(), dicts: Vec::new() };
    let root = machine.run().with_context(|| format!("its pickle, at byte {}", machine.at))?;
    let Value::Dict(number) = root else { bail!("it holds {}, and no state dict", root.kind()) };
    let entries = machine.dicts.swap_remove(number);
    ensure!(entries.len() <= Plan::MAX_TENSORS, "{} tensors: at most 2^20 are allowed", entries.len());
    let mut names = HashSet::with_capacity(entries.len());
    entries
        .into_iter()
        .map(|(name, value)| {
            let name = Rc::clone(name.text().context("a name in its state dict")?);
            ensure!(names.insert(Rc::clone(&name)), "two entries are named {}", shown_name(&name));
            match value {
                Value::Tensor(tensor) => Ok((name, tensor)),
                other => bail!("{} is {}: only state dicts of tensors are read", shown_name(&name), other.kind()),
            }
        })
        .collect()
}

/// A pickle that is being run.
struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Vec<Value>,
    dicts: Vec<Vec<(Value, Value)>>,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Value> {
        loop {
            match self.byte()? {
                b'.' => break,
                0x80 => {
                    let version = self.byte()?;
                    ensure!(version == 2, "protocol {version}: torch writes 2");
                }
                b'c' => {
                    let global = self.global()?;
                    self.push(Value::Global(global))?;
                }
                b'(' => {
                    ensure!(self.marks.len() < MAX_STACK, "more than 2^20 marks");
                    self.marks.push(self.stack.len());
                }
                b')' => self.push_tuple(Vec::new())?,
                b't' => {
                    let items = self.since_mark()?;
                    self.push_tuple(items)?;
                }
                count @ 0x85..=0x87 => {
                    let items = self.last(usize::from(count - 0x84))?;
                    self.push_tuple(items)?;
                }
                b'}' => self.push_dict()?,
                b's' => {
                    let items = self.last(2)?;
                    self.set(items)?;
                }
                b'u' => {
                    let items = self.since_mark()?;
                    self.set(items)?;
                }
                b'R' => self.call()?,
                b'b' => self.build()?,
                b'Q' => self.persistent()?,
                b'q' | b'r' | b'h' | b'j' => self.remember()?,
                b'N' => self.push(Value::Nothing)?,
                0x88 | 0x89 => self.push(Value::Switch)?,
                b'K' | b'M' | b'J' | 0x8a => {
                    self.at -= 1;
                    let integer = self.integer()?;
                    self.push(Value::Integer(integer))?;
                }
                b'X' => {
                    let length = self.number(4)?;
                    let text = std::str::from_utf8(self.take(length)?).context("a text is not UTF-8")?.into();
                    self.push(Value::Text(text))?;
                }
                other => bail!("instruction {other:#04x} is none that a state dict needs"),
            }
        }
        let root = self.pop()?;
        ensure!(self.at == self.bytes.len(), "{} bytes follow its end", self.bytes.len() - self.at);
        ensure!(self.stack.is_empty() && self.marks.is_empty(), "it leaves values behind");
        Ok(root)
    }

    fn take(&mut self, length: usize) -> Result<&[u8]> {
        let rest = &self.bytes[self.at..];
        ensure!(length <= rest.len(), "{length} bytes are asked for, and {} are left", rest.len());
        self.at += length;
        Ok(&rest[..length])
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1).context("it ends too early")?[0])
    }

    /// A little-endian number of so many bytes, four at most.
    fn number(&mut self, width: usize) -> Result<usize> {
        Ok(self.take(width)?.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte)))
    }

    fn integer(&mut self) -> Result<i64> {
        Ok(match self.byte()? {
            b'K' => self.byte()?.into(),
            b'M' => {
                let bytes = self.take(2)?;
                u16::from_le_bytes([bytes[0], bytes[1]]).into()
            }
            b'J' => {
                let bytes = self.take(4)?;
                i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).into()
            }
            _ => {
                let length = self.number(1)?;
                ensure!(length <= 8, "a number of {length} bytes");
                let bytes = self.take(length)?;
                let sign = bytes.last().map_or(0, |&last| if last < 0x80 { 0 } else { -1 });
                bytes.iter().rev().fold(sign, |number, &byte| number << 8 | i64::from(byte))
            }
        })
    }

    fn push(&mut self, value: Value) -> Result<()> {
        ensure!(self.stack.len() < MAX_STACK, "more than 2^20 values wait at a time");
        self.stack.push(value);
        Ok(())
    }

    /// The last value, which no mark keeps.
    fn pop(&mut self) -> Result<Value> {
        let floor = self.marks.last().copied().unwrap_or(0);
        ensure!(self.stack.len() > floor, "it takes a value where none is left");
        self.stack.pop().context("it takes a value where none is left")
    }

    fn last(&mut self, count: usize) -> Result<Vec<Value>> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
        items.reverse();
        Ok(items)
    }

    fn since_mark(&mut self) -> Result<Vec<Value>> {
        let mark = self.marks.pop().context("it goes back to a mark where none is")?;
        ensure!(mark <= self.stack.len(), "it goes back to a mark that is gone");
        Ok(self.stack.split_off(mark))
    }

    fn push_tuple(&mut self, items: Vec<Value>) -> Result<()> {
        let depth = |item: &Value| if let Value::Tuple(tuple) = item { tuple.depth } else { 0 };
        let depth = 1 + items.iter().map(depth).max().unwrap_or(0);
        ensure!(depth <= MAX_DEPTH, "tuples in tuples, more than {MAX_DEPTH} deep");
        self.push(Value::Tuple(Rc::new(Tuple { items, depth })))
    }

    fn push_dict(&mut self) -> Result<()> {
        self.dicts.push(Vec::new());
        self.push(Value::Dict(self.dicts.len() - 1))
    }

    /// Puts keys and values by turns into the dict below them.
    fn set(&mut self, items: Vec<Value>) -> Result<()> {
        ensure!(items.len().is_multiple_of(2), "a key without a value");
        let floor = self.marks.last().copied().unwrap_or(0);
        let Some(&Value::Dict(number)) = self.stack.get(floor..).and_then(<[_]>::last) else {
            bail!("entries of what is no dict")
        };
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            self.dicts[number].push((key, value));
        }
        Ok(())
    }

    /// Keeps the last value, or brings one back.
    fn remember(&mut self) -> Result<()> {
        let instruction = self.bytes[self.at - 1];
        let number = self.number(if matches!(instruction, b'q' | b'h') { 1 } else { 4 })?;
        if matches!(instruction, b'h' | b'j') {
            let value = self.memo.get(number).with_context(|| format!("value {number} is asked for, and not kept"))?;
            return self.push(value.clone());
        }
        let value = self.pop()?;
        ensure!(number <= self.memo.len() && number < MAX_MEMO, "value {number} is kept before those below it");
        if number == self.memo.len() {
            self.memo.push(value.clone());
        } else {
            self.memo[number] = value.clone();
        }
        self.push(value)
    }

    fn global(&mut self) -> Result<Global> {
        let mut line = || -> Result<String> {
            let rest = &self.bytes[self.at..];
            let end = rest.iter().take(MAX_GLOBAL).position(|&byte| byte == b'\n').context("a name without an end")?;
            self.at += end + 1;
            Ok(std::str::from_utf8(&rest[..end]).context("a name is not UTF-8")?.to_string())
        };
        let (module, name) = (line()?, line()?);
        let class = || ELEMENTS.iter().find(|element| element.class == name).map(|&element| Global::Class(element));
        let found = match (module.as_str(), name.as_str()) {
            ("collections", "OrderedDict") => Some(Global::OrderedDict),
            ("torch._utils", "_rebuild_tensor_v2") => Some(Global::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => Some(Global::RebuildParameter),
            ("torch", _) => class(),
            _ => None,
        };
        found.with_context(|| {
            format!(
                "it asks for {}, which no state dict of dense tensors needs",
                shown_name(&format!("{module}.{name}"))
            )
        })
    }

    fn call(&mut self) -> Result<()> {
        let [function, arguments] =
            self.last(2)?.try_into().map_err(|_| anyhow::anyhow!("a call without arguments"))?;
        let arguments = arguments.items()?;
        match function {
            Value::Global(Global::OrderedDict) => {
                ensure!(arguments.is_empty(), "an ordered dict made of something");
                self.push_dict()
            }
            Value::Global(Global::RebuildTensor) => {
                let [storage, offset, sizes, strides, _gradient, _hooks, ..] = arguments else {
                    bail!("a tensor of {} arguments", arguments.len())
                };
                let tensor = tensor(storage, offset, sizes, strides)?;
                self.push(Value::Tensor(Rc::new(tensor)))
            }
            Value::Global(Global::RebuildParameter) => match arguments {
                [tensor @ Value::Tensor(_), _gradient, _hooks] => self.push(tensor.clone()),
                _ => bail!("a parameter of no tensor"),
            },
            other => bail!("{} is called", other.kind()),
        }
    }

    /// The attributes of a dict, such as the versions of the modules: no tensor is among them.
    fn build(&mut self) -> Result<()> {
        let state = self.pop()?;
        ensure!(matches!(state, Value::Dict(_)), "attributes that are {}", state.kind());
        let owner = self.pop()?;
        ensure!(matches!(owner, Value::Dict(_)), "attributes of {}", owner.kind());
        self.push(owner)
    }

    /// `('storage', class, key, place, count)`.
    fn persistent(&mut self) -> Result<()> {
        let identity = self.pop()?;
        let [word, Value::Global(Global::Class(element)), key, _place, count] = identity.items()? else {
            bail!("an object from elsewhere that is no storage")
        };
        ensure!(&**word.text()? == "storage", "an object from elsewhere that is no storage");
        let storage = Storage { key: key.text()?.to_string(), element: *element, count: count.size()? };
        self.push(Value::Storage(Rc::new(storage)))
    }
}

/// A tensor that lies in one piece in its storage. Errors where it does not, or is not all there.
fn tensor(storage: &Value, offset: &Value, sizes: &Value, strides: &Value) -> Result<Stored> {
    let Value::Storage(storage) = storage else { bail!("a tensor of {}", storage.kind()) };
    let (offset, shape, strides) = (offset.size()?, Shape::new(sizes.sizes()?)?, strides.sizes()?);
    ensure!(strides.len() == shape.rank(), "shape {shape} with {} strides", strides.len());
    let mut expected = 1u64;
    for (&size, &stride) in shape.axes().iter().zip(&strides).rev() {
        // A stride along one element, or none, leads nowhere.
        let contiguous = size <= 1 || shape.count() == 0 || stride == expected;
        ensure!(contiguous, "shape {shape} with strides {strides:?} is not contiguous: save `tensor.contiguous()`");
        expected *= size.max(1);
    }
    let end = offset.checked_add(shape.count());
    ensure!(
        end.is_some_and(|end| end <= storage.count),
        "shape {shape} from element {offset} on does not fit into a storage of {}",
        storage.count
    );
    Ok(Stored { storage: Rc::clone(storage), offset, shape })
}
