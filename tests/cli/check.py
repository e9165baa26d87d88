#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""berth check, and berth explain: what is wrong with a file, and what applies.

Needs BERTH and LIBBERTH; CONF, conf/berth.conf, and MAN, src/man, whose defaults
are compared with those of the code.
"""
import json
import os
import re
import socket
import subprocess
import sys

from fixture import Program, berth, conf, load, main, path, same

CONF, MAN = os.environ['CONF'], os.environ['MAN']


def check(text, *words, status):
    result = berth('check', *words, conf(text), range=None)
    same((result.returncode, result.stderr), (status, result.stderr))
    return result


def said(text, line, *words):
    """A refusal of the file, with these words, at its line."""
    result = check(text, status=1)
    for each in result.stderr.splitlines():
        if each.startswith(f'{path()}:{line}: ') and \
                all(word in each for word in words):
            return
    raise AssertionError(f'{words} at line {line} not in {result.stderr}')


def warned(text, *words, more=()):
    result = check(text, *more, status=0)
    for each in result.stderr.splitlines():
        if 'warning: ' in each and all(word in each for word in words):
            return each
    raise AssertionError(f'{words} not in {result.stderr!r}')


# --- refusals -----------------------------------------------------------------

def refused():
    """each thing that is refused is told with its line and the word"""
    for line, word, text in (
            (1, '"70000"', 'range = "70000"'),
            (1, '"9-8"', 'range = "9-8"'),
            (1, '"solris"', 'range = "solris"'),
            (2, '"rnge"', '\nrnge = "1"'),
            (1, '""', 'range = ""'),
            (1, '80', 'range = "80-90,5000"'),
            (1, '"best"', 'algorithm = "best"'),
            (1, '"icmp"', 'reserve a { ports = "1" protocols = {"icmp"} }'),
            (1, '"nobody-here"',
             'reserve a { ports = "1" owners = {"nobody-here"} }'),
            (2, '"no-such-user"', '\nprocess a { uid = {"no-such-user"} }'),
            (1, '"bin/x"', 'process a { exe = {"bin/x"} }'),
            (1, '"0"', 'rest-time = 0'),
            (1, '"maybe"', 'overlap = "maybe"'),
            (1, '"888"', 'map-mode = "888"'),
            (2, 'a', 'process a { }\nprocess a { }')):
        said(text, line, word)


def both_sides():
    """an overlap is told with both places and the ports"""
    text = '''reserve shop {
    ports = "8000-8099,9000"
    owners = {"b"}
}
process a {
    range = "8050-8999"
}
process b { range = "20000-20009" }
'''
    said(text, 6, '"a"', '"shop"', path() + ':2', '8050-8099')
    check(text.replace('8999"', '8999" overlap = "carve"'), status=0)
    text = ('reserve x { ports = "100-200" owners = {"a"} }\n'
            'reserve y { ports = "150-250" }\nprocess a { }\n')
    said(text, 2, '"x"', '"y"', path() + ':1', '150-200')
    check(text.replace('} }\nprocess', '} }\nprocess').replace(
        '150-250"', '150-250" owners = {"a"}'), status=0)


def all_at_once():
    """everything that is wrong is told in one run"""
    result = check('range = "70000"\nalgorithm = "best"\nrnge = "1"\n'
                   'process a { range = "5-4" uid = {"no-such-user"} }\n'
                   'reserve b { ports = "x" owners = {"c"} }\n', status=1)
    for word in ('70000', 'best', 'rnge', '5-4', 'no-such-user', '"x"', '"c"'):
        same(word in result.stderr, True)
    lines = [int(line.split(':')[1]) for line in result.stderr.splitlines()
             if line.startswith(path())]
    same(lines, sorted(lines))


def bad_files():
    """what cannot be read at all: one clear error, and status 1"""
    os.mkfifo(path('fifo'))
    deep = 'include("deep.conf")\n'
    for name, content, word in (
            ('empty.conf', '', 'empty'),
            ('binary.conf', 'range = "1"\0\1\2', 'binary'),
            ('huge.conf', '# x\n' * 300000, 'large'),
            ('deep.conf', deep, 'deep.conf'),
            ('a.conf', 'include("b.conf")\n', 'a.conf'),
            ('open.conf', 'range = "5000\n', 'open.conf'),
            ('brace.conf', 'process a {\n', 'brace.conf')):
        conf(content, name)
        if name == 'a.conf':
            conf('include("a.conf")\n', 'b.conf')
        result = berth('check', path(name), range=None)
        same((result.returncode, result.stdout), (1, ''))
        same(word in result.stderr, True)
        same(len(result.stderr.splitlines()), 1)
    for name in ('nowhere.conf', ''):
        result = berth('check', path(name), range=None)
        same((result.returncode, len(result.stderr.splitlines())), (1, 1))


def included():
    """includes are read relative to their file, globs too, with their lines"""
    os.mkdir(path('d'))
    conf('process a { range = "30000" }\n', 'd/1.conf')
    conf('process b {\nrange = "5-4"\n}\n', 'd/2.conf')
    result = check('include("d/*.conf")\nrange = "31000"\n', status=1)
    same(f'{path("d/2.conf")}:2: ' in result.stderr, True)
    conf('process b { range = "30001" }\n', 'd/2.conf')
    result = check('include("d/*.conf")\nrange = "31000"\n', '--print',
                   '--porcelain', status=0)
    same([line.split('\t')[1] for line in result.stdout.splitlines()
          if line.startswith('rule\t')], ['a', 'b', 'default'])


COMMANDS = ('check', 'load', 'unload', 'explain', 'log', 'status', 'sweep',
            'port')


def usage():
    """usage mistakes are quoted, status 2; --help is 0"""
    for words in ('check a b', 'check --rate x', 'check --rate', 'log -n x',
                  'log more', 'status tcp', 'sweep more', *(
                      command + ' --jason' for command in COMMANDS)):
        result = berth(*words.split())
        same((words, result.returncode, result.stdout), (words, 2, ''))
        same((words, f'"{words.split()[-1]}"' in result.stderr), (words, True))
    for command in COMMANDS:
        result = berth(command, '--help')
        same((result.returncode, result.stderr), (0, ''))
        same(result.stdout.startswith(f'Usage: berth {command}'), True)


# --- warnings -----------------------------------------------------------------

def warnings():
    """what the machine makes dangerous is a warning, with status 0"""
    lo, hi = map(int, open('/proc/sys/net/ipv4/ip_local_port_range')
                 .read().split())
    quiet = f'range = "{lo - 2000}-{lo - 1}"\n'
    same(check(quiet, status=0).stderr, '')
    warned(f'range = "{lo - 2000}-{lo + 1000}"\n',
           f'net.ipv4.ip_local_port_range = {lo + 1001} {hi}')
    with socket.socket() as server:
        server.bind(('127.0.0.1', lo - 100))
        server.listen()
        warned(quiet, str(lo - 100), 'tcp')
    warned(quiet + 'reserve a { ports = "9000" }\n', '"a"')
    warned(quiet + 'process a { exe = {"/usr/bin/*"} }\n'
           'process b { exe = {"/usr/bin/curl"} }\n', '"a"', '"b"')
    warned(quiet, '6000', more=('--rate', '100'))
    same(check(quiet, '--rate', '30', status=0).stderr, '')


def print_table():
    """check --print shows the compiled rules, in three formats"""
    text = ('range = "30000-30009"\n'
            'process a { name = {"x", "y"} udp { listen = "31000" } }\n'
            'reserve r { ports = "9000-9001" owners = {"a"} }\n')
    result = check(text, '--print', status=0)
    same('30000-30009' in result.stdout and '31000' in result.stdout, True)
    record = check(text, '--print', '--json', status=0).stdout
    rules = json.loads(record)['rules']
    same({rule['rule'] for rule in rules}, {'a', 'default'})
    same(rules[0]['place'], path() + ':2')


# --- explain ------------------------------------------------------------------

RULES = '''range = "30000-30009"
process a { name = {"nothing"} }
process b { exe = {"/nowhere/*"} uid = {"0"} }
process c { uid = {"0"} range = "31000-31009" }
process d { uid = {"0"} }
reserve r { ports = "9000" owners = {"c"} }
'''


def explain(*words):
    result = berth('explain', '--json', *words, range=None)
    same((result.returncode, result.stderr), (0, ''))
    return json.loads(result.stdout)


def explain_process():
    """explain PID and explain -- CMD: which rule applies, why the others not"""
    load(RULES)
    with Program(range=None) as p:
        p.do('pass')    # it has started, and the library is mapped
        for report in (explain('--pid', str(p.pid)),
                       explain('--', sys.executable)):
            same([(rule['rule'], rule['verdict'])
                  for rule in report['rules']],
                 [('a', 'no'), ('b', 'no'), ('c', 'applies'),
                  ('d', 'not asked'), ('default', 'not asked')])
            same('nothing' in report['rules'][0]['reason'], True)
            same('/nowhere/*' in report['rules'][1]['reason'], True)
            same([r['ports'] for r in report['ranges']], ['31000-31009'] * 8)
            same(report['program']['exe'],
                 os.path.realpath(sys.executable))
            same(report['program']['covered'], 'yes')
            same(report['program']['uid'], '0')
    report = explain()
    same(report['program']['name'], 'berth')
    same(report['rules'][4]['place'], report['rules'][0]['place'][:-2])


def explain_bare():
    """explain without a policy says that the environment applies"""
    report = berth('explain', '--json', '--', 'true', range='40000-40009')
    report = json.loads(report.stdout)
    same({r['ports'] for r in report['ranges']}, {'40000-40009'})
    same('no policy is in force' in report['policy']['reason'], True)


def explain_port():
    """explain PORT: ranges, reservations, who holds it, whether it is assignable"""
    load(RULES)
    report = explain('--port', '9000')
    same({r['reservation'] for r in report['reserved']}, {'r'})
    same({r['owners'] for r in report['reserved']}, {'c'})
    same({r['assignable'] for r in report['now']}, {'no'})
    report = explain('--port', '31000')
    same({r['rule'] for r in report['in_ranges']}, {'c', })
    same({r['assignable'] for r in report['now']}, {'yes'})
    report = explain('--port', '12345')
    same({r['reason'] for r in report['now']}, {'no range contains it'})
    with Program(range=None) as p:
        port = p.bind('a', listen=True)
        report = explain('--port', str(port))
        same([(h['protocol'], h['socket'], h['pid'])
              for h in report['holders']], [('tcp', 'listen', p.pid)])
        same(report['now'][0]['assignable'], 'no')
        p.close('a')
        report = explain('--port', str(port))
        same('rests' in report['now'][0]['reason'], True)


def explain_mistakes():
    """explain: mistakes are quoted"""
    for words, word, status in (
            (['nonsense'], 'nonsense', 2), (['--port', '65536'], '65536', 2),
            (['--pid', 'x'], 'x', 2), (['--'], '--', 2),
            (['999999999'], '999999999', 2), (['8080', '8081'], '8081', 2),
            (['8080', '--', 'true'], 'true', 2)):
        result = berth('explain', *words, range=None)
        same((result.returncode, f'"{word}"' in result.stderr),
             (status, True))
    result = berth('explain', '--', 'no-such-program', range=None)
    same((result.returncode, 'not found' in result.stderr), (1, True))


# --- defaults -----------------------------------------------------------------

def defaults_in_conf():
    """conf/berth.conf shows every setting at the default that the code has"""
    report = explain('--', 'true')
    shown = dict(re.findall(r'^#?([a-z-]+) = "?([^"\n]*)"?$',
                            open(CONF).read(), re.M))
    for setting in report['settings']:
        same((setting['setting'], shown.get(setting['setting'])),
             (setting['setting'], setting['value']))
    same(berth('check', CONF, range=None).returncode, 0)
    same(shown['range'], 'iana')
    same({r['ports'] for r in report['ranges']}, {'49152-65535'})


def defaults_in_manual():
    """berth.conf(5) names the default that the code has, of every setting"""
    page = subprocess.run(['man', '-l', '-P', 'cat',
                           os.path.join(MAN, 'berth.conf.5')],
                          env=dict(os.environ, MANWIDTH='78', LC_ALL='C'),
                          text=True, capture_output=True).stdout
    page = re.sub('.\b', '', page)
    for setting in explain('--', 'true')['settings']:
        name, value = setting['setting'], setting['value']
        # The default is the first word of the option's heading.
        entry = re.search(rf'^ +{name} = "([a-z-]+)"', page, re.M)
        same((name, entry and entry.group(1)), (name, value))


main([refused, both_sides, all_at_once, bad_files, included, usage, warnings,
      print_table, explain_process, explain_bare, explain_port,
      explain_mistakes, defaults_in_conf, defaults_in_manual])
