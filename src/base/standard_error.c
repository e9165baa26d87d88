/* SPDX-License-Identifier: MIT */
#include "base/standard_error.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/filter.h"
#include "base/raw.h"
#include "base/raw_file.h"

/* --- which file it is ----------------------------------------------------- */

void standard_error_note(struct standard_error *notedp)
{
	struct statx status = { .stx_mask = 0 };
	/* Without asking the server of a network file system. */
	const long result = raw_call(SYS_statx, STDERR_FILENO, "",
				     AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
				     STATX_TYPE | STATX_INO | STATX_BTIME,
				     &status);

	*notedp = (struct standard_error){ .inode = 0 };
	if (result < 0)
		return;
	notedp->inode = status.stx_ino;
	notedp->device[0] = status.stx_dev_major;
	notedp->device[1] = status.stx_dev_minor;
	notedp->special[0] = status.stx_rdev_major;
	notedp->special[1] = status.stx_rdev_minor;
	notedp->type = status.stx_mode & S_IFMT;
	/* The inode number of a removed file may be used again. */
	if (status.stx_mask & STATX_BTIME) {
		notedp->birth_s = (uint64_t)status.stx_btime.tv_sec;
		notedp->birth_ns = status.stx_btime.tv_nsec;
	}
}

/* Not inlined: struct statx is not on the stack while a line is written. */
__attribute__((noinline)) bool
standard_error_is(const struct standard_error *noted)
{
	struct standard_error now;

	_Static_assert(sizeof(now) == 2 * 8 + 6 * 4, "there is no padding");
	if (noted->type == 0)
		return false;
	standard_error_note(&now);
	return memcmp(&now, noted, sizeof(now)) == 0;
}

/* --- without a signal ----------------------------------------------------- */

/* The kernel's own sigset_t, of 64 signals: see sigset_t in signal(7). */
typedef uint64_t signal_set;

#define SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))

/*
 * SIGPIPE where nobody reads and SIGXFSZ beyond RLIMIT_FSIZE are both sent to
 * the thread that writes. SIGTTOU is not sent where the thread blocks it, and
 * the terminal accepts the line: tty_check_change() in
 * drivers/tty/tty_jobctrl.c.
 */
#define THREAD_SIGNALS (SIGNAL_BIT(SIGPIPE) | SIGNAL_BIT(SIGXFSZ))
#define ALL_SIGNALS (THREAD_SIGNALS | SIGNAL_BIT(SIGTTOU))

static long change_mask(int how, signal_set set, signal_set *oldp)
{
	return raw_call(SYS_rt_sigprocmask, how, &set, oldp, sizeof(set));
}

/* Whether a signal that another sender has sent is already pending. */
static bool is_pending(void)
{
	signal_set pending = 0;

	return raw_call(SYS_rt_sigpending, &pending, sizeof(pending)) < 0 ||
	       (pending & THREAD_SIGNALS) != 0;
}

/*
 * Removes the signal that the write has caused. It is pending for the thread,
 * and the kernel returns such a signal before one pending for the process.
 */
static void take_back(void)
{
	const signal_set set = THREAD_SIGNALS;
	/* The kernel's timespec for this call is two longs on every
	 * architecture. */
	const long at_once[2] = { 0, 0 };

	raw_call(SYS_rt_sigtimedwait, &set, 0, at_once, sizeof(set));
}

/* --- without waiting ------------------------------------------------------ */

static long write_to(int fd, const struct iovec *parts, size_t n_parts)
{
	return raw_call(SYS_writev, fd, parts, n_parts);
}

static bool is_terminal(void)
{
	struct {
		char bytes[64]; /* struct termios, the kernel's own */
	} settings;

	return raw_call(SYS_ioctl, STDERR_FILENO, TCGETS, &settings) == 0;
}

/*
 * O_NONBLOCK belongs to the open file, which other processes share. So a pipe
 * or a terminal is opened anew. Where that is refused, Berth only looks whether
 * there is room; another writer may use this room before the line is written.
 */
static long write_if_room(const struct standard_error *noted,
			  const struct iovec *parts, size_t n_parts)
{
	int fd = -1;
	long result;

	if (noted->type == S_IFREG || noted->type == S_IFBLK)
		return write_to(STDERR_FILENO, parts, n_parts);
	if (raw_poll(STDERR_FILENO, POLLOUT) != POLLOUT)
		return 0;
	if (noted->type == S_IFIFO || is_terminal())
		fd = raw_open(AT_FDCWD, "/proc/self/fd/2",
			      O_WRONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return write_to(STDERR_FILENO, parts, n_parts);
	result = write_to(fd, parts, n_parts);
	raw_close(fd);
	return result;
}

static void write_quietly(const struct standard_error *noted,
			  const struct iovec *parts, size_t n_parts)
{
	size_t size = 0;
	signal_set old;

	for (size_t i = 0; i < n_parts; i++)
		size += parts[i].iov_len;
	if (change_mask(SIG_BLOCK, ALL_SIGNALS, &old) < 0)
		return;
	/* Otherwise it could not be told from a signal that the write
	 * causes. */
	if (!is_pending() && write_if_room(noted, parts, n_parts) != (long)size)
		take_back();
	change_mask(SIG_SETMASK, old, NULL);
}

#define IS_NULL(special) ((special)[0] == 1 && (special)[1] == 3)

/*
 * A filter that the process had at its start may forbid the calls that hold
 * signals back: those of a few system services do. So none of them is made
 * where no signal can come: for /dev/null, and for a file without a limit.
 */
static bool is_quiet(const struct standard_error *noted)
{
	if (!filter_is_inherited())
		return false;
	return noted->type == S_IFREG
		       ? raw_file_may_have(UINT64_MAX) == 0
		       : noted->type == S_IFCHR && IS_NULL(noted->special);
}

static void send_to_socket(const struct iovec *parts, size_t n_parts)
{
	const struct msghdr message = {
		.msg_iov = (struct iovec *)parts,
		.msg_iovlen = n_parts,
	};

	raw_call(SYS_sendmsg, STDERR_FILENO, &message,
		 MSG_NOSIGNAL | MSG_DONTWAIT);
}

void standard_error_write(const struct standard_error *noted,
			  const struct iovec *parts, size_t n_parts)
{
	if (noted->type == S_IFSOCK)
		send_to_socket(parts, n_parts);
	else if (is_quiet(noted))
		write_to(STDERR_FILENO, parts, n_parts);
	else
		write_quietly(noted, parts, n_parts);
}
