"""JSON gives the same bits back in any language."""

import json
import subprocess
from decimal import Decimal

import numpy as np

from support import Case, DTYPES, array, init

WORDS = {"f64": "float64", "f32": "float32", "f16": "float16", "bf16": "bfloat16"}
SHAPES = ["()", "1", "7", "37x23", "2x3x4", "0", "0x5", "3x0", "2x3x0", "2x0x3", "1x2x1x2"]
# Distributions whose values are tiny, large, many-digited, or zeros.
LAWS = ["normal", "uniform:low=-1e-7,high=1e-7", "normal:std=1000", "sparse:nonzeros=1", "constant:0.1"]


class Json(Case):
    def test_the_bits_and_the_shape_come_back_in_every_dtype(self):
        for dtype, numpy_type in DTYPES.items():
            for distribution in LAWS:
                for shape in SHAPES:
                    if distribution.startswith("sparse") and ("x" not in shape or "0" in shape):
                        continue
                    with self.subTest(dtype=dtype, distribution=distribution, shape=shape):
                        whole = json.loads(init(distribution, shape, "--dtype", dtype, "--format", "json"))
                        tensor = whole["tensors"]["weight"]
                        self.assertEqual(tensor["dtype"], WORDS[dtype])
                        axes = [] if shape == "()" else [int(size) for size in shape.split("x")]
                        self.assertEqual(tensor["shape"], axes)
                        self.assertEqual(nested_shape(tensor["data"]), tuple(axes[: first_zero(axes)]))
                        loaded = np.array(tensor["data"], dtype=np.float64).astype(numpy_type).reshape(axes)
                        self.same_bits(loaded, array(distribution, shape, dtype=dtype))

    def test_digits_are_the_fewest_that_give_the_bits_back(self):
        for dtype, numpy_type in DTYPES.items():
            for distribution in ["normal", "normal:std=1000", "uniform:low=-1e-7,high=1e-7"]:
                with self.subTest(dtype=dtype, distribution=distribution):
                    text = init(distribution, "5000", "--dtype", dtype, "--format", "json")
                    numbers = json.loads(text, parse_float=Decimal)["tensors"]["weight"]["data"]
                    drawn = array(distribution, "5000", dtype=dtype)
                    for number, value in zip(numbers, drawn, strict=True):
                        if dtype == "bf16":
                            self.assertLessEqual(len(number.normalize().as_tuple().digits), fewest(value))
                        else:
                            shortest = np.format_float_scientific(numpy_type(value), unique=True, trim="-")
                            self.assertEqual(number, Decimal(shortest))

    def test_the_recipe_is_beside_the_tensors(self):
        whole = json.loads(init("he-normal", "a=8x4", "b=4x2", "--seed", "7", "--format", "json"))
        self.assertEqual(list(whole), ["fanin", "tensors"])
        self.assertEqual(list(whole["tensors"]), ["a", "b"])
        self.assertEqual(whole["fanin"]["seed"], "7")
        self.assertEqual(whole["fanin"]["generator"], "native-1")
        self.assertEqual(list(whole["fanin"]["tensors"]), ["a", "b"])

    def test_node_reads_the_same_bits(self):
        node = self.tool("node")
        script = """
            const {tensors} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
            const {dtype, shape, data} = tensors.weight;
            const flat = data.flat(Infinity);
            const values = dtype === 'float32' ? Float32Array.from(flat) : Float64Array.from(flat);
            process.stdout.write(JSON.stringify({shape, hex: Buffer.from(values.buffer).toString('hex')}));
        """
        for dtype in ["f64", "f32"]:
            text = init("normal", "3x37x23", "--dtype", dtype, "--format", "json")
            done = subprocess.run([node, "-e", script], input=text, capture_output=True, check=True)
            told = json.loads(done.stdout)
            self.assertEqual(told["shape"], [3, 37, 23])
            self.assertEqual(bytes.fromhex(told["hex"]), array("normal", "3x37x23", dtype=dtype).tobytes())

    def test_jq_reads_it(self):
        jq = self.tool("jq")
        text = init("normal", "a=3x37x23", "b=2x0", "c=()", "--format", "json")
        asked = "[(.tensors | keys_unsorted), (.tensors.a.data | length), ([.tensors.a.data[][][]] | length)]"
        done = subprocess.run([jq, "-c", asked], input=text, capture_output=True, check=True)
        self.assertEqual(json.loads(done.stdout), [["a", "b", "c"], 3, 3 * 37 * 23])
        done = subprocess.run([jq, "-c", ".tensors.a.data"], input=text, capture_output=True, check=True)
        self.same_bits(np.array(json.loads(done.stdout), dtype=np.float32), array("normal", "a=3x37x23"))


def nested_shape(data):
    """The lengths of nested lists, which must be alike on each level."""
    if not isinstance(data, list):
        return ()
    inner = {nested_shape(item) for item in data}
    if len(inner) > 1:
        raise AssertionError(f"lists of different shapes side by side: {inner}")
    return (len(data), *next(iter(inner), ()))


def first_zero(axes):
    """How many axes nested lists can show: those up to the first of size 0."""
    return axes.index(0) + 1 if 0 in axes else len(axes)


def fewest(value):
    """The fewest significant digits that give a bfloat16 back."""
    exact = float(value)
    return next(digits for digits in range(1, 10) if type(value)(float(f"{exact:.{digits - 1}e}")) == value)
