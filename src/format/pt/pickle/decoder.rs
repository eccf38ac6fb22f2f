//! Interprets a pickle, which is a program, without calling anything that it names. A call to a known torch function
//! creates a tensor, a dict or a tuple. Any other call creates an opaque object.

use anyhow::{Context, Result, bail, ensure};

use super::heap::{Class, Heap, Storage, Stored, Value};
use super::known::{Element, Known, UNTYPED};
use super::opcodes::{Instruction, STOP};

/// Largest number of values on the stack, and of marks among them.
const MAX_STACK: usize = 1 << 21;
/// Number of an object's attributes that are searched for module attributes.
const LOOKED_AT: usize = 32;

struct Decoder<'a> {
    heap: Heap<'a>,
    /// Offset of the current instruction.
    at: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Vec<Option<Value>>,
}

/// Interprets a pickle that occupies all of `bytes`. Returns its result and all created objects.
pub(super) fn run(bytes: &[u8]) -> Result<(Value, Heap<'_>)> {
    ensure!(u32::try_from(bytes.len()).is_ok(), "its pickle exceeds 2^32 bytes");
    let mut decoder = Decoder { heap: Heap::new(bytes), at: 0, stack: Vec::new(), marks: Vec::new(), memo: Vec::new() };
    let root = decoder.run().with_context(|| format!("pickle byte {}", decoder.at))?;
    Ok((root, decoder.heap))
}

impl<'a> Decoder<'a> {
    fn run(&mut self) -> Result<Value> {
        loop {
            let instruction = Instruction::read(self.heap.bytes, self.at)?.context("unexpected end")?;
            if instruction.code == STOP {
                self.at = instruction.end;
                break;
            }
            self.step(instruction)?;
            self.at = instruction.end;
        }
        let root = self.pop()?;
        let rest = self.heap.bytes.len() - self.at;
        ensure!(rest == 0, "{rest} bytes follow its end");
        ensure!(self.stack.is_empty() && self.marks.is_empty(), "values remain on the stack at its end");
        Ok(root)
    }

    fn step(&mut self, instruction: Instruction<'a>) -> Result<()> {
        let Instruction { code, argument, .. } = instruction;
        let here = u32::try_from(self.at)?;
        match code {
            0x80 => ensure!(argument[0] <= 5, "unsupported protocol {}", argument[0]),
            // Frame lengths are ignored.
            0x95 => {}
            b'(' => {
                ensure!(self.marks.len() < MAX_STACK, "the stack exceeds {MAX_STACK} marks");
                self.marks.push(self.stack.len());
            }
            b'0' => drop(if self.marks.pop_if(|mark| *mark == self.stack.len()).is_none() {
                self.pop()?
            } else {
                Value::Nothing
            }),
            b'1' => drop(self.since_mark()?),
            b'2' => {
                let value = self.pop()?;
                self.push(value)?;
                self.push(value)?;
            }
            b'N' => self.push(Value::Nothing)?,
            0x88 | 0x89 => self.push(Value::Switch(code == 0x88))?,
            b'I' if matches!(argument, b"00" | b"01") => self.push(Value::Switch(argument == b"01"))?,
            b'K' | b'M' | b'J' | 0x8a | 0x8b | b'I' | b'L' => self.push(Value::Number(here))?,
            b'X' | 0x8c | 0x8d | b'U' | b'T' => self.push(Value::Text(here))?,
            b'G' | b'F' | b'S' | b'V' | b'B' | b'C' | 0x8e | 0x96 => self.push(Value::Plain)?,
            b'q' | b'r' | b'p' | b'h' | b'j' | b'g' | 0x94 => self.remember(instruction)?,
            b')' | b't' | 0x85..=0x87 => self.tuple(code)?,
            b'}' | b']' | 0x8f | b'd' | b'l' | 0x91 | b's' | b'u' | b'a' | b'e' | 0x90 => self.container(code)?,
            b'Q' => self.persistent()?,
            _ => self.object(instruction)?,
        }
        Ok(())
    }

    fn push(&mut self, value: Value) -> Result<()> {
        ensure!(self.stack.len() < MAX_STACK, "the stack exceeds {MAX_STACK} values");
        self.stack.push(value);
        Ok(())
    }

    /// Pops the last value above the last mark.
    fn pop(&mut self) -> Result<Value> {
        let floor = self.marks.last().copied().unwrap_or(0);
        ensure!(self.stack.len() > floor, "stack underflow");
        self.stack.pop().context("stack underflow")
    }

    fn last<const COUNT: usize>(&mut self) -> Result<[Value; COUNT]> {
        let mut items = [Value::Nothing; COUNT];
        for item in items.iter_mut().rev() {
            *item = self.pop()?;
        }
        Ok(items)
    }

    fn since_mark(&mut self) -> Result<Vec<Value>> {
        let mark = self.marks.pop().context("no mark on the stack")?;
        ensure!(mark <= self.stack.len(), "stack underflow below a mark");
        Ok(self.stack.split_off(mark))
    }

    /// Writes to or reads from the memo.
    fn remember(&mut self, instruction: Instruction) -> Result<()> {
        let Instruction { code, argument, .. } = instruction;
        let number = match code {
            0x94 => self.memo.len(),
            b'p' | b'g' => std::str::from_utf8(argument)?.parse().context("invalid memo index")?,
            _ => argument.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte)),
        };
        if matches!(code, b'h' | b'j' | b'g') {
            let kept = self.memo.get(number).copied().flatten();
            return self.push(kept.with_context(|| format!("memo index {number} is not set"))?);
        }
        let value = self.pop()?;
        // Memo indices are consecutive, so none exceeds the number of preceding bytes.
        ensure!(number <= self.at, "memo index {number} is out of order");
        if let Some(more) = (number + 1).checked_sub(self.memo.len()) {
            self.heap.charge(more * size_of::<Option<Value>>())?;
            self.memo.resize(number + 1, None);
        }
        self.memo[number] = Some(value);
        self.push(value)
    }

    fn tuple(&mut self, code: u8) -> Result<()> {
        let tuple = match code {
            b')' => self.heap.tuple(&[])?,
            b't' => {
                let items = self.since_mark()?;
                self.heap.tuple(&items)?
            }
            count => {
                let count = usize::from(count - 0x84);
                let floor = self.marks.last().copied().unwrap_or(0);
                ensure!(self.stack.len() >= floor + count, "stack underflow");
                let items = self.stack.split_off(self.stack.len() - count);
                self.heap.tuple(&items)?
            }
        };
        self.push(tuple)
    }

    /// Creates or extends a dict, a list or a set.
    fn container(&mut self, code: u8) -> Result<()> {
        match code {
            b'}' => self.new_container(Class::Dict, &[]),
            b']' | 0x8f => self.new_container(Class::List, &[]),
            b'd' | b'l' | 0x91 => {
                let items = self.since_mark()?;
                self.new_container(if code == b'd' { Class::Dict } else { Class::List }, &items)
            }
            b's' => {
                let items: [Value; 2] = self.last()?;
                self.extend(&items, true)
            }
            b'a' => {
                let items: [Value; 1] = self.last()?;
                self.extend(&items, false)
            }
            _ => {
                let items = self.since_mark()?;
                self.extend(&items, code == b'u')
            }
        }
    }

    fn new_container(&mut self, class: Class, items: &[Value]) -> Result<()> {
        let container = self.heap.container(class)?;
        self.push(container)?;
        self.extend(items, class == Class::Dict)
    }

    /// Adds elements, or alternating keys and values, to the container on top of the stack.
    fn extend(&mut self, items: &[Value], keyed: bool) -> Result<()> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let Some(&Value::Container(number)) = self.stack.get(floor..).and_then(<[_]>::last) else {
            bail!("cannot add items: no container on the stack")
        };
        let lists = self.heap.containers[number as usize].class == Class::List;
        let dicts = self.heap.containers[number as usize].class == Class::Dict;
        ensure!(if keyed { !lists } else { !dicts }, "cannot add items of this kind to the container");
        if !keyed {
            return items.iter().try_for_each(|&item| self.heap.append(number, None, item));
        }
        let (pairs, rest) = items.as_chunks::<2>();
        ensure!(rest.is_empty(), "a key without a value");
        pairs.iter().try_for_each(|&[key, value]| self.heap.append(number, Some(key), value))
    }

    /// Resolves `('storage', class, key, place, count)`, optionally with a view, or `('module', class, ...)` with
    /// source code.
    fn persistent(&mut self) -> Result<()> {
        let identity = self.pop()?;
        let value = match *self.heap.items_of(identity)? {
            [word, class, ..] if self.heap.text_bytes(word)? == b"module" => class,
            [word, class, key, _place, count, ref view @ ..] if self.heap.text_bytes(word)? == b"storage" => {
                let Some(Known::Storage(element)) = self.heap.known(class) else {
                    bail!("unknown storage class {}", self.heap.kind(class))
                };
                let count = self.heap.size(count)?;
                let view = match view {
                    [] | [Value::Nothing] => (0, count),
                    [view] => self.view(*view)?,
                    _ => bail!("a storage with {} extra arguments", view.len()),
                };
                self.heap.text(key)?;
                self.heap.storage(Storage { key, element, count, view })?
            }
            _ => bail!("a persistent ID that is not a storage"),
        };
        self.push(value)
    }

    /// First element and number of elements of a storage view.
    fn view(&self, view: Value) -> Result<(u64, u64)> {
        let [_key, first, count] = *self.heap.items_of(view)? else { bail!("an invalid storage view") };
        Ok((self.heap.size(first)?, self.heap.size(count)?))
    }

    /// Handles names, calls and objects.
    fn object(&mut self, instruction: Instruction<'a>) -> Result<()> {
        match instruction.code {
            b'c' | b'i' => {
                let split =
                    instruction.argument.iter().position(|&byte| byte == b'\n').context("a global without a name")?;
                let (module, name) = instruction.argument.split_at(split);
                let global = self.heap.global(module, &name[1..])?;
                if instruction.code == b'c' {
                    return self.push(global);
                }
                self.since_mark()?;
                self.new_object(global)
            }
            0x93 => {
                let [module, name] = self.last()?;
                let (module, name) = (self.heap.text_bytes(module)?, self.heap.text_bytes(name)?);
                let global = self.heap.global(module, name)?;
                self.push(global)
            }
            b'o' => {
                let items = self.since_mark()?;
                self.new_object(*items.first().context("an object without a class")?)
            }
            0x81 => {
                let [class, _arguments] = self.last()?;
                self.new_object(class)
            }
            0x92 => {
                let [class, _arguments, _named] = self.last()?;
                self.new_object(class)
            }
            b'R' => {
                let [function, arguments] = self.last()?;
                let made = self.call(function, arguments)?;
                self.push(made)
            }
            b'b' => self.build(),
            other => bail!("unsupported opcode {other:#04x}"),
        }
    }

    fn new_object(&mut self, class: Value) -> Result<()> {
        let object = self.made(class)?;
        self.push(object)
    }

    /// An empty object of a class.
    fn made(&mut self, class: Value) -> Result<Value> {
        let class = match (class, self.heap.known(class)) {
            (_, Some(Known::Dict)) => Class::Dict,
            (Value::Global(number), _) => Class::Object(Some(number)),
            (Value::Container(_), _) => Class::Object(None),
            (other, _) => bail!("{} is not a class", self.heap.kind(other)),
        };
        self.heap.container(class)
    }

    fn call(&mut self, mut function: Value, mut arguments: Value) -> Result<Value> {
        loop {
            let items = self.heap.items_of(arguments)?;
            let class = match (function, self.heap.known(function)) {
                (_, Some(Known::Subclass)) => {
                    let [inner, _class, theirs, ..] = *items else {
                        bail!("a tensor subclass with {} arguments", items.len())
                    };
                    (function, arguments) = (inner, theirs);
                    continue;
                }
                (_, Some(Known::Dict)) => return self.dict(arguments),
                (_, Some(Known::Object)) => return self.made(*items.first().context("an object without a class")?),
                (_, Some(Known::Size)) => return Ok(items.first().copied().unwrap_or(arguments)),
                (_, Some(Known::Tensor)) => return self.tensor(arguments, false),
                (_, Some(Known::TensorOfBytes)) => return self.tensor(arguments, true),
                (_, Some(Known::Parameter)) => return items.first().copied().context("a parameter without a tensor"),
                (_, Some(Known::FromCpu)) => return self.tensor_on_cpu(arguments),
                (Value::Global(number), Some(Known::Unread(_))) => return Ok(Value::Unread(number)),
                (Value::Global(number), _) => Some(number),
                (Value::Container(_), _) => None,
                (other, _) => bail!("{} is not callable", self.heap.kind(other)),
            };
            return self.heap.container(Class::Object(class));
        }
    }

    /// The tensor's values on the CPU, if their type did not change.
    fn tensor_on_cpu(&self, arguments: Value) -> Result<Value> {
        let [tensor @ Value::Tensor(number), dtype, ..] = *self.heap.items_of(arguments)? else {
            bail!("a tensor on another device without its CPU copy")
        };
        let stored = self.heap.stored(number);
        let held = stored.dtype.map_or_else(|| Ok(self.heap.storage_of(stored.storage)?.element), anyhow::Ok)?;
        let same = self.heap.known(dtype) == Some(Known::Dtype(held));
        ensure!(same, "a tensor on another device with another type: save `tensor.cpu()`");
        Ok(tensor)
    }

    /// A dict that is empty, or made from a list of pairs as Python 2 writes it.
    fn dict(&mut self, arguments: Value) -> Result<Value> {
        let [pairs] = *self.heap.items_of(arguments)? else { return self.heap.container(Class::Dict) };
        let Value::Container(pairs) = pairs else { bail!("cannot build a dict from {}", self.heap.kind(pairs)) };
        if self.heap.containers[pairs as usize].class == Class::Dict {
            return Ok(Value::Container(pairs));
        }
        let made = self.heap.container(Class::Dict)?;
        let Value::Container(number) = made else { bail!("cannot build a dict") };
        let mut next = self.heap.containers[pairs as usize].first;
        while let Some(link) = self.heap.link(next) {
            let [key, value] = self.pair(link.value)?;
            self.heap.append(number, Some(key), value)?;
            next = link.next;
        }
        Ok(made)
    }

    /// The two items of a tuple or a list.
    fn pair(&self, value: Value) -> Result<[Value; 2]> {
        let items: Vec<Value> = match value {
            Value::Container(list) => self.heap.links(list).take(3).map(|link| link.value).collect(),
            other => self.heap.items_of(other)?.iter().take(3).copied().collect(),
        };
        items.try_into().map_err(|_| anyhow::anyhow!("cannot build a dict: not key-value pairs"))
    }

    fn tensor(&mut self, arguments: Value, of_bytes: bool) -> Result<Value> {
        let items = self.heap.items_of(arguments)?;
        let [storage, offset, sizes, strides, ref rest @ ..] = *items else {
            bail!("a tensor with {} arguments", items.len())
        };
        let held = self.heap.storage_of(storage)?;
        let dtype = match rest.get(2).and_then(|&dtype| self.heap.known(dtype)) {
            Some(Known::Dtype(dtype)) if of_bytes => Some(dtype),
            _ => None,
        };
        ensure!(of_bytes == dtype.is_some(), "a tensor without a known dtype");
        ensure!(of_bytes || !std::ptr::eq::<Element>(held.element, UNTYPED), "a tensor of bytes without a dtype");
        let flags = rest.get(if of_bytes { 3 } else { 2 }).copied();
        let (negated, conjugated) = (self.flag(flags, b"neg")?, self.flag(flags, b"conj")?);
        self.heap.tensor(Stored { storage, offset, sizes, strides, dtype, negated, conjugated })
    }

    /// Value of a flag in a tensor's metadata; false if missing.
    fn flag(&self, metadata: Option<Value>, name: &[u8]) -> Result<bool> {
        let number = match metadata {
            None | Some(Value::Nothing) => return Ok(false),
            Some(Value::Container(number)) => number,
            Some(other) => bail!("tensor metadata is {}, not a dict", self.heap.kind(other)),
        };
        let named = |link: &super::heap::Link| {
            link.key.is_some_and(|key| self.heap.text_bytes(key).is_ok_and(|key| key == name))
        };
        match self.heap.links(number).take(LOOKED_AT).find(named).map(|link| link.value) {
            None => Ok(false),
            Some(Value::Switch(flag)) => Ok(flag),
            Some(other) => bail!("a flag is {}, not a boolean", self.heap.kind(other)),
        }
    }

    /// Sets an object's attributes, which are not stored: they only show whether it is a module.
    fn build(&mut self) -> Result<()> {
        let [owner, state] = self.last()?;
        let Value::Container(number) = owner else { bail!("cannot set attributes on {}", self.heap.kind(owner)) };
        if let Class::Object(class) = self.heap.containers[number as usize].class
            && let Value::Container(state) = state
        {
            let parameters = |link: super::heap::Link| {
                link.key.and_then(|key| self.heap.text_bytes(key).ok()) == Some(b"_parameters")
            };
            if self.heap.links(state).take(LOOKED_AT).any(parameters) {
                self.heap.containers[number as usize].class = Class::Module(class);
            }
        }
        self.push(owner)
    }
}
