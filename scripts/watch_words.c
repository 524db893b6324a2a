/* watch_words.c - the words of each lesson's segment, from the structs of common/layout/.
 *
 * Several layouts give the same name to different numbers (MET, SAID). So each is included inside a
 * function: its enums and structs are known only there.
 */
#include "watch.h"

#include "../common/layout/doorbell.h"
#include "../common/layout/head.h"
#include "../common/layout/pair.h"

#include <limits.h>
#include <stdalign.h>
#include <string.h>

/* Its size and type only: it is never evaluated. */
#define MEMBER(type, member) (((type *)1)->member)
#define KIND(type, member)                                                                         \
    _Generic(MEMBER(type, member), int                                                             \
             : WORD_SIGNED, long                                                                   \
             : WORD_SIGNED, long long                                                              \
             : WORD_SIGNED, unsigned                                                               \
             : WORD_UNSIGNED, unsigned long                                                        \
             : WORD_UNSIGNED, unsigned long long                                                   \
             : WORD_UNSIGNED, char *                                                               \
             : WORD_TEXT, _Atomic char *                                                           \
             : WORD_TEXT)
#define WORD_AS(kind, name, type, member)                                                          \
    {                                                                                              \
        name, offsetof(type, member), sizeof MEMBER(type, member), kind                            \
    }
#define WORD(type, member) WORD_AS(KIND(type, member), #member, type, member)
#define PID(type, member)  WORD_AS(WORD_PID, #member, type, member)
#define HEX(type, member)  WORD_AS(WORD_HEX, #member, type, member)

/* When this word has this value, that side should run. `talker_word` holds the talker's PID. */
#define RULE(type, word, value, side, talker_word)                                                 \
    {                                                                                              \
        offsetof(type, word), value, SIDE_##side, offsetof(type, talker_word)                      \
    }

/* The two words of a session. */
#define SESSION(type)                                                                              \
    WORD_AS(WORD_PID, "talker", type, session.talker),                                             \
        WORD_AS(WORD_SIGNED, "step", type, session.step)

/* Ends a function that has `words`. */
#define RETURN_LAYOUT(...)                                                                         \
    static const struct layout layout = {                                                          \
        .words = words, .count = sizeof words / sizeof *words, __VA_ARGS__};                       \
    return &layout
#define RETURN_SESSION(name, number, names)                                                        \
    RETURN_LAYOUT(.lesson = (name), .id = (number), .version = SESSION_VERSION, .values = (names))

/* ---- the layouts ---- */

static const struct layout *of_pair(void)
{
    static const struct word words[] = {WORD(struct pair, capacity), PID(struct pair, turn),
                                        WORD(struct pair, front), WORD(struct pair, length)};
    RETURN_LAYOUT(.lesson = "pair", .id = PAIR_LESSON, .version = PAIR_VERSION, .is_pair = true);
}

static const struct layout *of_handshake(void)
{
#include "../common/layout/handshake.h"
    static const struct word words[] = {
        PID(struct handshake, talker), WORD(struct handshake, state), WORD(struct handshake, text)};
    static const struct rule rules[] = {RULE(struct handshake, state, NOTHING, TALKER, talker),
                                        RULE(struct handshake, state, SAID, LISTENER, talker),
                                        RULE(struct handshake, state, ANSWERED, TALKER, talker)};
    RETURN_LAYOUT(.lesson = "handshake", .rules = rules, .rule_count = 3, .id = HANDSHAKE_LESSON,
                  .version = HANDSHAKE_VERSION, .values = HANDSHAKE_VALUES);
}

static const struct layout *of_textbook(void)
{
#include "../common/layout/textbook.h"
    static const struct word words[] = {WORD(struct textbook, text)};
    RETURN_LAYOUT(.lesson = "textbook");
}

static const struct layout *of_counter(void)
{
#include "../common/layout/counter.h"
    static const struct word words[] = {WORD(struct counter, text)};
    RETURN_LAYOUT(.lesson = "counter");
}

static const struct layout *of_unready(void)
{
#include "../common/layout/unready.h"
    static const struct word words[] = {SESSION(struct unready), WORD(struct unready, taken)};
    RETURN_SESSION("unready", UNREADY_LESSON, UNREADY_VALUES);
}

static const struct layout *of_lostwakeup(void)
{
#include "../common/layout/lostwakeup.h"
    static const struct word words[] = {SESSION(struct lostwakeup), WORD(struct lostwakeup, word)};
    static const struct rule rules[] = {
        RULE(struct lostwakeup, word, SAID, LISTENER, session.talker)};
    RETURN_LAYOUT(.lesson = "lostwakeup", .rules = rules, .rule_count = 1, .id = LOSTWAKEUP_LESSON,
                  .version = SESSION_VERSION, .values = LOSTWAKEUP_VALUES);
}

static const struct layout *of_coalesce(void)
{
#include "../common/layout/coalesce.h"
    static const struct word words[] = {SESSION(struct coalesce), WORD(struct coalesce, sequence),
                                        WORD(struct coalesce, queued)};
    RETURN_SESSION("coalesce", COALESCE_LESSON, COALESCE_VALUES);
}

static const struct layout *of_polling(void)
{
#include "../common/layout/polling.h"
    static const struct word words[] = {SESSION(struct polling), WORD(struct polling, waited),
                                        WORD(struct polling, said), WORD(struct polling, text)};
    RETURN_SESSION("polling", POLLING_LESSON, POLLING_VALUES);
}

static const struct layout *of_existing(void)
{
#include "../common/layout/existing.h"
    static const struct word words[] = {SESSION(struct existing), WORD(struct existing, text)};
    RETURN_SESSION("existing", EXISTING_LESSON, EXISTING_VALUES);
}

static const struct layout *of_shortcopy(void)
{
#include "../common/layout/shortcopy.h"
    static const struct word words[] = {SESSION(struct shortcopy), WORD(struct shortcopy, length),
                                        WORD(struct shortcopy, text)};
    RETURN_SESSION("shortcopy", SHORTCOPY_LESSON, SHORTCOPY_VALUES);
}

static const struct layout *of_watching(void)
{
#include "../common/layout/watching.h"
    static const struct word words[] = {SESSION(struct watching), WORD(struct watching, wanted),
                                        WORD(struct watching, rung), WORD(struct watching, seen),
                                        WORD(struct watching, text)};
    RETURN_SESSION("watching", WATCHING_LESSON, WATCHING_VALUES);
}

static const struct layout *of_torn(void)
{
#include "../common/layout/torn.h"
    static const struct word words[] = {SESSION(struct torn), WORD(struct torn, sequence),
                                        WORD(struct torn, left), WORD(struct torn, right)};
    RETURN_SESSION("torn", TORN_LESSON, TORN_VALUES);
}

static const struct layout *of_turn(void)
{
#include "../common/layout/turn.h"
    static const struct word words[] = {SESSION(struct turn), WORD(struct turn, turn),
                                        WORD(struct turn, left), WORD(struct turn, right)};
    RETURN_SESSION("turn", TURN_LESSON, TURN_VALUES);
}

static const struct layout *of_keys(void)
{
#include "../common/layout/keys.h"
    static const struct word words[] = {SESSION(struct keys), HEX(struct keys, key),
                                        WORD(struct keys, shmid), WORD(struct keys, project),
                                        WORD(struct keys, file)};
    RETURN_SESSION("keys", KEYS_LESSON, KEYS_VALUES);
}

static const struct layout *of_collision(void)
{
#include "../common/layout/collision.h"
    static const struct word words[] = {SESSION(struct collision), WORD(struct collision, shmid),
                                        WORD(struct collision, project),
                                        WORD(struct collision, first)};
    RETURN_SESSION("collision", COLLISION_LESSON, COLLISION_VALUES);
}

static const struct layout *of_private_id(void)
{
#include "../common/layout/private.h"
    static const struct word words[] = {SESSION(struct private_id), WORD(struct private_id, shmid)};
    RETURN_SESSION("private", PRIVATE_LESSON, PRIVATE_VALUES);
}

static const struct layout *of_lifetime(void)
{
#include "../common/layout/lifetime.h"
    static const struct word words[] = {SESSION(struct lifetime), WORD(struct lifetime, text)};
    RETURN_SESSION("lifetime", LIFETIME_LESSON, LIFETIME_VALUES);
}

static const struct layout *of_fields(void)
{
#include "../common/layout/fields.h"
    static const struct word words[] = {SESSION(struct fields)};
    RETURN_SESSION("fields", FIELDS_LESSON, FIELDS_VALUES);
}

static const struct layout *of_rmid(void)
{
#include "../common/layout/rmid.h"
    static const struct word words[] = {SESSION(struct rmid), WORD(struct rmid, said),
                                        WORD(struct rmid, answered), WORD(struct rmid, text)};
    RETURN_SESSION("rmid", RMID_LESSON, RMID_VALUES);
}

static const struct layout *of_crash(void)
{
#include "../common/layout/crash.h"
    static const struct word words[] = {SESSION(struct crash), PID(struct crash, starter),
                                        WORD(struct crash, killed_at), WORD(struct crash, text),
                                        WORD(struct crash, answer)};
    RETURN_SESSION("crash", CRASH_LESSON, CRASH_VALUES);
}

static const struct layout *of_rdonly(void)
{
#include "../common/layout/rdonly.h"
    static const struct word words[] = {SESSION(struct rdonly), WORD(struct rdonly, text)};
    RETURN_SESSION("rdonly", RDONLY_LESSON, RDONLY_VALUES);
}

static const struct layout *of_attach(void)
{
#include "../common/layout/attach.h"
    static const struct word words[] = {SESSION(struct attach), HEX(struct attach, place)};
    RETURN_SESSION("attach", ATTACH_LESSON, ATTACH_VALUES);
}

static const struct layout *of_pages(void)
{
#include "../common/layout/pages.h"
    static const struct word words[] = {SESSION(struct pages)};
    RETURN_SESSION("pages", PAGES_LESSON, PAGES_VALUES);
}

static const struct layout *of_offset(void)
{
#include "../common/layout/offset.h"
    static const struct word words[] = {
        SESSION(struct offset), WORD(struct offset, pointer_size), HEX(struct offset, place),
        HEX(struct offset, first_pointer), WORD(struct offset, first_offset)};
    RETURN_SESSION("offset", OFFSET_LESSON, OFFSET_VALUES);
}

static const struct layout *of_inherit(void)
{
#include "../common/layout/inherit.h"
    static const struct word words[] = {SESSION(struct inherit), WORD(struct inherit, shmid)};
    RETURN_SESSION("inherit", INHERIT_LESSON, INHERIT_VALUES);
}

static const struct layout *of_perm(void)
{
#include "../common/layout/perm.h"
    static const struct word words[] = {SESSION(struct perm), WORD(struct perm, mode),
                                        PID(struct perm, word)};
    RETURN_SESSION("perm", PERM_LESSON, PERM_VALUES);
}

static const struct layout *of_limits(void)
{
#include "../common/layout/limits.h"
    static const struct word words[] = {SESSION(struct limits), WORD(struct limits, bits),
                                        WORD(struct limits, shmmni), WORD(struct limits, shmmax),
                                        WORD(struct limits, shmall)};
    RETURN_SESSION("limits", LIMITS_LESSON, LIMITS_VALUES);
}

static const struct layout *of_full(void)
{
#include "../common/layout/full.h"
    static const struct word words[] = {SESSION(struct full)};
    RETURN_SESSION("full", FULL_LESSON, FULL_VALUES);
}

static const struct layout *of_errors(void)
{
#include "../common/layout/errors.h"
    static const struct word words[] = {SESSION(struct errors)};
    RETURN_SESSION("errors", ERRORS_LESSON, ERRORS_VALUES);
}

static const struct layout *of_descriptor(void)
{
#include "../common/layout/descriptor.h"
    static const struct word words[] = {SESSION(struct descriptor), PID(struct descriptor, word)};
    RETURN_SESSION("descriptor", DESCRIPTOR_LESSON, DESCRIPTOR_VALUES);
}

static const struct layout *of_huge(void)
{
#include "../common/layout/huge.h"
    static const struct word words[] = {SESSION(struct huge), WORD(struct huge, plain),
                                        WORD(struct huge, hugetlb)};
    RETURN_SESSION("huge", HUGE_LESSON, HUGE_VALUES);
}

static const struct layout *of_noreserve(void)
{
#include "../common/layout/noreserve.h"
    static const struct word words[] = {SESSION(struct noreserve), WORD(struct noreserve, shmid)};
    RETURN_SESSION("noreserve", NORESERVE_LESSON, NORESERVE_VALUES);
}

static const struct layout *of_stream(void)
{
#include "../common/layout/stream.h"
    static const struct word words[] = {SESSION(struct stream),
                                        WORD(struct stream, slots),
                                        WORD(struct stream, slot_size),
                                        WORD(struct stream, head),
                                        WORD(struct stream, talker.asleep),
                                        WORD(struct stream, talker.cpu),
                                        WORD(struct stream, expected),
                                        WORD(struct stream, tail),
                                        WORD(struct stream, listener.asleep),
                                        WORD(struct stream, listener.cpu),
                                        WORD(struct stream, refused)};
    RETURN_SESSION("stream", STREAM_LESSON, NULL);
}

static const struct layout *of_pingpong(void)
{
#include "../common/layout/pingpong.h"
    static const struct word words[] = {SESSION(struct pingpong),
                                        WORD(struct pingpong, plan.method),
                                        WORD(struct pingpong, plan.cpu),
                                        WORD(struct pingpong, plan.spin),
                                        WORD(struct pingpong, plan.size),
                                        WORD(struct pingpong, plan.warm_up),
                                        WORD(struct pingpong, plan.rounds),
                                        WORD(struct pingpong, cost.cpu),
                                        WORD(struct pingpong, cost.switches),
                                        WORD(struct pingpong, cost.signals),
                                        WORD(struct pingpong, ping.count),
                                        WORD(struct pingpong, ping.bell.asleep),
                                        WORD(struct pingpong, pong.count),
                                        WORD(struct pingpong, pong.bell.asleep)};
    RETURN_SESSION("pingpong", PINGPONG_LESSON, PINGPONG_VALUES);
}

/* ---- find one ---- */

static const struct layout *layout_at(size_t at)
{
    static const struct layout *(*const all[])(void) = {
        of_pair,     of_handshake, of_textbook,  of_counter,    of_unready,  of_lostwakeup,
        of_coalesce, of_polling,   of_existing,  of_shortcopy,  of_watching, of_torn,
        of_turn,     of_keys,      of_collision, of_private_id, of_lifetime, of_fields,
        of_rmid,     of_crash,     of_rdonly,    of_attach,     of_pages,    of_offset,
        of_inherit,  of_perm,      of_limits,    of_full,       of_errors,   of_descriptor,
        of_huge,     of_noreserve, of_stream,    of_pingpong};
    return at < sizeof all / sizeof *all ? all[at]() : NULL;
}

const struct layout *layout_of_id(uint32_t id)
{
    const struct layout *layout = NULL;
    for (size_t at = 0; id != 0 && (layout = layout_at(at)); at++)
        if (layout->id == id)
            return layout;
    return NULL;
}

const struct layout *layout_of_name(const char *lesson)
{
    const struct layout *layout = NULL;
    for (size_t at = 0; (layout = layout_at(at)); at++)
        if (strcmp(layout->lesson, lesson) == 0)
            return layout;
    return NULL;
}

/* A text is shown in part, so it is not copied whole. */
static size_t end_of(const struct word *word)
{
    return word->offset + (word->kind == WORD_TEXT && word->size > MESSAGE_SHOWN + 1
                               ? MESSAGE_SHOWN + 1
                               : word->size);
}

size_t layout_span(const struct layout *layout)
{
    size_t span = sizeof(struct segment_head);
    if (layout && layout->is_pair)
        span = offsetof(struct pair, text) + MESSAGE_SHOWN + 1;
    for (size_t i = 0; layout && i < layout->count; i++)
        if (end_of(&layout->words[i]) > span)
            span = end_of(&layout->words[i]);
    return span;
}

bool layout_is_wide(const struct layout *layout)
{
    bool wide = false;
    for (size_t i = 0; layout && i < layout->count; i++)
        wide = wide || (layout->words[i].kind != WORD_TEXT && layout->words[i].size > 4);
    return wide;
}

/* ---- values ---- */

static int int_at(const struct copy *copy, size_t offset)
{
    int value = 0;
    if (offset + sizeof value <= copy->length)
        memcpy(&value, copy->bytes + offset, sizeof value);
    return value;
}

long long word_number(const struct copy *copy, const struct word *word)
{
    long long wide = 0;
    if (word->size == sizeof(int)) {
        int value = int_at(copy, word->offset);
        bool is_signed = word->kind == WORD_SIGNED || word->kind == WORD_PID;
        return is_signed ? value : (long long)(unsigned)value;
    }
    if (word->size == sizeof wide && word->offset + sizeof wide <= copy->length)
        memcpy(&wide, copy->bytes + word->offset, sizeof wide);
    return wide;
}

struct head head_of(const struct copy *copy)
{
    size_t stopped = offsetof(struct segment_head, stopped);
    return (struct head){
        .magic = (uint32_t)int_at(copy, offsetof(struct segment_head, magic)),
        .lesson = (uint32_t)int_at(copy, offsetof(struct segment_head, lesson)),
        .version = (uint32_t)int_at(copy, offsetof(struct segment_head, version)),
        .stopped = {int_at(copy, stopped), int_at(copy, stopped + sizeof(int))},
    };
}

int pair_seats(const struct copy *copy, int at[SEATS_SHOWN], pid_t pid[SEATS_SHOWN])
{
    int taken = 0;
    for (int i = 0; i < PAIR_SEATS; i++) {
        int value = int_at(copy, offsetof(struct pair, seat) + (size_t)i * sizeof(int));
        if (value != 0 && taken < SEATS_SHOWN) {
            at[taken] = i;
            pid[taken] = value;
        }
        taken += value != 0;
    }
    return taken;
}

const char *pair_text(const struct copy *copy, size_t *length)
{
    size_t offset = offsetof(struct pair, text);
    size_t all = (unsigned)int_at(copy, offsetof(struct pair, length));
    size_t there = copy->length > offset ? copy->length - offset : 0;
    *length = all < there ? all : there;
    return (const char *)copy->bytes + (there > 0 ? offset : 0);
}

/* ---- which process should run ---- */

/* A listener that has the turn waits for a talker, unless a seat is taken. */
static pid_t pair_who_should_run(const struct copy *copy, pid_t creator)
{
    int at[SEATS_SHOWN];
    pid_t pid[SEATS_SHOWN];
    int turn = int_at(copy, offsetof(struct pair, turn));
    return turn != creator || pair_seats(copy, at, pid) > 0 ? turn : 0;
}

pid_t layout_who_should_run(const struct layout *layout, const struct copy *copy, pid_t creator)
{
    if (layout->is_pair)
        return pair_who_should_run(copy, creator);
    for (size_t i = 0; i < layout->rule_count; i++) {
        const struct rule *rule = &layout->rules[i];
        if (int_at(copy, rule->offset) == rule->value)
            return rule->side == SIDE_LISTENER ? creator : int_at(copy, rule->talker);
    }
    return 0;
}
