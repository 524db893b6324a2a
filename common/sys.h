/* sys.h - every system call of the lessons: called, narrated, returned raw.
 *
 * sys_NAME takes what NAME takes, does what NAME does, and returns what NAME returns, errno
 * included. It never exits: the lesson checks, in the open. With -v it also tells the call as
 * strace would; the signal calls go by their POSIX names.
 *
 * ftok(3) is no system call, but the lessons begin with it.
 */
#ifndef SYS_H
#define SYS_H

#include "narrate.h"

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

/* Semaphores, as something to measure against. semctl(2) leaves the definition of its last argument
 * to the program. */
union sys_semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};
int sys_semget(key_t key, int count, int flags);
int sys_semop(int semid, struct sembuf *operations, size_t count);
int sys_semctl(int semid, int number, int command, union sys_semun argument);

/* POSIX shared memory, which comes as a descriptor. */
int sys_shm_open(const char *name, int flags, mode_t mode);
int sys_shm_unlink(const char *name);
int sys_ftruncate(int fd, off_t size);
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
int sys_execvp(const char *file, char *const arguments[]); /* told as it begins */
int sys_setitimer(const struct itimerval *value); /* ITIMER_REAL; the old value is not asked for */

/* The key in it, whose field has another name in each libc. */
key_t sys_key_of(const struct shmid_ds *about);

/* The name of an errno, as "EINVAL"; where we know none, what strerror(3) says. */
const char *sys_error_name(int error);

/* The name of a signal, as "SIGUSR1"; where we know none, what strsignal(3) says. */
const char *sys_signal_name(int signo);

/* Whether --hold may name it: one of the calls above, without its sys_. */
bool sys_is_call(const char *name);

#ifndef IN_COMMON
#define sys_ftok(path, project)             AT_LESSON(sys_ftok(path, project))
#define sys_shmget(key, size, flags)        AT_LESSON(sys_shmget(key, size, flags))
#define sys_shmat(shmid, address, flags)    AT_LESSON(sys_shmat(shmid, address, flags))
#define sys_shmdt(address)                  AT_LESSON(sys_shmdt(address))
#define sys_shmctl(shmid, command, about)   AT_LESSON(sys_shmctl(shmid, command, about))
#define sys_semget(key, count, flags)       AT_LESSON(sys_semget(key, count, flags))
#define sys_semop(semid, operations, count) AT_LESSON(sys_semop(semid, operations, count))
#define sys_semctl(semid, number, command, argument)                                               \
    AT_LESSON(sys_semctl(semid, number, command, argument))
#define sys_shm_open(name, flags, mode) AT_LESSON(sys_shm_open(name, flags, mode))
#define sys_shm_unlink(name)            AT_LESSON(sys_shm_unlink(name))
#define sys_ftruncate(fd, size)         AT_LESSON(sys_ftruncate(fd, size))
#define sys_fstat(fd, about)            AT_LESSON(sys_fstat(fd, about))
#define sys_mmap(address, size, protection, flags, fd, offset)                                     \
    AT_LESSON(sys_mmap(address, size, protection, flags, fd, offset))
#define sys_munmap(address, size)         AT_LESSON(sys_munmap(address, size))
#define sys_close(fd)                     AT_LESSON(sys_close(fd))
#define sys_read(fd, bytes, size)         AT_LESSON(sys_read(fd, bytes, size))
#define sys_write(fd, bytes, size)        AT_LESSON(sys_write(fd, bytes, size))
#define sys_sigprocmask(how, set, old)    AT_LESSON(sys_sigprocmask(how, set, old))
#define sys_sigaction(signo, action, old) AT_LESSON(sys_sigaction(signo, action, old))
#define sys_sigsuspend(mask)              AT_LESSON(sys_sigsuspend(mask))
#define sys_sigwaitinfo(set, info)        AT_LESSON(sys_sigwaitinfo(set, info))
#define sys_pause()                       AT_LESSON(sys_pause())
#define sys_sigqueue(pid, signo, value)   AT_LESSON(sys_sigqueue(pid, signo, value))
#define sys_kill(pid, signo)              AT_LESSON(sys_kill(pid, signo))
#define sys_fork()                        AT_LESSON(sys_fork())
#define sys_execvp(file, arguments)       AT_LESSON(sys_execvp(file, arguments))
#define sys_setitimer(value)              AT_LESSON(sys_setitimer(value))
#endif

#endif
