"""Runs the interoperability tests, or those named, and counts them as cargo does.

    FANIN=target/release/fanin target/python-env/bin/python tests/interop/run.py [test_npy.Npy.test_... ...]
"""

import os
import sys
import time
import unittest
from pathlib import Path


class Result(unittest.TextTestResult):
    """Says aloud what is skipped, also in a part of a test."""

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        line = f"SKIPPED: {reason}"
        self.stream.writeln(line)
        if path := os.environ.get("FANIN_SKIPPED"):
            with open(path, "a", encoding="utf-8") as file:
                print(line, file=file)

    def startTest(self, test):
        super().startTest(test)
        self.whole_tests = getattr(self, "whole_tests", {})
        self.whole_tests[test.id()] = "skipped"

    def verdicts(self):
        """How many whole tests passed and how many failed; one that was skipped whole is neither."""
        verdicts = dict(getattr(self, "whole_tests", {}))
        for test, _ in self.skipped:
            verdicts.pop(test.id(), None)
        # A part of a test (a subTest) counts against its test; what fails in setting up a class counts too.
        for test, _ in self.failures + self.errors:
            verdicts[getattr(test, "test_case", test).id()] = "failed"
        verdicts.update((test.id(), "failed") for test in self.unexpectedSuccesses)
        values = list(verdicts.values())
        return values.count("skipped"), values.count("failed")


def main(names):
    folder = Path(__file__).parent
    sys.path.insert(0, str(folder))
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(names) if names else loader.discover(str(folder))
    started = time.monotonic()
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
    passed, failed = result.verdicts()
    word = "FAILED" if failed else "ok"
    seconds = time.monotonic() - started
    print(f"test result: {word}. {passed} passed; {failed} failed; 0 ignored; finished in {seconds:.2f}s")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
