/* SPDX-License-Identifier: MIT */
/*
 * assert_stack CALL N [early] [no-diag] [no-memory] [run=COMMAND]
 *
 * How much stack a hooked call needs below the program's frame. The call runs
 * on a stack that was filled with a pattern; its depth is the distance from the
 * frame that makes the call to the lowest byte that has changed. The frames of
 * libc's own function count too. Edge case 48.
 *
 * N sockets take a port of the range before the call. "early" makes the call
 * before the constructor of any library has run, as the first that the process
 * makes; there is no socket then. "no-diag" refuses netlink sockets,
 * "no-memory" refuses mmap(), both by a filter. COMMAND runs, without a
 * preload, after the sockets were made: it publishes a policy, say.
 */
#include "probe.h"

#include <fcntl.h>
#include <linux/sctp.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define DEPTH_END 2048
#define STACK_SIZE ((size_t)128 * 1024)
#define PATTERN 0x5a
#define OPEN_PORT 7700
#define EXPLICIT_PORT 7701
#define RESERVED_PORT 8020
#define SELF_PORT 7702

/* Not those of <netdb.h>, which differ between libcs. */
int bindresvport(int fd, struct sockaddr_in *address);
/* libtirpc's, which may not be there: libberth.so has it all the same. */
__attribute__((weak)) int bindresvport_sa(int fd, struct sockaddr *address);
int rresvport(int *portp);

/* What the calls are given: nothing of it is on the stack that is measured. */
static int fd = -1, other = -1;
static struct address any, open_port, explicit_port, reserved_port, self_port;
static struct iovec text = { (char[]){ "x" }, 1 };
static struct mmsghdr messages[2];
static struct sockaddr_in6 addresses[2];
static socklen_t length;
static int value;

static long result;
static int error;

/* --- the calls ------------------------------------------------------------ */

/* The longest list that Berth looks at: sctp_bindx(3) sets no bound. */
static int bindx_long(void)
{
	static struct sockaddr_in many[2048 / sizeof(struct sockaddr_in)];

	for (size_t i = 0; i < sizeof(many) / sizeof(*many); i++)
		many[i] = any.in;
	return setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_ADD, many,
			  sizeof(many));
}

static const struct kind sctp = { "sctp",	AF_INET,     SOCK_STREAM,
				  IPPROTO_SCTP, "127.0.0.1", "0.0.0.0" };
static const struct kind sctp_many = { "sctp of many associations",
				       AF_INET,
				       SOCK_SEQPACKET,
				       IPPROTO_SCTP,
				       "127.0.0.1",
				       "0.0.0.0" };

/* How a socket of the call's kind takes a port before. */
enum way { BOUND, CONNECTED };

#define TO(address) &(address).sa, (address).length
#define SEND_TO(flags) sendto(fd, "x", 1, (flags) | MSG_NOSIGNAL, TO(open_port))

/* Its name, the kind of its socket, the way, and its result. */
#define CALLS(CALL) \
	CALL(socket, kinds[TCP4], BOUND, socket(AF_INET, SOCK_STREAM, 0)) \
	CALL(bind, kinds[TCP4], BOUND, bind(fd, TO(any))) \
	CALL(bind6, kinds[TCP6], BOUND, bind(fd, TO(any))) \
	CALL(bind_explicit, kinds[TCP4], BOUND, bind(fd, TO(explicit_port))) \
	CALL(bind_reserved, kinds[TCP4], BOUND, bind(fd, TO(reserved_port))) \
	CALL(connect, kinds[TCP4], CONNECTED, connect(fd, TO(open_port))) \
	CALL(connect6, kinds[TCP6], CONNECTED, connect(fd, TO(open_port))) \
	CALL(connect_mptcp, kinds[MPTCP4], CONNECTED, \
	     connect(fd, TO(open_port))) \
	CALL(connect_self, kinds[TCP4], BOUND, connect(fd, TO(self_port))) \
	CALL(connect_udp, kinds[UDP4], BOUND, connect(fd, TO(open_port))) \
	CALL(connect_sctp, sctp, CONNECTED, connect(fd, TO(open_port))) \
	CALL(listen, kinds[TCP4], BOUND, listen(fd, 1)) \
	CALL(listen_sctp, sctp, BOUND, listen(fd, 1)) \
	CALL(sendto, kinds[UDP4], BOUND, SEND_TO(0)) \
	CALL(sendto6, kinds[UDP6], BOUND, SEND_TO(0)) \
	CALL(sendto_sctp, sctp_many, CONNECTED, SEND_TO(0)) \
	CALL(fastopen, kinds[TCP4], CONNECTED, SEND_TO(MSG_FASTOPEN)) \
	CALL(sendmsg, kinds[UDP4], BOUND, \
	     sendmsg(fd, &messages[0].msg_hdr, MSG_NOSIGNAL)) \
	CALL(sendmmsg, kinds[UDP4], BOUND, \
	     sendmmsg(fd, messages, 2, MSG_NOSIGNAL)) \
	CALL(syscall, kinds[TCP4], CONNECTED, \
	     syscall(SYS_connect, fd, TO(open_port))) \
	CALL(setsockopt, kinds[TCP4], BOUND, \
	     setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &value, \
			sizeof(value))) \
	CALL(getsockopt, kinds[TCP4], BOUND, \
	     getsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &value, &length)) \
	CALL(bindx, sctp, BOUND, \
	     setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_ADD, addresses, \
			sizeof(struct sockaddr_in))) \
	CALL(bindx_long, sctp, BOUND, bindx_long()) \
	CALL(connectx, sctp, CONNECTED, \
	     setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX, \
			&open_port.in, sizeof(open_port.in))) \
	CALL(bindresvport, kinds[TCP4], BOUND, bindresvport(fd, NULL)) \
	CALL(bindresvport_sa, kinds[TCP4], BOUND, \
	     bindresvport_sa != NULL ? bindresvport_sa(fd, &any.sa) : -1) \
	CALL(rresvport, kinds[TCP4], BOUND, rresvport(&value)) \
	CALL(dup, kinds[TCP4], BOUND, dup(other)) \
	CALL(dup2, kinds[TCP4], BOUND, dup2(fd, other)) \
	CALL(fcntl, kinds[TCP4], BOUND, fcntl(other, F_DUPFD, 0)) \
	CALL(close, kinds[TCP4], BOUND, close(other)) \
	CALL(close_range, kinds[TCP4], BOUND, \
	     close_range((unsigned int)other, (unsigned int)other, 0)) \
	CALL(closefrom, kinds[TCP4], BOUND, (closefrom(other), 0))

#define DEFINE(name, kind, way, made) \
	static void call_##name(void) \
	{ \
		result = (made); \
	}
#define LIST(name, kind, way, made) { #name, call_##name, &kind, way },

CALLS(DEFINE)

static const struct subject {
	const char *name;
	void (*make)(void);
	const struct kind *kind;
	enum way way;
} subjects[] = { CALLS(LIST) };

/* --- the measurement ------------------------------------------------------ */

static char stack[STACK_SIZE] __attribute__((aligned(64)));
static ucontext_t here, there;
static const struct subject *subject;
static const char *frame;

__attribute__((noinline)) static void make_call(void)
{
	frame = __builtin_frame_address(0);
	errno = 0;
	subject->make();
	error = errno;
}

static size_t measure(void)
{
	size_t first = 0;

	memset(stack, PATTERN, sizeof(stack));
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof(stack);
	there.uc_link = &here;
	makecontext(&there, make_call, 0);
	swapcontext(&here, &there);
	while (stack[first] == PATTERN)
		first++;
	return (size_t)(frame - (stack + first));
}

static size_t early_depth;

static const struct subject *find(const char *name)
{
	for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++)
		if (strcmp(subjects[i].name, name) == 0)
			return &subjects[i];
	return NULL;
}

static const char *argument(char **argv, const char *name)
{
	const size_t n = strlen(name);

	for (argv += 3; *argv; argv++)
		if (strncmp(*argv, name, n) == 0)
			return *argv + n;
	return NULL;
}

/* Runs before the constructors of the libraries: "ELF", Initialization. */
static void measure_early(int argc, char **argv, char **variables)
{
	(void)variables;
	if (argc > 3 && argument(argv, "early") &&
	    (subject = find(argv[1])) != NULL)
		early_depth = measure();
}

__attribute__((section(".preinit_array"),
	       used)) static void (*const before_all)(int, char **,
						      char **) = measure_early;

/* --- the surroundings ----------------------------------------------------- */

static void make_addresses(const struct kind *kind)
{
	any = any_of(kind, 0);
	open_port = loopback_of(kind, OPEN_PORT);
	explicit_port = loopback_of(kind, EXPLICIT_PORT);
	reserved_port = any_of(kind, RESERVED_PORT);
	self_port = loopback_of(kind, SELF_PORT);
	memcpy(addresses, &any, any.length);
	for (int i = 0; i < 2; i++)
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &open_port.sa,
			.msg_namelen = open_port.length,
			.msg_iov = &text,
			.msg_iovlen = 1,
		};
	length = sizeof(value);
}

static void take_ports(const struct kind *kind, int n)
{
	for (int i = 0; i < n; i++) {
		const int holder = open_kind(kind);

		if (subject->way == CONNECTED)
			must(connect_to(holder, open_port), "connect before");
		else
			must(bind_to(holder, any), "bind before");
	}
}

static void prepare(char **argv)
{
	const struct kind *kind = subject->kind;
	const char *command = argument(argv, "run=");
	const int server = open_kind(kind);

	make_addresses(kind);
	must(set_int(server, SOL_SOCKET, SO_REUSEADDR, 1), "SO_REUSEADDR");
	must(bind_to(server, open_port), "bind of the server");
	if (kind->type != SOCK_DGRAM)
		must(listen(server, 100), "listen of the server");
	take_ports(kind, atoi(argv[2]));
	fd = open_kind(kind);
	other = must(dup(server), "dup");
	if (subject->make == call_connect_self)
		must(bind_to(fd, self_port), "bind to itself");
	if (command)
		must(-system(command), command);
	if (argument(argv, "no-diag"))
		answer_call(SYS_socket, 0, AF_NETLINK,
			    SECCOMP_RET_ERRNO | EACCES);
	if (argument(argv, "no-memory"))
		answer_call(SYS_mmap, -1, 0, SECCOMP_RET_ERRNO | ENOMEM);
}

int main(int argc, char **argv)
{
	if (argc < 3 || (subject = find(argv[1])) == NULL)
		return 2;

	const bool early = argument(argv, "early") != NULL;
	size_t depth = early_depth;

	if (!early) {
		if (!kind_present(subject->kind))
			return 0;
		prepare(argv);
		depth = measure();
	}
	check(depth > 0 && depth < DEPTH_END, "%s: %zu bytes of stack, %s",
	      subject->name, depth,
	      result < 0 ? strerrorname_np(error) : "success");
	return 0;
}
