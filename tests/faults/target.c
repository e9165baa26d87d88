/* SPDX-License-Identifier: MIT */
/*
 * target -s|-f|-p RANGE SCENE...: a program for the tests of faults to run
 * under Berth.
 *
 * A scene is "NAME STEP...", and a step a call with up to three numbers:
 * "bind:1:0". It goes on with the socket that the scene has opened last. A step
 * that fails ends the steps up to the next "|". Each prints a line: scene/call,
 * result, errno, and where the local port lies ("in" or "out" of RANGE, "low"
 * for 512 to 1023, a number below 10000, "none"). In the end there is a line of
 * the descriptors that are open.
 *
 * The scenes run twice (-p: once), so that what a fault has left behind shows;
 * the lines of each pass by one write(2). Faults end with the start (-s), or
 * come with the first pass (-f), of a child for each line of standard input.
 */
#include "probe.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MAX_FDS 64
#define NOBODY 65534

static unsigned long range_lo, range_hi;
static char lines[16384];
static size_t lines_length;

/* Of the scene under way; the sockets are closed when it ends. */
static const char *scene_name;
static int fds[MAX_FDS], n_fds, family;
static long numbers[3];
static int held[MAX_FDS], n_held;

static char byte[1] = "x";
static struct iovec data = { byte, sizeof(byte) };

__attribute__((format(printf, 1, 2))) static void print(const char *format, ...)
{
	va_list arguments;
	const size_t room = sizeof(lines) - lines_length;

	va_start(arguments, format);

	const int n = vsnprintf(lines + lines_length, room, format, arguments);

	va_end(arguments);
	if (n > 0)
		lines_length += (size_t)n < room ? (size_t)n : room - 1;
}

static void flush(void)
{
	if (write(STDOUT_FILENO, lines, lines_length) != (ssize_t)lines_length)
		_exit(99);
	lines_length = 0;
}

static int current(void)
{
	return n_fds > 0 ? fds[n_fds - 1] : -1;
}

static int port_of(int fd)
{
	return fd < 0 ? 0 : local_port(fd);
}

static struct address end(bool is_loopback, long port)
{
	const struct kind *kind = &kinds[family == AF_INET6 ? TCP6 : TCP4];

	return is_loopback ? loopback_of(kind, (uint16_t)port)
			   : any_of(kind, (uint16_t)port);
}

/* --- steps --------------------------------------------------------------- */

static long opened(int fd)
{
	if (fd >= 0)
		fds[n_fds++] = fd;
	return fd;
}

static long open_socket(void)
{
	/* A reset leaves no TIME_WAIT: each run finds all ports free. */
	const struct linger reset = { 1, 0 };
	const int type = (int)numbers[1];
	const int fd = socket((int)numbers[0], type, (int)numbers[2]);

	family = (int)numbers[0];
	if (fd < 0 || (type & ~SOCK_NONBLOCK) != SOCK_STREAM ||
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0)
		return opened(fd);

	const int error = errno;

	close(fd);
	errno = error;
	return -1;
}

/* All but so many. */
static long use_up_descriptors(void)
{
	int fd, last = -1;

	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		last = fd;
	for (int i = 0; i < numbers[0]; i++)
		close(last - i);
	errno = ERRNO_KEPT;
	return 0;
}

static long limit(int resource, rlim_t value)
{
	return setrlimit(resource, &(struct rlimit){ value, value });
}

static long get_option(void)
{
	int option = -1;
	socklen_t length = sizeof(option);
	const long result = getsockopt(current(), (int)numbers[0],
				       (int)numbers[1], &option, &length);

	if (result == 0)
		print("%s/value %d\n", scene_name, option);
	return result;
}

/* The ports of what is held, until a line comes. */
static long show_held(void)
{
	print("ports");
	for (int i = 0; i < n_held; i++)
		print(" %d", port_of(held[i]));
	print("\n");
	flush();
	return read(STDIN_FILENO, byte, 1);
}

static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
static struct mmsghdr messages[2];
/* Not on the stack: Berth asks the kernel whether it is there. */
static struct address address;
static int value;

#define N(i) ((int)numbers[i])
#define MESSAGE \
	(address = end(true, numbers[0]), \
	 (struct msghdr){ .msg_name = &address, \
			  .msg_namelen = address.length, \
			  .msg_iov = &data, \
			  .msg_iovlen = 1 })

/* Name, whether its line tells of a port, and what it does. */
#define STEPS(STEP) \
	STEP(socket, false, open_socket()) \
	STEP(bind, true, \
	     (address = end(numbers[0], numbers[1]), \
	      bind(current(), &address.sa, address.length))) \
	STEP(bind_by_number, true, \
	     (address = end(false, 0), \
	      syscall(SYS_bind, current(), &address, address.length))) \
	STEP(connect, true, \
	     (address = end(true, numbers[0]), \
	      connect(current(), &address.sa, address.length))) \
	STEP(disconnect, false, connect(current(), &nowhere, sizeof(nowhere))) \
	STEP(disconnect_udp, true, step_disconnect()) \
	STEP(listen, true, listen(current(), 1)) \
	STEP(sendto, true, \
	     (address = end(true, numbers[0]), \
	      sendto(current(), "x", 1, N(1), &address.sa, address.length))) \
	STEP(sendmsg, true, \
	     (messages[0].msg_hdr = MESSAGE, \
	      sendmsg(current(), &messages[0].msg_hdr, 0))) \
	STEP(sendmmsg, true, \
	     (messages[0].msg_hdr = MESSAGE, messages[1] = messages[0], \
	      sendmmsg(current(), messages, 2, 0))) \
	STEP(setsockopt, false, set_int(current(), N(0), N(1), N(2))) \
	STEP(getsockopt, false, get_option()) \
	STEP(dup, false, opened(dup(fds[0]))) \
	STEP(dup2, false, opened(dup2(fds[0], 50))) \
	STEP(dup3, false, opened(dup3(fds[0], 51, O_CLOEXEC))) \
	STEP(fcntl, false, opened(fcntl(fds[0], F_DUPFD_CLOEXEC, 52))) \
	STEP(close_range, false, \
	     close_range(3, ~0u, 0) != 0 ? -1 : (n_fds = 0)) \
	STEP(bindresvport, true, bindresvport(current(), NULL)) \
	STEP(rresvport, false, (value = 1023, opened(rresvport(&value)))) \
	STEP(chroot, false, chroot(".")) \
	STEP(setuid, false, \
	     setresgid(NOBODY, NOBODY, NOBODY) != 0 \
		     ? -1 \
		     : setresuid(NOBODY, NOBODY, NOBODY)) \
	STEP(take_proc, false, umount2("/proc", MNT_DETACH)) \
	STEP(take_folder, false, umount2(getenv("BERTH_DIR"), MNT_DETACH)) \
	STEP(take_memory, false, limit(RLIMIT_AS, 0)) \
	STEP(limit_descriptors, false, \
	     limit(RLIMIT_NOFILE, (rlim_t)numbers[0])) \
	STEP(use_up_descriptors, false, use_up_descriptors()) \
	STEP(hold, false, held[n_held++] = fds[--n_fds]) \
	STEP(show_held, false, show_held())

#define DEFINE(name, has_port, result) \
	static long step_##name(void) \
	{ \
		return (result); \
	}
#define LIST(name, has_port, result) { #name, step_##name, has_port },

STEPS(DEFINE)

static const struct step {
	const char *name;
	long (*make)(void);
	bool has_port;
} steps[] = { STEPS(LIST) };

/* --- the scenes ---------------------------------------------------------- */

static const char *where(int port)
{
	static char number[12];

	if (port == 0)
		return "none";
	if ((unsigned long)port >= range_lo && (unsigned long)port <= range_hi)
		return "in";
	if (port >= 512 && port < 1024)
		return "low";
	if (port >= 10000)
		return "out";
	snprintf(number, sizeof(number), "%d", port);
	return number;
}

/* Prints how a call went; returns whether it succeeded. */
static bool tell(const char *what, long result, int error, int fd)
{
	const char *text = error == ERRNO_KEPT ? "kept"
					       : strerrorname_np(error);

	print("%s/%s %s %s %s\n", scene_name, what, result < 0 ? "-1" : "ok",
	      text != NULL ? text : "0", where(port_of(fd)));
	return result >= 0;
}

static bool take_step(const char *text)
{
	const size_t length = strcspn(text, ":");

	memset(numbers, 0, sizeof(numbers));
	sscanf(text + length, ":%ld:%ld:%ld", &numbers[0], &numbers[1],
	       &numbers[2]);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const struct step *step = &steps[i];

		if (strlen(step->name) != length ||
		    memcmp(step->name, text, length) != 0)
			continue;
		errno = ERRNO_KEPT;

		const long result = step->make();

		return tell(step->name, result, errno,
			    step->has_port ? current() : -1);
	}
	print("no step %s\n", text);
	return false;
}

static void play(const char *scene)
{
	char *text = strdup(scene), *rest = text, *word;
	bool goes_on = true;

	scene_name = strsep(&rest, " ");
	while ((word = strsep(&rest, " ")) != NULL)
		goes_on = strcmp(word, "|") == 0 ||
			  (goes_on && take_step(word));
	while (n_fds > 0) {
		errno = ERRNO_KEPT;

		const int result = close(fds[--n_fds]);

		tell("close", result, errno, -1);
	}
	free(text);
}

static void call(const char *name)
{
	void (*function)(void) = NULL;

	*(void **)&function = dlsym(RTLD_DEFAULT, name);
	if (function != NULL)
		function();
}

static void play_all(char option, char **scenes)
{
	for (int pass = 1; pass <= (option == 'p' ? 1 : 2); pass++) {
		print("pass %d\n", pass);
		if (option == 'f' && pass == 1)
			call("fault_begin");
		for (char **scene = scenes; *scene != NULL; scene++)
			play(*scene);
		if (option == 'f' && pass == 1)
			call("fault_end");
		flush();
	}
	print("fds");
	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			print(" %d", fd);
	print("\n");
	flush();
}

/* Returns in a child. */
static void serve(void)
{
	int status;

	while (read(STDIN_FILENO, byte, 1) == 1) {
		const pid_t child = fork();

		if (child == 0)
			return;
		waitpid(child, &status, 0);
		print("status %d\n", status);
		flush();
	}
	exit(0);
}

int main(int argc, char **argv)
{
	if (argc < 4 || sscanf(argv[2], "%lu-%lu", &range_lo, &range_hi) != 2)
		return 2;
	if (argv[1][1] == 's')
		call("fault_end");
	if (argv[1][1] == 'f')
		serve();
	play_all(argv[1][1], argv + 3);
	return 0;
}
