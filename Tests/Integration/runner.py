"""Runs the tests named on the command line, or all, and closes with the line `N passed, N failed`.

A skipped test counts as failed: whatever a test needs has to be there.
"""

import pathlib
import sys
import unittest


class CountingResult(unittest.TextTestResult):
    """Counts tests, not findings: a test with three failing sub-tests has failed once."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.passed = 0

    def addSuccess(self, test):
        self.passed += 1
        super().addSuccess(test)

    def failed(self) -> int:
        findings = [test for test, _ in self.failures + self.errors + self.skipped]
        names = {getattr(test, "test_case", test).id() for test in findings}
        names |= {test.id() for test in self.unexpectedSuccesses}
        return len(names)


def main() -> int:
    here = pathlib.Path(__file__).parent
    loader = unittest.TestLoader()
    if len(sys.argv) > 1:
        suite = loader.loadTestsFromNames(sys.argv[1:])
    else:
        suite = loader.discover(str(here), pattern="test_*.py")
    result = unittest.TextTestRunner(verbosity=2, resultclass=CountingResult).run(suite)
    sys.stderr.flush()
    failed = result.failed()
    if result.passed + failed == 0:
        print("No test was found.", file=sys.stderr)
        failed = 1
    print(f"{result.passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
