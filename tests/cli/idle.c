/* SPDX-License-Identifier: MIT */
/* A program that does nothing, to be linked in several ways. */

int main(void)
{
	return 0;
}
