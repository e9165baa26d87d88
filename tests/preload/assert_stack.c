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

static void call_socket(void)
{
	result = socket(AF_INET, SOCK_STREAM, 0);
}

static void call_bind(void)
{
	result = bind(fd, &any.sa, any.length);
}

static void call_bind_explicit(void)
{
	result = bind(fd, &explicit_port.sa, explicit_port.length);
}

static void call_bind_reserved(void)
{
	result = bind(fd, &reserved_port.sa, reserved_port.length);
}

static void call_connect(void)
{
	result = connect(fd, &open_port.sa, open_port.length);
}

static void call_connect_self(void)
{
	result = connect(fd, &self_port.sa, self_port.length);
}

static void call_listen(void)
{
	result = listen(fd, 1);
}

static void call_sendto(void)
{
	result = sendto(fd, "x", 1, MSG_NOSIGNAL, &open_port.sa,
			open_port.length);
}

static void call_fastopen(void)
{
	result = sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, &open_port.sa,
			open_port.length);
}

static void call_sendmsg(void)
{
	result = sendmsg(fd, &messages[0].msg_hdr, MSG_NOSIGNAL);
}

static void call_sendmmsg(void)
{
	result = sendmmsg(fd, messages, 2, MSG_NOSIGNAL);
}

static void call_syscall(void)
{
	result = syscall(SYS_connect, fd, &open_port.sa, open_port.length);
}

static void call_setsockopt(void)
{
	result = setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &value,
			    sizeof(value));
}

static void call_getsockopt(void)
{
	result = getsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &value,
			    &length);
}

static void call_bindx(void)
{
	result = setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_ADD, addresses,
			    sizeof(struct sockaddr_in));
}

/* The longest list that Berth looks at: sctp_bindx(3) sets no bound. */
static void call_bindx_long(void)
{
	static struct sockaddr_in many[2048 / sizeof(struct sockaddr_in)];

	for (size_t i = 0; i < sizeof(many) / sizeof(*many); i++)
		many[i] = any.in;
	result = setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_ADD, many,
			    sizeof(many));
}

static void call_connectx(void)
{
	result = setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX,
			    &open_port.in, sizeof(open_port.in));
}

static void call_bindresvport(void)
{
	result = bindresvport(fd, NULL);
}

static void call_bindresvport_sa(void)
{
	result = bindresvport_sa != NULL ? bindresvport_sa(fd, &any.sa) : -1;
}

static void call_rresvport(void)
{
	result = rresvport(&value);
}

static void call_dup(void)
{
	result = dup(other);
}

static void call_dup2(void)
{
	result = dup2(fd, other);
}

static void call_fcntl(void)
{
	result = fcntl(other, F_DUPFD, 0);
}

static void call_close(void)
{
	result = close(other);
}

static void call_close_range(void)
{
	result = close_range((unsigned int)other, (unsigned int)other, 0);
}

static void call_closefrom(void)
{
	closefrom(other);
}

/* How a socket of the call's kind takes a port before. */
enum way { WAY_BIND, WAY_CONNECT };

static const struct subject {
	const char *name;
	void (*make)(void);
	int family, type, protocol;
	enum way way;
} subjects[] = {
	{ "socket", call_socket, AF_INET, SOCK_STREAM, 0, WAY_BIND },
	{ "bind", call_bind, AF_INET, SOCK_STREAM, 0, WAY_BIND },
	{ "bind6", call_bind, AF_INET6, SOCK_STREAM, 0, WAY_BIND },
	{ "bind-explicit", call_bind_explicit, AF_INET, SOCK_STREAM, 0,
	  WAY_BIND },
	{ "bind-reserved", call_bind_reserved, AF_INET, SOCK_STREAM, 0,
	  WAY_BIND },
	{ "connect", call_connect, AF_INET, SOCK_STREAM, 0, WAY_CONNECT },
	{ "connect6", call_connect, AF_INET6, SOCK_STREAM, 0, WAY_CONNECT },
	{ "connect-mptcp", call_connect, AF_INET, SOCK_STREAM, IPPROTO_MPTCP,
	  WAY_CONNECT },
	{ "connect-self", call_connect_self, AF_INET, SOCK_STREAM, 0,
	  WAY_BIND },
	{ "connect-udp", call_connect, AF_INET, SOCK_DGRAM, 0, WAY_BIND },
	{ "connect-sctp", call_connect, AF_INET, SOCK_STREAM, IPPROTO_SCTP,
	  WAY_CONNECT },
	{ "listen", call_listen, AF_INET, SOCK_STREAM, 0, WAY_BIND },
	{ "listen-sctp", call_listen, AF_INET, SOCK_STREAM, IPPROTO_SCTP,
	  WAY_BIND },
	{ "sendto", call_sendto, AF_INET, SOCK_DGRAM, 0, WAY_BIND },
	{ "sendto6", call_sendto, AF_INET6, SOCK_DGRAM, 0, WAY_BIND },
	{ "sendto-sctp", call_sendto, AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP,
	  WAY_CONNECT },
	{ "fastopen", call_fastopen, AF_INET, SOCK_STREAM, 0, WAY_CONNECT },
	{ "sendmsg", call_sendmsg, AF_INET, SOCK_DGRAM, 0, WAY_BIND },
	{ "sendmmsg", call_sendmmsg, AF_INET, SOCK_DGRAM, 0, WAY_BIND },
	{ "syscall", call_syscall, AF_INET, SOCK_STREAM, 0, WAY_CONNECT },
	{ "setsockopt", call_setsockopt, AF_INET, SOCK_STREAM, 0, WAY_BIND },
	{ "getsockopt", call_getsockopt, AF_INET, SOCK_STREAM, 0, WAY_BIND },
	{ "bindx", call_bindx, AF_INET, SOCK_STREAM, IPPROTO_SCTP, WAY_BIND },
	{ "bindx-long", call_bindx_long, AF_INET, SOCK_STREAM, IPPROTO_SCTP,
	  WAY_BIND },
	{ "connectx", call_connectx, AF_INET, SOCK_STREAM, IPPROTO_SCTP,
	  WAY_CONNECT },
	{ "bindresvport", call_bindresvport, AF_INET, SOCK_STREAM, 0,
	  WAY_BIND },
	{ "bindresvport_sa", call_bindresvport_sa, AF_INET, SOCK_STREAM, 0,
	  WAY_BIND },
	{ "rresvport", call_rresvport, AF_INET, SOCK_STREAM, 0, WAY_BIND },
	{ "dup", call_dup, AF_INET, SOCK_STREAM, 0, WAY_BIND },
	{ "dup2", call_dup2, AF_INET, SOCK_STREAM, 0, WAY_BIND },
	{ "fcntl", call_fcntl, AF_INET, SOCK_STREAM, 0, WAY_BIND },
	{ "close", call_close, AF_INET, SOCK_STREAM, 0, WAY_BIND },
	{ "close_range", call_close_range, AF_INET, SOCK_STREAM, 0, WAY_BIND },
	{ "closefrom", call_closefrom, AF_INET, SOCK_STREAM, 0, WAY_BIND },
};

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

static const struct kind *kind_of(const struct subject *of)
{
	static struct kind kind;

	kind = of->family == AF_INET6 ? kinds[TCP6] : kinds[TCP4];
	kind.type = of->type;
	kind.protocol = of->protocol;
	return &kind;
}

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

		if (subject->way == WAY_CONNECT)
			must(connect_to(holder, open_port), "connect before");
		else
			must(bind_to(holder, any), "bind before");
	}
}

static void prepare(char **argv)
{
	const struct kind *kind = kind_of(subject);
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
		if (!kind_present(kind_of(subject)))
			return 0;
		prepare(argv);
		depth = measure();
	}
	check(depth > 0 && depth < DEPTH_END, "%s: %zu bytes of stack, %s",
	      subject->name, depth,
	      result < 0 ? strerrorname_np(error) : "success");
	return 0;
}
