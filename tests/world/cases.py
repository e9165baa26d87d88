# SPDX-License-Identifier: MIT
"""cases.py MODULE RESULTS SECONDS: the cases of a module of CPython's own tests.

Runs them with unittest and writes a line for each into RESULTS, "outcome name".
A module that takes longer than SECONDS is ended, and says where it was.
"""

import faulthandler
import sys
import unittest

from test import support


class Lines(unittest.TestResult):
    """Writes what became of a case as soon as that is known, so that a run
    which dies leaves what it had found; what went wrong goes to stderr."""

    def __init__(self, file):
        super().__init__()
        self.file = file

    def tell(self, outcome, case, error=None):
        print(outcome, case.id(), file=self.file, flush=True)
        if error:
            print('==', outcome, case.id(), file=sys.stderr)
            print(self._exc_info_to_string(error, case), file=sys.stderr,
                  flush=True)

    def startTest(self, test):
        super().startTest(test)
        self.tell('begun', test)

    def addSuccess(self, test):
        self.tell('passed', test)

    def addFailure(self, test, err):
        self.tell('failed', test, err)

    def addError(self, test, err):
        self.tell('failed', test, err)

    def addSubTest(self, test, subtest, err):
        if err:
            self.tell('failed', test, err)

    def addSkip(self, test, reason):
        self.tell('skipped', test)

    def addExpectedFailure(self, test, err):
        self.tell('failed-as-expected', test)

    def addUnexpectedSuccess(self, test):
        self.tell('passed-unexpectedly', test)


def main():
    module, results, seconds = sys.argv[1:]
    faulthandler.dump_traceback_later(int(seconds), exit=True)
    # Loopback is a network; what would need the world finds no route to it.
    support.use_resources = ['network']
    suite = unittest.defaultTestLoader.loadTestsFromName(module)
    with open(results, 'w', encoding='utf-8') as file:
        suite.run(Lines(file))


# Some of them start this program again, by multiprocessing.
if __name__ == '__main__':
    main()
