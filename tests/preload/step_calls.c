/* SPDX-License-Identifier: MIT */
#include "step_calls.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "words.h"

#ifdef WITH_SCTP
#include "sctp_kinds.h"
#endif
#ifdef WITH_TIRPC
int bindresvport_sa(int fd, struct sockaddr *address);
#else
#define bindresvport_sa(fd, address) (errno = ENOSYS, -1)
#endif

#define PAGE 65536u

long keep_fd(long fd)
{
	if (fd >= 0 && stage.n_fds < MAX_SCENE_FDS)
		stage.fd = stage.fds[stage.n_fds++] = (int)fd;
	return fd;
}

long drop_fd(long result)
{
	if (result >= 0)
		stage.fd = -1;
	return result;
}

/* --- messages ---------------------------------------------------------------- */

struct mmsghdr *messages(int i, int j)
{
	static struct mmsghdr list[3];
	static char byte[] = "x";
	static struct iovec part = { byte, 1 };
	const char *how = word(j);
	const bool is_empty = strcmp(how, "empty") == 0;
	const struct msghdr one = {
		.msg_name = (void *)place_at(i)->pointer,
		.msg_namelen = place_at(i)->length,
		.msg_iov = is_empty ? NULL : &part,
		.msg_iovlen = !is_empty,
	};

	if (is_address(j))
		return (struct mmsghdr *)place_at(j)->pointer;
	for (int n = 0; n < 3; n++)
		list[n] = (struct mmsghdr){ .msg_hdr = one };
	if (strcmp(how, "bad0") == 0 || strcmp(how, "bad1") == 0)
		list[how[3] - '0'] = (struct mmsghdr){ .msg_len = 0 };
	if (strcmp(how, "page") == 0)
		return page_end(list, sizeof(*list));
	if (strcmp(how, "cut") == 0)
		return page_end(list, 16);
	return list;
}

long send_messages(void)
{
	struct mmsghdr *list = messages(0, 3);
	const unsigned int n = (unsigned int)number(1);
	const int flags = (int)number(2);
	long result;

	errno = ERRNO_KEPT;
	result = step_is_by_number()
			 ? syscall(SYS_sendmmsg, stage.fd, list, n, flags)
			 : sendmmsg(stage.fd, list, n, flags);

	const int error = errno;

	for (long i = 0; stage.range == NULL && i < result; i++)
		report_text("length %u", list[i].msg_len);
	errno = error;
	return result;
}

/* --- options ----------------------------------------------------------------- */

long set_option(void)
{
	const int value = is_address(2) ? 0 : (int)number(2);
	const void *pointer = is_address(2) ? place_at(2)->pointer : &value;
	const socklen_t length = words_count() > 3 ? (socklen_t)number(3)
						   : sizeof(value);

	return step_is_by_number()
		       ? syscall(SYS_setsockopt, stage.fd, number(0), number(1),
				 pointer, length)
		       : setsockopt(stage.fd, (int)number(0), (int)number(1),
				    pointer, length);
}

long get_option(void)
{
	int value = 7;
	socklen_t length = words_count() > 3 && !is_address(3)
				   ? (socklen_t)number(3)
				   : sizeof(value);
	socklen_t *lengthp = is_address(3) ? NULL : &length;
	void *pointer = is_address(2) ? (void *)place_at(2)->pointer : &value;
	const long result =
		step_is_by_number()
			? syscall(SYS_getsockopt, stage.fd, number(0),
				  number(1), pointer, lengthp)
			: getsockopt(stage.fd, (int)number(0), (int)number(1),
				     pointer, lengthp);
	const int error = errno;

	if (result == 0 && stage.range == NULL)
		report_text("value %d, length %u", value, length);
	errno = error;
	return result;
}

/* Where the kernel took no range of the socket's, any port may come. */
long check_own_range(void)
{
	uint32_t range = 0;
	socklen_t length = sizeof(range);
	const uint16_t port = local_port(stage.fd);

	if (getsockopt(stage.fd, SOL_IP, IP_LOCAL_PORT_RANGE, &range,
		       &length) != 0 ||
	    range == 0)
		return 0;
	return port >= number(0) && port <= number(1) ? 1 : -1;
}

static long fail_unless(bool holds)
{
	errno = ERANGE;
	return holds ? 0 : -1;
}

long check_range(void)
{
	return fail_unless(range_has(stage.range, local_port(stage.fd)));
}

/* The hook of getsockopt() would hide a pin. */
long check_pin(void)
{
	uint32_t range = 0;
	socklen_t length = sizeof(range);
	const long result = call_unseen(SYS_getsockopt, stage.fd, SOL_IP,
					IP_LOCAL_PORT_RANGE, (long)&range,
					(long)&length);

	if (result == -ENOPROTOOPT || result == -EOPNOTSUPP)
		skip("%s: the kernel has no IP_LOCAL_PORT_RANGE",
		     stage.kind->name);
	return fail_unless(range == 0);
}

long attach_group_filter(void)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog filter = { 1, code };

	return setsockopt(stage.fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
			  &filter, sizeof(filter));
}

/* --- other calls ------------------------------------------------------------- */

long get_peer(void)
{
	struct address name = { .length = sizeof(name.storage) };
	const long result = getpeername(stage.fd, &name.sa, &name.length);
	const int error = errno;

	report_text("the peer is %s", memcmp(&name, place_at(0)->pointer,
					     place_at(0)->length) == 0
					      ? "the one named"
					      : "another");
	errno = error;
	return result;
}

long reach(void)
{
	const struct place *place = place_at(0);
	const long result = connect(stage.fd, place->pointer, place->length);

	if (result == 0 || errno != EINPROGRESS)
		return result;
	errno = await_connect(stage.fd);
	return errno == 0 ? 0 : -1;
}

long connect_there(void)
{
	const struct address there = loopback_of(stage.kind,
						 local_port(stage.fd));
	const int other = open_kind(stage.kind);
	long result;

	if (bind_to(other, there) || listen(other, 1)) {
		close(other);
		return connect_to(stage.fd, place_at(0)->address);
	}
	result = connect_to(stage.fd, there);
	if (result == 0)
		result = fail_unless(local_port(stage.fd) != local_port(other));
	close(other);
	return result;
}

long receive(void)
{
	char byte = '\0';

	return recv(stage.fd, &byte, 1, 0) == 1 ? fail_unless(byte == 'x') : -1;
}

/* Of the child that sends later: it reads a byte before. */
static int to_child;

long send_later(void)
{
	int ends[2];
	char byte;

	must(pipe(ends), "pipe");
	if (must(fork(), "fork") == 0) {
		must((int)read(ends[0], &byte, 1), "read");
		_exit(send_to(stage.fd, place_at(0)->address, 0) != 1);
	}
	close(ends[0]);
	to_child = ends[1];
	return 0;
}

long send_now(void)
{
	int status;

	must((int)write(to_child, "", 1), "write");
	close(to_child);
	must(wait(&status), "wait");
	return fail_unless(status == 0);
}

static void ignore(int signal)
{
	(void)signal;
}

long interrupt_often(void)
{
	const struct sigaction action = { .sa_handler = ignore };
	const suseconds_t interval = (suseconds_t)number(0) * 10000;

	sigaction(SIGALRM, &action, NULL);
	return setitimer(
		ITIMER_REAL,
		&(struct itimerval){ { 0, interval }, { 0, interval } }, NULL);
}

long keep_address(void)
{
	kept_page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(kept_page == MAP_FAILED ? -1 : 0, "mmap");
	memcpy(kept_page, place_at(0)->pointer, place_at(0)->length);
	return 0;
}

long control_fd(void)
{
	const int command = (int)number(0), argument = (int)number(1);
	const long result = step_is_by_number()
				    ? syscall(SYS_fcntl, stage.fd, command,
					      argument)
				    : fcntl(stage.fd, command, argument);

	return command == F_DUPFD || command == F_DUPFD_CLOEXEC
		       ? keep_fd(result)
		       : result;
}

long own_fd(void)
{
	if (fcntl(stage.fd, F_SETOWN, getpid()) != 0)
		return -1;
	return fcntl(stage.fd, F_GETOWN) == getpid();
}

static long make_ends(int result, const int ends[2])
{
	keep_fd(ends[1]);
	keep_fd(ends[0]);
	return result;
}

long make_pipe(void)
{
	int ends[2] = { -1, -1 };
	const int result = pipe(ends);

	return make_ends(result, ends);
}

long make_pair(void)
{
	int ends[2] = { -1, -1 };
	const int result = socketpair(AF_UNIX, SOCK_STREAM, 0, ends);

	return make_ends(result, ends);
}

/* --- ports below 1024 -------------------------------------------------------- */

/* Says the port that the call has written, and keeps errno; but libc itself
 * leaves errno changed where the port that it tried first was taken. */
static long say_port(long result, uint16_t port)
{
	const int error = result >= 0 ? ERRNO_KEPT : errno;

	report_text("port %s", port_text(port));
	errno = error;
	return result;
}

long make_shell(bool has_family)
{
	int port = (int)number(0);
	const long fd = has_family ? rresvport_af(&port, (sa_family_t)number(1))
				   : rresvport(&port);

	return keep_fd(say_port(fd, (uint16_t)port));
}

long bind_reserved(bool has_family)
{
	struct sockaddr *address = (struct sockaddr *)place_at(0)->pointer;
	struct sockaddr_in *four = (struct sockaddr_in *)address;
	const long result = has_family ? bindresvport_sa(stage.fd, address)
				       : bindresvport(stage.fd, four);

	return say_port(result, address != NULL ? ntohs(four->sin_port) : 0);
}

/* --- SCTP -------------------------------------------------------------------- */

#ifdef WITH_SCTP
static struct packed *pack_all(void)
{
	static struct packed packed;

	packed = (struct packed){ .n = 0 };
	for (int i = 0; i < words_count(); i++)
		pack(&packed, place_at(i)->address);
	return &packed;
}

long bind_many(void)
{
	return bindx_to(stage.fd, pack_all());
}

/* The kernel counts associations, so that their numbers are not comparable. */
long connect_many(bool is_old)
{
	struct packed *packed = pack_all();
	const long result = is_old ? setsockopt(stage.fd, IPPROTO_SCTP,
						SCTP_SOCKOPT_CONNECTX,
						packed->bytes,
						(socklen_t)packed->size)
				   : connectx_to(stage.fd, packed);

	return result > 0 ? 1 : result;
}
#else
long bind_many(void)
{
	errno = ENOSYS;
	return -1;
}

long connect_many(bool is_old)
{
	(void)is_old;
	return bind_many();
}
#endif
