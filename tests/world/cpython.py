#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CPython's own tests of sockets and of what is built on them, bare and under
Berth, case by case: see others.py.

cpython.py [MODULE...]    all of them by default

Needs LIBBERTH, and of Debian libpython3.11-testsuite or its like. PYTHON is the
interpreter (/usr/bin/python3).
"""

import os
import subprocess
import sys

import others

PYTHON = os.environ.get('PYTHON', '/usr/bin/python3')
SECONDS = 900

# What is built on sockets; the slowest first, so that the last ones end together.
PROTOCOLS = [
    'test_ssl', 'test_imaplib', 'test_xmlrpc', 'test_ftplib', 'test_poplib',
    'test_asyncio.test_sslproto', 'test_urllib2_localnet', 'test_docxmlrpc',
    'test_httpservers', 'test_httplib', 'test_smtplib', 'test_asynchat',
    'test_telnetlib', 'test_nntplib', 'test_robotparser',
]

# Sockets themselves: these run under all variants. One event loop is enough.
SOCKETS = [
    'test_socket', 'test_eintr',
    'test_asyncio.test_events.EPollEventLoopTests',
    'test_asyncio.test_sendfile.EPollEventLoopTests',
    'test_asyncio.test_sock_lowlevel.EPollEventLoopTests',
    'test_asyncio.test_streams', 'test_asyncio.test_server', 'test_asyncore',
    'test_timeout', 'test_socketserver',
]


class Module:
    environment = {'PYTHONHASHSEED': '0', 'PYTHONDONTWRITEBYTECODE': '1'}

    def __init__(self, name):
        self.name = name
        self.variants = (list(others.VARIANTS) if name in SOCKETS
                         else ['small'])

    def command(self, folder):
        return [PYTHON, os.path.join(others.HERE, 'cases.py'),
                'test.' + self.name, os.path.join(folder, 'results'),
                str(SECONDS)]

    @staticmethod
    def outcomes(run):
        """The last line of a case counts, unless it has failed before."""
        outcomes = {}
        for line in run.read('results').splitlines():
            outcome, case = line.split(' ', 1)
            if outcomes.get(case) != 'failed':
                outcomes[case] = outcome
        outcomes['(the end)'] = str(run.status)
        return outcomes


def main():
    reason = others.missing([PYTHON])
    if not reason and subprocess.run(
            [PYTHON, '-c', 'import test.test_socket'], check=False,
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        reason = 'no tests of CPython here'
    if reason:
        print('1..0 # SKIP', reason)
        return
    others.main([Module(name) for name in
                 sys.argv[1:] or PROTOCOLS[:3] + SOCKETS + PROTOCOLS[3:]])


main()
