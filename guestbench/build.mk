# The benchmark suite: one static musl program for each ABI, from one recipe.

GB_ARCHES := i386 amd64
GB_SOURCES := $(wildcard guestbench/core/*.c) $(sort $(wildcard guestbench/*.c))
GB_CFLAGS := -std=gnu11 -O2 -g $(WARN) -fno-pie -fcf-protection=none \
	-fno-stack-protector -fno-lto -ffile-prefix-map=$(CURDIR)=. -nostdinc

GB_TRIPLET_i386 := i386-linux-musl
GB_TRIPLET_amd64 := x86_64-linux-musl
GB_MACHINE_i386 := -m32 -march=i686 -msse2 -mfpmath=sse
GB_MACHINE_amd64 := -m64

# $(call guestbench_arch,ARCH): Debian's musl-dev of that architecture is unpacked, not installed.
define guestbench_arch
GB_MUSL_$(1) := $(B)/debs/$(1)/usr
GB_OBJECTS_$(1) := $$(GB_SOURCES:%.c=$(B)/guestbench.$(1).d/%.o)

$(B)/debs/$(1)/.unpacked/musl-dev: | ci/fetch-debs.sh
	ci/fetch-debs.sh $(1) $(B)/debs/$(1) musl-dev musl

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

-include $$(GB_OBJECTS_$(1):.o=.d)
endef
$(foreach arch,$(GB_ARCHES),$(eval $(call guestbench_arch,$(arch))))

$(B)/guestbench: $(B)/guestbench-amd64
	ln -sf guestbench-amd64 $@

all: $(GB_ARCHES:%=$(B)/guestbench-%) $(B)/guestbench

# Unit tests of the core.
$(eval $(call host_test,guestbench-stats,guestbench/tests/test_stats.c guestbench/core/stats.c,-lm))
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

# The core with benchmarks that go wrong, and the suite as a command.
$(B)/tests/guestbench-faults.elf: guestbench/tests/faults.c guestbench/memory_touch.c \
		guestbench/net_server.c guestbench/net_transfer.c \
		$(wildcard guestbench/core/*.[ch])
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -o $@ $(filter %.c,$^) -lm
$(eval $(call script_test,guestbench/tests/run.t,$(GB_ARCHES:%=$(B)/guestbench-%) \
	$(B)/tests/guestbench-faults.elf))
$(eval $(call script_test,guestbench/tests/loops.t,$(GB_ARCHES:%=$(B)/guestbench-%)))

include guestbench/bare/build.mk
