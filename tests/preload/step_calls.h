/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a step does that is more than one plain call. Each returns the result
 * of its call, and leaves errno as the call does; the words of the step are
 * those of words.h.
 */

#include "step.h"

/* The descriptor, if it is one, is at hand now, and closed with the scene. */
long keep_fd(long fd);

/* If the call has closed it, no descriptor is at hand. */
long drop_fd(long result);

/* Three messages to the address in the word at i; the word at j may say what is
 * odd about them: empty, bad0, bad1, page, cut, or their address. "null/len=0":
 * they have no address. */
struct mmsghdr *messages(int i, int j);

long send_messages(void);
long set_option(void);
long get_option(void);
long get_peer(void);
long check_own_range(void);
long check_range(void); /* the socket has a port of stage.range */
long check_pin(void);	/* a program without Berth finds no range in it */
long attach_group_filter(void);
long interrupt_often(void);
long keep_address(void);
/* connect(2), and what comes of it where it does not wait. */
long reach(void);
/* To the number that the socket shows, where another socket listens; to the
 * address where none can, since the port is still its own. */
long connect_there(void);
long receive(void);
/* Makes a child that sends to the address, and has it do so. */
long send_later(void);
long send_now(void);
long control_fd(void);
long own_fd(void);
long make_pipe(void);
long make_pair(void);
long make_shell(bool has_family);
long bind_reserved(bool has_family);
long bind_many(void);
/* By the option that libsctp used once, or by its function of today. */
long connect_many(bool is_old);
