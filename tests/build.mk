# Tiny guests, and the tests of the whole system.

# -Wno-clobbered: what CATCH() runs changes no variable that is used after it.
GUEST_FLAGS := -std=gnu11 -O2 -g $(WARN) -ffreestanding -mgeneral-regs-only -fno-pic -fno-pie -fno-stack-protector \
    -fno-asynchronous-unwind-tables -fcf-protection=none -fno-strict-aliasing -mno-red-zone -fno-toplevel-reorder -Wno-clobbered
GUEST_C := $(wildcard tests/guests/*.c tests/guests/core/*.c)

# $(call tiny_guest,BITS,SOURCES OF THIS WIDTH ALONE)
define tiny_guest
TINY$(1) := $(addprefix $(B)/guests/$(1)/,$(addsuffix .o,$(GUEST_C) $(2)))
$(B)/guests/$(1)/%.o: %
	@mkdir -p $$(@D)
	$$(CC) -m$(1) $$(GUEST_FLAGS) -MMD -MP -c -o $$@ $$<
$(B)/tiny$(1).elf: tests/guests/guest.lds $$(TINY$(1))
	$$(CC) -m$(1) -nostdlib -static -no-pie -Wl,-z,noexecstack,-z,max-page-size=4096,--build-id=none \
	    -T tests/guests/guest.lds -o $$@.own $$(TINY$(1))
	objcopy -O elf32-i386 $$@.own $$@
-include $$(TINY$(1):.o=.d)
all: $(B)/tiny$(1).elf
endef
$(eval $(call tiny_guest,32,tests/guests/core/entry32.S tests/guests/core/vectors32.S $(wildcard tests/guests/only32/*)))
$(eval $(call tiny_guest,64,tests/guests/core/entry64.S tests/guests/core/vectors64.S $(wildcard tests/guests/only64/*)))

# Disks whose boot sectors test real mode.
REAL := $(B)/real.img $(B)/real-nmi.img
$(REAL): $(B)/real%.img: tests/guests/real/real%.S tests/guests/real/real.lds
	@mkdir -p $(@D)
	$(CC) -m32 -c -o $(@:.img=.o) $<
	ld -m elf_i386 -T tests/guests/real/real.lds --oformat binary -o $@ $(@:.img=.o)
	truncate -s 1M $@
all: $(REAL)

$(eval $(call script_test,tests/guests/guests.t,$(B)/tiny32.elf $(B)/tiny64.elf $(B)/hv.elf))
$(eval $(call script_test,tests/system/config.t,$(B)/hv.elf))
$(eval $(call script_test,tests/system/ends.t,$(B)/tiny32.elf $(B)/hv.elf))
$(eval $(call script_test,tests/system/boot.t,$(B)/tiny32.elf $(B)/hv.elf))
$(eval $(call script_test,tests/system/linux.t,$(B)/penumbra $(B)/hv.elf $(patsubst %,$(B)/images/%.img,linux-686 linux-686-pae linux-amd64)))
$(eval $(call script_test,tests/system/compare.t,$(B)/penumbra $(B)/insns.so $(B)/hv.elf $(B)/images/linux-686.img))
$(eval $(call script_test,tests/system/stick.t,$(B)/penumbra $(B)/hv.elf $(B)/images/linux-686-unpacked.img))
$(eval $(call script_test,tests/system/stick-bochs.t,$(B)/penumbra $(B)/hv.elf $(B)/images/linux-686-unpacked.img))
$(eval $(call script_test,tests/system/bochs.t,$(B)/penumbra $(B)/hv.elf $(B)/images/linux-686-unpacked.img))
$(eval $(call script_test,tests/system/vmx.t,$(B)/tiny32.elf $(B)/tiny64.elf $(REAL) $(B)/hv.elf))

.PHONY: conformance
conformance: ##  write docs/conformance.md from the last `make check`
	tests/conformance.sh

# Tests that need one engine; `make check ENGINE=tcg` leaves out those of bochs, and the other way round.
TESTS_tcg := $(addprefix tests/,guests/guests.t $(addprefix system/,config.t ends.t boot.t linux.t compare.t stick.t bare.t)) \
    images/tests/boot.t images/tests/hv-iso.t
TESTS_bochs := $(addprefix tests/system/,bochs.t stick-bochs.t vmx.t)
