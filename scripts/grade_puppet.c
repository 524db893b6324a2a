/* grade_puppet.c - the peer: a process that does what the referee orders, one order at a time. */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "grade_game.h"
#include "grade_sandbox.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum what { CREATE, FIND, ATTACH, STORE, READ, SIGNAL, RUNG, DETACH, REMOVE };

struct order {
    enum what what;
    int64_t key;
    long a, b; /* as the order needs them: shmid, offset, mode, PID, signal */
    size_t size;
    char data[PUPPET_DATA];
};

struct reply {
    long result;
    int error;
    char data[PUPPET_DATA];
};

/* ---- in the puppet ---- */

static char *place; /* of the segment */

static long attach(long shmid)
{
    void *at = shmid == -1 ? (void *)-1 : shmat((int)shmid, NULL, 0);
    if (at == (void *)-1)
        return -1;
    place = at;
    return shmid;
}

static long take_rings(void)
{
    sigset_t usr1;
    struct timespec at_once = {0, 0};
    long count = 0;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    while (sigtimedwait(&usr1, NULL, &at_once) == SIGUSR1)
        count++;
    return count;
}

/* A word is stored in one piece, and before what is stored next. */
static void store(const struct order *order)
{
    if (order->size == sizeof(int)) {
        int word;
        memcpy(&word, order->data, sizeof word);
        __atomic_store_n((int *)(void *)(place + order->a), word, __ATOMIC_SEQ_CST);
    } else {
        memcpy(place + order->a, order->data, order->size);
    }
}

static long obey(const struct order *order, struct reply *reply)
{
    switch (order->what) {
    case CREATE:
        return attach(shmget((key_t)order->key, order->size, (int)order->a));
    case FIND:
        return attach(shmget((key_t)order->key, 0, 0));
    case ATTACH:
        return attach(order->a);
    case STORE:
        if (place)
            store(order);
        return 0;
    case READ:
        memset(reply->data, 0, order->size);
        if (place)
            memcpy(reply->data, place + order->a, order->size);
        return 0;
    case SIGNAL:
        return kill((pid_t)order->a, (int)order->b);
    case RUNG:
        return take_rings();
    case DETACH:
        shmdt(place);
        place = NULL;
        return 0;
    case REMOVE:
        return shmctl((int)order->a, IPC_RMID, NULL);
    }
    return -1;
}

static _Noreturn void be_puppet(const struct game *game, int orders)
{
    static struct order order;
    static struct reply reply;
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_SETMASK, &usr1, NULL);
    setsid();
    sandbox_drop(game);
    while (recv(orders, &order, sizeof order, 0) == (ssize_t)sizeof order) {
        errno = 0;
        reply.result = obey(&order, &reply);
        reply.error = errno;
        if (send(orders, &reply, sizeof reply, MSG_NOSIGNAL) == -1)
            break;
    }
    _exit(0);
}

/* ---- in the referee ---- */

pid_t puppet_start(struct game *game)
{
    int orders[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, orders) == -1)
        leave_open(game, "no pipe could be made: %s", strerror(errno));
    game->puppet = fork();
    if (game->puppet == -1)
        leave_open(game, "no process could be started: %s", strerror(errno));
    if (game->puppet == 0) {
        close(orders[0]);
        be_puppet(game, orders[1]);
    }
    close(orders[1]);
    game->orders = orders[0];
    return game->puppet;
}

static struct reply *tell(struct game *game, struct order *order)
{
    static struct reply reply;
    if (game->orders == -1 || send(game->orders, order, sizeof *order, MSG_NOSIGNAL) == -1 ||
        recv(game->orders, &reply, sizeof reply, 0) != (ssize_t)sizeof reply)
        leave_open(game, "the checker's own peer has died");
    return &reply;
}

static long simple(struct game *game, enum what what, long a, long b)
{
    static struct order order;
    order = (struct order){.what = what, .a = a, .b = b};
    return tell(game, &order)->result;
}

int puppet_create(struct game *game, int64_t key, size_t size, int mode)
{
    static struct order order;
    order =
        (struct order){.what = CREATE, .key = key, .size = size, .a = IPC_CREAT | IPC_EXCL | mode};
    game->shmid = (int)tell(game, &order)->result;
    game->creator = game->puppet;
    if (game->shmid == -1)
        leave_open(game, "the checker's peer could not create a segment");
    return game->shmid;
}

int puppet_find(struct game *game, int64_t key)
{
    static struct order order;
    order = (struct order){.what = FIND, .key = key};
    game->shmid = (int)tell(game, &order)->result;
    return game->shmid;
}

void puppet_attach(struct game *game, int shmid)
{
    game->shmid = (int)simple(game, ATTACH, shmid, 0);
}

void puppet_store(struct game *game, long offset, const void *data, size_t size)
{
    static struct order order;
    order = (struct order){.what = STORE, .a = offset, .size = size};
    memcpy(order.data, data, size);
    tell(game, &order);
}

void puppet_store_word(struct game *game, long offset, int word)
{
    puppet_store(game, offset, &word, sizeof word);
}

void puppet_read(struct game *game, long offset, void *data, size_t size)
{
    static struct order order;
    order = (struct order){.what = READ, .a = offset, .size = size};
    memcpy(data, tell(game, &order)->data, size);
}

int puppet_word(struct game *game, long offset)
{
    int word;
    puppet_read(game, offset, &word, sizeof word);
    return word;
}

void puppet_signal(struct game *game, int signo)
{
    if (game->puppet > 0)
        simple(game, SIGNAL, game->student, signo);
    else
        kill(game->student, signo); /* the peer has died */
}

void puppet_ring(struct game *game)
{
    game->rings++;
    simple(game, SIGNAL, game->student, SIGUSR1);
}

int puppet_rung(struct game *game)
{
    return (int)simple(game, RUNG, 0, 0);
}

void puppet_detach(struct game *game)
{
    simple(game, DETACH, 0, 0);
}

void puppet_remove(struct game *game)
{
    simple(game, REMOVE, game->shmid, 0);
}

/* It is gone when this returns: no zombie is left that kill(PID, 0) would find. */
void puppet_die(struct game *game)
{
    kill(game->puppet, SIGKILL);
    pid_t reaped;
    do
        reaped = waitpid(game->puppet, NULL, 0);
    while (reaped == -1 && errno == EINTR);
    close(game->orders);
    game->puppet = game->orders = -1;
}
