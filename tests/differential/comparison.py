# SPDX-License-Identifier: MIT
"""Compares the sequences of one mode, and makes small what differs."""

import re

import differences
from pair import Line, Pair

BLOCK = 200             # sequences that a worker is asked for at a time
# Tries of a sequence, each with so many milliseconds before every call. After a
# pause, what comes from the kernel by itself, as a reset, or from its workers, as
# with MPTCP, has come on both sides; so what is only late differs bare too.
AT_ONCE = [0, 0, 0]
WHILE_SMALLER = [0, 2]
AT_LAST = [0, 2, 0, 20] * 3
N_SMALL = 3             # that are made small, of each kind
N_STRAYS_SHOWN = 10
ALL_STEPS = (1 << 64) - 1


class Finding:
    """A sequence that differs: its lines bare and hooked, the latter's last."""

    def __init__(self, seed, keep, plain, bare, hooked):
        self.seed, self.keep, self.plain = seed, keep, plain
        n_same = 0
        while (n_same < min(len(bare), len(hooked))
               and bare[n_same] == hooked[n_same]):
            n_same += 1
        nothing = Line('-\t(nothing)\t\t')
        self.before = bare[:n_same]
        self.bare, self.hooked = [
            lines[n_same] if n_same < len(lines) else nothing
            for lines in (bare, hooked)]

    def kind(self):
        """Findings of the same kind are likely to have the same cause."""
        names = {name.partition('.')[2]
                 for name in self.bare.changes(self.hooked)}
        if 'died' in self.hooked.result:
            names = set()
        call = re.sub(r'\(.*', '', self.bare.call)
        call = call.rpartition(' ')[2]
        results = [re.sub(r'\d+', 'N', line.result)
                   for line in (self.bare, self.hooked)]
        return ' '.join([call] + results + sorted(names))

    def calls(self):
        return ['%s = %s %s' % (line.call, line.result, ' '.join(
            '%s=%s' % word for word in line.words.items()
            if word[0].endswith('.name'))) for line in self.before] + [
                '    (show %d %x %x)' % (self.seed, self.keep, self.plain)]

    def text(self):
        """The calls, and what differs after the last."""
        lines = ['%s = %s' % (line.call, line.result) for line in self.before]
        calls = [self.bare.call]
        if self.hooked.call != self.bare.call:
            calls.append(self.hooked.call)
        lines.append(' / '.join(calls))
        for side in ('bare', 'hooked'):
            line = getattr(self, side)
            words = ['%s=%s' % (name, line.words.get(name, '-'))
                     for name in self.bare.changes(self.hooked)
                     if 'died' not in self.hooked.result]
            lines.append('    %-6s = %s' % (side, ' '.join([line.result]
                                                           + words)))
        lines.append('    (show %d %x %x)' % (self.seed, self.keep,
                                              self.plain))
        return lines


class Comparison:
    """The sequences of a mode."""

    def __init__(self, build, mode, is_control=False):
        self.mode = mode
        self.pair = Pair(build, mode, is_control)
        self.first = self.n_sequences = self.n_differ = 0
        self.n_noise = self.n_strays = 0
        self.strays = []
        self.strayed_once = []      # transcripts of what did not stray again
        self.findings = {}      # by kind
        self.accepted = {}

    def show(self, seed, keep, plain, pause_ms):
        return [[Line(line) for line in lines if not line.startswith('#')]
                for lines in self.pair.ask('show %d %x %x %d' % (
                    seed, keep, plain, pause_ms))]

    def differs(self, seed, keep, plain, pauses_ms):
        """Both transcripts, where no try of one side is like any of the other;
        at last, bare they are all the same, too."""
        texts = set(), set()
        for pause_ms in pauses_ms:
            both = self.show(seed, keep, plain, pause_ms)
            for seen, lines in zip(texts, both):
                seen.add('\n'.join(line.text for line in lines))
            if texts[0] & texts[1] or (pauses_ms is AT_LAST
                                       and len(texts[0]) > 1):
                return None
        return both

    def find(self, seed, keep, plain, pauses_ms):
        both = self.differs(seed, keep, plain, pauses_ms)
        if not both:
            return None
        if differences.accepted(self.mode, *both):
            return None
        return Finding(seed, keep, plain, *both)

    def minimize(self, finding, find):
        """Takes out what is not needed, step after step, and then makes the
        ways plain. find(seed, keep, plain, pauses) gives a finding or None."""
        whole, is_smaller = finding, True
        while is_smaller:
            is_smaller = False
            for bit in [1 << i for i in reversed(range(64))]:
                if not finding.keep & bit or finding.keep == bit:
                    continue
                smaller = find(finding.seed, finding.keep & ~bit,
                               finding.plain, WHILE_SMALLER)
                if smaller:
                    finding, is_smaller = smaller, True
        for bit in [1 << i for i in range(64)]:
            if finding.keep & bit:
                finding = find(finding.seed, finding.keep,
                               finding.plain | bit,
                               WHILE_SMALLER) or finding
        return (find(finding.seed, finding.keep, finding.plain, AT_LAST)
                or find(whole.seed, whole.keep, whole.plain, AT_LAST))

    def find_stray(self, seed, keep, plain, pauses_ms):
        """A sequence in which a port was chosen outside the range."""
        for pause_ms in pauses_ms:
            lines = self.pair.ask('show %d %x %x %d' % (seed, keep, plain,
                                                        pause_ms))[1]
            if lines and lines[-1].startswith('# strays'):
                lines = [Line(line) for line in lines[:-1]]
                return Finding(seed, keep, plain, lines[:-1], lines)
        return None

    def look_at(self, seed):
        """At a sequence that has differed once."""
        n_steps = int(self.pair.ask('steps %d' % seed)[0][0])
        everything = (1 << n_steps) - 1
        both = self.differs(seed, everything, 0, AT_ONCE)
        if not both:
            self.n_noise += 1
            return
        sentence = differences.accepted(self.mode, *both)
        if sentence:
            self.accepted[sentence] = self.accepted.get(sentence, 0) + 1
            return
        finding = Finding(seed, everything, 0, *both)
        found = self.findings.setdefault(finding.kind(), [])
        if len(found) < N_SMALL:
            last = finding.bare.step
            if last.isdigit():
                finding = self.find(seed, everything & ((2 << int(last)) - 1),
                                    0, WHILE_SMALLER) or finding
            finding = self.minimize(finding, self.find)
        else:
            finding = self.find(seed, everything, 0, AT_LAST)
        if finding:
            # With one map's key, two choices may always fall on one port.
            self.pair.renew()
            finding = self.find(finding.seed, finding.keep, finding.plain,
                                AT_LAST)
        if finding:
            self.n_differ += 1
            found.append(finding)
        else:
            self.n_noise += 1

    def look_at_stray(self, seed, transcript):
        if len(self.strays) >= N_STRAYS_SHOWN:
            self.n_strays += 1
            return
        stray = self.find_stray(seed, ALL_STEPS, 0, AT_LAST)
        if stray:
            stray = self.minimize(stray, self.find_stray)
        sentence = stray and differences.accepted_stray(
            self.mode, stray.before + [stray.hooked])
        if sentence:
            self.accepted[sentence] = self.accepted.get(sentence, 0) + 1
            return
        self.n_strays += 1
        if stray:
            self.strays.append(stray)
        else:
            self.strayed_once += ['', 'stray once in seed %d' % seed] + [
                line.split(' ', 2)[2] for line in transcript
                if line.startswith('# %d ' % seed)]

    def run(self, first, end):
        self.first = first
        for start in range(first, end, BLOCK):
            stop = min(start + BLOCK, end)
            answers = self.pair.ask('hash %d %d' % (start, stop))
            bare, hooked = [dict(line.split(' ', 1) for line in lines)
                            for lines in answers]
            for seed in range(start, stop):
                left, right = [side.get(str(seed), 'died 0').split()
                               for side in (bare, hooked)]
                self.n_sequences += 1
                if right[1] != '0':
                    self.look_at_stray(seed, answers[1])
                if left[0] != right[0]:
                    self.look_at(seed)
        self.pair.stop()
        return self

    def kinds(self):
        """(number, kind, shortest finding), the most frequent first."""
        return sorted(((len(found), kind,
                        min(found, key=lambda one: len(one.before)))
                       for kind, found in self.findings.items() if found),
                      key=lambda row: -row[0])

    def report(self):
        lines = ['%s: %d sequences, %d differ, %d accepted, %d noise, '
                 '%d with strays' % (
                     self.mode, self.n_sequences, self.n_differ,
                     sum(self.accepted.values()), self.n_noise,
                     self.n_strays)]
        lines += ['accepted %d x: %s' % (n, sentence)
                  for sentence, n in self.accepted.items()]
        for stray in self.strays:
            lines += ['', 'stray in'] + stray.calls()
        lines += self.strayed_once
        for n, kind, finding in self.kinds():
            lines += ['', '%d x %s' % (n, kind)] + finding.text()
        return lines
