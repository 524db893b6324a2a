/* claim.h - what a lesson has observed, and whether it is what the lesson claims.
 *
 * A lesson prints what it observed, never what it expects; and it exits 0 only if all that it
 * observed is as it claims.
 */
#ifndef CLAIM_H
#define CLAIM_H

#include <stdbool.h>

/* Prints an observation on stdout, as lines_print does; where it is not what the lesson claims,
 * that is said on stderr and remembered. Returns `holds`. */
bool claim(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What main returns: 0 if every claim held, 1 otherwise. */
int claim_status(void);

#endif
