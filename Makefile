# shmtalk: build, test, install.
#
#   make                  the pair and all lessons, in build/
#   make test             everything through bats
#   make lint             compilers with -Werror, cppcheck, shellcheck, clang-format
#   make install          all programs, and the manual pages of the pair, to $(DESTDIR)$(PREFIX)
#   make SANITIZE=address,undefined BUILD=build/sanitized
#
# LESSONS is the syllabus, in order: a new lesson is one word there.

LESSONS = handshake textbook unready lostwakeup coalesce polling counter torn keys lifetime rmid \
          crash rdonly attach offset inherit perm limits huge posix persist stream pingpong

# The wrong variants: one side each, and the other side is the lesson's.
VARIANTS = listener-unready_no_block listener-lostwakeup_no_mask listener-torn_no_seq

VERSION   = 1.0
BUILD     = build
PREFIX    = /usr/local
CFLAGS    = -O2 -g
WARNINGS  = -Wall -Wextra -Wpedantic -Wshadow -Wconversion
SANITIZER = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
COMPILE   = $(CC) -std=c11 -D_XOPEN_SOURCE=700 -D_FILE_OFFSET_BITS=64 -DVERSION='"$(VERSION)"' \
            $(WARNINGS) $(CFLAGS) $(SANITIZER)

# Until glibc 2.34 shm_open was in a library of its own; macOS and others never had that.
LDLIBS    = $(if $(filter Linux,$(shell uname)),-lrt)

TALKERS   = $(LESSONS:%=talker-%) $(filter talker-%,$(VARIANTS))
LISTENERS = $(LESSONS:%=listener-%) $(filter listener-%,$(VARIANTS))
PROGRAMS  = talker listener $(TALKERS) $(LISTENERS)
TOOLS     = sweep bench
COMMON   = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard common/*.c))
OBJECTS  = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard */*.c))

.PHONY: all demo test lint install uninstall dist clean

all: $(PROGRAMS:%=$(BUILD)/%) $(TOOLS:%=$(BUILD)/%)

# Each file is made beside its place and moved there: two builds at once do not disturb each other,
# nor a program that runs.
# build/talker comes from talker/talker.c, build/talker-torn from talker/torn.c.
$(BUILD)/talker: $(BUILD)/obj/talker/talker.o
$(BUILD)/listener: $(BUILD)/obj/listener/listener.o
$(TALKERS:%=$(BUILD)/%): $(BUILD)/talker-%: $(BUILD)/obj/talker/%.o
$(LISTENERS:%=$(BUILD)/%): $(BUILD)/listener-%: $(BUILD)/obj/listener/%.o
$(TOOLS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/obj/scripts/%.o
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
