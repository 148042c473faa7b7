# The benchmark without an operating system: two Multiboot kernels and a CD of both.

BARE_CORE := $(addprefix tests/guests/core/,trap.c print.c string.c machine.c paging.c)
BARE_C := $(sort $(wildcard guestbench/bare/*.c)) guestbench/core/sha256.c

# $(call bare_kernel,BITS,NAME)
define bare_kernel
BARE_OBJECTS_$(1) := $(addprefix $(B)/bare/$(1)/,$(addsuffix .o,tests/guests/core/entry$(1).S \
	tests/guests/core/vectors$(1).S $(BARE_CORE) $(BARE_C)))
$(B)/bare/$(1)/%.o: %
	@mkdir -p $$(@D)
	$$(CC) -m$(1) $$(GUEST_FLAGS) -Iguestbench/bare/libc -MMD -MP -c -o $$@ $$<
$(B)/$(2).elf: tests/guests/guest.lds $$(BARE_OBJECTS_$(1))
	$$(CC) -m$(1) -nostdlib -static -no-pie -Wl,-z,noexecstack,-z,max-page-size=4096,--build-id=none \
	    -T tests/guests/guest.lds -o $$@.own $$(BARE_OBJECTS_$(1)) $$$$($$(CC) -m$(1) -print-libgcc-file-name)
	objcopy -S -O elf32-i386 $$@.own $$@
-include $$(BARE_OBJECTS_$(1):.o=.d)
all: $(B)/$(2).elf
endef
$(eval $(call bare_kernel,32,bare-686))
$(eval $(call bare_kernel,64,bare-amd64))

$(B)/bare.iso: guestbench/bare/mkiso.sh $(B)/bare-686.elf $(B)/bare-amd64.elf
	$< $@ 686
all: $(B)/bare.iso $(B)/images/bare-686.img $(B)/images/bare-amd64.img

$(B)/images/bare-%.img: images/guests/bare-%.yml $(B)/bare-%.elf images/build.sh tests/guests/mkdisk.sh
	images/build.sh bare-$*

$(eval $(call host_test,guestbench-bare,guestbench/tests/test_bare.c $(addprefix guestbench/bare/,\
	settings.c stats.c)))
$(eval $(call script_test,tests/system/bare.t,$(B)/penumbra $(B)/insns.so $(B)/hv.elf $(B)/bare.iso \
	$(B)/images/bare-686.img $(B)/images/bare-amd64.img))
