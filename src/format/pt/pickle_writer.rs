//! Writes the pickle of a state dict, as `torch.save`.

use std::borrow::Cow;

use crate::plan::{Plan, Tensor};
use crate::tensor::Element;

/// The state dict in `PyTorch`'s pickle (protocol 2): an ordered dict of tensors, each rebuilt from a storage.
pub(super) fn pickle(plan: &Plan) -> Vec<u8> {
    let mut pickle = Pickle { bytes: b"\x80\x02".to_vec(), shared: Vec::new() };
    pickle.empty_ordered_dict();
    for (batch, tensors) in plan.tensors().chunks(BATCH).enumerate() {
        pickle.bytes.push(MARK);
        for (number, tensor) in tensors.iter().enumerate() {
            pickle.text(tensor.name().as_str());
            pickle.tensor(tensor, batch * BATCH + number);
        }
        pickle.bytes.push(SET_ITEMS);
    }
    pickle.bytes.push(b'.');
    pickle.bytes
}

/// The number of dict entries per batch, as in Python's pickles.
const BATCH: usize = 1000;

const MARK: u8 = b'(';
const TUPLE: u8 = b't';
const EMPTY_TUPLE: u8 = b')';
const CALL: u8 = b'R';
const SET_ITEMS: u8 = b'u';
const PERSISTENT: u8 = b'Q';
const FALSE: u8 = 0x89;

/// A pickle under construction.
struct Pickle {
    bytes: Vec<u8>,
    /// Constants, written once and then referred to by index.
    shared: Vec<Cow<'static, str>>,
}

impl Pickle {
    fn tensor(&mut self, tensor: &Tensor, number: usize) {
        let storage = storage_type(tensor.element());
        let function =
            if storage.is_some() { "torch._utils\n_rebuild_tensor_v2\n" } else { "torch._utils\n_rebuild_tensor_v3\n" };
        self.global(function);
        self.bytes.push(MARK);
        self.storage(tensor, storage, number);
        self.integer(0);
        self.sizes(tensor.shape().axes());
        self.sizes(&strides(tensor.shape().axes()));
        self.bytes.push(FALSE);
        self.empty_ordered_dict();
        if storage.is_none() {
            self.global(format!("torch\n{}\n", tensor.element().torch().unwrap_or("uint8")));
        }
        self.bytes.extend([TUPLE, CALL]);
    }

    /// A storage of a class of torch, or untyped.
    fn storage(&mut self, tensor: &Tensor, class: Option<&'static str>, number: usize) {
        self.bytes.push(MARK);
        self.shared("storage".into(), |pickle| pickle.text("storage"));
        self.global(class.unwrap_or("torch.storage\nUntypedStorage\n"));
        self.text(&number.to_string());
        self.shared("cpu".into(), |pickle| pickle.text("cpu"));
        self.integer(if class.is_some() { tensor.shape().count() } else { tensor.bytes() });
        self.bytes.extend([TUPLE, PERSISTENT]);
    }

    fn empty_ordered_dict(&mut self) {
        self.global("collections\nOrderedDict\n");
        self.bytes.extend([EMPTY_TUPLE, CALL]);
    }

    fn global(&mut self, name: impl Into<Cow<'static, str>>) {
        let name = name.into();
        self.shared(name.clone(), |pickle| {
            pickle.bytes.push(b'c');
            pickle.bytes.extend(name.as_bytes());
        });
    }

    /// Writes a constant, or refers to its first occurrence.
    fn shared(&mut self, key: Cow<'static, str>, write: impl FnOnce(&mut Self)) {
        // There are at most three dozen constants.
        let number = |position: usize| u8::try_from(position).unwrap_or(u8::MAX);
        if let Some(position) = self.shared.iter().position(|known| *known == key) {
            self.bytes.extend([b'h', number(position)]);
            return;
        }
        write(self);
        self.bytes.extend([b'q', number(self.shared.len())]);
        self.shared.push(key);
    }

    fn text(&mut self, text: &str) {
        self.bytes.push(b'X');
        // A name has at most 512 bytes.
        self.bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.bytes.extend(text.as_bytes());
    }

    fn sizes(&mut self, sizes: &[u64]) {
        if sizes.is_empty() {
            return self.bytes.push(EMPTY_TUPLE);
        }
        self.bytes.push(MARK);
        for &size in sizes {
            self.integer(size);
        }
        self.bytes.push(TUPLE);
    }

    /// Writes a number in Python's shortest form; sizes stay below 2^49.
    fn integer(&mut self, number: u64) {
        if let Ok(byte) = u8::try_from(number) {
            self.bytes.extend([b'K', byte]);
        } else if let Ok(short) = u16::try_from(number) {
            self.bytes.push(b'M');
            self.bytes.extend(short.to_le_bytes());
        } else if let Ok(int) = i32::try_from(number) {
            self.bytes.push(b'J');
            self.bytes.extend(int.to_le_bytes());
        } else {
            // Signed, so a high top bit needs another byte.
            let bytes = number.to_le_bytes();
            let length = number.ilog2() as usize / 8 + 1;
            let signed = if bytes[length - 1] < 0x80 { length } else { length + 1 };
            self.bytes.extend([0x8a, u8::try_from(signed).unwrap_or(u8::MAX)]);
            self.bytes.extend(bytes.iter().chain(&[0]).take(signed));
        }
    }
}

/// The storage class of a type; newer types have none.
fn storage_type(element: Element) -> Option<&'static str> {
    Some(match element.word() {
        "f64" => "torch\nDoubleStorage\n",
        "f32" => "torch\nFloatStorage\n",
        "f16" => "torch\nHalfStorage\n",
        "bf16" => "torch\nBFloat16Storage\n",
        "i64" => "torch\nLongStorage\n",
        "i32" => "torch\nIntStorage\n",
        "i16" => "torch\nShortStorage\n",
        "i8" => "torch\nCharStorage\n",
        "u8" => "torch\nByteStorage\n",
        "bool" => "torch\nBoolStorage\n",
        "c64" => "torch\nComplexFloatStorage\n",
        "c128" => "torch\nComplexDoubleStorage\n",
        _ => return None,
    })
}

/// The row-major strides in elements. As in torch, an axis of size 0 counts as 1.
fn strides(axes: &[u64]) -> Vec<u64> {
    let mut strides = vec![1; axes.len()];
    for axis in (1..axes.len()).rev() {
        strides[axis - 1] = strides[axis] * axes[axis].max(1);
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_written_as_python_writes_them() {
        // pickle.dumps(N, protocol=2), without its first two bytes and its last.
        let cases: [(u64, &[u8]); 9] = [
            (0, b"K\x00"),
            (255, b"K\xff"),
            (256, b"M\x00\x01"),
            (65535, b"M\xff\xff"),
            (65536, b"J\x00\x00\x01\x00"),
            ((1 << 31) - 1, b"J\xff\xff\xff\x7f"),
            (1 << 31, b"\x8a\x05\x00\x00\x00\x80\x00"),
            ((1 << 39) - 1, b"\x8a\x05\xff\xff\xff\xff\x7f"),
            (1 << 48, b"\x8a\x07\x00\x00\x00\x00\x00\x00\x01"),
        ];
        for (number, expected) in cases {
            let mut pickle = Pickle { bytes: Vec::new(), shared: Vec::new() };
            pickle.integer(number);
            assert_eq!(pickle.bytes, expected, "{number}");
        }
    }

    #[test]
    fn strides_are_those_of_torch() {
        for (axes, expected) in
            [(&[][..], &[][..]), (&[5], &[1]), (&[2, 3, 4], &[12, 4, 1]), (&[0, 5], &[5, 1]), (&[2, 0, 3], &[3, 3, 1])]
        {
            assert_eq!(strides(axes), expected, "{axes:?}");
        }
    }
}
