# shmtalk: build, test, install.
#
#   make                  build the pair and all lessons in build/
#   make demo             build, then run the pair on one screen
#   make test             build, then run all tests
#   make lint             check the sources: compilers with -Werror, cppcheck, shellcheck, clang-format
#   make install          copy the programs, the manual pages and the completion for bash to $(DESTDIR)$(PREFIX)
#   make uninstall        remove them from there
#   make dist             pack the sources of the last commit into build/
#   make clean            remove build/
#   make syntax           compile all sources, and keep nothing: for the warnings of another compiler
#   make SANITIZE=address,undefined BUILD=build/sanitized     build with sanitizers, beside build/
#   make CC='gcc -m32' BUILD=build/32                         build for 32 bits, if the compiler can
#   make CC=aarch64-linux-gnu-gcc BUILD=build/aarch64         build for another processor
#
# LESSONS is the syllabus, in order. A new lesson is one word there.

LESSONS = handshake textbook unready lostwakeup coalesce polling existing shortcopy counter \
          watching torn turn keys collision private lifetime fields rmid crash rdonly attach \
          pages offset inherit perm limits full errors descriptor huge noreserve posix persist \
          stream pingpong

# The wrong variants. Each is a listener, and runs with the talker of its lesson. A new one is one word here.
VARIANTS = listener-unready_no_block listener-lostwakeup_no_mask listener-torn_no_seq

VERSION   = 1.0
BUILD     = build
PREFIX    = /usr/local
CFLAGS    = -O2 -g
WARNINGS  = -Wall -Wextra -Wpedantic -Wshadow -Wconversion
SANITIZER = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
COMPILE   = $(CC) -std=c11 -D_XOPEN_SOURCE=700 -D_FILE_OFFSET_BITS=64 -DVERSION='"$(VERSION)"' \
            $(WARNINGS) $(CFLAGS) $(SANITIZER)

# Before glibc 2.34 shm_open was in librt. Systems other than Linux have no such library.
LDLIBS    = $(if $(filter Linux,$(shell uname)),-lrt)

TALKERS   = $(LESSONS:%=talker-%) $(filter talker-%,$(VARIANTS))
LISTENERS = $(LESSONS:%=listener-%) $(filter listener-%,$(VARIANTS))
PROGRAMS  = talker listener $(TALKERS) $(LISTENERS)
TOOLS     = sweep bench watch story grade
GRADE     = $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out %_preload.c,$(wildcard scripts/grade_*.c)))
LIBRARIES = grade_preload.so grade_preload_sanitized.so
COMMON    = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard common/*.c))
OBJECTS   = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard */*.c))

.PHONY: all demo test lint syntax install uninstall dist clean

# "make -s" says nothing.
all: $(PROGRAMS:%=$(BUILD)/%) $(TOOLS:%=$(BUILD)/%) $(LIBRARIES:%=$(BUILD)/%)
	$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,@echo 'Next: scripts/demo, or $(BUILD)/listener in one terminal and $(BUILD)/talker in another')

# build/talker comes from talker/talker.c, build/talker-torn from talker/torn.c. Each file is first made
# under another name and then renamed, so that two builds at once do not disturb each other, and a
# program that is running keeps its file.
$(BUILD)/talker: $(BUILD)/obj/talker/talker.o
$(BUILD)/listener: $(BUILD)/obj/listener/listener.o
$(TALKERS:%=$(BUILD)/%): $(BUILD)/talker-%: $(BUILD)/obj/talker/%.o
$(LISTENERS:%=$(BUILD)/%): $(BUILD)/listener-%: $(BUILD)/obj/listener/%.o
$(TOOLS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/obj/scripts/%.o
$(BUILD)/grade: $(GRADE)
$(BUILD)/watch: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard scripts/watch_*.c))
$(BUILD)/story: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard scripts/story_*.c))
$(PROGRAMS:%=$(BUILD)/%) $(TOOLS:%=$(BUILD)/%): $(COMMON)
	$(COMPILE) $(LDFLAGS) -o $@.$$$$ $(filter %.o,$^) $(LDLIBS) && mv -f $@.$$$$ $@

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $@.$$$$ $< && mv -f $@.$$$$ $@

# A student's program loads one of these (scripts/grade).
$(LIBRARIES:%=$(BUILD)/%): scripts/grade_preload.c scripts/grade_report.h Makefile
	@mkdir -p $(@D)
	$(filter-out -fsanitize%,$(COMPILE)) $(if $(findstring sanitized.so,$@),-DFOR_SANITIZER) -shared -fPIC -o $@.$$$$ $< -ldl && mv -f $@.$$$$ $@

-include $(OBJECTS:.o=.d)

demo: all
	scripts/demo

test: all
	scripts/test

lint:
	scripts/lint

# Warnings that need the optimizer, such as that of an unset variable, come only with a build.
syntax: $(BUILD)/obj/syntax
$(BUILD)/obj/syntax: $(filter-out tests/%,$(wildcard */*.c)) $(wildcard common/*.h common/layout/*.h) Makefile
	@mkdir -p $(@D)
	$(COMPILE) -fsyntax-only $(filter %.c,$^) && touch $@

# bash-completion looks for a file with the name of the command.
SHARE       = $(DESTDIR)$(PREFIX)/share
COMPLETIONS = $(SHARE)/bash-completion/completions

install: all
	mkdir -p "$(DESTDIR)$(PREFIX)/bin" "$(SHARE)/man/man1" "$(COMPLETIONS)"
	cp $(PROGRAMS:%=$(BUILD)/%) "$(DESTDIR)$(PREFIX)/bin"
	cp talker/talker.1 listener/listener.1 "$(SHARE)/man/man1"
	BUILD='$(BUILD)' scripts/completion >"$(COMPLETIONS)/shmtalk"
	cd "$(COMPLETIONS)" && for program in $(PROGRAMS); do ln -sf shmtalk "$$program" || exit; done

uninstall:
	cd "$(DESTDIR)$(PREFIX)/bin" && rm -f $(PROGRAMS)
	cd "$(SHARE)/man/man1" && rm -f talker.1 listener.1
	cd "$(COMPLETIONS)" && rm -f shmtalk $(PROGRAMS)

dist:
	mkdir -p $(BUILD)
	git archive --prefix=shmtalk-$(VERSION)/ -o $(BUILD)/shmtalk-$(VERSION).tar.gz HEAD

clean:
	rm -rf $(BUILD)
