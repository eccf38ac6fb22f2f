"""Files of weights: `verify`."""

import json
import os
from dataclasses import dataclass
from typing import Any, Dict, Optional

from fanin._arrays import PathLike, existing
from fanin._program import options, run


@dataclass(frozen=True)
class Verification:
    """The result of `verify`; true if all values are as expected.

    Attributes:
        equal: whether all tensors have the expected values, or fit their distributions.
        report: the program's report, with the keys of docs/json.md: `tensors` has the first difference of each.
    """

    equal: bool
    report: Dict[str, Any]

    def __bool__(self) -> bool:
        return self.equal


def verify(
    path: PathLike,
    *,
    scheme: Optional[str] = None,
    recipe: Optional[PathLike] = None,
    name: Optional[str] = None,
    layout: Optional[str] = None,
    seed: Optional[int] = None,
    like: Optional[str] = None,
    distribution: bool = False,
) -> Verification:
    """Draw the values of a weights file again and compare them: `fanin verify`.

    Args:
        path: file, index of a checkpoint, or folder of either.
        scheme: scheme, for a file without provenance.
        recipe: recipe or config.json, for a file without provenance.
        name: name under which the tensor was drawn, with `scheme`.
        layout: meaning of the axes, with `scheme`.
        seed: seed, with `scheme` or `recipe`.
        like: framework whose values are expected, with `scheme` or `recipe`.
        distribution: test the values against their distribution instead.

    Raises:
        Error: if the file cannot be read, or nothing says what it should hold. A mismatch is no error but a false result.
    """
    given = options(
        scheme=scheme,
        recipe=recipe and os.fspath(recipe),
        name=name,
        layout=layout,
        seed=seed,
        like=like,
        distribution=distribution,
        json=True,
    )
    done = run(["verify", *given, existing(path)], statuses=(0, 1))
    return Verification(done.returncode == 0, json.loads(done.stdout))
