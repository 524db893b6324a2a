/* foreign.c - creates and reads a foreign segment on a key of ours, for the tests.
 *
 *     foreign make KEY SIZE MODE [TEXT]   creates one that starts with TEXT; prints its id
 *     foreign stay KEY SIZE MODE [TEXT]   the same, and runs until a signal ends it
 *     foreign show SHMID                  writes its bytes to stdout
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <unistd.h>

static char *attach(int shmid)
{
    char *bytes = shmat(shmid, NULL, 0);
    if (bytes == (void *)-1)
        err(1, "shmat(%d)", shmid);
    return bytes;
}

static void make(char **argv, const char *text)
{
    key_t key = (key_t)strtoul(argv[0], NULL, 0);
    int shmid = shmget(key, strtoul(argv[1], NULL, 10), IPC_CREAT | IPC_EXCL | 0600);
    if (shmid == -1)
        err(1, "shmget(%s, %s)", argv[0], argv[1]);
    memcpy(attach(shmid), text, strlen(text));

    struct shmid_ds about;
    if (shmctl(shmid, IPC_STAT, &about) == -1)
        err(1, "shmctl(%d, IPC_STAT)", shmid);
    about.shm_perm.mode = (unsigned short)strtol(argv[2], NULL, 8);
    if (shmctl(shmid, IPC_SET, &about) == -1)
        err(1, "shmctl(%d, IPC_SET)", shmid);
    printf("%d\n", shmid);
    fflush(stdout);
}

static void show(int shmid)
{
    struct shmid_ds about;
    if (shmctl(shmid, IPC_STAT, &about) == -1)
        err(1, "shmctl(%d, IPC_STAT)", shmid);
    fwrite(attach(shmid), 1, about.shm_segsz, stdout);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "show") == 0) {
        show(atoi(argv[2]));
        return 0;
    }
    if (argc < 5)
        errx(2, "usage: foreign make|stay KEY SIZE MODE [TEXT], or foreign show SHMID");
    make(argv + 2, argc > 5 ? argv[5] : "");
    if (strcmp(argv[1], "stay") == 0)
        pause();
    return 0;
}
