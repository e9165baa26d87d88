/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "call.h"
#include "slots.h"
#include "socket_kind.h"
#include "transcript.h"

/* A descriptor that a child makes is not this process's. */
static struct step not_in_child(const struct step *step)
{
	struct step copy = *step;

	if (copy.place == PLACE_FORK || copy.place == PLACE_VFORK)
		copy.place = PLACE_HERE;
	return copy;
}

static void put(unsigned int slot, long fd, bool is_unseen)
{
	if (is_unseen)
		slots_put_unseen(slot, (int)fd);
	else
		slots_put(slot, (int)fd);
}

void call_socket(const struct step *step)
{
	const struct socket_kind *kind = socket_kind(step->draws[0]);
	const struct step here = not_in_child(step);
	const int nonblock = step->draws[1] % 3 == 0 ? SOCK_NONBLOCK : 0;
	long fd;

	if (slots[step->socket] >= 0)
		close(slots[step->socket]);
	slots[step->socket] = -1;
	fd = call_order(&here,
			ORDER(SYS_socket, kind->domain, kind->type | nonblock,
			      kind->protocol),
			"%u, %s%s", step->socket, kind->text,
			nonblock ? ", SOCK_NONBLOCK" : "");
	if (fd >= 0)
		put(step->socket, fd, here.form == FORM_RAW);
}

void call_close(const struct step *step)
{
	const int fd = slots[step->socket];
	const bool by_range = step->draws[0] % 4 == 0;

	call_order(step,
		   by_range && fd >= 0 ? ORDER(SYS_close_range, fd, fd)
				       : ORDER(SYS_close, fd),
		   "%u%s", step->socket, by_range ? ", by range" : "");
	if (step->place != PLACE_FORK && step->place != PLACE_VFORK)
		slots[step->socket] = -1;
}

static bool may_block(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	int is_listening = 0;
	socklen_t length = sizeof(is_listening);

	if (poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN))
		return false;
	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length);
	return is_listening;
}

void call_accept(const struct step *step)
{
	const struct step here = not_in_child(step);
	const int listening = slots_listening();
	const unsigned int slot = listening >= 0 && step->draws[0] % 4
					  ? (unsigned int)listening
					  : step->socket;
	const int fd = slots[slot];
	long accepted;

	if (may_block(fd)) {
		call_say(step, 0, "%u to %u", slot, step->other);
		say(" nothing to accept");
		return;
	}
	accepted = call_order(&here,
			      ORDER(SYS_accept4, fd, 0, 0, SOCK_NONBLOCK),
			      "%u to %u", slot, step->other);
	if (accepted >= 0)
		slots_put(step->other, (int)accepted);
}

void call_duplicate(const struct step *step)
{
	struct step here = not_in_child(step);
	const int fd = slots[step->socket], onto = slots[step->other];
	struct order order = ORDER(SYS_dup, fd);
	long copy;

	if (step->kind == KIND_DUPFD) {
		order = ORDER(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0);
	} else if (step->kind == KIND_DUP2 && onto >= 0) {
		order = ORDER(CALL_DUP2, fd, onto);
		here.form = FORM_LIBC;
	}
	copy = call_order(&here, order, "%u to %u", step->socket, step->other);
	if (copy >= 0)
		put(step->other, copy,
		    here.form == FORM_RAW || slots_is_unseen(step->socket));
}

/* Sends the descriptor to this process itself, and takes it out again. */
static long pass(int fd)
{
	union {
		struct cmsghdr header;
		char protocol[CMSG_SPACE(sizeof(int))];
	} control = { .header = {
			      .cmsg_len = CMSG_LEN(sizeof(int)),
			      .cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS,
		      } };
	char byte = 0;
	struct iovec vector = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int pair[2], passed = -1;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		return -1;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(pair[0], &message, 0) == 1) {
		if (recvmsg(pair[1], &message, 0) == 1)
			memcpy(&passed, CMSG_DATA(&control.header),
			       sizeof(passed));
	}
	close(pair[0]);
	close(pair[1]);
	return passed;
}

void call_pass(const struct step *step)
{
	const long fd = pass(slots[step->socket]);

	call_say(step, fd, "%u to %u", step->socket, step->other);
	if (fd >= 0)
		slots_put_unseen(step->other, (int)fd);
}
