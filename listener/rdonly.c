/* rdonly.c (listener) - with SHM_RDONLY one can read, but a store is SIGSEGV with SEGV_ACCERR.
 *
 * A reader that attaches with SHM_RDONLY cannot spoil by mistake what the writer says: the
 * processor refuses the store, and the kernel sends SIGSEGV, with the address of the store
 * (si_addr) and the reason (si_code). SEGV_ACCERR: there is memory, but not for that; SEGV_MAPERR:
 * there is none. We catch the signal, and live; the talker's child does not, and dies of it.
 *
 *     listener                                talker
 *     attaches again, SHM_RDONLY
 *     ATTACHED                      ------->
 *                                             a child of it stores, and dies
 *                                   <-------  writes a text, SAID
 *     reads it
 *     stores: SIGSEGV, SEGV_ACCERR
 *     detaches, stores: SEGV_MAPERR
 *     TRIED                         ------->  finds its text as it was
 *
 *     $ build/listener-rdonly                 $ build/talker-rdonly
 *
 * Question: Does a store through a read-only attachment change the text?
 */
#include "../common/layout/rdonly.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

#include <setjmp.h>
#include <signal.h>

static const char *const points[] = {"store", NULL};

static const struct program program = {
    .name = "listener-rdonly",
    .about = "Attaches read-only, reads what a talker writes, and stores: that is SIGSEGV.",
    .points = points,
};

static sigjmp_buf before_the_store;
static void *volatile fault_at;
static volatile sig_atomic_t fault_code;

/* To return from here would repeat the store, and fault again; so we jump. A jump out of a handler
 * is allowed where the signal came out of our own code, at a place that we know. */
static void on_fault(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    fault_at = info->si_addr;
    fault_code = info->si_code;
    siglongjmp(before_the_store, 1);
}

static const char *name_of(int code)
{
    return code == SEGV_ACCERR   ? "SEGV_ACCERR"
           : code == SEGV_MAPERR ? "SEGV_MAPERR"
           : code == 0           ? "no SIGSEGV"
                                 : "another si_code";
}

/* Stores a byte. Returns 0, or the si_code of the SIGSEGV that came of it; fault_at is its si_addr.
 */
static int try_store(volatile char *where)
{
    struct sigaction old, action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    fault_at = NULL;
    fault_code = 0;
    if (sys_sigaction(SIGSEGV, &action, &old) == -1)
        err(1, "sigaction(SIGSEGV)");
    trace_point("store");
    if (sigsetjmp(before_the_store, 1) == 0)
        *where = '!';
    if (sys_sigaction(SIGSEGV, &old, NULL) == -1)
        err(1, "sigaction(SIGSEGV)");
    return fault_code;
}

static void read_text(const char *from, const char *how)
{
    char text[RDONLY_TEXT];
    memcpy(text, from, sizeof text);
    text[sizeof text - 1] = '\0';
    trace_observe_text("text", text, strlen(text));
    check(*text != '\0' && *text != '!', "%s: %s", how, text);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct rdonly *shared = session_open(&session, &options, RDONLY_LESSON, sizeof *shared);
    session_await_talker(&session);

    explain("attach the segment once more, for reading alone: the same memory, another address");
    struct rdonly *readable = sys_shmat(session.segment.shmid, NULL, SHM_RDONLY);
    if (readable == (void *)-1)
        err(1, "shmat(%d, NULL, SHM_RDONLY)", session.segment.shmid);
    session_advance(&session, RDONLY_ATTACHED);
    session_await(&session, RDONLY_SAID);

    explain("read: what the talker stored after we attached is there as well");
    read_text(readable->text, "read through the read-only attachment");

    explain("store, with a handler for SIGSEGV that asks the kernel where and why");
    int code = try_store(readable->text);
    check(code == SEGV_ACCERR && fault_at == readable->text,
          "a store at %p, byte %td of the segment: %s at %p", (void *)readable->text,
          readable->text - (char *)readable, name_of(code), fault_at);
    read_text(shared->text, "the text is as it was");

    explain("detach, and store there once more: not forbidden memory now, but none at all");
    if (sys_shmdt(readable) == -1)
        err(1, "shmdt(%p)", (void *)readable);
    code = try_store(readable->text);
    check(code == SEGV_MAPERR && fault_at == readable->text, "the same store after shmdt: %s at %p",
          name_of(code), fault_at);

    session_advance(&session, RDONLY_TRIED);
    session_part(&session);
    return program_end();
}
