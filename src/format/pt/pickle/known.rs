//! The supported functions and classes. None of them is called; each represents its result.

/// An element type of torch.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Element {
    /// The name of the dtype in the module `torch`.
    dtype: &'static str,
    /// The name of its storage class, if any.
    storage: Option<&'static str>,
    /// Our name for it.
    pub(in super::super) word: &'static str,
    /// Element size in bytes.
    pub(in super::super) size: u64,
}

const fn element(dtype: &'static str, storage: Option<&'static str>, word: &'static str, size: u64) -> Element {
    Element { dtype, storage, word, size }
}

/// Bytes whose type is given by the tensor.
pub(in super::super) const UNTYPED: &Element = &element("", Some("UntypedStorage"), "bytes", 1);

static ELEMENTS: &[Element] = &[
    element("float64", Some("DoubleStorage"), "f64", 8),
    element("float32", Some("FloatStorage"), "f32", 4),
    element("float16", Some("HalfStorage"), "f16", 2),
    element("bfloat16", Some("BFloat16Storage"), "bf16", 2),
    element("int64", Some("LongStorage"), "i64", 8),
    element("int32", Some("IntStorage"), "i32", 4),
    element("int16", Some("ShortStorage"), "i16", 2),
    element("int8", Some("CharStorage"), "i8", 1),
    element("uint8", Some("ByteStorage"), "u8", 1),
    element("bool", Some("BoolStorage"), "bool", 1),
    element("complex64", Some("ComplexFloatStorage"), "c64", 8),
    element("complex128", Some("ComplexDoubleStorage"), "c128", 16),
    element("uint16", None, "u16", 2),
    element("uint32", None, "u32", 4),
    element("uint64", None, "u64", 8),
    element("complex32", None, "c32", 4),
    element("float8_e4m3fn", None, "f8_e4m3", 1),
    element("float8_e5m2", None, "f8_e5m2", 1),
    element("float8_e8m0fnu", None, "f8_e8m0", 1),
    element("float8_e4m3fnuz", None, "f8_e4m3fnuz", 1),
    element("float8_e5m2fnuz", None, "f8_e5m2fnuz", 1),
    element("float4_e2m1fn_x2", None, "f4x2", 1),
    element("qint8", Some("QInt8Storage"), "qint8", 1),
    element("quint8", Some("QUInt8Storage"), "quint8", 1),
    element("qint32", Some("QInt32Storage"), "qint32", 4),
    element("quint4x2", Some("QUInt4x2Storage"), "quint4x2", 1),
    element("quint2x4", Some("QUInt2x4Storage"), "quint2x4", 1),
];

/// A supported function or class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// A class of dicts.
    Dict,
    /// `torch.Size`, a tuple.
    Size,
    /// A tensor of a storage, by functions of three generations of torch.
    Tensor,
    TensorOfBytes,
    /// The tensor in the first argument.
    Parameter,
    /// A tensor on another device, created from its values on the CPU.
    FromCpu,
    /// An object of the class in the first argument.
    Object,
    /// A tensor of a subclass, created by another function from its arguments.
    Subclass,
    Storage(&'static Element),
    Dtype(&'static Element),
    /// A tensor of an unsupported kind.
    Unread(&'static Unread),
}

/// An unsupported kind of tensors.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unread {
    /// Its function, in the module `torch._utils` by default.
    function: &'static str,
    pub(super) kind: &'static str,
    /// The fix.
    pub(super) instead: &'static str,
}

static UNREAD: &[Unread] = &[
    Unread { function: "_rebuild_qtensor", kind: "a quantized tensor", instead: "save `tensor.dequantize()`" },
    Unread { function: "_rebuild_sparse_tensor", kind: "a sparse tensor", instead: "save `tensor.to_dense()`" },
    Unread { function: "_rebuild_sparse_csr_tensor", kind: "a sparse tensor", instead: "save `tensor.to_dense()`" },
    Unread {
        function: "_rebuild_meta_tensor_no_storage",
        kind: "a tensor on the meta device, which has no values",
        instead: "save the tensor once it has values",
    },
    Unread { function: "_rebuild_nested_tensor", kind: "a nested tensor", instead: "save `tensor.unbind()`" },
    Unread { function: "_rebuild_njt", kind: "a nested tensor", instead: "save `tensor.unbind()`" },
    Unread {
        function: "_rebuild_wrapper_subclass",
        kind: "a tensor of a subclass without a storage",
        instead: "save a plain tensor",
    },
    Unread {
        function: "_rebuild_device_tensor_from_numpy",
        kind: "a tensor of another device, stored as a NumPy array",
        instead: "save `tensor.cpu()`",
    },
    Unread {
        function: "_rebuild_xla_tensor",
        kind: "a tensor of another device, stored as a NumPy array",
        instead: "save `tensor.cpu()`",
    },
];

impl Known {
    pub(super) fn find(module: &str, name: &str) -> Option<Self> {
        let unread = || UNREAD.iter().find(|unread| unread.function == name).map(Self::Unread);
        match (module, name) {
            ("collections", "OrderedDict") | ("builtins" | "__builtin__", "dict") => Some(Self::Dict),
            ("copyreg" | "copy_reg", "_reconstructor" | "__newobj__") => Some(Self::Object),
            ("torch", "Size") => Some(Self::Size),
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Some(Self::Tensor),
            ("torch._utils", "_rebuild_tensor_v3") => Some(Self::TensorOfBytes),
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => Some(Self::Parameter),
            ("torch._utils", "_rebuild_device_tensor_from_cpu_tensor") => Some(Self::FromCpu),
            ("torch._tensor", "_rebuild_from_type_v2" | "_rebuild_from_type") => Some(Self::Subclass),
            ("torch._utils" | "torch.nested._internal.nested_tensor", _) => unread(),
            ("torch" | "torch.cuda" | "torch.storage", _) => storage(name).map(Self::Storage).or_else(|| dtype(name)),
            _ => None,
        }
    }
}

fn storage(name: &str) -> Option<&'static Element> {
    ELEMENTS.iter().chain([UNTYPED]).find(|element| element.storage == Some(name))
}

fn dtype(name: &str) -> Option<Known> {
    ELEMENTS.iter().find(|element| element.dtype == name).map(Known::Dtype)
}
