/* listed.c - the segments that the kernel lists for every user; see listed.h. */
#include "listed.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
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

/* Parts the first three fields of a line of passwd(5): the name, the password and the uid. */
static bool is_line_of(char *line, uid_t uid)
{
    char *password = strchr(line, ':');
    char *number = password ? strchr(password + 1, ':') : NULL;
    if (!number || number[1] < '0' || number[1] > '9')
        return false;
    *password = '\0';
    return strtoul(number + 1, NULL, 10) == (unsigned long)uid;
}

/* Not with getpwuid(3): a static program would need the shared C library for it. */
void listed_append_owner(char *text, size_t size, uid_t uid)
{
    char line[1024];
    FILE *users = fopen("/etc/passwd", "re");
    bool found = false;
    text_append(text, size, "its owner is ");
    while (users && !found && fgets(line, sizeof line, users))
        found = is_line_of(line, uid);
    if (found)
        text_append(text, size, "\"%s\", ", line);
    text_append(text, size, "uid %lu", (unsigned long)uid);
    if (users)
        fclose(users);
}
