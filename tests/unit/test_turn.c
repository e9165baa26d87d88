/* SPDX-License-Identifier: MIT */
#include "map_here.h"

#include "map/turn.h"

#define NOW_MS 100000u

TestSuite(turn, .init = open_map_here, .fini = close_map_here);

/* With a clock that goes back, say, or anything in the map. */
Test(turn, a_turn_comes_once_a_second_and_whatever_is_there)
{
	cr_expect(turn_take(&map, PROTOCOL_TCP, NOW_MS));
	cr_expect_not(turn_take(&map, PROTOCOL_TCP, NOW_MS + 999));
	cr_expect(turn_take(&map, PROTOCOL_UDP, NOW_MS + 999));
	cr_expect(turn_take(&map, PROTOCOL_TCP, NOW_MS + 1000));
	/* Who read the clock just before the one who took it. */
	cr_expect_not(turn_take(&map, PROTOCOL_TCP, NOW_MS + 999));
	map.memory->turn.swept_ms[PROTOCOL_TCP] = UINT64_MAX;
	cr_expect(turn_take(&map, PROTOCOL_TCP, NOW_MS));
}

/* Of millions of sockets, say; and of what somebody has written there. */
Test(turn, a_turn_that_took_long_is_followed_by_a_pause)
{
	cr_assert(turn_take(&map, PROTOCOL_TCP, NOW_MS));
	turn_end(&map, PROTOCOL_TCP, 200);
	cr_expect_not(turn_take(&map, PROTOCOL_TCP, NOW_MS + 3199));
	cr_expect(turn_take(&map, PROTOCOL_TCP, NOW_MS + 3200));
	turn_end(&map, PROTOCOL_TCP, UINT64_MAX);
	cr_expect_not(turn_take(&map, PROTOCOL_TCP, NOW_MS + 63199));
	cr_expect(turn_take(&map, PROTOCOL_TCP, NOW_MS + 63200));
	turn_end(&map, PROTOCOL_TCP, 0);
	cr_expect_not(turn_take(&map, PROTOCOL_TCP, NOW_MS + 64199));
	cr_expect(turn_take(&map, PROTOCOL_TCP, NOW_MS + 64200));
}
