/* calls.h - the system calls of the lessons: made, narrated as strace writes them, returned raw.
 *
 * sys_NAME takes what NAME takes, does what NAME does, and returns what NAME returns, errno
 * included. It never exits: the lesson checks the result in the open. The signal calls are narrated
 * under their POSIX names. ftok(3) is a library function, but every lesson begins with it.
 */
#ifndef CALLS_H
#define CALLS_H

#include "trace.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>

key_t sys_ftok(const char *path, int project);

int sys_shmget(key_t key, size_t size, int flags);
void *sys_shmat(int shmid, const void *address, int flags);
int sys_shmdt(const void *address);
int sys_shmctl(int shmid, int command, struct shmid_ds *about);

/* Called with the id after sys_shmctl(id, IPC_RMID) has removed a segment. NULL: nothing is. */
extern void (*calls_on_removal)(int shmid);

/* Semaphores, to measure against. semctl(2): the program has to define this union itself. */
union sys_semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};
int sys_semget(key_t key, int count, int flags);
int sys_semop(int semid, struct sembuf *operations, size_t count);
int sys_semctl(int semid, int number, int command, union sys_semun argument);

/* POSIX shared memory. */
int sys_shm_open(const char *name, int flags, mode_t mode);
int sys_shm_unlink(const char *name);
int sys_ftruncate(int fd, off_t size);
int sys_posix_fallocate(int fd, off_t offset, off_t size); /* returns an errno, 0: done */
int sys_fstat(int fd, struct stat *about);
void *sys_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
int sys_munmap(void *address, size_t size);
int sys_close(int fd);

ssize_t sys_read(int fd, void *bytes, size_t size);
ssize_t sys_write(int fd, const void *bytes, size_t size);

int sys_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int sys_sigaction(int signo, const struct sigaction *action, struct sigaction *old);
int sys_sigsuspend(const sigset_t *mask);
int sys_sigwaitinfo(const sigset_t *set, siginfo_t *info);
int sys_pause(void);
int sys_sigqueue(pid_t pid, int signo, union sigval value);
int sys_kill(pid_t pid, int signo);
pid_t sys_fork(void);
int sys_execvp(const char *file, char *const arguments[]); /* narrated before it is made */
int sys_setitimer(const struct itimerval *value); /* ITIMER_REAL; the old value is not returned */

/* The key of a segment: its field has another name in each libc. */
key_t calls_key_of(const struct shmid_ds *about);

/* The name of an errno: "EINVAL". Where we do not know it, the text of strerror(3). */
const char *calls_error_name(int error);

/* Whether `name` is one of the calls above, without its sys_: --hold may name it. */
bool calls_has(const char *name);

#endif
