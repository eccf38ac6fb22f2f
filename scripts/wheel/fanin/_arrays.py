"""NumPy arrays: drawn, and read from files."""

import contextlib
import importlib
import json
import os
from typing import TYPE_CHECKING, Any, Dict, Iterator, Mapping, Optional, Tuple, Union

from fanin._plan import DTYPES, Read, Shape, Slices, Spec, draw, dtype_word, specs_of
from fanin._program import Error, piped, read_into

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]

PathLike = Union[str, "os.PathLike[str]"]

# The words of safetensors that are not a letter and the number of bits of a type of NumPy.
_SAFETENSORS = {"BOOL": "bool", "BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "C64": "complex64"}
_KINDS = {"F": "float", "I": "int", "U": "uint"}


def init(
    scheme: str,
    shape: Shape,
    *,
    seed: int = 0,
    dtype: str = "float32",
    name: str = "weight",
    layout: Optional[str] = None,
    fan_in: Optional[int] = None,
    fan_out: Optional[int] = None,
    slice: Optional[Slices] = None,
) -> "Array":
    """Draw one tensor: the values that `fanin init SCHEME NAME=SHAPE --seed SEED` writes.

    Args:
        scheme: expression of a scheme, as in `"he-normal"`, `"normal:std=0.02"` or `"torch.kaiming_uniform_:a=0.1"`.
        shape: sizes of the axes; an integer is one axis, and `()` a scalar.
        seed: 0 to 2^64-1.
        dtype: `"float64"`, `"float32"`, `"float16"`, `"bfloat16"` (needs the package ml_dtypes), or an integer type for a scheme of
            integers.
        name: name of the tensor. Tensors of other names have other values.
        layout: meaning of the axes, as in `"torch"` or `"oikk"` [default: `"io"`].
        fan_in: number of inputs, if the axes do not show it.
        fan_out: number of outputs, if the axes do not show it.
        slice: part to draw, as in `numpy.s_[0:128, :]` or `"0:128,:"`. The values are those of the full tensor there.

    Returns:
        An array of the shape of the slice, or of `shape`; row-major and writeable.

    Raises:
        Error: if the program refuses an argument, with its line.
    """
    spec = Spec(scheme, shape, dtype, layout, fan_in, fan_out, slice)
    return tensors({name: spec}, seed=seed)[name]


def tensors(
    specs: Mapping[str, Union[Spec, Tuple[str, Shape], Mapping[str, Any]]],
    *,
    seed: int = 0,
    dtype: str = "float32",
    layout: Optional[str] = None,
) -> Dict[str, "Array"]:
    """Draw many tensors by one process.

    Args:
        specs: for each name a pair of scheme and shape, as in `{"fc1.bias": ("zeros", (256,))}`, a `Spec`, or a mapping of its
            attributes.
        seed: 0 to 2^64-1.
        dtype: type of the tensors whose spec has none.
        layout: layout of the tensors whose spec has none [default: `"io"`].

    Returns:
        The arrays by name, in the order of `specs`; each as of `init`.

    Raises:
        Error: if the program refuses a tensor, with its line.
    """
    import numpy as np

    named = list(specs_of(specs, dtype=dtype, layout=layout).items())
    types = [numpy_type(dtype_word(spec.dtype)) for _, spec in named]
    arrays: Dict[str, Array] = {}

    def receive(number: int, read: Read) -> None:
        name, spec = named[number]
        arrays[name] = np.empty(spec.drawn_shape, types[number])
        read(_bytes_of(arrays[name]))

    draw(named, seed, receive)
    return {name: arrays[name] for name in specs}


def load(path: PathLike) -> Dict[str, "Array"]:
    """Read the tensors of a weights file that `fanin` reads: `.npy`, `.npz`, `.safetensors`, `.pt`, `.mat`, ..., or a checkpoint's folder.

    Pickles of torch are read without running them, and without torch.

    Args:
        path: file, index of a checkpoint, or folder of either.

    Returns:
        The arrays by name. Types that NumPy lacks (bfloat16, float8) need the package ml_dtypes.

    Raises:
        Error: if the file cannot be read, with the program's line.
    """
    file = existing(path)
    with _named(file), piped(["model", file, "--keep=*", "--format=safetensors", "--quiet", "--output=-"]) as pipe:
        length = bytearray(8)
        read_into(pipe, memoryview(length))
        header = bytearray(int.from_bytes(length, "little"))
        read_into(pipe, memoryview(header))
        entries: Dict[str, Any] = json.loads(header)
        entries.pop("__metadata__", None)
        arrays = {}
        for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
            arrays[name] = _empty(entry["shape"], entry["dtype"])
            read_into(pipe, _bytes_of(arrays[name]))
    return {name: arrays[name] for name in entries}


@contextlib.contextmanager
def _named(file: str) -> Iterator[None]:
    """Leaves options, which the user did not write, out of an error."""
    try:
        yield
    except Error as error:
        raise Error(str(error).replace("--keep: SPEC", f"`{file}`")) from None


def existing(path: PathLike) -> str:
    """Return a path as an argument, which is neither an option nor standard input nor the name of a family."""
    text = os.fspath(path)
    if not os.path.exists(text):
        raise Error(f"`{text}` does not exist")
    return os.path.join(os.curdir, text)


def _empty(shape: Tuple[int, ...], word: str) -> "Array":
    import numpy as np

    name = _SAFETENSORS.get(word) or _KINDS.get(word[0], word[0]) + word[1:]
    return np.empty(shape, numpy_type(name))


def numpy_type(word: str) -> "np.dtype[Any]":
    """Return the type of NumPy, or of ml_dtypes, for the program's word or its name.

    Raises:
        Error: if NumPy lacks the type and ml_dtypes is not installed.
    """
    import numpy as np

    name = next((name for name, other in DTYPES.items() if other == word), word)
    try:
        return np.dtype(name)
    except TypeError:
        pass
    try:
        found: np.dtype[Any] = np.dtype(getattr(importlib.import_module("ml_dtypes"), name))
    except (ImportError, AttributeError):
        raise Error(f"NumPy has no type `{name}`: install the package ml_dtypes, or use another type") from None
    return found


def _bytes_of(array: "Array") -> memoryview:
    """The memory of an array. Types of ml_dtypes have no buffer of their own."""
    import numpy as np

    return array.reshape(-1).view(np.uint8).data
