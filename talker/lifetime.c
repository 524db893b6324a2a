/* lifetime.c (talker) - finds the text of a process that has exited, and removes the segment.
 *
 * The other half of listener/lifetime.c, which tells the story and is started first. We detach
 * before the listener exits, so that for a while nobody has the segment attached; and come back by
 * its key, as any later process would. What we show is what `ipcs -m -i SHMID` shows.
 *
 *     $ build/listener-lifetime               $ build/talker-lifetime
 */
#include "../common/pairs/lifetime.h"
#include "../common/claim.h"
#include "../common/lines.h"
#include "../common/sys.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const points[] = {"nobody", NULL};

static const struct program program = {
    .name = "talker-lifetime",
    .usage = "[options]",
    .about = "Shows all that the kernel knows of a segment, before and after its creator has gone.",
    .points = points,
};

static const char *clock_of(time_t when, char text[16])
{
    struct tm tm;
    if (when == 0)
        return "never";
    localtime_r(&when, &tm);
    strftime(text, 16, "%H:%M:%S", &tm);
    return text;
}

/* All of it, under the names of its fields. */
static struct shmid_ds show(const char *when, int shmid)
{
    struct shmid_ds about;
    char atime[16], dtime[16], ctime[16];
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(1, "shmctl(%d, IPC_STAT)", shmid);
    const struct ipc_perm *perm = &about.shm_perm;
    lines_print("%s: key %#x, uid %u, gid %u, cuid %u, cgid %u, mode %#o", when,
                (unsigned)sys_key_of(&about), (unsigned)perm->uid, (unsigned)perm->gid,
                (unsigned)perm->cuid, (unsigned)perm->cgid, (unsigned)perm->mode);
    lines_print("%s: shm_segsz %zu, shm_nattch %lu, shm_cpid %d, shm_lpid %d", when,
                (size_t)about.shm_segsz, (unsigned long)about.shm_nattch, (int)about.shm_cpid,
                (int)about.shm_lpid);
    lines_print("%s: shm_atime %s, shm_dtime %s, shm_ctime %s", when,
                clock_of(about.shm_atime, atime), clock_of(about.shm_dtime, dtime),
                clock_of(about.shm_ctime, ctime));
    return about;
}

static void copy_text(char text[LIFETIME_TEXT], const struct lifetime *shared)
{
    memcpy(text, shared->text, LIFETIME_TEXT);
    text[LIFETIME_TEXT - 1] = '\0';
    narrate_observe_text("text", text, strlen(text));
}

static void look_before(struct meet *meet, char text[LIFETIME_TEXT])
{
    meet_await(meet, LIFETIME_WRITTEN);
    copy_text(text, (struct lifetime *)meet->shared);
    explain("ask the kernel for all that it knows, while both are attached");
    struct shmid_ds about = show("before", meet->segment.shmid);
    claim(about.shm_nattch == 2 && about.shm_cpid == meet->peer && about.shm_lpid == getpid(),
          "attached %lu times, created by PID %d (the listener is %d), last used by PID %d (we are "
          "%d)",
          (unsigned long)about.shm_nattch, (int)about.shm_cpid, (int)meet->peer,
          (int)about.shm_lpid, (int)getpid());
    meet_advance(meet, LIFETIME_LOOKED);
}

static void outlive(struct meet *meet)
{
    int shmid = meet->segment.shmid;
    meet_await(meet, LIFETIME_LEAVING);
    explain("take over the duty to remove it, then detach: the listener will do neither");
    segment_remove_at_exit(shmid);
    meet_advance(meet, LIFETIME_HEIR);
    segment_detach(&meet->segment);
    meet_await_attached(meet, 0);
    narrate_point("nobody");
    struct shmid_ds about = show("after", shmid);
    claim(about.shm_nattch == 0 && about.shm_lpid == meet->peer && about.shm_cpid == meet->peer,
          "attached %lu times: the last detach was the exit of PID %d (the listener was %d)",
          (unsigned long)about.shm_nattch, (int)about.shm_lpid, (int)meet->peer);
}

static void inherit(struct meet *meet, const char *before)
{
    int shmid = meet->segment.shmid;
    explain("come as a later process would: by the key, and find what was left");
    int found = sys_shmget(meet->segment.key, 0, 0);
    if (!claim(found == shmid, "key %#x still leads to segment %d", (unsigned)meet->segment.key,
               found))
        return;
    if (segment_attach(&meet->segment) == -1)
        err(1, "shmat(%d, NULL, 0)", shmid);
    char text[LIFETIME_TEXT];
    copy_text(text, (struct lifetime *)meet->segment.head);
    claim(strcmp(text, before) == 0, "the text is still there: \"%s\"", text);
    segment_detach(&meet->segment);
    struct shmid_ds about = show("at last", shmid);
    claim(about.shm_nattch == 0 && about.shm_lpid == getpid(), "last used by PID %d (we are %d)",
          (int)about.shm_lpid, (int)getpid());
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, &program);
    wakeup_block();
    struct meet meet;
    meet_find(&meet, &options, LIFETIME_LESSON, sizeof(struct lifetime));
    char text[LIFETIME_TEXT];
    look_before(&meet, text);
    outlive(&meet);
    inherit(&meet, text);

    explain("remove it: this alone ends its life");
    struct shmid_ds about;
    if (segment_remove(&meet.segment) == -1)
        err(1, "shmctl(%d, IPC_RMID)", meet.segment.shmid);
    int result = sys_shmctl(meet.segment.shmid, IPC_STAT, &about);
    claim(result == -1 && (errno == EINVAL || errno == EIDRM), "removed: IPC_STAT says %s",
          result == 0 ? "that it is still there" : sys_error_name(errno));
    wakeup_end();
    return claim_status();
}
