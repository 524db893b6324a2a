/* story_facts.c - what each step changes; see story.h. */
#include "story.h"

#include <stdlib.h>
#include <string.h>

enum state { UNBORN, RUNNING, ASLEEP, STOPPED, ENDED };

struct actor {
    enum state state;
    const char *how; /* it ended, NULL: no record says so */
    struct setting setting;
    const struct step *asleep_in; /* its mask is in force */
    int pending, taken;
    bool state_changed, sigusr1_changed;

    /* for lost wakeups */
    int *looked;            /* the step of the last observe of each word */
    int last_taking, slept; /* slept: a sleep that no signal ended */
    int early_taking;       /* the last one while the process was awake */
    bool just_slept;        /* its last step was a call that sleeps */
};

enum { REMEMBERED = 8 };

struct word {
    const char *value;
    int writer;
    bool changed;
    struct {
        const char *value;
        int step;
    } published[REMEMBERED]; /* the latest ones, in a ring */
    int next;
};

struct moment {
    struct actor *actors;
    struct word *words;
    int observed; /* the publish that the step observes, 0: unknown or no observe */
    int *touched_actors, *touched_words;
    int actor_count, word_count;
};

/* ---- words ---- */

/* "publish FIELD = VALUE": the field, its length, and the value. */
static const char *field_of(const struct step *step, size_t *length, const char **value)
{
    const char *field = strchr(story_text(step), ' ') + 1, *equals = strstr(field, " = ");
    *length = (size_t)(equals - field);
    *value = equals + 3;
    return field;
}

/* Returns the index of the word; a new one is added. */
static int find_word(struct story *story, const char *field, size_t length)
{
    enum { SLOTS = 4096 };
    static int slots[SLOTS]; /* index + 1 */
    static size_t lengths[MOST_WORDS];
    unsigned hash = 2166136261u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)field[i]) * 16777619u;
    for (unsigned at = hash % SLOTS;; at = (at + 1) % SLOTS) {
        int word = slots[at] - 1;
        if (word >= 0 && lengths[word] == length && memcmp(story->words[word], field, length) == 0)
            return word;
        if (word >= 0)
            continue;
        if (!story->words)
            story->words = story_room(MOST_WORDS + 1, sizeof(char *));
        if (story->word_count >= MOST_WORDS) {
            story->words[MOST_WORDS] = "the other words";
            story->word_count = MOST_WORDS + 1;
            return MOST_WORDS;
        }
        char *name = story_room(length + 1, 1);
        memcpy(name, field, length);
        lengths[story->word_count] = length;
        story->words[story->word_count] = name;
        return (slots[at] = ++story->word_count) - 1;
    }
}

static void touch_word(struct moment *now, int index)
{
    struct word *word = &now->words[index];
    if (!word->changed)
        now->touched_words[now->word_count++] = index;
    word->changed = true;
}

static void touch(struct moment *now, int index, bool state)
{
    struct actor *actor = &now->actors[index];
    if (!actor->state_changed && !actor->sigusr1_changed)
        now->touched_actors[now->actor_count++] = index;
    *(state ? &actor->state_changed : &actor->sigusr1_changed) = true;
}

static void publish(struct story *story, struct moment *now, int number)
{
    size_t length;
    const char *value, *field = field_of(&story->steps[number], &length, &value);
    int index = find_word(story, field, length);
    struct word *word = &now->words[index];
    word->value = value;
    word->writer = number;
    word->published[word->next].value = value;
    word->published[word->next].step = number;
    word->next = (word->next + 1) % REMEMBERED;
    touch_word(now, index);
}

/* The step that published what is observed. A publish is stamped before its store, so a value
 * that another publish has replaced already may still be seen. */
static int publish_of(const struct word *word, const char *value)
{
    for (int i = 1; i <= REMEMBERED; i++) {
        int slot = (word->next + REMEMBERED - i) % REMEMBERED;
        if (word->published[slot].value && strcmp(word->published[slot].value, value) == 0)
            return word->published[slot].step;
    }
    return 0;
}

/* The wakeup was lost if the word was published after the last look at it and before the sleep, and
 * its signal was taken between the two, while the process was awake. (A process that takes it in a
 * sleep, and then sleeps on without a look, has waited for a tick of its timer.) */
static void judge_sleep(struct story *story, struct actor *actor, int process, int word, int writer)
{
    if (!actor->slept || !actor->looked || !actor->looked[word] || !writer)
        return;
    struct step *sleep = &story->steps[actor->slept];
    const struct step *taking = &story->steps[actor->early_taking];
    if (story->steps[writer].process == process || writer < actor->looked[word] ||
        actor->early_taking < writer || actor->early_taking > actor->slept)
        return;
    const int *kills;
    int count = story_kills_taken(taking, &kills);
    for (int i = count - 1; i >= 0 && kills[i] > writer; i--)
        if (story->steps[kills[i]].process == story->steps[writer].process) {
            sleep->fate = LOST_WAKEUP;
            sleep->from = writer;
            sleep->to = actor->early_taking;
        }
}

static void observe(struct story *story, struct moment *now, int number)
{
    size_t length;
    const struct step *step = &story->steps[number];
    struct actor *actor = &now->actors[step->process];
    const char *value, *field = field_of(step, &length, &value);
    int index = find_word(story, field, length);
    struct word *word = &now->words[index];
    bool is_new = !word->value || strcmp(word->value, value) != 0;
    now->observed = is_new ? publish_of(word, value) : word->writer;
    if (is_new && !now->observed) {
        word->value = value;
        word->writer = 0;
        touch_word(now, index);
    }
    judge_sleep(story, actor, step->process, index, now->observed);
    if (!actor->looked)
        actor->looked = story_room(MOST_WORDS + 1, sizeof *actor->looked);
    actor->looked[index] = number;
}

/* ---- processes ---- */

static void set_state(struct moment *now, int index, enum state state, const char *how)
{
    struct actor *actor = &now->actors[index];
    if (actor->state == state)
        return;
    actor->state = state;
    actor->how = how;
    touch(now, index, true);
}

static bool blocked(const struct actor *actor)
{
    return actor->asleep_in ? story_blocked_in(&actor->setting, actor->asleep_in)
                            : actor->setting.is_blocked;
}

static void fall_asleep(struct moment *now, int index, const struct step *step)
{
    struct actor *actor = &now->actors[index];
    bool was_blocked = blocked(actor);
    actor->asleep_in = step;
    if (blocked(actor) != was_blocked)
        touch(now, index, false);
}

static void wake_up(struct moment *now, int index)
{
    fall_asleep(now, index, NULL);
}

static void take(struct story *story, struct moment *now, int number)
{
    const struct step *step = &story->steps[number];
    struct actor *actor = &now->actors[step->process];
    const int *kills;
    actor->pending -= story_kills_taken(step, &kills);
    actor->taken++;
    actor->last_taking = number;
    if (step->kind == TAKEN && actor->state != ASLEEP && !actor->just_slept)
        actor->early_taking = number;
    touch(now, step->process, false);
}

static void send(struct story *story, struct moment *now, const struct step *step)
{
    char signal[16];
    int target = story_kill_target(story, step, signal);
    if (target < 0)
        return;
    bool counts = step->fate == NORMAL || step->fate == LEFT_PENDING || step->fate == LEFT_UNKNOWN;
    if (strcmp(signal, "SIGUSR1") == 0 && counts && now->actors[target].pending++ == 0)
        touch(now, target, false);
    struct process *process = &story->processes[target];
    if (process->killed_by && &story->steps[process->killed_by] == step)
        set_state(now, target, ENDED, process->killed_how);
}

static void sleep_or_wake(struct story *story, struct moment *now, int number)
{
    const struct step *step = &story->steps[number];
    struct actor *actor = &now->actors[step->process];
    if (step->kind == SLEEP) {
        actor->slept = 0;
        set_state(now, step->process, ASLEEP, NULL);
        fall_asleep(now, step->process, step);
        return;
    }
    bool waits = story_is_call(step, "sigsuspend") || story_is_call(step, "pause");
    actor->slept = waits && actor->last_taking < step->partner ? step->partner : 0;
    wake_up(now, step->process);
}

static void begin_process(struct story *story, struct moment *now, const struct step *step)
{
    int index = step->process, parent = story->processes[index].parent;
    if (parent >= 0)
        now->actors[index].setting = now->actors[parent].setting;
    set_state(now, index, RUNNING, NULL);
    touch(now, index, false);
}

static void end_process(struct story *story, struct moment *now, int number)
{
    const struct step *step = &story->steps[number];
    const struct process *process = &story->processes[step->process];
    if (step->kind == END)
        set_state(now, step->process, ENDED, story_text(step) + strlen("end: "));
    else if (process->last == number && !process->has_end && !process->killed_by)
        set_state(now, step->process, ENDED, story_has_left(step) ? "exec" : "?");
}

static void change_setting(struct moment *now, const struct step *step)
{
    struct setting *setting = &now->actors[step->process].setting, old = *setting;
    story_set(setting, step);
    if (old.action != setting->action || old.is_blocked != setting->is_blocked)
        touch(now, step->process, false);
}

void story_advance(struct story *story, struct moment *now, int number)
{
    const struct step *step = &story->steps[number];
    int index = step->process;
    struct actor *actor = &now->actors[index];
    now->observed = 0;
    if (story->processes[index].first == number)
        begin_process(story, now, step);
    else if (step->kind != TAKEN || actor->state != ASLEEP)
        set_state(now, index, RUNNING, NULL);
    if (step->takes)
        take(story, now, number);
    switch (step->kind) {
    case CALL:
        change_setting(now, step);
        send(story, now, step);
        break;
    case SLEEP:
    case WAKE:
        sleep_or_wake(story, now, number);
        break;
    case PUBLISH:
        publish(story, now, number);
        break;
    case OBSERVE:
        observe(story, now, number);
        break;
    case NOTE:
        if (strncmp(story_text(step), "stopped before ", 15) == 0)
            set_state(now, index, STOPPED, NULL);
        break;
    case TAKEN:
    case POINT:
    case PRINT:
    case END:
    case DROPPED:
        break;
    }
    actor->just_slept = story_is_call(step, "sigsuspend") || story_is_call(step, "pause") ||
                        story_is_call(step, "sigwaitinfo");
    end_process(story, now, number);
}

struct moment *story_begin(struct story *story)
{
    struct moment *now = story_room(1, sizeof *now);
    now->actors = story_room((size_t)story->process_count, sizeof *now->actors);
    now->touched_actors = story_room((size_t)story->process_count, sizeof *now->touched_actors);
    now->words = story_room(MOST_WORDS + 1, sizeof *now->words);
    now->touched_words = story_room(MOST_WORDS + 1, sizeof *now->touched_words);
    return now;
}

void story_end(const struct story *story, struct moment *now)
{
    for (int i = 0; i < story->process_count; i++)
        free(now->actors[i].looked);
    free(now->actors);
    free(now->touched_actors);
    free(now->words);
    free(now->touched_words);
    free(now);
}

/* A child of fork often ends with _exit, which leaves no record. */
static void miss_ends(struct story *story)
{
    int children = 0;
    for (int i = 0; i < story->process_count; i++) {
        const struct process *process = &story->processes[i];
        if (process->has_end || process->killed_by || story_has_left(&story->steps[process->last]))
            continue;
        if (process->parent >= 0)
            children++;
        else
            story_misses(story, "%s[%d] has no record of its end: it was killed, or still ran.",
                         process->name, process->pid);
    }
    if (children == 1)
        story_misses(story, "A child of fork has no record of its end.");
    else if (children)
        story_misses(story, "%d children of fork have no record of their end.", children);
}

void story_judge(struct story *story)
{
    struct moment *now = story_begin(story);
    for (int i = 1; i <= story->step_count; i++)
        story_advance(story, now, i);
    if (story->word_count > MOST_WORDS)
        story_misses(story, "There are more than %d words: the last one stands for all the others.",
                     MOST_WORDS);
    story_end(story, now);
    miss_ends(story);
}

/* ---- lines ---- */

static void print_state(const struct actor *actor, int step, int process)
{
    static const char *const names[] = {"running", "running", "asleep", "stopped", "ended "};
    printf("state\t%d\t%d\t%s", step, process + 1, names[actor->state]);
    if (actor->state == ENDED)
        story_put(actor->how, -1);
    putchar('\n');
}

static void print_sigusr1(const struct actor *actor, int step, int process)
{
    static const char *const names[] = {"default", "ignored", "handler"};
    printf("sigusr1\t%d\t%d\t%s\t%s\t%d\t%d\n", step, process + 1, names[actor->setting.action],
           blocked(actor) ? "blocked" : "open", actor->pending > 0, actor->taken);
}

static void print_value(const struct word *word, int step, int index)
{
    printf("value\t%d\t%d\t", step, index + 1);
    story_put(word->value, -1);
    printf("\t%d\n", word->writer);
}

static void print_links(struct story *story, const struct moment *now, int number)
{
    const struct step *step = &story->steps[number];
    const int *kills;
    int count = story_kills_taken(step, &kills), printed = 0;
    for (int i = 0; i < count; i++)
        if (story->steps[kills[i]].shown || (i == count - 1 && printed == 0)) {
            printf("link\t%d\t%d\tsignal\n", number, kills[i]);
            printed++;
        }
    if (count > 1)
        printf("coalesced\t%d\t%d\n", number, count);
    if (now->observed)
        printf("link\t%d\t%d\tvalue\n", number, now->observed);
    if (step->kind == WAKE)
        printf("link\t%d\t%d\twakeup\n", number, step->partner);
    if (story->processes[step->process].first == number && step->cause)
        printf("link\t%d\t%d\tfork\n", number, step->cause);
}

static void print_fate(struct story *story, int number)
{
    static const char *const sentences[] = {
        [LOST_DEATH] = "SIGUSR1 has its default action here, because no handler is installed: the "
                       "process dies of it.",
        [LOST_IGNORED] = "The process ignores SIGUSR1.",
        [LOST_ENDED] = "The process has ended already, so it takes no signal.",
        [LEFT_PENDING] = "The process ended with this signal still pending.",
        [LEFT_UNKNOWN] = "The trace of the process ends before it takes this signal.",
    };
    const struct step *step = &story->steps[number];
    if (step->fate == LOST_WAKEUP)
        printf("lost\t%d\tLost wakeup: the word was published in step %d, but its signal was taken "
               "in step %d, before this sleep. No other signal comes.\n",
               number, step->from, step->to);
    else if (step->fate != NORMAL)
        printf("%s\t%d\t%s\n", step->fate >= LEFT_PENDING ? "left" : "lost", number,
               sentences[step->fate]);
}

void story_print_changes(struct story *story, struct moment *now, int number)
{
    for (int i = 0; i < now->actor_count; i++) {
        struct actor *actor = &now->actors[now->touched_actors[i]];
        if (actor->state_changed)
            print_state(actor, number, now->touched_actors[i]);
        if (actor->sigusr1_changed)
            print_sigusr1(actor, number, now->touched_actors[i]);
        actor->state_changed = actor->sigusr1_changed = false;
    }
    for (int i = 0; i < now->word_count; i++) {
        print_value(&now->words[now->touched_words[i]], number, now->touched_words[i]);
        now->words[now->touched_words[i]].changed = false;
    }
    now->actor_count = now->word_count = 0;
    if (story->steps[number].shown) {
        print_links(story, now, number);
        print_fate(story, number);
    }
}

void story_print_moment(struct story *story, struct moment *now, int number)
{
    for (int i = 0; i < story->process_count; i++)
        if (now->actors[i].state != UNBORN) {
            print_state(&now->actors[i], number, i);
            print_sigusr1(&now->actors[i], number, i);
        }
    for (int i = 0; i < story->word_count; i++)
        if (now->words[i].value)
            print_value(&now->words[i], number, i);
    for (int i = 1; i <= number; i++)
        if (story->steps[i].kind == PRINT) {
            printf("printed\t%d\t", story->steps[i].process + 1);
            story_put(story_text(&story->steps[i]), -1);
            putchar('\n');
        }
}
