# loopknot: one non-recursive Makefile. `make help` lists the targets.
#
# O=DIR        where objects and programs go (build)
# SAN=LIST     sanitizers, e.g. SAN=address,undefined (then O defaults to build-san)
# PYTHON=PATH  the interpreter scenarios and tests run on (/usr/bin/python3)
# V=1          show commands      WERROR=  do not stop at warnings (packagers)

SAN ?=
O ?= build$(if $(SAN),-san)
PYTHON ?= /usr/bin/python3
CC ?= cc
AR ?= ar
PKG_CONFIG ?= pkg-config
WERROR ?= -Werror
CFLAGS ?= -O2 -g
V ?= 0
Q := $(if $(filter 1,$(V)),,@)

prefix ?= /usr/local
bindir ?= $(prefix)/bin
libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
mandir ?= $(prefix)/share/man
bashdir ?= $(prefix)/share/bash-completion/completions
zshdir ?= $(prefix)/share/zsh/site-functions
DESTDIR ?=

VERSION := $(shell sed -n 's/^\#define LOOPKNOT_VERSION "\(.*\)"/\1/p' include/loopknot.h)
SOVERSION := 0

# The commit: of the checkout, or of the archive that git made of it.
COMMIT := $(or $(shell git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null),$(shell sed -n 's/^\([0-9a-f]*\)$$/\1/p' packaging/commit))

LIB_PKGS := libdw libelf jansson libzstd liblz4 liblzma zlib
TEST_PKGS := cmocka

LK_CPPFLAGS := -D_GNU_SOURCE -Isrc -Iinclude
PIC := -fPIC
LK_CFLAGS = -std=gnu11 $(PIC) -fvisibility=hidden -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes $(WERROR) \
            $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
LK_LDFLAGS = $(if $(SAN),-fsanitize=$(SAN))
LK_LDLIBS = $(shell $(PKG_CONFIG) --libs $(LIB_PKGS)) -liberty -ldl -lpthread

ALL_SRCS := $(sort $(shell find src -name '*.c'))
CLI_SRCS := $(filter src/cli/%,$(ALL_SRCS))
LIB_SRCS := $(filter-out $(CLI_SRCS),$(ALL_SRCS))
UNIT_SRCS := $(sort $(shell find tests -name 'test_*.c'))
UNIT_HELP_SRCS := $(sort $(wildcard tests/*.c tests/diagnose/graph/random.c tests/diagnose/rules/make.c tests/report/fixtures.c))
LIB_OBJS := $(LIB_SRCS:%.c=$(O)/%.o)
CLI_OBJS := $(CLI_SRCS:%.c=$(O)/%.o)
# What the unit tests need of the program: the watchdog's parts that stand alone.
WATCHDOG_OBJS := $(addprefix $(O)/src/cli/run/,command_cgroup.o command_name.o kill_tree.o guardian.o tree_progress.o signals.o descriptor_limit.o)
UNIT_HELP_OBJS := $(UNIT_HELP_SRCS:%.c=$(O)/%.o)
UNITS := $(UNIT_SRCS:%.c=$(O)/%)

.DEFAULT_GOAL := all
.PHONY: all static wheel unchanged-or-not deps demo check unit e2e check-matrix matrix-free-threaded check-ecosystem check-systems check-loops check-browser record-captures lint compile_commands.json fuzz attacks bench soak install install-strip check-packages uninstall clean help run-demo run-fuzz
.SECONDARY:

# On a terminal one line says what is being compiled.
TERMINAL := $(if $(filter 1,$(V)),,$(shell [ -t 2 ] && echo yes))
SAY = $(if $(TERMINAL),@printf '\r\033[K%.70s' '$(CC) $<' >&2)
HUSH = $(if $(TERMINAL),@printf '\r\033[K' >&2)
# All processors, unless the caller chose.
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

all: $(O)/loopknot $(O)/libloopknot.so ## build the program and the libraries (build/loopknot)
	$(HUSH)

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(SAY)
	$(Q)$(CC) $(LK_CPPFLAGS) $(CPPFLAGS) -MMD -MP $(LK_CFLAGS) $(CFLAGS) -c -o $@ $<

$(O)/tests/%.o: LK_CPPFLAGS += -Itests

$(O)/src/cli/version.o: LK_CPPFLAGS += -DLK_COMMIT='"$(COMMIT)"'
$(O)/src/cli/version.o: $(O)/commit
$(O)/commit: unchanged-or-not
	@mkdir -p $(@D)
	@echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' > $@

$(O)/libloopknot.a: $(LIB_OBJS)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(O)/libloopknot.so.$(SOVERSION): $(LIB_OBJS)
	$(Q)$(CC) -shared -Wl,-soname,libloopknot.so.$(SOVERSION) -Wl,--exclude-libs,ALL $(LK_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LK_LDLIBS)

$(O)/libloopknot.so: $(O)/libloopknot.so.$(SOVERSION)
	$(Q)ln -sf $(<F) $@

# The program is linked with the static library: it stays one file that can be copied to a server.
$(O)/loopknot: $(CLI_OBJS) $(O)/libloopknot.a
	$(Q)$(CC) $(LK_LDFLAGS) $(LDFLAGS) -o $@ $(CLI_OBJS) $(O)/libloopknot.a $(LK_LDLIBS)

# One file that needs nothing of the machine it runs on: no loader, no library, no file. The same bytes whenever it is built anew of the
# same sources and packages. At a fixed address: Debian's libunwind.a is not position independent.
STATIC := $(O)/static/loopknot
STATIC_CFLAGS := -O2 -ffunction-sections -fdata-sections -fno-pie -fstack-protector-strong -D_FORTIFY_SOURCE=2 -DLK_STATIC -ffile-prefix-map=$(CURDIR)=.
STATIC_LDFLAGS := -static -Wl,--gc-sections -Wl,-z,relro,-z,now -s
STATIC_LIBS := -ldw -lelf -ljansson -lzstd -llz4 -llzma -lz -lbz2 -liberty -lunwind-generic -lunwind

static: ## one fully static, stripped file (build/static/loopknot)
	$(Q)packaging/install-deps static
	$(Q)$(MAKE) --no-print-directory O=$(O)/static PIC= CFLAGS='$(STATIC_CFLAGS)' LDFLAGS='$(STATIC_LDFLAGS)' \
	    LK_LDLIBS='-Wl,--start-group $(STATIC_LIBS) -Wl,--end-group' $(STATIC)
	$(HUSH)

wheel: static ## the Python package, with the static program: build/loopknot-VERSION-py3-none-*.whl (pip fetches hatchling)
	$(Q)rm -rf $(O)/wheel && mkdir -p $(O)/wheel/program && cp -r packaging/python/. README.md LICENSE include/loopknot.h $(O)/wheel
	$(Q)cp $(STATIC) $(O)/wheel/program/loopknot
	$(Q)$(PYTHON) -m venv $(O)/wheel/venv
	$(Q)$(O)/wheel/venv/bin/pip --quiet wheel --no-deps --wheel-dir $(O) $(O)/wheel

deps: ## install what building, testing and linting need (Debian packages; root or sudo)
	$(Q)packaging/install-deps test lint

demo: ## install what is missing, build, hang a Flask server, diagnose it
	$(Q)packaging/install-deps demo
	$(Q)$(MAKE) --no-print-directory $(JOBS) run-demo

run-demo: all
	$(Q)LOOPKNOT=$(abspath $(O)/loopknot) $(PYTHON) scenarios/demo

check: ## install what is missing, build, run all tests; ends with "N passed, N failed"
	$(Q)packaging/install-deps test
	$(Q)PYTHON=$(PYTHON) MAKE="$(MAKE)" tests/run-all

$(UNITS): $(O)/%: $(O)/%.o $(UNIT_HELP_OBJS) $(WATCHDOG_OBJS) $(O)/libloopknot.a
	$(Q)$(CC) $(LK_LDFLAGS) $(LDFLAGS) -o $@ $< $(UNIT_HELP_OBJS) $(WATCHDOG_OBJS) $(O)/libloopknot.a $(LK_LDLIBS) \
	    $(shell $(PKG_CONFIG) --libs $(TEST_PKGS)) -lunwind-ptrace -lunwind-generic -lunwind

# Allocations of the library fail there when the test says so.
$(O)/tests/api/test_out_of_memory: LK_LDFLAGS += $(foreach f,malloc calloc realloc reallocarray strdup fopen opendir \
    open_memstream mmap munmap,-Wl,--wrap=$f)

unit: $(UNITS) ## build the unit tests and run them
	$(Q)tests/run-unit $(UNITS)

COMPARE := $(O)/tests/read/native/unwind/compare_unwinders

e2e: all $(COMPARE) ## attach to every scenario
	$(Q)LOOPKNOT=$(abspath $(O)/loopknot) $(PYTHON) tests/e2e/run.py

check-matrix: all $(O)/tests/read/python/dump_python ## every CPython that can be had here (pyenv, Debian suites by mmdebstrap)
	$(Q)O=$(abspath $(O)) tests/matrix/run

matrix-free-threaded: all $(O)/tests/read/python/dump_python ## a CPython without the GIL, built from Debian's source package: check-matrix and the scenarios that apply (20 minutes)
	$(Q)tests/matrix/build-free-threaded $(abspath $(O))/matrix/free-threaded
	$(Q)O=$(abspath $(O)) ONLY=free-threaded tests/matrix/run; a=$$?; \
	    SCENARIO_PYTHON=$(abspath $(O))/matrix/free-threaded/venv/bin/python LOOPKNOT=$(abspath $(O)/loopknot) \
	    /usr/bin/python3 tests/e2e/run.py --what-applies && exit $$a

check-ecosystem: all ## every scenario on other releases of the libraries (virtual environments made with pip), and check-systems
	$(Q)O=$(abspath $(O)) PYTHON=$(PYTHON) tests/ecosystem/run; a=$$?; O=$(abspath $(O)) PYTHON=$(PYTHON) tests/systems/run && exit $$a

check-systems: all ## databases, task queues, bridges and loops in C on real servers: PostgreSQL, redis, what pip finds
	$(Q)O=$(abspath $(O)) PYTHON=$(PYTHON) tests/systems/run

check-loops: all ## loops of trio, Twisted, gevent and eventlet, also below anyio, hypercorn and gunicorn, on the releases that tests/loops pins
	$(Q)O=$(abspath $(O)) PYTHON=$(PYTHON) tests/loops/run

check-packages: all ## the static file, wheel and pytest plugin, installed and run (ROOTS=DIR keeps the Debian roots)
	$(Q)packaging/install-deps packages
	$(Q)O=$(abspath $(O)) PYTHON=$(PYTHON) tests/packages/run

record-captures: all ## as root: record again what of tests/captures lacks what is read today (CASES="FAMILY/PROGRAM ...": those)
	$(Q)tests/captures/record $(CASES)

check-browser: all ## the HTML report in Debian's chromium (packages chromium and chromium-driver); KEEP=DIR keeps pages and screenshots
	$(Q)LOOPKNOT=$(abspath $(O)/loopknot) $(PYTHON) tests/browser/run $(KEEP)

$(COMPARE): $(COMPARE).o $(O)/libloopknot.a
	$(Q)$(CC) $(LK_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LK_LDLIBS)

$(O)/tests/read/python/dump_python: $(O)/tests/read/python/dump_python.o $(O)/libloopknot.a
	$(Q)$(CC) $(LK_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LK_LDLIBS)

compile_commands.json: ## what clangd and other editors want to know
	$(Q)tools/compile-commands '$(CC)' '$(LK_CPPFLAGS) -Itests $(CPPFLAGS) $(LK_CFLAGS) $(CFLAGS)' $(ALL_SRCS) $(UNIT_SRCS) > $@

lint: ## format, warnings of two compilers, clang-tidy, cppcheck, the order of the rooms, the picture
	$(Q)packaging/install-deps lint
	$(Q)tests/lint

FUZZERS := $(patsubst %.c,$(O)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
$(FUZZERS): $(O)/%: $(O)/%.o $(O)/tests/fuzz/mutate.o $(O)/tests/report/fixtures.o $(O)/libloopknot.a
	$(Q)$(CC) $(LK_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LK_LDLIBS) $(shell $(PKG_CONFIG) --libs $(TEST_PKGS))

fuzz: ## mutate what targets say, under ASan and UBSan (FUZZ_SECONDS=30 each)
	$(Q)packaging/install-deps test
	$(Q)$(MAKE) --no-print-directory SAN=address,undefined CFLAGS='-O1 -g' run-fuzz

run-fuzz: $(FUZZERS)
	$(Q)for f in $(FUZZERS); do echo $$f; $$f $(or $(FUZZ_SECONDS),30) || exit 1; done

bench: all ## wall time, memory and pause next to other tools (BENCH=--readme: the table of README.md)
	$(Q)LOOPKNOT=$(abspath $(O)/loopknot) $(PYTHON) tests/bench/run.py $(BENCH)

attacks: all ## what hostile processes cost: 10 s and 512 MiB at most
	$(Q)LOOPKNOT=$(abspath $(O)/loopknot) $(PYTHON) tests/bench/attacks.py

soak: all ## many attaches to busy healthy servers (ATTACHES=10000)
	$(Q)LOOPKNOT=$(abspath $(O)/loopknot) $(PYTHON) tests/e2e/soak.py
	$(Q)LOOPKNOT=$(abspath $(O)/loopknot) ATTACHES=$(or $(ATTACHES),1000) $(PYTHON) tests/e2e/unharmed.py

$(O)/completion.%: packaging/completion $(O)/loopknot
	$(Q)packaging/completion $* $(O)/loopknot > $@.new && mv $@.new $@

install: all $(O)/completion.bash $(O)/completion.zsh ## install program, libraries, header, pkg-config file, manual and completion (DESTDIR, prefix)
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(libdir)/pkgconfig $(DESTDIR)$(includedir) $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man5 \
	    $(DESTDIR)$(bashdir) $(DESTDIR)$(zshdir)
	install $(STRIP) -m 755 $(O)/loopknot $(DESTDIR)$(bindir)/
	install -m 644 $(O)/libloopknot.a $(DESTDIR)$(libdir)/
	install $(STRIP) -m 644 $(O)/libloopknot.so.$(SOVERSION) $(DESTDIR)$(libdir)/
	ln -sf libloopknot.so.$(SOVERSION) $(DESTDIR)$(libdir)/libloopknot.so
	install -m 644 include/loopknot.h $(DESTDIR)$(includedir)/
	sed -e 's|@prefix@|$(prefix)|; s|@libdir@|$(libdir)|; s|@includedir@|$(includedir)|; s|@version@|$(VERSION)|' \
	    packaging/loopknot.pc.in > $(DESTDIR)$(libdir)/pkgconfig/loopknot.pc
	install -m 644 docs/loopknot.1 $(DESTDIR)$(mandir)/man1/
	install -m 644 docs/loopknot-rules.5 $(DESTDIR)$(mandir)/man5/
	install -m 644 $(O)/completion.bash $(DESTDIR)$(bashdir)/loopknot
	install -m 644 $(O)/completion.zsh $(DESTDIR)$(zshdir)/_loopknot

install-strip: ## the same, without symbols and debug information
	$(MAKE) STRIP='-s --strip-program=strip' install

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(bindir)/loopknot $(DESTDIR)$(libdir)/libloopknot.a $(DESTDIR)$(libdir)/libloopknot.so \
	    $(DESTDIR)$(libdir)/libloopknot.so.$(SOVERSION) $(DESTDIR)$(includedir)/loopknot.h \
	    $(DESTDIR)$(libdir)/pkgconfig/loopknot.pc $(DESTDIR)$(mandir)/man1/loopknot.1 \
	    $(DESTDIR)$(mandir)/man5/loopknot-rules.5 $(DESTDIR)$(bashdir)/loopknot $(DESTDIR)$(zshdir)/_loopknot

clean: ## remove build folders
	rm -rf build build-san

help: ## this list
	@sed -n 's/^\([a-z0-9_.-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'
	@sed -n 's/^# \([A-Z]*=.*\)/  \1/p' Makefile

-include $(O)/tests/read/python/dump_python.d $(COMPARE).d $(FUZZERS:=.d) $(LIB_OBJS:.o=.d) $(CLI_OBJS:.o=.d) $(UNIT_HELP_OBJS:.o=.d) $(UNITS:=.d)
