/* SPDX-License-Identifier: MIT */
#include "plan.h"

/* Which calls of a plan are made past the library. */
enum raw_calls { RAW_NONE, RAW_HARMLESS, RAW_ALL };

/* What the steps of a plan have in common. */
struct theme {
	unsigned int n_slots;
	int socket_kind; /* of all sockets, or -1 */
	bool is_simple;	 /* libc's functions only */
	bool has_server; /* begins with one that listens */
	enum raw_calls raw;
};

static const uint8_t stream_weights[N_KINDS] = {
	[KIND_SOCKET] = 10,	 [KIND_CLOSE] = 4,    [KIND_BIND] = 14,
	[KIND_BINDRESVPORT] = 1, [KIND_CONNECT] = 20, [KIND_LISTEN] = 9,
	[KIND_ACCEPT] = 6,	 [KIND_SENDTO] = 8,   [KIND_SENDMSG] = 3,
	[KIND_SENDMMSG] = 2,	 [KIND_RECEIVE] = 4,  [KIND_SHUTDOWN] = 4,
	[KIND_OPTION] = 20,	 [KIND_ERROR] = 4,    [KIND_POLL] = 2,
	[KIND_DUP] = 2,		 [KIND_DUP2] = 2,     [KIND_DUPFD] = 1,
	[KIND_PASS] = 1,	 [KIND_PAGE] = 2,
};

static const uint8_t datagram_weights[N_KINDS] = {
	[KIND_SOCKET] = 10,	 [KIND_CLOSE] = 4,    [KIND_BIND] = 16,
	[KIND_BINDRESVPORT] = 1, [KIND_CONNECT] = 18, [KIND_LISTEN] = 1,
	[KIND_ACCEPT] = 1,	 [KIND_SENDTO] = 14,  [KIND_SENDMSG] = 6,
	[KIND_SENDMMSG] = 4,	 [KIND_RECEIVE] = 10, [KIND_SHUTDOWN] = 3,
	[KIND_OPTION] = 22,	 [KIND_ERROR] = 3,    [KIND_POLL] = 2,
	[KIND_DUP] = 2,		 [KIND_DUP2] = 2,     [KIND_DUPFD] = 1,
	[KIND_PASS] = 1,	 [KIND_PAGE] = 2,
};

static const uint8_t place_weights[N_PLACES] = {
	[PLACE_HERE] = 16,  [PLACE_FORK] = 1,	 [PLACE_VFORK] = 1,
	[PLACE_THREAD] = 1, [PLACE_HANDLER] = 1,
};

static uint32_t draw(uint64_t *statep)
{
	*statep ^= *statep << 13;
	*statep ^= *statep >> 7;
	*statep ^= *statep << 17;
	return (uint32_t)(*statep >> 24);
}

unsigned int plan_pick(uint32_t number, const uint8_t *weights, unsigned int n)
{
	unsigned int sum = 0, i;

	for (i = 0; i < n; i++)
		sum += weights[i];
	number %= sum;
	for (i = 0; number >= weights[i]; i++)
		number -= weights[i];
	return i;
}

static struct theme draw_theme(uint64_t *statep)
{
	static const int same_kind[] = { 0, 1, 2, 3 };
	const uint32_t socket_kind = draw(statep) % 8;
	const uint32_t raw = draw(statep) % 4;

	return (struct theme){
		.n_slots = draw(statep) % 2 ? 2 : N_SLOTS,
		.socket_kind = socket_kind < 4 ? same_kind[socket_kind] : -1,
		.is_simple = draw(statep) % 3 == 0,
		.has_server = draw(statep) % 2,
		.raw = raw < 2	  ? RAW_NONE
		       : raw == 2 ? RAW_HARMLESS
				  : RAW_ALL,
	};
}

bool plan_takes_port(enum kind kind)
{
	return kind == KIND_BIND || kind == KIND_BINDRESVPORT ||
	       kind == KIND_CONNECT || kind == KIND_LISTEN ||
	       kind == KIND_SENDTO || kind == KIND_SENDMSG ||
	       kind == KIND_SENDMMSG;
}

bool plan_makes_descriptor(enum kind kind)
{
	return kind == KIND_SOCKET || kind == KIND_DUP || kind == KIND_DUP2 ||
	       kind == KIND_DUPFD;
}

static enum form draw_form(const struct theme *theme, enum kind kind,
			   uint32_t number)
{
	const bool may_be_raw = theme->raw == RAW_ALL ||
				(theme->raw == RAW_HARMLESS &&
				 !plan_takes_port(kind));

	number %= 12;
	if (theme->is_simple || number > 1)
		return FORM_LIBC;
	return number == 0 && may_be_raw ? FORM_RAW : FORM_SYSCALL;
}

/* See socket_kind.h: those of odd numbers are UDP's. */
static bool is_datagram(const struct theme *theme)
{
	return theme->socket_kind >= 0 && theme->socket_kind % 2;
}

/* The sockets first, and maybe a server and its client. */
static const enum kind server_kinds[] = {
	KIND_BIND,
	KIND_LISTEN,
	KIND_CONNECT,
};

#define N_SERVER_KINDS (sizeof(server_kinds) / sizeof(server_kinds[0]))

static bool is_of_server(const struct theme *theme, size_t i)
{
	return theme->has_server && i >= theme->n_slots &&
	       i < theme->n_slots + N_SERVER_KINDS;
}

static enum kind draw_kind(const struct theme *theme, size_t i, uint32_t number)
{
	if (i < theme->n_slots)
		return KIND_SOCKET;
	if (is_of_server(theme, i))
		return server_kinds[i - theme->n_slots];
	return (enum kind)plan_pick(
		number, is_datagram(theme) ? datagram_weights : stream_weights,
		N_KINDS);
}

/* The first address, of the right family, and no tricks. */
static void simplify_address(struct step *step)
{
	step->draws[DRAW_IP] = 0;
	step->draws[DRAW_FAMILY] = 0;
	step->draws[DRAW_LENGTH] = 0;
	step->draws[DRAW_WHERE] = 0;
}

static void draw_step(struct step *step, size_t i, const struct theme *theme,
		      uint64_t *statep)
{
	step->kind = draw_kind(theme, i, draw(statep));
	step->form = draw_form(theme, step->kind, draw(statep));
	step->place = (enum place)plan_pick(draw(statep), place_weights,
					    N_PLACES);
	step->socket = draw(statep) % theme->n_slots;
	step->other = draw(statep) % theme->n_slots;
	for (unsigned int n = 0; n < N_DRAWS; n++)
		step->draws[n] = draw(statep);
	if (i < theme->n_slots)
		step->socket = (unsigned int)i;
	if (is_of_server(theme, i)) {
		step->socket = step->kind == KIND_CONNECT ? 1 : 0;
		step->other = 0;
		simplify_address(step);
	}
	if (step->kind == KIND_SOCKET && theme->socket_kind >= 0)
		step->draws[0] = (uint32_t)theme->socket_kind;
	if (theme->is_simple)
		plan_simplify(step);
}

void plan_make(struct plan *plan, uint64_t seed)
{
	uint64_t state = (seed + 1) * 0x9e3779b97f4a7c15u;

	for (int i = 0; i < 8; i++)
		draw(&state);

	const struct theme theme = draw_theme(&state);

	plan->seed = seed;
	plan->n_steps = MIN_STEPS + draw(&state) % (MAX_STEPS - MIN_STEPS + 1);
	for (size_t i = 0; i < plan->n_steps; i++)
		draw_step(&plan->steps[i], i, &theme, &state);
}

void plan_simplify(struct step *step)
{
	step->form = FORM_LIBC;
	step->place = PLACE_HERE;
}
