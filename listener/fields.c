/* fields.c (listener) - each call changes certain fields of struct shmid_ds, and IPC_STAT shows
 * them.
 *
 * shmctl(2) with IPC_STAT fills in a struct shmid_ds. The listener looks at it after shmget, after
 * shmat and after IPC_SET. The talker prints each of its fields.
 *
 *     listener                                talker
 *     shmget, IPC_STAT
 *     shmat, IPC_STAT
 *                                  <-------   shmat, prints all fields, SHOWN
 *     IPC_SET, IPC_STAT, SET       ------->
 *                                  <-------   shmat and shmdt, prints all fields, SHOWN_AGAIN
 *
 *     $ build/listener-fields                 $ build/talker-fields
 *
 * Level: the heart; 3 minutes; after lifetime
 * Question: Is shm_ctime the time at which the segment was created?
 * Answer: no. It is the time of the last change: IPC_SET moves it.
 * Shown by: IPC_SET: shm_ctime went from
 */
#include "../common/layout/fields.h"
#include "../common/lesson.h"
#include "../common/session.h"

#include <time.h>

static void create(struct segment *segment, const struct options *options);
static void attach(struct segment *segment);
static struct shmid_ds attach_last(struct segment *segment);
static void set_again(const struct session *session);
static struct shmid_ds ask(int shmid);
static bool second_has_passed(time_t since);

static const char *const points[] = {"created", "setting", NULL};

static const struct program program = {
    .name = "listener-fields",
    .about = "Creates a segment and shows what the kernel knows of it after each call.",
    .question = "Is shm_ctime the time at which the segment was created?",
    .points = points,
    .values = FIELDS_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    wait_block_sigusr1();
    struct session session = {.timeout = options.timeout};
    create(&session.segment, &options);
    attach(&session.segment);
    session.shared = (struct session_head *)session.segment.head;
    session_announce(&session);
    session_await_talker(&session);

    session_await(&session, SHOWN);
    set_again(&session);
    session_advance(&session, SET);
    session_await(&session, SHOWN_AGAIN);
    session_part(&session);
    return program_end();
}

static void create(struct segment *segment, const struct options *options)
{
    segment_make_file(options->file);
    segment->key = segment_key(options);
    segment_clear(segment->key);
    explain("Create the segment (IPC_EXCL), and do not attach it yet.");
    segment->size = segment_size(sizeof(struct fields));
    segment->shmid = sys_shmget(segment->key, segment->size, IPC_CREAT | IPC_EXCL | 0600);
    if (segment->shmid == -1)
        err(errno == EEXIST ? EXIT_BUSY : EXIT_FAILED,
            "shmget(%#x, %zu, IPC_CREAT | IPC_EXCL | 0600)", (unsigned)segment->key, segment->size);
    segment_remove_at_exit(segment->shmid);
    segment->creator = getpid();

    struct shmid_ds about = ask(segment->shmid);
    check(about.shm_segsz == segment->size && about.shm_nattch == 0 && about.shm_lpid == 0 &&
              about.shm_atime == 0 && about.shm_dtime == 0 && about.shm_cpid == getpid(),
          "created: %zu bytes, attached %lu times, created by PID %d, last used by PID %d%s",
          (size_t)about.shm_segsz, (unsigned long)about.shm_nattch, (int)about.shm_cpid,
          (int)about.shm_lpid, about.shm_lpid == 0 ? ", no process" : "");
    trace_point("created");
}

static void attach(struct segment *segment)
{
    explain("Attach it: the kernel notes which process did this last, and when.");
    struct shmid_ds about = attach_last(segment);
    check(about.shm_nattch == 1 && about.shm_lpid == getpid() && about.shm_atime >= about.shm_ctime,
          "attached: %lu time, last used by PID %d", (unsigned long)about.shm_nattch,
          (int)about.shm_lpid);
    segment->head->lesson = FIELDS_LESSON;
    segment->head->version = SESSION_VERSION;
}

/* A talker that comes this early attaches the segment to see whose it is, and detaches it. Then the
 * kernel has noted that process, so we attach once more. */
static struct shmid_ds attach_last(struct segment *segment)
{
    enum { VISITORS = 100 };
    for (int visitors = 0;; visitors++) {
        if (segment_attach(segment) == -1)
            err(EXIT_FAILED, "shmat(%d, NULL, 0)", segment->shmid);
        struct shmid_ds about = ask(segment->shmid);
        if ((about.shm_nattch == 1 && about.shm_lpid == getpid()) || visitors == VISITORS)
            return about;
        segment_detach(segment);
    }
}

/* shm_ctime counts whole seconds, so a second must pass before a change can be seen. */
static void set_again(const struct session *session)
{
    struct shmid_ds before = ask(session->segment.shmid);
    while (!second_has_passed(before.shm_ctime))
        session_nap(session, 0.05);

    explain("Set what is set already: shm_ctime is the time of the last change.");
    trace_point("setting");
    struct shmid_ds about = before;
    if (sys_shmctl(session->segment.shmid, IPC_SET, &about) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_SET)", session->segment.shmid);
    about = ask(session->segment.shmid);
    check(about.shm_ctime > before.shm_ctime, "IPC_SET: shm_ctime went from %lld to %lld",
          (long long)before.shm_ctime, (long long)about.shm_ctime);
}

static struct shmid_ds ask(int shmid)
{
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_STAT)", shmid);
    return about;
}

/* The kernel's clock for these times may be some milliseconds behind ours. */
static bool second_has_passed(time_t since)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec > since + 1 || (now.tv_sec > since && now.tv_nsec > 50000000);
}
