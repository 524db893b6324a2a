/* rdonly.c (listener) - with SHM_RDONLY a process can read, but a store raises SIGSEGV.
 *
 * A reader that attaches with SHM_RDONLY cannot change the text by mistake. The processor refuses
 * the store, and the kernel sends SIGSEGV with the address of the store (si_addr) and the reason
 * (si_code). SEGV_ACCERR: there is memory, but not for a store. SEGV_MAPERR: there is no memory. We
 * handle the signal and go on. The talker's child does not handle it, and dies.
 *
 *     listener                                talker
 *     attaches again, SHM_RDONLY
 *     ATTACHED                      ------->
 *                                             its child stores, and dies
 *                                   <-------  writes a text, SAID
 *     reads it
 *     stores: SIGSEGV, SEGV_ACCERR
 *     detaches, stores: SEGV_MAPERR
 *     TRIED                         ------->  finds its text unchanged
 *
 *     $ build/listener-rdonly                 $ build/talker-rdonly
 *
 * Level: first steps; 3 minutes; after handshake
 * Question: Does a store through a read-only attachment change the text?
 * Answer: no. The processor refuses the store, and the kernel sends SIGSEGV.
 * Shown by: the text is as it was
 */
#include "../common/layout/rdonly.h"
#include "../common/lesson.h"
#include "../common/session.h"

#include <setjmp.h>

static const char *const points[] = {"store", NULL};

static const struct program program = {
    .name = "listener-rdonly",
    .about = "Attaches read-only, reads what a talker writes, and stores: that is SIGSEGV.",
    .question = "Does a store through a read-only attachment change the text?",
    .points = points,
    .values = RDONLY_VALUES};

static void *volatile fault_at; /* si_addr of the last SIGSEGV */

static void read_text(const char *from, const char *how);
static int try_store(volatile char *where);
static const char *name_of(int code);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct rdonly *shared = session_open(&session, &options, RDONLY_LESSON, sizeof *shared);
    session_await_talker(&session);

    explain("Attach the segment once more, read-only: the same memory, another address.");
    struct rdonly *readable = sys_shmat(session.segment.shmid, NULL, SHM_RDONLY);
    if (readable == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, SHM_RDONLY)", session.segment.shmid);
    session_advance(&session, RDONLY_ATTACHED);
    session_await(&session, RDONLY_SAID);

    explain("Read: what the talker stored after we attached is there as well.");
    read_text(readable->text, "read through the read-only attachment");

    explain("Store, with a handler for SIGSEGV: the kernel gives it the address and the reason.");
    char *where = readable->text;
    int code = try_store(where);
    check(code == SEGV_ACCERR && fault_at == where,
          "a store at %p, byte %td of the segment: %s at %p", (void *)where,
          where - (char *)readable, name_of(code), fault_at);
    read_text(shared->text, "the text is as it was");

    explain("Detach, and store at the same address: now there is no memory at all.");
    if (sys_shmdt(readable) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)readable);
    code = try_store(where);
    check(code == SEGV_MAPERR && fault_at == where, "the same store after shmdt: %s at %p",
          name_of(code), fault_at);

    session_advance(&session, RDONLY_TRIED);
    session_part(&session);
    return program_end();
}

static void read_text(const char *from, const char *how)
{
    char text[RDONLY_TEXT];
    copy_text_out(text, from, sizeof text);
    check(*text != '\0' && *text != '!', "%s: %s", how, text);
}

/* ---- a store that may fail ---- */

static sigjmp_buf before_store;
static volatile sig_atomic_t fault_code;

/* If this returned, the store would be repeated, and fail again. So it jumps. That is safe only
 * because the store itself raises the signal: no library function is interrupted. */
static void on_fault(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    fault_at = info->si_addr;
    fault_code = info->si_code;
    siglongjmp(before_store, 1);
}

/* Stores one byte. Returns 0, or the si_code of its SIGSEGV. */
static int try_store(volatile char *where)
{
    struct sigaction old, action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    fault_at = NULL;
    fault_code = 0;
    if (sys_sigaction(SIGSEGV, &action, &old) == -1)
        err(EXIT_FAILED, "sigaction(SIGSEGV)");
    trace_point("store");
    if (sigsetjmp(before_store, 1) == 0)
        *where = '!';
    if (sys_sigaction(SIGSEGV, &old, NULL) == -1)
        err(EXIT_FAILED, "sigaction(SIGSEGV)");
    return fault_code;
}

static const char *name_of(int code)
{
    switch (code) {
    case 0:
        return "no SIGSEGV";
    case SEGV_ACCERR:
        return "SEGV_ACCERR";
    case SEGV_MAPERR:
        return "SEGV_MAPERR";
    default:
        return "another si_code";
    }
}
