# SPDX-License-Identifier: MIT
"""The Test Anything Protocol, as all Python tests print it."""


class Tap:
    def __init__(self):
        self.count = self.n_failed = 0

    def ok(self, holds, sentence, details=()):
        """The details are shown when it does not hold."""
        self.count += 1
        self.n_failed += not holds
        print('%s %d - %s' % ('ok' if holds else 'not ok', self.count,
                              sentence.replace('#', '')), flush=True)
        self.note([] if holds else details)

    def skip(self, sentence):
        self.count += 1
        print('ok %d # SKIP %s' % (self.count, sentence), flush=True)

    @staticmethod
    def note(lines):
        for line in lines:
            print('#', line, flush=True)

    def end(self):
        """Returns the status of the test."""
        print('1..%d' % self.count, flush=True)
        return int(self.n_failed > 0)


def skip_all(reason):
    print('1..0 # SKIP ' + reason, flush=True)
