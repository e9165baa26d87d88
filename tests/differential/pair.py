# SPDX-License-Identifier: MIT
"""The two sides of the differential test: workers in a namespace each, one bare and
one under libberth.so, and what they say.
"""

import os
import subprocess

from side import MODES

HERE = os.path.dirname(os.path.abspath(__file__))


class Line:
    """A call: its text, its result, and the state of the sockets after it, as a
    dictionary: {'1.name': '127.0.0.1:r0', ...}.
    """

    def __init__(self, text):
        self.text = text
        fields = text.split('\t', 3) + [''] * 3
        self.step, self.call, self.result, words = fields[:4]
        self.words = dict(word.partition('=')[::2] for word in words.split())

    def __eq__(self, other):
        return self.text == other.text

    def changes(self, other):
        """The names of the words that differ."""
        names = sorted(self.words.keys() | other.words.keys())
        return [name for name in names
                if self.words.get(name) != other.words.get(name)]


class Side:
    """A worker, which is started again when it has died."""

    def __init__(self, build, mode, is_hooked, kernel_range, arguments):
        library = build + '/src/preload/libberth.so'
        self.command = [
            build + '/tests/preload/in_namespace', '-t', '/run', '-r',
            kernel_range, 'python3', os.path.join(HERE, 'side.py'), mode,
            build + '/src/cli/berth', library if is_hooked else '-',
            build + '/tests/differential/differential_worker'] + arguments
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, errors='replace')

    def ask(self, task):
        try:
            self.process.stdin.write(task + '\n')
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def answer(self):
        """The lines. Of a worker that dies, those until then."""
        lines = []
        for line in self.process.stdout:
            line = line.rstrip('\n')
            if line == '.':
                return lines
            lines.append(line)
        self.stop()
        self.start()
        return lines + ['worker ended with %s' % self.process.returncode]

    def stop(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


class Pair:
    def __init__(self, build, mode, is_control):
        kind = MODES[mode]
        bare = kind.bare, kind.arguments
        hooked = kind.kernel, kind.arguments + ['-r', kind.ports]
        self.sides = [
            Side(build, mode, False, *bare),
            Side(build, mode, not is_control, *(bare if is_control
                                                else hooked))]

    def ask(self, task):
        """What both say, asked at the same time."""
        for side in self.sides:
            side.ask(task)
        return [side.answer() for side in self.sides]

    def renew(self):
        """Other namespaces, and another map."""
        self.stop()
        for side in self.sides:
            side.start()

    def stop(self):
        for side in self.sides:
            side.stop()
