/* grade_pitfalls.c - what each mistake is called, why it is one, and which lesson shows it. */
#include "grade_pitfalls.h"

static const struct pitfall_text texts[PITFALLS] = {
    [PITFALL_NONE] = {"none", "", ""},
    [NO_CONVERSATION] = {"no-conversation",
                         "One message and one reply must pass through the segment, as the table of "
                         "the wire says. Mend this first: all else builds on it.",
                         "handshake"},
    [LOST_WAKEUP] = {"lost-wakeup",
                     "The signal came after the check and before the sleep, so its handler ran too "
                     "early and the sleep never ends. Block SIGUSR1 before the check, and let "
                     "sigsuspend unblock it and sleep in one step.",
                     "lostwakeup"},
    [HANDLER_TOO_LATE] =
        {"handler-too-late",
         "Another process knew the PID and sent SIGUSR1 before there was a handler: "
         "by default this signal kills. Block SIGUSR1 and install the handler "
         "before any process can know the PID.",
         "unready"},
    [KILL_UNCHECKED_PID] = {"kill-unchecked-pid",
                            "For kill, PID 0 means the whole process group, and -1 means every "
                            "process that you may signal. atoi turns a word into 0, so check the "
                            "number before you use it.",
                            "textbook"},
    [FTOK_UNCHECKED] = {"ftok-unchecked",
                        "ftok returns -1 if there is no such file, and -1 is a key like any other. "
                        "Two programs with this mistake even find each other, by accident.",
                        "keys"},
    [SHMAT_NULL] = {"shmat-null",
                    "shmat returns (void *)-1 if it fails, and not NULL. A program that does not "
                    "notice this crashes at the first access.",
                    "attach"},
    [COPY_UNBOUNDED] = {"copy-unbounded",
                        "A copy without a limit writes past the end of its buffer as soon as the "
                        "text is longer than you thought. Another process wrote that text, so copy "
                        "at most as many bytes as fit.",
                        "shortcopy"},
    [TEXT_NOT_ENDED] =
        {"text-not-ended",
         "A string ends with a NUL, and nothing else ends it. Write the NUL with the "
         "text, and set your own after you have copied a text that another process "
         "wrote.",
         "shortcopy"},
    [TURN_BEFORE_TEXT] =
        {"turn-before-text",
         "The peer may look at any moment: when it sees the word that says \"it is "
         "there\", the text must be there. Write the text first, then the word, "
         "then send the signal.",
         "handshake"},
    [WRITES_BEFORE_TURN] =
        {"writes-before-turn",
         "Another process owned that part of the segment at this moment. Two that "
         "write at the same time spoil each other's text.",
         "turn"},
    [READY_TOO_EARLY] = {"ready-too-early",
                         "The magic number says that the segment is ready, so it must be stored "
                         "last. A talker that sees it reads the other fields at once.",
                         "handshake"},
    [NEVER_LEAVES] = {"never-leaves",
                      "A talker that has ended must give back its seat and its turn. Otherwise the "
                      "listener waits for a process that does not exist any more.",
                      "pair"},
    [NEVER_REMOVES] = {"never-removes",
                       "A segment outlives its processes until one of them removes it, also when "
                       "Ctrl-C ended them. What is left behind takes memory, and is in the way of "
                       "the next start.",
                       "lifetime"},
    [REMOVES_TOO_EARLY] = {"removes-too-early",
                           "After IPC_RMID no process can find the segment by its key any more. "
                           "Remove it when the conversation is over.",
                           "rmid"},
    [REMOVES_ANOTHERS] = {"removes-anothers",
                          "The segment belonged to another process, which still needs it. Remove "
                          "only what you created, or what you know to be stale.",
                          "existing"},
    [MODE_TOO_WIDE] = {"mode-too-wide",
                       "Every user of this machine can read or write a segment with such a mode. "
                       "0600 is enough for two programs of one user.",
                       "perm"},
    [UNSAFE_IN_HANDLER] =
        {"unsafe-in-handler",
         "A handler interrupts the program anywhere, even inside printf or malloc, "
         "and these cannot be entered a second time. Store to a volatile "
         "sig_atomic_t in the handler, and do the rest outside.",
         "handshake"},
    [SIGNAL_IS_MESSAGE] = {"signal-is-message",
                           "A signal carries no message: any process of yours may send one at any "
                           "time. It only means \"look at the memory\", so check the word there, "
                           "and sleep again if it has not come.",
                           "coalesce"},
    [COUNTS_SIGNALS] = {"counts-signals",
                        "Two signals that are pending at once become one, so their number says "
                        "nothing. Count in memory.",
                        "coalesce"},
    [MASK_SWALLOWS_CTRL_C] = {"mask-swallows-ctrl-c",
                              "While it waits, SIGINT is blocked or without effect, so Ctrl-C does "
                              "not end it. Block only the signals that you wait for.",
                              "handshake"},
    [WAITS_FOR_THE_DEAD] =
        {"waits-for-the-dead",
         "A process that was killed sends no signal any more. Use a timer to look "
         "whether the peer is alive: kill(pid, 0), or give up after a time.",
         "crash"},
    [STALE_SEGMENT] = {"stale-segment",
                       "A listener that was killed leaves its segment behind. Ask the kernel who "
                       "created it and whether that process lives, before you use it or give up.",
                       "existing"},
    [TRUSTS_SEGMENT] = {"trusts-segment",
                        "Whatever stands in the segment was written by another process, and may be "
                        "wrong. Copy it once, check it, and only then use it.",
                        "offset"},
    [NOT_FLUSHED] =
        {"not-flushed",
         "stdout to a pipe or a file is kept in a buffer until it is full or the "
         "program ends. Call fflush(stdout) after each line, or nobody sees it in time.",
         "handshake"},
    [WRONG_EXIT_STATUS] = {"wrong-exit-status",
                           "A script sees only the exit status: 0 means that everything went well. "
                           "Return 0 after a complete conversation, and another number otherwise.",
                           "crash"},
    [BUSY_WAITING] = {"busy-waiting",
                      "It looks at the memory again and again and uses a whole CPU, while it has "
                      "nothing to do. Sleep until the signal comes.",
                      "polling"},
    [SLEEPS_INSTEAD] =
        {"sleeps-instead",
         "It looks, sleeps for a moment, and looks again, instead of waiting for the "
         "signal. It wakes up for nothing many times, and still answers late.",
         "polling"},
    [SLEEPS_TOO_LONG] =
        {"sleeps-too-long",
         "It looks only when its nap is over, so each answer comes late by up to one "
         "nap. Wait for the signal instead.",
         "textbook"},
    [SLEEPS_TOO_SHORT] = {"sleeps-too-short",
                          "It sleeps for a fixed time, and then goes on although the peer has not "
                          "answered. No fixed time is long enough: check the word in memory.",
                          "textbook"},
    [CRASHES] =
        {"crashes",
         "The program was ended by a signal that it did not expect. Run it in a debugger, or "
         "build it with -fsanitize=address.",
         "handshake"},
    [NEVER_ENDS] = {"never-ends", "The conversation was over, but the program did not end.",
                    "handshake"},
    [PRINTS_WITHOUT_END] =
        {"prints-without-end",
         "It printed far more than the conversation has. Look at the condition of "
         "the loop that prints.",
         "handshake"},
};

struct pitfall_text pitfall_text(enum pitfall pitfall)
{
    return texts[pitfall];
}
