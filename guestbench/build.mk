# The benchmark suite: one static musl program for each ABI, from one recipe.

GB_ARCHES := i386 amd64
GB_SOURCES := $(wildcard guestbench/core/*.c) $(sort $(wildcard guestbench/*.c))
GB_CFLAGS := -std=gnu11 -O2 -g $(WARN) -fno-pie -fcf-protection=none \
	-fno-stack-protector -fno-lto -ffile-prefix-map=$(CURDIR)=. -nostdinc

GB_TRIPLET_i386 := i386-linux-musl
GB_TRIPLET_amd64 := x86_64-linux-musl
GB_MACHINE_i386 := -m32 -march=i686 -msse2 -mfpmath=sse
GB_MACHINE_amd64 := -m64

# SQLite for one process without threads (guestbench/db.c).
GB_SQLITE := -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_DEPRECATED \
	-DSQLITE_OMIT_SHARED_CACHE -DSQLITE_DQS=0 -DSQLITE_MAX_EXPR_DEPTH=0

$(B)/sqlite/sqlite3.c: | guestbench/sqlite.sh ci/fetch-source.sh ci/apt-private.sh
	guestbench/sqlite.sh $(@D)

# tcc, the compiler of compile.tcc, is a program of its own (LGPL; its sources stay in
# build/debs/source/tcc and go beside the images).
GB_TCC_i386 := -DTCC_TARGET_I386
GB_TCC_amd64 := -DTCC_TARGET_X86_64

$(B)/tcc/tcc.c: | guestbench/tcc.sh ci/fetch-source.sh ci/apt-private.sh
	guestbench/tcc.sh $(@D)

# $(call guestbench_arch,ARCH): Debian's musl-dev of that architecture is unpacked, not installed.
define guestbench_arch
GB_MUSL_$(1) := $(B)/debs/$(1)/usr
GB_OBJECTS_$(1) := $$(GB_SOURCES:%.c=$(B)/guestbench.$(1).d/%.o) \
	$(B)/guestbench.$(1).d/sqlite3.o

$(B)/debs/$(1)/.unpacked/musl-dev: | ci/fetch-debs.sh
	ci/fetch-debs.sh $(1) $(B)/debs/$(1) musl-dev musl

# A library that is not ours: small and quiet.
$(B)/guestbench.$(1).d/sqlite3.o: $(B)/sqlite/sqlite3.c $(B)/debs/$(1)/.unpacked/musl-dev
	@mkdir -p $$(@D)
	$$(CC) $$(filter-out $$(WARN) -O2 -g,$$(GB_CFLAGS)) -Os -w $$(GB_SQLITE) $$(GB_MACHINE_$(1)) \
		-isystem $$(GB_MUSL_$(1))/include/$$(GB_TRIPLET_$(1)) -c -o $$@ $$<

$(B)/guestbench.$(1).d/guestbench/db_server.o: GB_CFLAGS += -isystem $(B)/sqlite
$(B)/guestbench.$(1).d/guestbench/db_server.o: $(B)/sqlite/sqlite3.c

$(B)/guestbench.$(1).d/%.o: %.c $(B)/debs/$(1)/.unpacked/musl-dev guestbench/build.mk
	@mkdir -p $$(@D)
	$$(CC) $$(GB_CFLAGS) $$(GB_MACHINE_$(1)) \
		-isystem $$(GB_MUSL_$(1))/include/$$(GB_TRIPLET_$(1)) -MMD -MP -c -o $$@ $$<

# What times the C library must call it.
$(B)/guestbench.$(1).d/guestbench/table7_%.o: GB_CFLAGS += -fno-builtin

# Copies of these functions must run elsewhere: data by absolute address, no calls.
$(B)/guestbench.$(1).d/guestbench/scimark_kernels.o: GB_CFLAGS += -fno-jump-tables \
	-fno-tree-loop-distribute-patterns $(if $(filter amd64,$(1)),-mcmodel=large)

$(B)/guestbench-$(1): LIB = $$(GB_MUSL_$(1))/lib/$$(GB_TRIPLET_$(1))
$(B)/guestbench-$(1): $$(GB_OBJECTS_$(1))
	$$(CC) $$(GB_MACHINE_$(1)) -no-pie -static -nostdlib -Wl,--build-id=sha1 -Wl,-z,noexecstack \
		-o $$@ $$(LIB)/crt1.o $$(LIB)/crti.o $$^ $$(LIB)/libc.a \
		$$$$($$(CC) $$(GB_MACHINE_$(1)) -print-libgcc-file-name) $$(LIB)/libc.a $$(LIB)/crtn.o

$(B)/tcc-$(1).o: $(B)/tcc/tcc.c $(B)/debs/$(1)/.unpacked/musl-dev
	$$(CC) -O2 -w -fno-pie -fno-stack-protector -fcf-protection=none $$(GB_MACHINE_$(1)) -nostdinc \
		-isystem $$(GB_MUSL_$(1))/include/$$(GB_TRIPLET_$(1)) -I$(B)/tcc -DONE_SOURCE=1 \
		-DCONFIG_TCC_STATIC $$(GB_TCC_$(1)) -c -o $$@ $$<

$(B)/tcc-$(1): LIB = $$(GB_MUSL_$(1))/lib/$$(GB_TRIPLET_$(1))
$(B)/tcc-$(1): $(B)/tcc-$(1).o
	$$(CC) $$(GB_MACHINE_$(1)) -no-pie -static -nostdlib -s -Wl,-z,noexecstack \
		-o $$@ $$(LIB)/crt1.o $$(LIB)/crti.o $$^ $$(LIB)/libc.a \
		$$$$($$(CC) $$(GB_MACHINE_$(1)) -print-libgcc-file-name) $$(LIB)/libc.a $$(LIB)/crtn.o

-include $$(GB_OBJECTS_$(1):.o=.d)
endef
$(foreach arch,$(GB_ARCHES),$(eval $(call guestbench_arch,$(arch))))

$(B)/guestbench: $(B)/guestbench-amd64
	ln -sf guestbench-amd64 $@

all: $(GB_ARCHES:%=$(B)/guestbench-%) $(GB_ARCHES:%=$(B)/tcc-%) $(B)/guestbench

# Unit tests of the core.
$(eval $(call host_test,guestbench-stats,guestbench/tests/test_stats.c guestbench/core/stats.c,-lm))
$(eval $(call host_test,guestbench-rounds,guestbench/tests/test_rounds.c guestbench/core/rounds.c \
	guestbench/core/result.c))
$(eval $(call host_test,guestbench-sha256,guestbench/tests/test_sha256.c guestbench/core/sha256.c))
$(eval $(call host_test,guestbench-config,guestbench/tests/test_config.c guestbench/core/config.c))
$(eval $(call host_test,guestbench-modules,guestbench/tests/test_modules.c guestbench/core/modules.c))
$(eval $(call host_test,guestbench-tap,guestbench/tests/test_tap.c $(addprefix guestbench/core/,\
	report.c result.c stats.c tap.c),-lm))
$(eval $(call host_test,guestbench-sort,guestbench/tests/test_sort_ints.c guestbench/sort_ints.c))
$(eval $(call host_test,guestbench-idea,guestbench/tests/test_idea.c guestbench/idea.c))
$(eval $(call host_test,guestbench-emfloat,guestbench/tests/test_emfloat.c guestbench/emfloat.c,-lm))
$(eval $(call host_test,guestbench-accounts,guestbench/tests/test_account_file.c \
	guestbench/account_file.c))
$(eval $(call host_test,guestbench-scimark,guestbench/tests/test_scimark.c \
	guestbench/scimark_work.c guestbench/scimark_kernels.c,-lm))
$(eval $(call host_test,guestbench-fileload,guestbench/tests/test_fileload.c \
	guestbench/fileload.c guestbench/latency.c,-lm))
$(eval $(call host_test,guestbench-network,guestbench/tests/test_network.c \
	guestbench/core/network.c))
$(eval $(call host_test,guestbench-derived,guestbench/tests/test_derived.c \
	guestbench/core/derived.c))

$(eval $(call host_test,guestbench-db-rows,guestbench/tests/test_db_rows.c guestbench/db_rows.c,\
	-Iguestbench))
$(eval $(call host_test,guestbench-web,guestbench/tests/test_web.c $(addprefix guestbench/,\
	web_files.c web_client.c latency.c),-Iguestbench))
$(eval $(call host_test,guestbench-compile-tree,guestbench/tests/test_compile_tree.c \
	guestbench/compile_tree.c guestbench/core/workdir.c,-Iguestbench))

# The core with benchmarks that go wrong, and the suite as a command.
$(B)/tests/guestbench-faults.elf: guestbench/tests/faults.c guestbench/memory_touch.c guestbench/helper.c \
		guestbench/net_server.c guestbench/net_transfer.c \
		$(wildcard guestbench/core/*.[ch])
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -o $@ $(filter %.c,$^) -lm
$(eval $(call script_test,guestbench/tests/run.t,$(GB_ARCHES:%=$(B)/guestbench-%) $(GB_ARCHES:%=$(B)/tcc-%) \
	$(B)/tests/guestbench-faults.elf))
$(eval $(call script_test,guestbench/tests/loops.t,$(GB_ARCHES:%=$(B)/guestbench-%)))

include guestbench/bare/build.mk
$(eval $(call script_test,guestbench/tests/servers.t,$(GB_ARCHES:%=$(B)/guestbench-%) $(GB_ARCHES:%=$(B)/tcc-%)))
