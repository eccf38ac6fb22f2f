"""The numbers mean what they should: fans and distributions from each framework's documented formulas, checked with NumPy alone."""

import math

import numpy as np

from support import Case, array, report

DENSE = ["784x256", "3x5", "1x1"]
CONVOLUTION = ["3x3x64x128", "5x16x32", "2x3x4x8x16", "128x64x3x3", "7x7x3x64"]


# From the sources of the frameworks.
def torch_fans(shape):
    """torch.nn.init._calculate_fan_in_and_fan_out."""
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def keras_fans(shape):
    """keras.initializers.compute_fans."""
    if len(shape) == 2:
        return shape
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def jax_fans(shape, in_axis=-2, out_axis=-1):
    """jax.nn.initializers._compute_fans."""
    field = math.prod(shape) / shape[in_axis] / shape[out_axis]
    return int(shape[in_axis] * field), int(shape[out_axis] * field)


def lasagne_fans(shape):
    """lasagne.init.Glorot's (n1 + n2) * field and lasagne.init.He's fan_in."""
    if len(shape) == 2:
        return shape
    return math.prod(shape[1:]), shape[0] * math.prod(shape[2:])


FANS = {"torch": torch_fans, "keras": keras_fans, "jax": jax_fans, "lasagne": lasagne_fans}

# The std that a scheme's formula asks for, from (fan_in, fan_out).
STDS = {
    "lecun-normal": lambda i, o: 1 / math.sqrt(i),
    "lecun-uniform": lambda i, o: 1 / math.sqrt(i),
    "glorot-normal": lambda i, o: math.sqrt(2 / (i + o)),
    "glorot-uniform": lambda i, o: math.sqrt(2 / (i + o)),
    "glorot-uniform:gain=tanh": lambda i, o: 5 / 3 * math.sqrt(2 / (i + o)),
    "sigmoid-uniform": lambda i, o: 4 * math.sqrt(2 / (i + o)),
    "he-normal": lambda i, o: math.sqrt(2 / i),
    "he-uniform": lambda i, o: math.sqrt(2 / i),
    "he-normal:mode=fan-out": lambda i, o: math.sqrt(2 / o),
    "he-uniform:mode=fan-avg": lambda i, o: math.sqrt(4 / (i + o)),
    "he-normal:mode=fan-geo-avg": lambda i, o: math.sqrt(2 / math.sqrt(i * o)),
    "he-normal:gain=leaky-relu,slope=0.2": lambda i, o: math.sqrt(2 / (1 + 0.2**2) / i),
    "he:distribution=truncated-normal": lambda i, o: math.sqrt(2 / i),
    "variance-scaling:scale=3,mode=fan-out,distribution=uniform": lambda i, o: math.sqrt(3 / o),
    # A framework's own meaning of its name.
    "torch.xavier_uniform_": lambda i, o: math.sqrt(2 / (i + o)),
    "keras.HeNormal": lambda i, o: math.sqrt(2 / i),
    "jax.lecun_normal": lambda i, o: math.sqrt(1 / i),
    "lasagne.HeNormal": lambda i, o: math.sqrt(1 / i),
    "lasagne.GlorotUniform": lambda i, o: math.sqrt(2 / (i + o)),
}

# The std of a standard normal cut at two, from the distribution itself: 1 - 2 * 2 phi(2) / P(-2 < z < 2).
CUT_AT_2 = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


def fault(values, std, mean=0.0):
    """What is wrong with the moments of values that should have these, or None. Five standard errors are allowed."""
    values = np.asarray(values, dtype=np.float64).ravel()
    error = std / math.sqrt(values.size)
    if abs(values.mean() - mean) > 5 * error:
        return f"mean {values.mean()} is not {mean}"
    # The variance of a sample variance, with at most the kurtosis of a normal.
    if abs(values.std() / std - 1) > 5 * math.sqrt(0.5 / values.size):
        return f"std {values.std()} is not {std}"
    return None


def axes(shape):
    return tuple(map(int, shape.split("x")))


def matrix(weight, layout):
    """A weight as outputs x (inputs and kernel), by letters."""
    order = [place for place, letter in enumerate(layout) if letter == "o"]
    order += [place for place, letter in enumerate(layout) if letter != "o"]
    outputs = math.prod(weight.shape[place] for place, letter in enumerate(layout) if letter == "o")
    return weight.transpose(order).reshape(outputs, -1)


class Distributions(Case):
    def test_fans_are_those_of_the_framework(self):
        for framework, fans in FANS.items():
            for shape in DENSE + CONVOLUTION:
                with self.subTest(framework=framework, shape=shape):
                    told = report("he-normal", shape, "--layout", framework)
                    self.assertEqual((told["fan_in"], told["fan_out"]), fans(axes(shape)))

    def test_the_default_is_inputs_first(self):
        told = report("he-normal", "784x256")
        self.assertEqual((told["fan_in"], told["fan_out"]), (784, 256))

    def test_the_values_have_the_std_of_the_formula(self):
        for framework, fans in FANS.items():
            for shape in ["600x500", "3x3x200x170", "170x200x3x3"]:
                for scheme, std in STDS.items():
                    with self.subTest(framework=framework, shape=shape, scheme=scheme):
                        asked = std(*fans(axes(shape)))
                        told = report(scheme, shape, "--layout", framework)
                        self.assertAlmostEqual(told["std"] / asked, 1, places=12)
                        values = array(scheme, shape, "--layout", framework)
                        self.assertIsNone(fault(values, asked))
                        self.assertIsNotNone(fault(values * 1.01, asked), "one percent too much went unseen")
                        if "uniform" in scheme.lower():
                            bound = math.sqrt(3) * asked
                            self.assertLessEqual(np.abs(values).max(), bound)
                            self.assertGreater(np.abs(values).max(), bound * (1 - 50 / values.size))

    def test_plain_distributions_have_the_moments_that_they_name(self):
        for scheme, mean, std in [
            ("normal", 0, 0.01),
            ("normal:std=0.5,mean=2", 2, 0.5),
            ("rbm:std=0.1", 0, 0.1),
            ("uniform", 0, 0.01 / math.sqrt(3)),
            ("uniform:low=1,high=3", 2, 2 / math.sqrt(12)),
            ("uniform:std=0.2,mean=1", 1, 0.2),
            ("uniform:0.05", 0, 0.05 / math.sqrt(3)),
        ]:
            with self.subTest(scheme=scheme):
                values = array(scheme, "300000", dtype="f64")
                self.assertIsNone(fault(values, std, mean))
                self.assertIsNotNone(fault(mean + (values - mean) * 1.01, std, mean))

    def test_truncated_normals_are_cut_where_they_say(self):
        for scheme, mean, std, low, high in [
            ("truncated-normal", 0, 0.01 * CUT_AT_2, -0.02, 0.02),
            ("truncated-normal:std=0.5,corrected=true", 0, 0.5, -1 / CUT_AT_2, 1 / CUT_AT_2),
            ("truncated-normal:std=1,low=-2,high=2", 0, CUT_AT_2, -2, 2),
            ("torch.trunc_normal_", 0, CUT_AT_2, -2, 2),
            ("keras.TruncatedNormal", 0, 0.05 * CUT_AT_2, -0.1, 0.1),
            ("truncated-normal:std=2,mean=1,low-sigma=-2,high-sigma=2", 1, 2 * CUT_AT_2, -3, 5),
        ]:
            with self.subTest(scheme=scheme):
                values = array(scheme, "300000", dtype="f64")
                self.assertIsNone(fault(values, std, mean))
                self.assertGreaterEqual(values.min(), low * (1 + 1e-15))
                self.assertLessEqual(values.max(), high * (1 + 1e-15))
                self.assertLess(values.min() - low, 0.001 * (high - low))
                self.assertLess(high - values.max(), 0.001 * (high - low))
                for dtype in ["f32", "f16", "bf16"]:
                    rounded = array(scheme, "300000", dtype=dtype).astype(np.float64)
                    self.assertTrue(low <= rounded.min() and rounded.max() <= high, f"{dtype} left the bounds")

    def test_orthogonal_rows_or_columns_whichever_are_fewer(self):
        shapes = {"64x64": "io", "100x30": "io", "30x100": "oi", "3x3x16x32": "kkio", "32x16x3x3": "oikk", "16x4x8": "ioo"}
        for shape, layout in shapes.items():
            for method in ["svd", "householder"]:
                for gain in ["1", "relu", "0.1"]:
                    scheme = f"orthogonal:gain={gain},method={method}"
                    with self.subTest(shape=shape, scheme=scheme):
                        number = {"relu": math.sqrt(2)}.get(gain) or float(gain)
                        self.check_orthogonal(matrix(array(scheme, shape, "--layout", layout, dtype="f64"), layout), number)

    def test_orthogonal_beyond_the_svd(self):
        self.check_orthogonal(array("orthogonal", "600x520", dtype="f64"), 1.0)

    def check_orthogonal(self, weight, gain):
        unit = weight / gain
        product = unit @ unit.T if unit.shape[0] <= unit.shape[1] else unit.T @ unit
        size = max(unit.shape)
        allowed = 8 * np.finfo(np.float64).eps * math.sqrt(size)
        self.assertLess(np.abs(product - np.eye(len(product))).max(), allowed)

    def test_sparse_units_have_their_number_of_nonzeros(self):
        for scheme, count in {
            "sparse:nonzeros=15": 15,
            "sparse:15": 15,
            "sparse:density=0.1": 30,
            "sparse:zeros=0.9": 30,
            "sparse:density=0.299": 89,
            "sparse:zeros=0.999": 0,
            "lasagne.Sparse": 30,
        }.items():
            for shape, layout in {"300x200": "io", "200x300": "oi", "3x5x20x64": "kkio", "64x20x3x5": "oikk"}.items():
                with self.subTest(scheme=scheme, shape=shape):
                    units = matrix(array(scheme, shape, "--layout", layout), layout)
                    self.assertEqual(units.shape[1], 300)
                    self.assertEqual(set(np.count_nonzero(units, axis=1)), {count})
        units = matrix(array("sparse:nonzeros=150,std=0.3", "300x2000", dtype="f64"), "io")
        self.assertIsNone(fault(units[units != 0], 0.3))
        # Every place is as likely as another: each of 300 places holds 1000 of 2000, give or take 22.
        self.assertLess(np.abs(np.count_nonzero(units, axis=0) - 1000).max(), 5 * math.sqrt(2000 / 4))

    def test_constants(self):
        self.assertTrue((array("zeros", "3x4") == 0).all())
        self.assertTrue((array("ones", "3x4") == 1).all())
        self.assertTrue((array("constant:0.1", "3x4") == np.float32(0.1)).all())
