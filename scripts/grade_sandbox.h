/* grade_sandbox.h - where a student's program runs: namespaces, limits, another user. */
#ifndef GRADE_SANDBOX_H
#define GRADE_SANDBOX_H

#include "grade_game.h"

void sandbox_limit(const struct game *game); /* in the student's process, before exec */
void sandbox_drop(const struct game *game);  /* gives up what a student's program must not have */
_Noreturn void sandbox_leave(struct game *game); /* ends all processes of the case */
void puppet_signal(struct game *game, int signo);

#endif
