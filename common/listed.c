/* listed.c - the segments that the kernel lists for every user; see listed.h. */
#include "listed.h"
#include "text.h"

#include <pwd.h>
#include <unistd.h>

FILE *listed_open(void)
{
    return fopen("/proc/sysvipc/shm", "re");
}

bool listed_next(FILE *list, struct listed *segment)
{
    char line[256];
    while (fgets(line, sizeof line, list)) {
        int key, creator;
        unsigned owner;
        if (sscanf(line, "%d %d %*o %lu %d %*d %*u %u", &key, &segment->shmid, &segment->size,
                   &creator, &owner) != 5)
            continue; /* the headings */
        segment->key = key;
        segment->creator = creator;
        segment->owner = owner;
        return true;
    }
    return false;
}

bool listed_find(int shmid, struct listed *segment)
{
    FILE *list = listed_open();
    bool found = false;
    while (list && !found && listed_next(list, segment))
        found = segment->shmid == shmid;
    if (list)
        fclose(list);
    return found;
}

bool listed_directory(pid_t pid, char *directory, size_t size)
{
    char link[48];
    snprintf(link, sizeof link, "/proc/%d/cwd", (int)pid);
    ssize_t length = readlink(link, directory, size - 1);
    directory[length > 0 ? length : 0] = '\0';
    return length > 0;
}

void listed_append_owner(char *text, size_t size, uid_t uid)
{
    const struct passwd *user = getpwuid(uid);
    text_append(text, size, "its owner is ");
    if (user)
        text_append(text, size, "\"%s\", ", user->pw_name);
    text_append(text, size, "uid %lu", (unsigned long)uid);
}
