/* story_signals.c - which kill was taken by which process, and when; see story.h.
 *
 * SIGUSR1 does not queue: all kills that are pending when the process takes it become one. Most
 * takings have a record. Where a lesson has a handler of its own, the kernel's rules say when it
 * ran: sigsuspend with SIGUSR1 pending and unblocked takes it.
 */
#include "story.h"

#include <stdlib.h>
#include <string.h>

/* ---- what the texts say ---- */

/* Whether the set that begins at `set`, "[USR1 ALRM]", has SIGUSR1. */
static bool has_usr1(const char *set)
{
    const char *end = strchr(set, ']');
    for (const char *at = set; end && (at = strstr(at, "USR1")) && at < end; at++)
        if ((at[-1] == '[' || at[-1] == ' ') && (at[4] == ' ' || at[4] == ']'))
            return true;
    return false;
}

static bool succeeded(const char *text)
{
    const char *result = strstr(text, ") = 0");
    return result && result[5] == '\0';
}

static void set_mask(struct setting *setting, const char *text)
{
    const char *set = strchr(text, '[');
    if (!set || !succeeded(text))
        return;
    if (strncmp(text, "sigprocmask(SIG_SETMASK", 23) == 0)
        setting->is_blocked = has_usr1(set);
    else if (has_usr1(set))
        setting->is_blocked = strncmp(text, "sigprocmask(SIG_BLOCK", 21) == 0;
}

static void set_action(struct setting *setting, const char *text)
{
    static const char first[] = "sigaction(SIGUSR1, {";
    if (strncmp(text, first, sizeof first - 1) != 0 || !succeeded(text))
        return;
    const char *handler = strchr(text + sizeof first - 1, '=');
    if (!handler)
        return;
    handler++;
    setting->is_narrated = strncmp(handler, "on_sigusr1", 10) == 0;
    setting->action = strncmp(handler, "SIG_DFL", 7) == 0   ? BY_DEFAULT
                      : strncmp(handler, "SIG_IGN", 7) == 0 ? IGNORED
                                                            : HANDLER;
}

void story_set(struct setting *setting, const struct step *step)
{
    if (step->kind != CALL)
        return;
    if (story_is_call(step, "sigprocmask"))
        set_mask(setting, story_text(step));
    if (story_is_call(step, "sigaction"))
        set_action(setting, story_text(step));
}

bool story_blocked_in(const struct setting *setting, const struct step *step)
{
    const char *text = story_text(step);
    if (story_is_call(step, "sigsuspend"))
        return has_usr1(text + strlen("sigsuspend("));
    if (story_is_call(step, "sigwaitinfo"))
        return !has_usr1(text + strlen("sigwaitinfo("));
    return setting->is_blocked;
}

/* The process with this PID. */
static int find_process(struct story *story, int pid)
{
    static struct {
        int pid, process;
    } known[256];
    unsigned slot = (unsigned)pid % (sizeof known / sizeof *known);
    if (known[slot].pid == pid)
        return known[slot].process;
    known[slot].pid = pid;
    known[slot].process = -1;
    for (int i = 0; i < story->process_count; i++)
        if (story->processes[i].pid == pid)
            known[slot].process = i;
    return known[slot].process;
}

int story_kill_target(struct story *story, const struct step *step, char signal[16])
{
    const char *text = story_text(step);
    bool is_queued = story_is_call(step, "sigqueue");
    if (step->kind != CALL || !(story_is_call(step, "kill") || is_queued) || !succeeded(text))
        return -1;
    char *rest;
    long pid = strtol(strchr(text, '(') + 1, &rest, 10);
    size_t length = strspn(rest, ", ");
    rest += length;
    length = strcspn(rest, ",)");
    if (pid < 1 || pid > 0x7fffffff || length == 0 || length > 15 || strncmp(rest, "SIG", 3) != 0)
        return -1;
    memcpy(signal, rest, length);
    signal[length] = '\0';
    return find_process(story, (int)pid);
}

/* ---- the queue of each process ---- */

struct queue {
    int *kills;   /* steps that sent SIGUSR1 to the process */
    int *takings; /* steps that took it */
    int kill_count, taking_count, taken;
    struct setting setting;
    int last_taking_record; /* the last step, if it has a record of a taking, else 0 */
    int maybe, maybe_kills; /* a call that takes what is pending, unless a record follows it */
};

static struct queue *queues;

static void append(int **list, int *count, int value)
{
    if ((*count & (*count - 1)) == 0)
        *list = story_more_room(*list, *count ? 2 * (size_t)*count : 1, sizeof **list);
    (*list)[(*count)++] = value;
}

/* A kill is stamped before it sends. So a kill that we gave to the taking before may have arrived
 * after it: then this taking is of that one. */
static void borrow_kill(struct story *story, struct queue *queue)
{
    enum { FAR = 64 };
    int first = queue->taking_count - 1;
    for (int n = 0; first >= 0 && n < FAR; first--, n++) {
        const struct step *taking = &story->steps[queue->takings[first]];
        if (taking->to - taking->from > 1)
            break;
        if (taking->to == taking->from)
            return; /* its sender is in no trace */
    }
    if (first < 0 || queue->taking_count - first > FAR)
        return;
    for (int i = first; i < queue->taking_count; i++) {
        struct step *taking = &story->steps[queue->takings[i]];
        if (i > first)
            taking->from--;
        taking->to--;
    }
    queue->taken--;
}

/* The step takes the kills up to `count` that nobody took. */
static void take(struct story *story, struct queue *queue, int step, int count)
{
    if (queue->taken == count && count == queue->kill_count)
        borrow_kill(story, queue);
    story->steps[step].takes = true;
    story->steps[step].from = queue->taken;
    story->steps[step].to = count;
    queue->taken = count;
    append(&queue->takings, &queue->taking_count, step);
}

/* Whether a call that sleeps, and that has ended, took SIGUSR1 if it was pending. */
static bool lets_it_in(const struct queue *queue, const struct step *step)
{
    const char *text = story_text(step);
    if (story_is_call(step, "sigwaitinfo"))
        return strstr(text, "si_signo=SIGUSR1") != NULL;
    if (!story_is_call(step, "sigsuspend") && !story_is_call(step, "pause"))
        return false;
    return queue->setting.action == HANDLER && !story_blocked_in(&queue->setting, step) &&
           strstr(text, ") = -1 EINTR");
}

static void take_without_record(struct story *story, struct queue *queue, int number)
{
    const struct step *step = &story->steps[number];
    if (queue->maybe && !step->takes && queue->taken < queue->maybe_kills)
        take(story, queue, queue->maybe, queue->maybe_kills);
    queue->maybe = 0;
    const struct setting *setting = &queue->setting;
    bool is_at_once = !setting->is_blocked && setting->action == HANDLER && !setting->is_narrated;
    if (step->takes || queue->taken == queue->kill_count)
        return;
    if (step->kind == WAKE && lets_it_in(queue, step) &&
        !(queue->last_taking_record > step->partner))
        take(story, queue, number, queue->kill_count);
    else if (step->kind == CALL && lets_it_in(queue, step)) {
        queue->maybe = number;
        queue->maybe_kills = queue->kill_count;
    } else if (is_at_once && step->kind != WAKE)
        take(story, queue, number, queue->kill_count);
}

static void send(struct story *story, int number, int target, const char *signal)
{
    struct step *step = &story->steps[number];
    struct process *process = &story->processes[target];
    struct queue *queue = &queues[target];
    const struct setting *setting = &queue->setting;
    bool has_gone = process->last < number && !process->has_end;
    if (process->killed_by || (process->last < number && process->has_end)) {
        step->fate = LOST_ENDED;
    } else if (has_gone && (strcmp(signal, "SIGKILL") == 0 ||
                            (strcmp(signal, "SIGUSR1") == 0 && !setting->is_blocked &&
                             setting->action == BY_DEFAULT))) {
        process->killed_by = number;
        memcpy(process->killed_how, signal, strlen(signal) + 1);
        if (strcmp(signal, "SIGUSR1") == 0)
            step->fate = LOST_DEATH;
    } else if (strcmp(signal, "SIGUSR1") == 0) {
        if (setting->action == IGNORED && !setting->is_blocked)
            step->fate = LOST_IGNORED;
        else
            append(&queue->kills, &queue->kill_count, number);
    }
}

static void settle(struct story *story, const struct queue *queue)
{
    for (int i = 0; i < queue->taking_count; i++) {
        const struct step *taking = &story->steps[queue->takings[i]];
        for (int kill = taking->from; kill < taking->to; kill++)
            story->steps[queue->kills[kill]].cause = queue->takings[i];
    }
    bool has_end = story->processes[queue - queues].has_end;
    for (int kill = queue->taken; kill < queue->kill_count; kill++)
        story->steps[queue->kills[kill]].fate = has_end ? LEFT_PENDING : LEFT_UNKNOWN;
}

void story_match_signals(struct story *story)
{
    queues = story_room((size_t)story->process_count, sizeof *queues);
    for (int i = 1; i <= story->step_count; i++) {
        struct step *step = &story->steps[i];
        struct queue *queue = &queues[step->process];
        int parent = story->processes[step->process].parent;
        if (story->processes[step->process].first == i && parent >= 0)
            queue->setting = queues[parent].setting; /* a child inherits both */
        char signal[16];
        int target = story_kill_target(story, step, signal);
        if (target >= 0)
            send(story, i, target, signal);
        story_set(&queue->setting, step);
        take_without_record(story, queue, i);
        if (step->takes && step->kind == TAKEN)
            take(story, queue, i, queue->kill_count);
        if (step->kind == TAKEN)
            queue->last_taking_record = i;
    }
    for (int i = 0; i < story->process_count; i++)
        settle(story, &queues[i]);
}

int story_kills_taken(const struct step *step, const int **kills)
{
    *kills = step->takes ? queues[step->process].kills + step->from : NULL;
    return step->takes ? step->to - step->from : 0;
}
