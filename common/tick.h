/* tick.h - a timer that wakes a sleeping process now and then, so that it can check its peer.
 *
 * SIGALRM is blocked outside of sleeps, like the other signals that we handle.
 */
#ifndef TICK_H
#define TICK_H

#include <stdbool.h>

enum { TICK_MS = 50 };

/* Starts the timer, and blocks and handles SIGALRM. Exits 1 where it cannot. */
void tick_start(void);

/* Whether one more tick has passed in which this process was alive and not stopped. */
bool tick_has_passed(void);

#endif
