/* SPDX-License-Identifier: MIT */
#include "step.h"

#include <ctype.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "step_calls.h"
#include "words.h"

#ifdef WITH_SCTP
#include "sctp_kinds.h"
#endif

struct stage stage;

int __connect(int fd, const struct sockaddr *address, socklen_t length);

static const char large[70000] = "x";

/* --- the steps --------------------------------------------------------------- */

#define FD stage.fd
/* The word at i, from 0, as a number, and as an address and its length. */
#define N(i) ((int)number(i))
#define A(i) place_at(i)->pointer, place_at(i)->length
#define CALL(name, ...) \
	(step_is_by_number() ? syscall(SYS_##name, __VA_ARGS__) \
			     : name(__VA_ARGS__))
#ifdef SYS_dup2
#define DUP2(from, to) CALL(dup2, from, to)
#else
#define DUP2(from, to) dup2(from, to)
#endif

/* Its name in a scene, and its result. */
#define STEPS(STEP) \
	STEP(open, keep_fd(CALL(socket, stage.kind->family, stage.kind->type, \
				stage.kind->protocol))) \
	STEP(socket, keep_fd(CALL(socket, N(0), N(1), N(2)))) \
	STEP(file, keep_fd(open(word(0), O_RDWR))) \
	STEP(path, keep_fd(open(word(0), O_PATH))) \
	STEP(pipe, make_pipe()) \
	STEP(pair, make_pair()) \
	STEP(accept, keep_fd(accept(FD, NULL, NULL))) \
	STEP(use, (FD = step_opened(N(0))) < 0 ? -1 : 0) \
	STEP(fd, (FD = N(0), 0)) \
	STEP(bind, CALL(bind, FD, A(0))) \
	STEP(connect, CALL(connect, FD, A(0))) \
	STEP(__connect, __connect(FD, A(0))) \
	STEP(connect_there, connect_there()) \
	STEP(reach, reach()) \
	STEP(await, await_connect(FD)) \
	STEP(listen, CALL(listen, FD, N(0))) \
	STEP(send, send(FD, "x", 1, N(0))) \
	STEP(sendto, \
	     CALL(sendto, FD, \
		  words_count() > 3 ? place_at(3)->pointer : large, \
		  words_count() > 2 ? (size_t)number(2) : 1, N(1), A(0))) \
	STEP(sendmsg, \
	     CALL(sendmsg, FD, (struct msghdr *)messages(0, 2), N(1))) \
	STEP(sendmmsg, send_messages()) \
	STEP(recvmmsg, CALL(recvmmsg, FD, messages(0, 3), (unsigned int)N(1), \
			    N(2), NULL)) \
	STEP(receive, receive()) \
	STEP(later, send_later()) \
	STEP(now, send_now()) \
	STEP(getpeername, get_peer()) \
	STEP(shutdown, shutdown(FD, N(0))) \
	STEP(set, set_option()) \
	STEP(get, get_option()) \
	STEP(device, setsockopt(FD, SOL_SOCKET, SO_BINDTODEVICE, word(0), \
				(socklen_t)strlen(word(0)))) \
	STEP(group_filter, attach_group_filter()) \
	STEP(in_own_range, check_own_range()) \
	STEP(inside, check_range()) \
	STEP(unpinned, check_pin()) \
	STEP(nonblock, fcntl(FD, F_SETFL, O_NONBLOCK)) \
	STEP(fcntl, control_fd()) \
	STEP(lock, fcntl(FD, F_SETLK, &(struct flock){ .l_type = F_WRLCK })) \
	STEP(own, own_fd()) \
	STEP(dup, keep_fd(CALL(dup, FD))) \
	STEP(dup2, keep_fd(DUP2(FD, N(0)))) \
	STEP(dup3, keep_fd(CALL(dup3, FD, N(0), N(1)))) \
	STEP(unseen_close, call_unseen(SYS_close, FD, 0, 0, 0, 0)) \
	STEP(unseen_socket, (FD = (int)call_unseen(SYS_socket, number(0), \
						   number(1), 0, 0, 0))) \
	STEP(pass, keep_fd(pass_to_self(FD))) \
	STEP(close, drop_fd(CALL(close, FD))) \
	STEP(fclose, drop_fd(fclose(fdopen(FD, "r+")))) \
	STEP(close_range, \
	     CALL(close_range, (unsigned int)N(0), (unsigned int)N(1), N(2))) \
	STEP(closefrom, (closefrom(N(0)), 0)) \
	STEP(bindresvport, bind_reserved(false)) \
	STEP(bindresvport_sa, bind_reserved(true)) \
	STEP(rresvport, make_shell(false)) \
	STEP(rresvport_af, make_shell(true)) \
	STEP(bindx, bind_many()) \
	STEP(connectx, connect_many(false)) \
	STEP(connectx_old, connect_many(true)) \
	STEP(seteuid, seteuid((uid_t)N(0))) \
	STEP(interrupt, interrupt_often()) \
	STEP(keep, keep_address()) \
	STEP(unmap, munmap(kept_page, 1)) \
	STEP(syscall, syscall(number(0), number(1), number(2), number(3), \
			      number(4), number(5), number(6)))

#define DEFINE(name, result) \
	static long step_##name(void) \
	{ \
		return (result); \
	}
#define LIST(name, result) { #name, step_##name },

STEPS(DEFINE)

static const struct step {
	const char *name;
	long (*make)(void);
} steps[] = { STEPS(LIST) };

static const struct step *find(const char *name)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (strcmp(steps[i].name, name) == 0)
			return &steps[i];
	refuse_word("step (STEPS in step.c)", name);
}

/* How the step at hand makes its call. */
static enum { BY_NAME, BY_NUMBER, BY_NUMBER_KNOWN } way;

bool step_is_by_number(void)
{
	if (way == BY_NUMBER)
		way = BY_NUMBER_KNOWN;
	return way != BY_NAME;
}

long step_make(const char *text)
{
	char copy[256], *rest = copy;
	const bool is_by_number = strncmp(text, "sys.", 4) == 0;
	const struct step *step;
	long result;

	if (strlen(text) >= sizeof(copy))
		refuse_word("step so long", text);
	snprintf(copy, sizeof(copy), "%s", text + (is_by_number ? 4 : 0));
	step = find(strsep(&rest, " "));
	words_read(rest);
	way = is_by_number ? BY_NUMBER : BY_NAME;
	errno = ERRNO_KEPT;
	result = step->make();
	if (way == BY_NUMBER)
		refuse_word("step by number (without CALL in step.c)", text);
	return result;
}

const char *step_judge(const char *text)
{
	const char *wanted = strstr(text, " =");
	char copy[256];
	long result;

	snprintf(copy, sizeof(copy), "%s", text);
	if (wanted != NULL && wanted - text < (long)sizeof(copy))
		copy[wanted - text] = '\0';
	result = step_make(copy);

	const char *said = result < 0 ? strerrorname_np(errno) : "success";
	const bool is_number = wanted != NULL && isdigit(wanted[2]);

	if (is_number ? result == atol(wanted + 2)
		      : strcmp(said, wanted != NULL ? wanted + 2 : "success") ==
				0)
		return NULL;
	return said;
}

/* --- the stage --------------------------------------------------------------- */

const struct kind *step_kind(const char *name)
{
	for (int i = 0; i < N_KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
#ifdef WITH_SCTP
	for (size_t i = 0; i < N_SCTP_KINDS; i++)
		if (strcmp(sctp_kinds[i].name, name) == 0)
			return &sctp_kinds[i];
#endif
	refuse_word("kind", name);
}

void step_serve(const char *address)
{
	const int fd = start_server(stage.kind, address_of_word(address));

	if (stage.kind->type == SOCK_SEQPACKET)
		must(listen(fd, 100), "listen of the server");
	set_int(fd, IPPROTO_TCP, TCP_FASTOPEN, 16);
	must(stage.n_servers < MAX_SERVERS ? 0 : -1, "number of servers");
	stage.servers[stage.n_servers++] = fd;
}

void step_close_servers(void)
{
	while (stage.n_servers > 0)
		close(stage.servers[--stage.n_servers]);
}

int step_opened(int n)
{
	return n >= 0 && n < stage.n_fds ? stage.fds[n] : -1;
}

void step_end(void)
{
	while (stage.n_fds > 0)
		close(stage.fds[--stage.n_fds]);
	stage.fd = -1;
}
