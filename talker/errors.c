/* errors.c (talker) - asks for what it cannot get, and prints with which errno it is refused.
 *
 * The other half of listener/errors.c, which tells the story and is started first. ENOSPC is
 * missing here, because for that a limit of the system has to be reached: see listener/limits.c.
 *
 *     $ build/listener-errors                 $ build/talker-errors
 */
#if defined(__linux__)
#define _GNU_SOURCE /* IPC_INFO */
#endif
#include "../common/layout/errors.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

#include <sys/resource.h>

static const struct program program = {
    .name = "talker-errors",
    .about = "Asks for segments that it cannot get, and prints why the kernel refuses.",
    .values = ERRORS_VALUES};

static void ask_for_wrong_sizes(struct session *session);
static void ask_for_what_is_there(struct session *session);
static void ask_for_what_is_not_there(struct session *session, const char *file);
static void attach_more_than_fits(void);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_join(&session, &options, ERRORS_LESSON, sizeof(struct errors));

    ask_for_wrong_sizes(&session);
    ask_for_what_is_there(&session);
    ask_for_what_is_not_there(&session, options.file);
    attach_more_than_fits();

    session_advance(&session, ERRORS_TRIED);
    session_await(&session, ERRORS_OVER);
    session_part(&session);
    return program_end();
}

/* To be called right after a shmget that should have failed with `error`. The listener's segment
 * goes when the listener dies, and then another error is right. */
static void check_refusal(struct session *session, int shmid, int error, size_t bytes,
                          const char *why)
{
    bool refused = shmid == -1 && errno == error;
    const char *result = shmid == -1 ? calls_error_name(errno) : "granted";
    struct shmid_ds about;
    if (shmid != -1 && sys_shmctl(shmid, IPC_STAT, &about) == 0 && about.shm_cpid == getpid())
        segment_remove_at_exit(shmid);
    if (!refused && peer_is_gone(session->peer, session->segment.shmid))
        session_give_up(session, WAIT_GONE);
    check(refused, "shmget of %zu bytes, %s: %s", bytes, why, result);
}

/* Creates a segment without a key, attaches it, and marks it for removal at once: it goes with its
 * last attachment, even if we are killed. Until then Linux still attaches it. Returns its id. */
static int create(size_t bytes, void **address)
{
    int shmid = segment_private(bytes);
    *address = sys_shmat(shmid, NULL, 0);
    if (*address == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    return shmid;
}

static void detach(const void *address)
{
    if (sys_shmdt(address) == -1)
        err(EXIT_FAILED, "shmdt(%p)", address);
}

/* A 64-bit kernel reports to a 32-bit program no SHMMAX above INT_MAX. */
static bool is_known(unsigned long shmmax)
{
    return LONG_MAX > INT_MAX || shmmax != INT_MAX;
}

static void ask_for_wrong_sizes(struct session *session)
{
#ifdef IPC_INFO
    struct shminfo limits;
    if (sys_shmctl(0, IPC_INFO, (struct shmid_ds *)&limits) == -1)
        err(EXIT_FAILED, "shmctl(0, IPC_INFO)");
    size_t least = limits.shmmin, most = limits.shmmax;

    explain("EINVAL: a size below SHMMIN. SHMMIN itself is granted.");
    void *address;
    create(least, &address);
    detach(address);
    print_line("shmget of %zu byte%s, which is SHMMIN: granted", least, least == 1 ? "" : "s");
    check_refusal(session, sys_shmget(IPC_PRIVATE, least - 1, 0600), EINVAL, least - 1,
                  "less than SHMMIN");

    explain("EINVAL: a size above SHMMAX.");
    if (!is_known(most))
        print_line("skipped: SHMMAX may be more than the %zu that a 32-bit program is told", most);
    else if (most == SIZE_MAX)
        print_line("skipped: SHMMAX is the largest number that a size can be");
    else
        check_refusal(session, sys_shmget(IPC_PRIVATE, most + 1, 0600), EINVAL, most + 1,
                      "more than SHMMAX");
#else
    (void)session;
    print_line("skipped: this system does not have IPC_INFO, which reports SHMMIN and SHMMAX");
#endif
}

static void ask_for_what_is_there(struct session *session)
{
    const struct segment *there = &session->segment;
    explain("EEXIST: IPC_EXCL asks for a new segment, but this key has the listener's.");
    check_refusal(session, sys_shmget(there->key, there->size, IPC_CREAT | IPC_EXCL | 0600), EEXIST,
                  there->size, "new, but the listener's is there");

    explain("EINVAL: more bytes than the segment has. Its own size, or fewer, is granted.");
    int shmid = sys_shmget(there->key, 1, 0);
    if (shmid == -1)
        check_refusal(session, shmid, 0, 1, "fewer than the listener's has");
    else
        check(shmid == there->shmid, "shmget of 1 byte, fewer than the listener's has: granted");
    check_refusal(session, sys_shmget(there->key, there->size + 1, 0), EINVAL, there->size + 1,
                  "more than the listener's has");
}

/* Other segments may have some of the file's keys. */
static void ask_for_what_is_not_there(struct session *session, const char *file)
{
    explain("ENOENT: no segment has the key, and without IPC_CREAT none is created.");
    int shmid, project = 255;
    do {
        key_t key = sys_ftok(file, project);
        if (key == -1)
            err(EXIT_FAILED, "ftok(\"%s\", %d)", file, project);
        shmid = sys_shmget(key, 0, 0);
    } while (shmid != -1 && --project > 0);
    check_refusal(session, shmid, ENOENT, 0, "by a key that no segment has");
}

static void attach_more_than_fits(void)
{
    explain("ENOMEM: an attachment takes address space, and RLIMIT_AS allows us no more of it.");
    enum { BYTES = 16 << 20 };
    void *address;
    int shmid = create(BYTES, &address);
    struct rlimit usual, low;
    if (getrlimit(RLIMIT_AS, &usual) == -1)
        err(EXIT_FAILED, "getrlimit(RLIMIT_AS)");
    low = (struct rlimit){.rlim_cur = BYTES, .rlim_max = usual.rlim_max};
    if (setrlimit(RLIMIT_AS, &low) == -1)
        err(EXIT_FAILED, "setrlimit(RLIMIT_AS, %d)", BYTES);
    void *again = sys_shmat(shmid, NULL, 0);
    int error = errno;
    if (setrlimit(RLIMIT_AS, &usual) == -1)
        err(EXIT_FAILED, "setrlimit(RLIMIT_AS) to its old value");
    check(again == (void *)-1 && error == ENOMEM,
          "shmat of %d bytes, under an RLIMIT_AS of as many: %s", BYTES,
          again == (void *)-1 ? calls_error_name(error) : "granted");
    detach(address);
}
