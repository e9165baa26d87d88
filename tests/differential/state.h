/* SPDX-License-Identifier: MIT */
#pragma once

/* What a program can ask about its sockets, as words in the transcript. */

/* Of all slots: "1.name=127.0.0.1:r0", say. */
void state_say(void);

/* What a sequence leaves behind: the next descriptor's number. */
void state_say_end(void);
