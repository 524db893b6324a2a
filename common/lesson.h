/* lesson.h - what every lesson includes: its program, its system calls, and its narration.
 *
 * What a lesson itself does is narrated with its own file and line. The macros below note these
 * before the call, and change nothing else.
 */
#ifndef LESSON_H
#define LESSON_H

#include "calls.h"
#include "output.h"
#include "program.h"
#include "signals.h"
#include "trace.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HERE(call) (trace_at(__FILE__, __LINE__), call)

#define program_start(...) HERE(program_start(__VA_ARGS__))
#define program_end()      HERE(program_end())
#define explain(why)       HERE(trace_explain(why))
#define print_line(...)    HERE(print_line(__VA_ARGS__))
#define print_bytes(...)   HERE(print_bytes(__VA_ARGS__))
#define check(...)         HERE(check(__VA_ARGS__))
#define trace_point(name)  HERE(trace_point(name))

#undef publish
#undef observe
#undef publish_if
#undef copy_text_in
#undef copy_text_out
#undef copy_bytes_in
#undef copy_bytes_out
#define publish(field, value)               HERE(TRACE_PUBLISH(#field, field, value))
#define publish_if(field, old, value)       HERE(trace_publish_if(#field, field, old, value))
#define observe(field)                      HERE(TRACE_OBSERVE(#field, field))
#define copy_text_in(field, string, size)   HERE(trace_copy_text_in(#field, field, string, size))
#define copy_text_out(text, field, size)    HERE(trace_copy_text_out(#field, text, field, size))
#define copy_bytes_in(field, bytes, length) HERE(trace_copy_bytes_in(#field, field, bytes, length))
#define copy_bytes_out(bytes, field, length)                                                       \
    HERE(trace_copy_bytes_out(#field, bytes, field, length))

#define sys_ftok(...)            HERE(sys_ftok(__VA_ARGS__))
#define sys_shmget(...)          HERE(sys_shmget(__VA_ARGS__))
#define sys_shmat(...)           HERE(sys_shmat(__VA_ARGS__))
#define sys_shmdt(...)           HERE(sys_shmdt(__VA_ARGS__))
#define sys_shmctl(...)          HERE(sys_shmctl(__VA_ARGS__))
#define sys_semget(...)          HERE(sys_semget(__VA_ARGS__))
#define sys_semop(...)           HERE(sys_semop(__VA_ARGS__))
#define sys_semctl(...)          HERE(sys_semctl(__VA_ARGS__))
#define sys_shm_open(...)        HERE(sys_shm_open(__VA_ARGS__))
#define sys_shm_unlink(...)      HERE(sys_shm_unlink(__VA_ARGS__))
#define sys_ftruncate(...)       HERE(sys_ftruncate(__VA_ARGS__))
#define sys_posix_fallocate(...) HERE(sys_posix_fallocate(__VA_ARGS__))
#define sys_fstat(...)           HERE(sys_fstat(__VA_ARGS__))
#define sys_mmap(...)            HERE(sys_mmap(__VA_ARGS__))
#define sys_munmap(...)          HERE(sys_munmap(__VA_ARGS__))
#define sys_close(...)           HERE(sys_close(__VA_ARGS__))
#define sys_read(...)            HERE(sys_read(__VA_ARGS__))
#define sys_write(...)           HERE(sys_write(__VA_ARGS__))
#define sys_sigprocmask(...)     HERE(sys_sigprocmask(__VA_ARGS__))
#define sys_sigaction(...)       HERE(sys_sigaction(__VA_ARGS__))
#define sys_sigsuspend(...)      HERE(sys_sigsuspend(__VA_ARGS__))
#define sys_sigwaitinfo(...)     HERE(sys_sigwaitinfo(__VA_ARGS__))
#define sys_pause(...)           HERE(sys_pause(__VA_ARGS__))
#define sys_sigqueue(...)        HERE(sys_sigqueue(__VA_ARGS__))
#define sys_kill(...)            HERE(sys_kill(__VA_ARGS__))
#define sys_fork(...)            HERE(sys_fork(__VA_ARGS__))
#define sys_execvp(...)          HERE(sys_execvp(__VA_ARGS__))
#define sys_setitimer(...)       HERE(sys_setitimer(__VA_ARGS__))

#endif
