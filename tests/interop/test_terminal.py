"""At a terminal, without -o, the values are shown for reading."""

import os
import unicodedata

import terminal
from support import Case, FANIN, array

SHAPES = ["4x3", "()", "7", "0x5", "1x1", "100x100", "2000", "3x3x4x5", "30x40x2"]


class Terminal(Case):
    def shown(self, *arguments):
        env = {**os.environ, "NO_COLOR": "1", "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
        status, data = terminal.run([FANIN, "init", *arguments], env=env)
        self.assertEqual(status, 0, data)
        text = data.decode("utf-8")
        strange = {letter for letter in text if unicodedata.category(letter)[0] == "C" and letter != "\n"}
        self.assertFalse(strange, "control characters, or bytes of values")
        return text

    def test_report_values_and_histogram(self):
        text = self.shown("glorot-uniform", "4x3")
        printed = str(array("glorot-uniform", "4x3"))
        report, values, histogram = text.split("\n\n")
        self.assertIn("weight=4x3 f32: glorot-uniform:gain=1; fan_in 4, fan_out 3, low -0.92582", report)
        self.assertIn("seed 0", report)
        self.assertEqual(values, printed)
        bars = histogram.strip().splitlines()
        self.assertGreater(len(bars), 1)
        self.assertTrue(all("█" in bar or "│" in bar or "|" in bar for bar in bars), histogram)
        counts = [int(bar.split("|")[0].split("│")[0].split()[-1]) for bar in bars]
        self.assertEqual(sum(counts), 12)

    def test_values_are_printed_as_numpy_prints_them(self):
        for scheme in ["normal", "normal:std=1000,mean=5", "uniform:low=-1e-6,high=1", "ones", "constant:0.1", "zeros"]:
            for shape in SHAPES:
                for dtype in ["f64", "f32", "f16"]:
                    with self.subTest(scheme=scheme, shape=shape, dtype=dtype):
                        text = self.shown(scheme, shape, "--dtype", dtype, "-q")
                        printed = str(array(scheme, shape, dtype=dtype))
                        self.assertTrue(text.startswith(f"\n{printed}\n"), f"{text}\nis not what NumPy prints:\n{printed}")

    def test_several_tensors_are_shown_one_after_the_other(self):
        text = self.shown("normal", "a=4x3", "b=3x2")
        for tensor in ["a=4x3", "b=3x2"]:
            self.assertIn(f"\n\n{tensor[0]}:\n{array('normal', tensor)}\n", text)

    def test_no_binary_bytes_in_any_dtype(self):
        for dtype in ["f64", "f32", "f16", "bf16"]:
            self.shown("normal", "784x256", "--dtype", dtype)

    def test_a_progress_bar_is_drawn_away(self):
        status, data = terminal.run([FANIN, "init", "normal:std=0.01", "20000x8000", "-o", self.folder / "w.npy", "--no-fsync"])
        self.assertEqual(status, 0)
        text = terminal.settled(data.decode())
        self.assertRegex(text, r"(?s)^weight=20000x8000 f32: [^\n]*\nwrote [^\n]*w\.npy: [^\n]*\n$")
