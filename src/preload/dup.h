/* SPDX-License-Identifier: MIT */
#pragma once

/* Tells the cache that copy is now the same open socket as fd. */
void dup_note(int fd, int copy);
