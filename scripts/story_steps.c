/* story_steps.c - records to steps, in causal order; see story.h.
 *
 * The order is that of the time at which each record began. It never puts an effect before its
 * cause: publish and kill are stamped before they happen, observe and the taking after.
 */
#include "story.h"

#include <stdlib.h>
#include <string.h>

const char *story_text(const struct step *step)
{
    return step->record->text;
}

bool story_is_call(const struct step *step, const char *name)
{
    size_t length = strlen(name);
    const struct record *record = step->record;
    return record->kind == CALL && strncmp(record->text, name, length) == 0 &&
           record->text[length] == '(';
}

bool story_has_left(const struct step *step)
{
    const char *result = strstr(story_text(step), ") = ?");
    return step->record->kind == CALL && strncmp(story_text(step), "exec", 4) == 0 && result &&
           result[5] == '\0';
}

/* ---- processes, by their first records: the order of the files must not matter ---- */

static int compare_processes(const void *a, const void *b)
{
    const struct process *p = a, *q = b;
    if (p->began != q->began)
        return p->began < q->began ? -1 : 1;
    if (p->pid != q->pid)
        return p->pid < q->pid ? -1 : 1;
    return strcmp(p->name, q->name);
}

static void order_processes(struct story *story)
{
    int *position = story_room((size_t)story->process_count, sizeof *position);
    qsort(story->processes, (size_t)story->process_count, sizeof *story->processes,
          compare_processes);
    for (int i = 0; i < story->process_count; i++)
        position[story->processes[i].index] = i;
    for (int i = 0; i < story->record_count; i++)
        story->records[i].process = position[story->records[i].process];
    free(position);
}

/* ---- steps ---- */

static int compare_steps(const void *a, const void *b)
{
    const struct step *s = a, *t = b;
    if (s->at != t->at)
        return s->at < t->at ? -1 : 1;
    if (s->process != t->process)
        return s->process < t->process ? -1 : 1;
    return s->before < t->before ? -1 : s->before > t->before;
}

/* These sleep until a signal comes. The others in the list may return at once. */
static bool waits_for_a_signal(const struct step *step)
{
    return story_is_call(step, "sigsuspend") || story_is_call(step, "pause") ||
           story_is_call(step, "sigwaitinfo");
}

static bool may_sleep(const struct step *step)
{
    static const char *const names[] = {
        "nanosleep", "clock_nanosleep", "wait",  "waitpid",        "wait4",      "waitid",
        "select",    "pselect",         "poll",  "ppoll",          "epoll_wait", "epoll_pwait",
        "semop",     "semtimedop",      "read",  "write",          "open",       "openat",
        "flock",     "sigtimedwait",    "sleep", "rt_sigtimedwait"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (story_is_call(step, names[i]))
            return true;
    return waits_for_a_signal(step);
}

/* Whether another process did something during the call, or the call took long. */
static bool slept(const struct step *step, const struct step *next)
{
    enum { LONG = 1000000 }; /* a sleep that no trace of a peer shows */
    const struct record *record = step->record;
    if (!may_sleep(step))
        return false;
    return (next && next->process != step->process && next->at < record->began + record->took) ||
           record->took >= LONG;
}

static void sort_steps(struct story *story)
{
    qsort(story->steps + 1, (size_t)story->step_count, sizeof *story->steps, compare_steps);
}

static void make_steps(struct story *story)
{
    int *before = story_room((size_t)story->process_count, sizeof *before);
    story->steps = story_room(2 * (size_t)story->record_count + 1, sizeof *story->steps);
    for (int i = 0; i < story->record_count; i++) {
        const struct record *record = &story->records[i];
        story->steps[++story->step_count] =
            (struct step){.at = record->began,
                          .record = record,
                          .process = record->process,
                          .before = before[record->process],
                          .kind = record->kind,
                          .takes = record->kind == TAKEN && strstr(record->text, " SIGUSR1 ")};
        before[record->process] += 2;
    }
    free(before);
    sort_steps(story);
}

/* A wake stands after the signals that the process took as its sleep ended: they are narrated
 * after the call, by the process that woke up. */
static void add_wakes(struct story *story)
{
    int count = story->step_count;
    int *open = story_room((size_t)story->process_count, sizeof *open); /* wakes that may move on */
    for (int i = 1; i <= count; i++) {
        struct step *step = &story->steps[i];
        int *wake = &open[step->process];
        if (*wake && step->kind == TAKEN) {
            story->steps[*wake].before = step->before + 1;
            if (story->steps[*wake].at < step->at)
                story->steps[*wake].at = step->at;
        } else {
            if (*wake && story->steps[*wake].at > step->at)
                story->steps[*wake].at = step->at; /* whatever its duration says */
            *wake = 0;
        }
        if (!slept(step, i < count ? step + 1 : NULL))
            continue;
        *wake = ++story->step_count;
        story->steps[*wake] = *step;
        story->steps[*wake].kind = WAKE;
        story->steps[*wake].at += step->record->took;
        story->steps[*wake].before++;
        step->kind = SLEEP;
    }
    free(open);
    sort_steps(story);
}

static void pair_sleeps(struct story *story)
{
    int *asleep = story_room((size_t)story->process_count, sizeof *asleep);
    for (int i = 1; i <= story->step_count; i++) {
        struct step *step = &story->steps[i];
        if (step->kind == SLEEP)
            asleep[step->process] = i;
        if (step->kind == WAKE) {
            step->partner = asleep[step->process];
            story->steps[step->partner].partner = i;
        }
    }
    free(asleep);
}

/* After a publish_if that another process forestalled stands a note that says so. */
static void withdraw_publishes(struct story *story)
{
    int *last = story_room((size_t)story->process_count, sizeof *last);
    for (int i = 1; i <= story->step_count; i++) {
        struct step *step = &story->steps[i], *publish = &story->steps[last[step->process]];
        if (step->kind == NOTE && strncmp(story_text(step), "not published", 13) == 0 &&
            last[step->process] && publish->kind == PUBLISH)
            publish->kind = NOTE;
        last[step->process] = i;
    }
    free(last);
}

/* Steps that turned out to be none are taken out: the numbers have no gaps. */
static void drop_steps(struct story *story)
{
    int kept = 0;
    for (int i = 1; i <= story->step_count; i++)
        if (story->steps[i].kind != DROPPED)
            story->steps[++kept] = story->steps[i];
    story->step_count = kept;
}

/* A sleep with SIGUSR1 pending returns at once: it is one step, and the process did not sleep. */
static void undo_no_sleeps(struct story *story)
{
    long long *rung = story_room((size_t)story->process_count, sizeof *rung);
    bool *pending = story_room((size_t)story->process_count, sizeof *pending);
    struct setting *setting = story_room((size_t)story->process_count, sizeof *setting);
    for (int i = 1; i <= story->step_count; i++) {
        struct step *step = &story->steps[i];
        story_set(&setting[step->process], step);
        char signal[16];
        int target = story_kill_target(story, step, signal);
        if (target >= 0 && strcmp(signal, "SIGUSR1") == 0 && !pending[target]) {
            rung[target] = step->at + step->record->took;
            pending[target] = true;
        }
        if (step->takes)
            pending[step->process] = false;
        if (step->kind == SLEEP && waits_for_a_signal(step) && pending[step->process] &&
            rung[step->process] < step->at && !story_blocked_in(&setting[step->process], step)) {
            step->kind = CALL;
            story->steps[step->partner].kind = DROPPED;
        }
    }
    free(rung);
    free(pending);
    free(setting);
    drop_steps(story);
    pair_sleeps(story);
}

static void find_parents(struct story *story)
{
    int *forks = story_room((size_t)story->process_count, sizeof *forks);
    for (int i = 1; i <= story->step_count; i++) {
        const struct step *step = &story->steps[i];
        struct process *process = &story->processes[step->process];
        if (!process->first)
            process->first = i;
        process->last = i;
        process->has_end |= step->kind == END;
        if (!story_is_call(step, "fork"))
            continue;
        const char *result = strstr(story_text(step), " = ");
        int pid = result ? atoi(result + 3) : 0;
        for (int child = step->process + 1; pid > 0 && child < story->process_count; child++)
            if (story->processes[child].pid == pid && story->processes[child].parent == -1 &&
                story->processes[child].file == process->file) {
                story->processes[child].parent = step->process;
                forks[child] = i;
            }
    }
    for (int i = 0; i < story->process_count; i++)
        story->steps[story->processes[i].first].cause = forks[i];
    free(forks);
}

void story_order(struct story *story)
{
    order_processes(story);
    make_steps(story);
    add_wakes(story);
    pair_sleeps(story);
    withdraw_publishes(story);
    undo_no_sleeps(story);
    find_parents(story);
}
