"""Facts of a case, from a model of the library: names, shapes, ties, and the distribution of each tensor."""

import torch

from . import library, recorder
from .recorder import figure, resolved
from .tables import Facts, fold

DTYPES = {"float32": "f32", "float16": "f16", "bfloat16": "bf16", "float64": "f64"}
LARGEST = 40_000_000  # parameters of a case
DRAWS = 40  # most models from which the moments of an unknown distribution are taken
ENOUGH = 2000  # elements of one
SHOWN = 4  # elements of a computed tensor
SIGMA = 5


def of(model_type, case, complain=print, draws=DRAWS):
    """The facts of a case; without draws, computed tensors and unknown distributions have none."""
    model_class = class_of(case)
    config = lambda: library.config(model_type, {"architectures": [case["class"]], **case["config"]})
    guard(model_class, config())
    tensors, ties, body = recorder.record(model_class, config())
    if not draws:
        return Facts({name: (tensor.shape, tensor.law.kind and describe(tensor, [])) for name, tensor in tensors.items()}, ties, body)
    drawn = [recorder.draw(model_class, config(), 1)]
    unknown = [name for name, tensor in tensors.items() if tensor.law.kind is None and not torch.equal(tensor.values, drawn[0][name])]
    sizes = [tensors[name].values.numel() for name in unknown]
    while unknown and len(drawn) < draws and min(sizes) * len(drawn) < ENOUGH:
        drawn.append(recorder.draw(model_class, config(), len(drawn) + 1))
    described = {name: (tensor.shape, describe(tensor, [values[name] for values in drawn])) for name, tensor in tensors.items()}
    pool(described, unknown)
    for name, (_, law) in described.items():
        if wrong := complaint(law, tensors[name].values):
            complain(f"{case['class']}: {name}: recorded {law}, but its {wrong}")
    return Facts(described, ties, body)


def class_of(case):
    """The class of a case; a subclass if weights are to be untied that the library ties in every model."""
    model_class = library.model_class(case["class"])
    if untied := case.get("untied"):
        tied = {name: to for name, to in model_class._tied_weights_keys.items() if name not in untied}
        model_class = type(model_class.__name__, (model_class,), {"_tied_weights_keys": tied})
    return model_class


def guard(model_class, config):
    """Errors if a model is too large to draw."""
    try:
        with torch.device("meta"):
            size = sum(parameter.numel() for parameter in model_class(config).parameters())
    except (RuntimeError, NotImplementedError):
        return
    if size > LARGEST:
        raise ValueError(f"a case needs at most {LARGEST} parameters, not {size}")


def describe(tensor, draws):
    """The law of a tensor: text, a number, or a table of elements or of moments."""
    values = tensor.values
    if draws and values.numel() and all(torch.equal(values, draw) for draw in draws):
        law = constant(values)
        # A row of zeros in a constant says nothing.
        return law if isinstance(law, dict) else with_dtype(law, values)
    kind = tensor.law.kind
    if kind is None:
        stacked = torch.stack([values, *draws]).double()
        return {"mean": figure(stacked.mean()), "std": figure(stacked.std()), "count": stacked.numel()}
    text = str(resolved(kind, tensor.shape))
    rows = zero_rows(values, draws)
    return with_dtype(text + (f" padding {','.join(map(str, rows))}" if rows else ""), values)


def pool(described, unknown):
    """Gives equal tensors of several layers one law of measured moments."""
    alike = {}
    for name in unknown:
        alike.setdefault((fold(name)[0], *described[name][0]), []).append(name)
    for names in alike.values():
        laws = [described[name][1] for name in names]
        count = sum(law["count"] for law in laws)
        mean = sum(law["mean"] * law["count"] for law in laws) / count
        square = sum((law["std"] ** 2 + (law["mean"] - mean) ** 2) * law["count"] for law in laws) / count
        law = {"mean": figure(mean), "std": figure(square**0.5), "count": count}
        if all(abs(one["mean"] - mean) <= SIGMA * law["std"] / one["count"] ** 0.5 for one in laws):
            described.update({name: (described[name][0], law) for name in names})


def constant(values):
    flat = values.double().flatten()
    if (flat == flat[0]).all():
        value = figure(flat[0])
        return value if abs(value) != float("inf") else str(value)  # JSON has no infinity
    places = sorted({round(place) for place in torch.linspace(0, len(flat) - 1, SHOWN).tolist()})
    law = {"elements": {str(place): figure(flat[place]) for place in places}}
    return law if values.dtype == torch.float32 else {**law, "dtype": word(values)}


def with_dtype(law, values):
    return law if values.dtype == torch.float32 else f"{law} {word(values)}"


def word(values):
    name = str(values.dtype).removeprefix("torch.")
    return DTYPES.get(name, name.replace("uint", "u").replace("int", "i"))


def zero_rows(values, draws):
    if values.ndim < 2:
        return []
    drawn = [values, *draws]
    return [row for row in range(len(values)) if not any(draw[row].any() for draw in drawn)]


def complaint(law, values):
    """The difference between values and a law, beyond the sampling error; `None` if they fit."""
    if not values.numel():
        return None
    values = values.double()
    if isinstance(law, dict):
        return elements(law["elements"], values) if "elements" in law else moments(law["mean"], law["std"], None, values)
    kind, *figures = str(law).split()
    if kind not in ("normal", "uniform", "truncated", "orthogonal"):
        return None if not values.numel() or (values == values.flatten()[:1]).all() and figure(values.flatten()[0]) == float(kind) else "values differ"
    if "padding" in figures:
        padding = [int(row) for row in figures[figures.index("padding") + 1].split(",")]
        if any(values[row].any() for row in padding):
            return f"padding is not {padding}"
        values = values[[row for row in range(len(values)) if row not in padding]]
    if values.ndim > 1 and values[0].numel() > 3 and not values.flatten(1).any(1).all():
        return "values have a row of zeros"
    low, high = None, None
    mean = float(figures[figures.index("mean") + 1]) if "mean" in figures else 0.0
    if kind == "uniform":
        low, high = float(figures[0]), float(figures[1])
        mean, std, kurtosis = (low + high) / 2, (high - low) / 12**0.5, 1.8
    else:
        std, kurtosis = float(figures[0]), 3.0
    if kind == "truncated":
        low, high = float(figures[1]), float(figures[2])
    return moments(mean, std, (low, high), values, kurtosis)


def elements(table, values):
    flat = values.flatten()
    wrong = [place for place, value in table.items() if abs(flat[int(place)] - value) > 1e-5 * max(1, abs(value))]
    return f"element {wrong[0]} is {figure(flat[int(wrong[0])])}, not {table[wrong[0]]}" if wrong else None


def moments(mean, std, bounds, values, kurtosis=6.0):
    count = values.numel()
    error = std / count**0.5
    if bounds and bounds[0] is not None:
        slack = 1e-6 * (bounds[1] - bounds[0])
        if values.min() < bounds[0] - slack or values.max() > bounds[1] + slack:
            return f"values reach from {figure(values.min())} to {figure(values.max())}"
    if abs(values.mean() - mean) > SIGMA * error + 1e-12:
        return f"mean is {figure(values.mean(), 4)}"
    found = ((values - mean) ** 2).mean() ** 0.5
    if count > 30 and abs(found - std) > SIGMA * error * ((kurtosis - 1) / 4) ** 0.5 + 1e-12:
        return f"std is {figure(found, 4)}"
    return None
