# SPDX-License-Identifier: MIT
"""The differences that libberth(7) names, section DIFFERENCES: all that a program
may see of Berth but the numbers of its ports. Each is as narrow as it can be, and
stands beside its sentence.
"""

import os
import re

from side import MODES

HERE = os.path.dirname(os.path.abspath(__file__))
MANUAL = os.path.join(HERE, '..', '..', 'src', 'man', 'libberth.7')

BOUND_MODES = ('no-pin', 'outside')
ADDRESS = re.compile(r'(\[[^\]]*\]|[0-9.]+):(\w+)')
CONNECTING = ('connect', 'sendto', 'sendmsg', 'sendmmsg')
COPYING = ('dup', 'dup2', 'F_DUPFD', 'SCM_RIGHTS')
TAKING = CONNECTING + ('listen', 'bind', 'bindresvport')

# What a call says once the kernel has chosen a port, or would have next.
AFTER_CHOICE = ('ECONNREFUSED', 'EINPROGRESS', 'EADDRNOTAVAIL', 'ECONNABORTED',
                'ECONNRESET', 'EHOSTUNREACH', 'EALREADY')
REFUSED = ('EINVAL', 'EFAULT', 'ENODEV', 'EMSGSIZE', 'EPIPE',
           'EISCONN', 'EAFNOSUPPORT')
UNREACHABLE = ('ENETUNREACH', 'EHOSTUNREACH', 'EACCES')


class Difference:
    """The first line that differs: bare, hooked, and the hooked one before."""

    def __init__(self, before, bare, hooked):
        self.before, self.bare, self.hooked = before, bare, hooked
        self.words_before = before[-1].words if before else {}
        way, _, arguments = bare.call.partition('(')
        self.way, self.name = way.rpartition(' ')[::2]
        self.slot = arguments[:1]
        address = ADDRESS.search(arguments)
        self.port = address.group(2) if address else None
        self.is_unspecified = 'AF_UNSPEC' in arguments
        self.option = arguments.split(', ')[1] if ', ' in arguments else ''

    def result(self, line):
        """The first word of it; of a success "0"."""
        word = line.result.split()[0] if line.result else ''
        return '0' if word.isdigit() else word

    def results(self):
        return self.result(self.bare), self.result(self.hooked)

    def changed(self):
        """The words that differ, without their slots."""
        return {name.partition('.')[2]
                for name in self.bare.changes(self.hooked)}

    def changed_slots(self):
        return {name.partition('.')[0]
                for name in self.bare.changes(self.hooked)}

    def only(self, *names):
        return self.changed() <= set(names)

    def same_call(self):
        return self.bare.call == self.hooked.call


def port_of(words, slot, name='name'):
    address = ADDRESS.fullmatch(words.get(slot + '.' + name, '')
                                .replace('%v0', '').replace('%other', ''))
    return address.group(2) if address else None


def is_connected_to_itself(words, slot):
    name = words.get(slot + '.name')
    peer = words.get(slot + '.peer')
    return peer is not None and name == peer


def is_self_connect(it):
    """Bare, the socket is connected to its own name."""
    bare, hooked = it.results()
    if it.name not in CONNECTING or hooked != 'ECONNREFUSED':
        return False
    # To the port that it has; the kernel may refuse that too, for what else it is.
    if it.port == port_of(it.words_before, it.slot):
        return it.only('name', 'device', 'peer', 'tcp', 'v6only', 'no_port')
    return (bare in ('0', 'EINPROGRESS')
            and (is_connected_to_itself(it.bare.words, it.slot)
                 or is_silent_self_connect(it))
            and it.only('name', 'peer', 'tcp', 'v6only', 'device', 'no_port'))


def is_silent_self_connect(it):
    """MPTCP does not tell the peer after MSG_FASTOPEN, and nothing tells it while
    the socket is on its way."""
    if it.bare.words.get(it.slot + '.tcp') == '2':
        return it.port == port_of(it.bare.words, it.slot)
    return (it.name.startswith('send')
            and it.slot + '.peer' not in it.bare.words
            and it.bare.words.get(it.slot + '.tcp') == '1'
            and it.port == port_of(it.bare.words, it.slot))


def is_only_port(it):
    """Bare, a port was chosen, which can only be the one connected to."""
    bare, hooked = it.results()
    return (it.name in CONNECTING and hooked == 'EADDRNOTAVAIL'
            and it.port == port_of(it.bare.words, it.slot)
            and port_of(it.words_before, it.slot) in ('0', it.port)
            and bare in ('0', 'EFAULT', 'EINVAL', 'EPIPE') + AFTER_CHOICE
            and it.only('name', 'peer', 'tcp', 'v6only', 'device'))


def was_bound(it, slot):
    """The port of a slot was bound for it by an earlier call, and shows."""
    port = port_of(it.words_before, slot)
    return port is not None and port[0] == 'r'


def outlives_failure(it):
    """The call itself fails, and leaves the port."""
    bare, hooked = it.results()
    return (it.same_call() and it.name in TAKING and bare == hooked
            and bare in AFTER_CHOICE + UNREACHABLE + REFUSED
            and it.only('name')
            and (port_of(it.hooked.words, it.slot) or '-')[0] == 'r')


def keeps_port(it):
    """A later call comes from the port that is bound, which stays; or fails, since
    there is such a connection."""
    bare, hooked = it.results()
    return (it.name in TAKING and was_bound(it, it.slot)
            and (bare == hooked
                 or it.name in CONNECTING and hooked == 'EADDRNOTAVAIL')
            and it.only('name')
            and port_of(it.hooked.words, it.slot)
            == port_of(it.words_before, it.slot))


def meets_other(it):
    """A later connect comes from the port that is bound, to a socket that is just
    connecting to this port: simultaneous open."""
    bare, hooked = it.results()
    return (it.name in CONNECTING and was_bound(it, it.slot)
            and bare == 'ECONNREFUSED' and hooked in ('0', 'EINPROGRESS')
            and it.only('name', 'peer', 'tcp')
            and port_of(it.hooked.words, it.slot)
            == port_of(it.words_before, it.slot)
            and any(port_of(it.words_before, slot) == it.port
                    and it.words_before.get(slot + '.tcp') == '2'
                    for slot in '0123' if slot != it.slot))


def is_bound_already(it):
    """A later bind, or IPV6_V6ONLY."""
    bare, hooked = it.results()
    return (was_bound(it, it.slot) and hooked == 'EINVAL'
            and bare in ('0', 'EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'ENODEV')
            and (it.name in ('bind', 'bindresvport')
                 or it.option == 'IPV6_V6ONLY')
            and it.only('name', 'v6only', 'device'))


def connects_to_bound(it):
    """A later connect to the port that is bound, of the socket itself."""
    return (it.name in CONNECTING and was_bound(it, it.slot)
            and it.port == port_of(it.words_before, it.slot)
            and it.results()[1] in ('0', 'EFAULT', 'EINVAL') + AFTER_CHOICE
            and it.only('name', 'peer', 'tcp', 'v6only', 'no_port'))


def is_taken(it):
    """Somebody else's bind to the port that is bound; or the socket's own listen,
    while there are connections from it."""
    bare, hooked = it.results()
    if it.name == 'listen' and was_bound(it, it.slot):
        return (bare, hooked) == ('0', 'EADDRINUSE')
    return (it.name == 'bind' and bare == '0' and hooked == 'EADDRINUSE'
            and it.only('name', 'v6only')
            and any(port_of(it.words_before, slot) == it.port
                    and it.words_before.get(slot + '.tcp') == '7'
                    for slot in '0123' if slot != it.slot))


def has_outlived(it):
    return (outlives_failure(it) or keeps_port(it) or meets_other(it)
            or is_bound_already(it) or connects_to_bound(it) or is_taken(it))


def is_shared(it):
    """Another socket's bind to the port of a connection."""
    bare, hooked = it.results()
    return (it.name == 'bind' and bare == 'EADDRINUSE' and hooked == '0'
            and it.only('name', 'v6only')
            and it.bare.words.get(it.slot + '.reuseaddr') == '1'
            and any(port_of(it.words_before, slot) == it.port
                    and it.words_before.get(slot + '.tcp') not in ('7', '10')
                    and has_connected(it.before, slot)
                    for slot in '0123' if slot != it.slot))


def is_seen_by_others(it):
    """A child has connected, or the copy that shows it is a new one."""
    bare, hooked = it.results()
    if (bare == hooked and it.only('reuseaddr') and it.name == 'setsockopt'
            and ({'fork:', 'vfork:'} & set(it.way.split())
                 or was_sent(it.before, it.slot))):
        return True
    if bare != hooked or not it.only('reuseaddr') or any(
            it.hooked.words.get(slot + '.reuseaddr') != '1'
            for slot in it.changed_slots()):
        return False
    if it.name in CONNECTING and {'fork:', 'vfork:'} & set(it.way.split()):
        return bare in ('0', 'EINPROGRESS', 'EALREADY')
    if it.name in CONNECTING:
        return all(was_sent(it.before, slot) for slot in it.changed_slots())
    return ((it.name == 'SCM_RIGHTS' or 'raw:' in it.way.split())
            and has_connected(it.before, it.slot))


def shows_lost_port(it):
    """TCP over IPv4, or MPTCP, closed: a port that it has lost, or none."""
    bare, hooked = it.results()
    return (it.name in TAKING and bare == hooked and bare.startswith('E')
            and it.only('name')
            and all(it.hooked.words.get(slot + '.tcp') == '7'
                    and port_of(it.hooked.words, slot) == '0'
                    for slot in it.changed_slots()))


def connects_of(it):
    """The connects of the socket before, as Differences."""
    socket = socket_of(it.before, it.slot)
    return [one for one, sockets in sockets_of(it.before)
            if sockets.get(one.slot) == socket and one.name in CONNECTING]


def is_left_by_refusal(it):
    """A connect to itself was refused before the result of a connect under way:
    a later connect, or listen, meets that."""
    bare, hooked = it.results()
    return ((it.name in CONNECTING and hooked == 'ECONNREFUSED'
             and bare in ('0', 'EINPROGRESS')
             or (it.name, bare, hooked) == ('listen', '0', 'EINVAL'))
            and it.only('name', 'peer', 'tcp', 'listening')
            and any(one.results()[0] == 'ECONNREFUSED'
                    for one in connects_of(it)))


def is_done_unseen(it):
    """Some call before was a raw one, and the result is the same; or it is that of
    a connect from another address."""
    bare, hooked = it.results()
    if bare != hooked and any('raw: connect' in line.call
                              for line in it.before):
        return is_left_by_refusal(it)
    if bare != hooked:
        return (it.name in CONNECTING
                and it.only('name', 'peer', 'tcp', 'v6only')
                and any('raw: bind' in line.call for line in it.before))
    return (it.only('name', 'range', 'reuseaddr', 'v6only')
            and any('raw:' in line.call
                    for line in it.before + [it.bare]))


def sockets_of(lines):
    """Yields each line as a Difference, and the socket that each slot has then."""
    sockets = {}
    for number, line in enumerate(lines):
        it = Difference([], line, line)
        made = re.search(r'\((\d) to (\d)\)', line.call)
        if it.results()[0] == '0' and it.name in COPYING and made:
            sockets[made.group(2)] = sockets.get(made.group(1))
        elif line.result.isdigit() and it.name == 'accept4' and made:
            sockets[made.group(2)] = number
        elif it.name == 'socket':
            sockets[it.slot] = number
        yield it, sockets


def socket_of(lines, slot):
    """The socket that a slot has after the lines: the line that has made it."""
    sockets = {}
    for _, sockets in sockets_of(lines):
        pass
    return sockets.get(slot)


def has_connected(lines, slot):
    """Whether a connect of a slot's socket was made, or began."""
    connected, sockets = set(), {}
    for it, sockets in sockets_of(lines):
        if (it.name in CONNECTING
                and it.results()[0] in ('0', 'EINPROGRESS', 'EALREADY')):
            connected.add(sockets.get(it.slot))
    return sockets.get(slot) in connected


def was_sent(lines, slot):
    """Whether a descriptor of a slot's socket was sent by SCM_RIGHTS."""
    sent, sockets = set(), {}
    for it, sockets in sockets_of(lines):
        if it.name == 'SCM_RIGHTS' and it.results()[0] == '0':
            sent.add(sockets.get(it.slot))
    return sockets.get(slot) in sent


def loses_unseen_range(it):
    """A connect of TCP: the range was set by a child, by a raw system call, or by
    a descriptor that was sent."""
    bare, hooked = it.results()
    return (it.name in CONNECTING and bare == hooked and it.only('range')
            and any('IP_LOCAL_PORT_RANGE' in line.call and
                    ('fork:' in line.call or 'raw:' in line.call
                     or any(was_sent(it.before, slot)
                            for slot in it.changed_slots()))
                    for line in it.before))


def is_mptcp(it, slot):
    made = socket_of(it.before, slot)
    return made is not None and 'MPTCP' in it.before[made].call


def shows_one_port(it, slot):
    shown = it.hooked.words.get(slot + '.range', '')
    return shown[:4] == shown[4:]


def has_own_port_as_range(it):
    """MPTCP, closed: the program has set a range before."""
    bare, hooked = it.results()
    if bare != hooked or not any('IP_LOCAL_PORT_RANGE' in line.call
                                 for line in it.before):
        return False
    if it.only('range'):
        return all(is_mptcp(it, slot) and shows_one_port(it, slot)
                   and it.hooked.words.get(slot + '.tcp') == '7'
                   for slot in it.changed_slots())
    return (it.name in TAKING and it.only('name') and was_bound(it, it.slot)
            and is_mptcp(it, it.slot) and has_connected(it.before, it.slot)
            and port_of(it.hooked.words, it.slot)
            == port_of(it.words_before, it.slot))


def keeps_pin(it):
    """A raw connect of MPTCP, or one by a send, after one that had not come to its
    end."""
    return ((it.name.startswith('send')
             or it.name == 'connect' and 'raw:' in it.way.split())
            and it.only('name', 'peer', 'tcp', 'v6only')
            and port_of(it.hooked.words, it.slot)
            == port_of(it.words_before, it.slot)
            and is_mptcp(it, it.slot) and has_connected(it.before, it.slot))


def loses_no_port(it):
    """A connect of MPTCP."""
    bare, hooked = it.results()
    return (it.name in CONNECTING and bare == hooked and it.only('no_port')
            and is_mptcp(it, it.slot) and has_connected(it.before, it.slot)
            and any('IP_BIND_ADDRESS_NO_PORT' in line.call
                    for line in it.before))


def is_refused_before_result(it):
    """A connect, or listen, of MPTCP after a connect to itself, which a child's
    came before."""
    return (is_left_by_refusal(it) and is_mptcp(it, it.slot)
            and any('fork:' in one.way.split()
                    and one.results()[0] == 'EINPROGRESS'
                    for one in connects_of(it)))


def is_not_shared(it):
    """UDP in a full range, with SO_REUSEADDR or SO_REUSEPORT: such a bind is not
    made."""
    bare, hooked = it.results()
    return (hooked in ('EAGAIN', 'EADDRINUSE')
            and it.only('name', 'peer', 'device', 'v6only')
            and any('SO_REUSE' in line.call for line in it.before)
            and port_of(it.hooked.words, it.slot) == '0')


UNSEEN = ('Berth does not know what a raw system call has done to a socket. The'
          ' next call on it may leave another name, range or SO_REUSEADDR, or'
          ' connect from another address. A connect to itself is refused before'
          ' the result of a connect that such a call has begun.')

# (sentence, modes, whether it is what differs)
DIFFERENCES = [
    ('A connect of a TCP or one-to-one SCTP socket to itself fails with'
     ' ECONNREFUSED, unless the policy has self-connect = allow.',
     ('environment',), is_self_connect),
    ('A TCP or SCTP connect is never assigned the port that it connects to. If the'
     ' range has no other port left, the connect of TCP fails with EADDRNOTAVAIL,'
     ' that of SCTP with EAGAIN. Without Berth the kernel might connect the socket'
     ' to itself.',
     ('exhausted', 'reuse'), is_only_port),
    ('Without Berth, a TCP socket over IPv4, or an MPTCP socket, may still show a'
     ' port that it has lost. Under Berth it may show port 0 after a call that'
     ' fails.',
     ('pin', 'observe', 'environment', 'exhausted', 'reuse') + BOUND_MODES,
     shows_lost_port),
    ('If the range is full, a UDP socket with SO_REUSEADDR or SO_REUSEPORT is not'
     ' assigned a port that another socket has.',
     ('exhausted', 'reuse'), is_not_shared),
    ('When a TCP socket connects, it loses a range that another process, a raw'
     ' system call, or the program by a descriptor that it had sent to itself,'
     ' has given it by IP_LOCAL_PORT_RANGE.',
     ('pin', 'environment', 'exhausted', 'reuse'), loses_unseen_range),
    ('An MPTCP socket that is given IP_LOCAL_PORT_RANGE while it is connected may'
     ' show its own port as the range after the connection has ended, and may be'
     ' assigned that port again.',
     ('pin', 'environment', 'exhausted', 'reuse'), has_own_port_as_range),
    ('A connect of an MPTCP socket to itself is refused even if another process'
     ' has begun a connect on the socket; the result of that connect is not'
     ' reported first.',
     ('environment',), is_refused_before_result),
    ('When a raw system call, or a send with an address, connects an MPTCP socket'
     ' again, the socket may get the port of its earlier connect.',
     ('pin', 'environment', 'exhausted', 'reuse'), keeps_pin),
    ('An MPTCP socket that was connected before may lose IP_BIND_ADDRESS_NO_PORT'
     ' when it connects again.',
     ('pin', 'environment', 'exhausted', 'reuse') + BOUND_MODES, loses_no_port),
    ('The socket keeps the port after a call that fails, after an AF_UNSPEC'
     ' connect, and after a shutdown of a listener.',
     BOUND_MODES, has_outlived),
    ('Another socket that has SO_REUSEADDR can be bound to the port of a TCP'
     ' socket that is connected. Without Berth this bind fails with EADDRINUSE.',
     BOUND_MODES, is_shared),
    ('After a connect, another process that has the same socket sees SO_REUSEADDR'
     ' set. So does the program, if it asks by a descriptor that a raw system call'
     ' has made or that it has sent to itself. The process that has connected does'
     ' not see a value that another process sets, or that it sets by such a'
     ' descriptor.',
     BOUND_MODES, is_seen_by_others),
    (UNSEEN,
     tuple(MODES), is_done_unseen),
]


def was_closed_unseen(lines):
    """A number was used again after a raw close."""
    return any('raw: close' in line.call for line in lines)


def is_mapped_v6only(lines):
    """A UDP socket, which can be bound to no other port then."""
    return (any('IPV6_V6ONLY, 0x1' in line.call for line in lines)
            and any('name=[::ffff:' in line.text for line in lines))


def is_on_other_device(lines):
    """A TCP socket keeps its address after a disconnect, and its device; and a bind
    that fails may leave the device of its scope id."""
    calls = [line.call for line in lines]
    return (any('SO_BINDTO' in call for call in calls)
            and any('AF_UNSPEC' in call for call in calls)
            or any('%other]' in line.text for line in lines))


def shows_refused_option(lines):
    """MPTCP sets IP_BIND_ADDRESS_NO_PORT before it refuses it, but not for the
    connection that the next bind is of."""
    return (any('MPTCP' in line.call for line in lines)
            and any('IP_BIND_ADDRESS_NO_PORT' in line.call
                    and line.result.startswith('EINVAL') for line in lines))


# What leaves a port outside the range: (sentence, modes, whether it is that)
STRAYS = [
    (UNSEEN, tuple(MODES), was_closed_unseen),
    ('The kernel chooses the port of a UDP socket over IPv6 that was bound to an'
     ' IPv4-mapped address without a port, and then given IPV6_V6ONLY.',
     BOUND_MODES, is_mapped_v6only),
    ('The kernel chooses the port of a TCP socket if the local address of the'
     ' socket is not one of the device to which the program has bound it.',
     BOUND_MODES, is_on_other_device),
    ('The kernel chooses the port of a bind of an MPTCP socket that was given'
     ' IP_BIND_ADDRESS_NO_PORT while it was connected.',
     tuple(MODES), shows_refused_option),
]


def accepted_stray(mode, lines):
    """The sentence that names how the last line has left the range, or None."""
    return next((sentence for sentence, modes, is_it in STRAYS
                 if mode in modes and is_it(lines)), None)


def accepted(mode, bare, hooked):
    """The sentence that names the first difference of two transcripts, or None.
    They are lists of pair.Line.
    """
    for at, (left, right) in enumerate(zip(bare, hooked)):
        if left == right:
            continue
        it = Difference(hooked[:at], left, right)
        for sentence, modes, is_it in DIFFERENCES:
            if mode in modes and is_it(it):
                return sentence
        return None
    return None


def sentences():
    return [sentence for sentence, _, _ in DIFFERENCES + STRAYS]


def is_in_manual(sentence):
    """Whether its section DIFFERENCES has it, macros and line ends left out."""
    with open(MANUAL, encoding='utf-8') as file:
        section = re.search(r'^\.SH DIFFERENCES$(.*?)^\.SH', file.read(),
                            re.MULTILINE | re.DOTALL)
    if not section:
        return False
    text = re.sub(r'^\.[A-Z]+\b.*\\\(bu.*$|^\.[A-Z]+ ?', '', section.group(1),
                  flags=re.MULTILINE)
    text = re.sub(r'\s+(?=[,.])', '', text.replace('\\-', '-'))
    text = text.replace('"', '').replace('\\&', '')
    return ' '.join(sentence.split()) in ' '.join(text.split())
