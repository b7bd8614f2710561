#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs the unittest classes of one Python file and prints TAP, which is what tally.sh counts.

tap.py FILE; exit 0 when all passed.
"""
import importlib.util
import os
import sys
import unittest

sys.dont_write_bytecode = True


class Tap(unittest.TestResult):
    """One line per test, before it what a failed one said."""

    def __init__(self):
        super().__init__()
        self.number = 0
        self.good = True

    def _line(self, ok, test, text="", directive=""):
        self.number += 1
        self.good = self.good and ok
        for line in text.splitlines():
            print("# " + line)
        name = test.id().split(".", 1)[-1]
        print(f"{'ok' if ok else 'not ok'} {self.number} - {name}{directive}", flush=True)

    def addSuccess(self, test):
        self._line(True, test)

    def addFailure(self, test, err):
        self._line(False, test, self._exc_info_to_string(err, test))

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        """A part of a test that went wrong; the test itself has no line of its own then."""
        if err:
            self._line(False, subtest, self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        self._line(True, test, directive=" # SKIP " + reason)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: tap.py FILE")
    path = os.path.abspath(sys.argv[1])
    # as if the file itself was run
    sys.path[0] = os.path.dirname(path)
    spec = importlib.util.spec_from_file_location("tests", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["tests"] = module
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    print(f"1..{suite.countTestCases()}")
    result = Tap()
    suite.run(result)
    return 0 if result.good and result.number else 1


if __name__ == "__main__":
    sys.exit(main())
