/* posix.c (listener) - the handshake over POSIX shared memory: a name for a key, a descriptor for
 * an id.
 *
 * `diff` it with listener/handshake.c: the rules are the same (the magic last, the state after the
 * text, block, check, sleep, check), and so are the signals; the calls are not. shm_open finds an
 * object by its name, and gives a descriptor; ftruncate gives it a size, mmap an address;
 * shm_unlink removes the name. On Linux an object is a file in /dev/shm, and ipcs knows nothing of
 * it. It stays when everybody has left, as a segment does. What there is none of is shm_nattch and
 * shm_cpid: who created it and who has it, the kernel does not count; so our PID stands in the
 * object, and a peer is gone when /proc/PID/maps names the object no more (or, without a /proc,
 * when kill finds nobody).
 *
 *     $ build/listener-posix                  $ build/talker-posix "Hello"
 *     listener: waiting for a talker ...      talker: said: Hello
 *     listener: received: Hello               talker: listener said: Have a nice day
 *     listener: replied: Have a nice day
 *
 * Question: Does ipcs list a POSIX shared memory object?
 */
#include "../common/layout/posix.h"
#include "../common/lesson.h"
#include "../common/segment.h"
#include "../common/ending.h"
#include "../common/posix_shm.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const struct program program = {
    .name = "listener-posix",
    .about = "Waits for one message, and answers it, in POSIX shared memory.",
};

/* Where an object is to be seen, and where not. */
static void look_around(const struct posix *object)
{
    explain("look where an object can be seen: as a file, and not among the segments");
    char path[64], line[256];
    struct stat ours, named;
    snprintf(path, sizeof path, "/dev/shm%s", object->name);
    FILE *segments = fopen("/proc/sysvipc/shm", "r");
    if (!segments || sys_fstat(object->fd, &ours) == -1 || stat(path, &named) == -1) {
        say("skipped: here neither objects nor segments are to be seen as in Linux");
        if (segments)
            fclose(segments);
        return;
    }
    check(ours.st_ino == named.st_ino, "descriptor %d is the file %s, of %lld bytes", object->fd,
          path, (long long)ours.st_size);
    int count = 0, of_ours = 0, creator, attached;
    while (fgets(line, sizeof line, segments))
        if (sscanf(line, "%*s %*s %*s %*s %d %*s %d", &creator, &attached) == 2) {
            count++;
            of_ours += creator == getpid() && attached > 0;
        }
    fclose(segments);
    check(of_ours == 0, "of the %d segments that ipcs lists, %d are ours", count, of_ours);
}

/* Nobody has it mapped, nor open; it is found by its name, and holds what was left in it. */
static void look_again(const struct posix *object, size_t size)
{
    explain("open it by its name again, and read what the last conversation has left there");
    int fd = sys_shm_open(object->name, O_RDWR, 0);
    if (fd == -1)
        err(1, "shm_open(\"%s\", O_RDWR)", object->name);
    struct posix *shared = sys_mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        err(1, "mmap(NULL, %zu, PROT_READ, MAP_SHARED, %d, 0)", size, fd);
    check(strcmp(shared->text, "Have a nice day") == 0, "left by both, %s still holds: %.*s",
          object->name, POSIX_TEXT, shared->text);
    sys_munmap(shared, size);
    sys_close(fd);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);

    explain(
        "block SIGUSR1 before anyone can know our PID: an early one then waits, and kills nobody");
    sigset_t usr1, none;
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    if (sys_sigprocmask(SIG_BLOCK, &usr1, NULL) == -1)
        err(1, "sigprocmask(SIG_BLOCK, [SIGUSR1])");

    explain("give SIGUSR1 a handler: what it does by default is kill us");
    struct sigaction action = {.sa_sigaction = on_sigusr1, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    if (sys_sigaction(SIGUSR1, &action, NULL) == -1)
        err(1, "sigaction(SIGUSR1)");

    explain(
        "let Ctrl-C end any wait, and let a tick look after the peer: nobody waits for the dead");
    wakeup_guard();

    explain("make the key that the talker can make as well: same file, same project, same key");
    key_t key = segment_key(options.file, options.project, true);
    if (key == -1)
        err(1, "ftok(\"%s\", %d): cannot make or reach the key file", options.file,
            options.project);

    explain("create the object new (O_EXCL): one that is there already may be somebody's");
    struct posix object;
    posix_shm_name(object.name, key);
    object.fd = sys_shm_open(object.name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (object.fd == -1 && errno == EEXIST) {
        posix_shm_clear(object.name, sizeof(struct posix));
        object.fd = sys_shm_open(object.name, O_RDWR | O_CREAT | O_EXCL, 0600);
    }
    if (object.fd == -1)
        err(errno == EEXIST ? 4 : 1, "shm_open(\"%s\", O_RDWR | O_CREAT | O_EXCL, 0600)",
            object.name);
    posix_shm_remove_at_exit(&object);

    explain("give it a size: where a segment is born with one, an object is born empty");
    size_t size = sizeof(struct posix);
    if (sys_ftruncate(object.fd, (off_t)size) == -1)
        err(1, "ftruncate(%d, %zu)", object.fd, size);

    explain("map it where the kernel likes (NULL); failure is MAP_FAILED, and not NULL");
    struct posix *shared = sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, object.fd, 0);
    if (shared == MAP_FAILED)
        err(1, "mmap(NULL, %zu, ..., %d, 0)", size, object.fd);

    explain("say who has created it: the kernel keeps no shm_cpid of an object");
    publish(&shared->object.creator, (int)getpid());

    explain("store the magic last: the object was born as zeros, and this opens the door");
    shared->object.head.lesson = POSIX_LESSON;
    publish(&shared->object.head.magic, SEGMENT_MAGIC);
    say("waiting for a talker (pid %d, key %#x, name %s)", (int)getpid(), (unsigned)key,
                object.name);

    look_around(&object);

    explain("close the descriptor: what is mapped stays mapped");
    if (sys_close(object.fd) == -1)
        err(1, "close(%d)", object.fd);

    explain("sleep until something is said: check, sleep, check again, and no signal is missed");
    struct wait wait = {.timeout = options.timeout};
    pid_t talker = 0;
    bool gone = false;
    while (observe(&shared->state) != SAID) {
        if (gone)
            errx(3, "the talker (PID %d) went away", (int)talker);
        sys_sigsuspend(&none);
        if (wakeup_look(&wait) == WAIT_LATE)
            errx(3, "no word from a talker within %g seconds: gave up", options.timeout);
        talker = (pid_t)atomic_load(&shared->talker);
        gone = talker != 0 && posix_shm_is_gone(&object, talker);
    }

    explain("copy the text, and terminate the copy ourselves: it comes from another process");
    char text[POSIX_TEXT];
    memcpy(text, shared->text, sizeof text);
    text[sizeof text - 1] = '\0';
    trace_observe_text("text", text, strlen(text));
    say_bytes(text, strlen(text), "listener: received: ");

    explain("a PID from the object is only a claim: the kernel must confirm it before we ring");
    talker = observe(&shared->talker);
    if (!posix_shm_has_mapped(&object, talker))
        errx(3, "the talker (PID %d) went away", (int)talker);

    explain("leave the reply first, and the state after it: whoever sees ANSWERED sees the reply");
    strcpy(text, "Have a nice day");
    strcpy(shared->text, text);
    trace_publish_text("text", text, strlen(text));
    publish(&shared->state, ANSWERED);

    explain("ring; a talker that looked before we rang has its answer, and may have left already");
    if (sys_kill(talker, SIGUSR1) == -1 && errno != ESRCH)
        err(1, "kill(%d, SIGUSR1) to the talker", (int)talker);
    say_bytes(text, strlen(text), "listener: replied: ");

    explain("unmap, and wait until the talker has as well: then nobody has the object any more");
    if (sys_munmap(shared, size) == -1)
        err(1, "munmap(%p, %zu)", (void *)shared, size);
    wait = (struct wait){.timeout = options.timeout};
    while (!posix_shm_is_gone(&object, talker)) {
        sys_sigsuspend(&none);
        if (wakeup_look(&wait) == WAIT_LATE)
            errx(3, "the talker (PID %d) did not leave within %g seconds: gave up", (int)talker,
                 options.timeout);
    }
    look_again(&object, size);

    explain(
        "remove it: an object outlives its processes until somebody removes it, as segments do");
    if (sys_shm_unlink(object.name) == -1)
        err(1, "shm_unlink(\"%s\")", object.name);
    posix_shm_forget();
    int fd = sys_shm_open(object.name, O_RDWR, 0);
    check(fd == -1 && errno == ENOENT, "after shm_unlink, shm_open: %s",
          fd == -1 ? calls_error_name(errno) : "still there");
    return program_end();
}
