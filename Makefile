# shmtalk: build, test, install.
#
#   make                  build the pair and all lessons in build/
#   make demo             build, then run the pair on one screen
#   make test             build, then run all tests
#   make lint             check the sources: compilers with -Werror, cppcheck, shellcheck, clang-format
#   make install          copy the programs and the manual pages to $(DESTDIR)$(PREFIX)
#   make uninstall        remove them from there
#   make dist             pack the sources of the last commit into build/
#   make clean            remove build/
#   make SANITIZE=address,undefined BUILD=build/sanitized     build with sanitizers, beside build/
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
TOOLS     = sweep bench story
COMMON    = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard common/*.c))
OBJECTS   = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard */*.c))

.PHONY: all demo test lint install uninstall dist clean

# "make -s" says nothing.
all: $(PROGRAMS:%=$(BUILD)/%) $(TOOLS:%=$(BUILD)/%)
	$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,@echo 'Next: scripts/demo, or $(BUILD)/listener in one terminal and $(BUILD)/talker in another')

# build/talker comes from talker/talker.c, build/talker-torn from talker/torn.c. Each file is first made
# under another name and then renamed, so that two builds at once do not disturb each other, and a
# program that is running keeps its file.
$(BUILD)/talker: $(BUILD)/obj/talker/talker.o
$(BUILD)/listener: $(BUILD)/obj/listener/listener.o
$(TALKERS:%=$(BUILD)/%): $(BUILD)/talker-%: $(BUILD)/obj/talker/%.o
$(LISTENERS:%=$(BUILD)/%): $(BUILD)/listener-%: $(BUILD)/obj/listener/%.o
$(TOOLS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/obj/scripts/%.o
$(BUILD)/story: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard scripts/story_*.c))
$(PROGRAMS:%=$(BUILD)/%) $(TOOLS:%=$(BUILD)/%): $(COMMON)
	$(COMPILE) $(LDFLAGS) -o $@.$$$$ $(filter %.o,$^) $(LDLIBS) && mv -f $@.$$$$ $@

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $@.$$$$ $< && mv -f $@.$$$$ $@

-include $(OBJECTS:.o=.d)

demo: all
	scripts/demo

test: all
	scripts/test

lint:
	scripts/lint

install: all
	mkdir -p $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	cp $(PROGRAMS:%=$(BUILD)/%) $(DESTDIR)$(PREFIX)/bin
	cp talker/talker.1 listener/listener.1 $(DESTDIR)$(PREFIX)/share/man/man1

uninstall:
	rm -f $(PROGRAMS:%=$(DESTDIR)$(PREFIX)/bin/%)
	rm -f $(DESTDIR)$(PREFIX)/share/man/man1/talker.1 $(DESTDIR)$(PREFIX)/share/man/man1/listener.1

dist:
	mkdir -p $(BUILD)
	git archive --prefix=shmtalk-$(VERSION)/ -o $(BUILD)/shmtalk-$(VERSION).tar.gz HEAD

clean:
	rm -rf $(BUILD)
