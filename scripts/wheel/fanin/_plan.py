"""The request that the program reads: a recipe of tensors, each with its scheme and its slice."""

import contextlib
import json
import operator
import re
from dataclasses import dataclass, replace
from typing import IO, Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, SupportsIndex, Tuple, Union

from fanin._program import Error, piped, read_into

Shape = Union[int, Sequence[int]]
"""Sizes of the axes; an integer is one axis, and `()` a scalar."""

Slices = Union[str, slice, Sequence[slice]]
"""A part of a tensor: `numpy.s_[0:128, :]`, or the text of the option `--slice`, as in `"0:128,:"`."""

# The words of the program for its types, by their names in NumPy, torch and JAX.
DTYPES = {
    "float64": "f64",
    "float32": "f32",
    "float16": "f16",
    "bfloat16": "bf16",
    "int64": "i64",
    "int32": "i32",
    "int16": "i16",
    "int8": "i8",
    "uint64": "u64",
    "uint32": "u32",
    "uint16": "u16",
    "uint8": "u8",
    "bool": "bool",
}

# A plan of more bytes is divided: the program reads 16 MiB. An entry is its name and at most so many other bytes, on average.
_LONGEST_PLAN = 12 << 20
_LONGEST_ENTRY = 250


@dataclass(frozen=True)
class Spec:
    """A tensor to draw.

    Attributes:
        scheme: expression of a scheme, as in `"he-normal"` or `"normal:std=0.02"`.
        shape: sizes of the axes of the full tensor.
        dtype: NumPy's name of the type, as in `"float32"`; `None` for the type of the call.
        layout: meaning of the axes, as in `"torch"` or `"oikk"`; `None` for that of the call.
        fan_in, fan_out: numbers of inputs and outputs, if the axes do not show them.
        slice: part of the tensor; `None` for all of it.
    """

    scheme: str
    shape: Shape
    dtype: Optional[str] = None
    layout: Optional[str] = None
    fan_in: Optional[int] = None
    fan_out: Optional[int] = None
    slice: Optional[Slices] = None

    @property
    def sizes(self) -> Tuple[int, ...]:
        """The shape as a tuple."""
        shape = (self.shape,) if isinstance(self.shape, int) else self.shape
        return tuple(int(size) for size in shape)

    @property
    def drawn_shape(self) -> Tuple[int, ...]:
        """The shape of the slice. Of a slice that the program will refuse it is any."""
        ranges = [axis.partition(":")[::2] for axis in (self._ranges or ":").split(",")]
        ranges += [("", "")] * (len(self.sizes) - len(ranges))
        try:
            return tuple(int(end or size) - int(start or 0) for (start, end), size in zip(ranges, self.sizes))
        except ValueError:
            return ()

    @property
    def _ranges(self) -> Optional[str]:
        """The slice as text; `None` for all of the tensor."""
        if self.slice is None or isinstance(self.slice, str):
            return self.slice
        axes: Tuple[Any, ...] = tuple(self.slice) if isinstance(self.slice, Sequence) else (self.slice,)
        for axis in axes:
            if not isinstance(axis, slice) or axis.step not in (None, 1):
                raise Error(f"slice `{axis}`: use a range of step 1 for each axis, as in numpy.s_[0:128, :]")
        bounds = [["" if bound is None else str(int(bound)) for bound in (axis.start, axis.stop)] for axis in axes]
        return ",".join(f"{start}:{stop}" for start, stop in bounds) or None

    def entry(self) -> Dict[str, Any]:
        """The tensor in a recipe."""
        entry: Dict[str, Any] = {"shape": list(self.sizes), "scheme": _literal(self.scheme)}
        optional = {
            "dtype": self.dtype and dtype_word(self.dtype),
            "layout": self.layout and _literal(self.layout),
            "fan_in": self.fan_in,
            "fan_out": self.fan_out,
            "slice": self._ranges and _literal(self._ranges),
        }
        entry.update((key, value) for key, value in optional.items() if value is not None)
        return entry


def dtype_word(dtype: object) -> str:
    """Return the program's word for a type of NumPy, torch or JAX, or for its name.

    Raises:
        Error: if the program draws no such type.
    """
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    name = str(name).rpartition(".")[2].rstrip("_")
    if name in DTYPES.values():
        return name
    if name not in DTYPES:
        raise Error(f"type `{name}` cannot be drawn: use {', '.join(DTYPES)}")
    return DTYPES[name]


def specs_of(given: Mapping[str, object], **defaults: Any) -> Dict[str, Spec]:
    """Return the tensors of a call, each a `Spec`, a pair of scheme and shape, or a mapping of the attributes of `Spec`."""
    found = {name: _spec(name, spec) for name, spec in given.items()}
    for name, spec in found.items():
        missing = {key: value for key, value in defaults.items() if getattr(spec, key) is None}
        found[name] = replace(spec, **missing)
    return found


def _spec(name: str, given: object) -> Spec:
    try:
        if isinstance(given, Spec):
            return given
        if isinstance(given, Mapping):
            return Spec(**given)
        pair: Any = given
        scheme, shape = pair
        return Spec(scheme, shape)
    except (TypeError, ValueError):
        raise Error(f"`{name}`: use a fanin.Spec, or a scheme with a shape, as in (\"zeros\", (256,))") from None


def _literal(text: str) -> str:
    """Text in a recipe, in which braces hold expressions."""
    return str(text).replace("{", "{{").replace("}", "}}")


Named = Tuple[str, Spec]
Read = Callable[[memoryview], None]


def draw(tensors: Sequence[Named], seed: int, receive: Callable[[int, Read], None]) -> None:
    """Draw tensors by one process, or by as few as possible.

    Calls `receive(number, read)` once for each tensor, in any order. It must call `read` once, with a buffer for all bytes of the tensor:
    little-endian values, row-major.

    Raises:
        Error: if the program refuses the plan. Nothing has been received then, unless there are several plans.
    """
    for numbers in _plans(tensors):
        plan = [tensors[number] for number in numbers]
        with _in_own_words(), piped(["model", "-", "--format=raw", "--quiet", "--output=-"], text_of(plan, seed)) as pipe:
            values = _Values(pipe)
            for number, (_, spec) in zip(numbers, plan):
                # A plan that is refused may be too large to allocate.
                if 0 not in spec.drawn_shape and not pipe.peek(1):  # type: ignore[attr-defined]
                    raise EOFError
                receive(number, values.read)


class _Values:
    """The bytes of a raw file, in which each tensor begins at a multiple of 64."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe, self._place = pipe, 0

    def read(self, buffer: memoryview) -> None:
        if buffer.nbytes > 0:
            gap = bytearray(-self._place % 64)
            read_into(self._pipe, memoryview(gap))
            read_into(self._pipe, buffer)
            self._place += len(gap) + buffer.nbytes


def _plans(tensors: Sequence[Named]) -> Iterator[List[int]]:
    """Divide tensors among as few plans as possible. Names in a plan differ, so that two slices of a tensor have two plans."""
    waiting: Sequence[int] = range(len(tensors))
    while waiting:
        plan: List[int] = []
        later: List[int] = []
        names: Set[str] = set()
        length = 0
        for number in waiting:
            name = tensors[number][0]
            length += len(name) + _LONGEST_ENTRY
            if name in names or length > _LONGEST_PLAN:
                later.append(number)
            else:
                names.add(name)
                plan.append(number)
        yield plan
        waiting = later


def text_of(plan: Iterable[Named], seed: int) -> bytes:
    """Return a plan as the program reads it from standard input."""
    if isinstance(seed, bool) or not isinstance(seed, SupportsIndex):
        raise Error(f"seed `{seed}` is not an integer: use 0 to 2^64-1")
    recipe = {"seed": operator.index(seed), "tensors": {_literal(name): spec.entry() for name, spec in plan}}
    return json.dumps(recipe).encode()


@contextlib.contextmanager
def _in_own_words() -> Iterator[None]:
    """Leaves the recipe, which the user did not write, out of an error."""
    try:
        yield
    except Error as error:
        raise Error(re.sub(r"^standard input:\d+: (\[tensors\] )?", "", str(error))) from None
