# Guest images: build/images/GUEST.img for every images/guests/GUEST.yml, and
# GUEST-dev.img, whose init only checks the image and powers off.
IMAGE_SCRIPTS := $(wildcard images/*.sh) ci/fetch-debs.sh ci/apt-private.sh
GUESTS := $(patsubst images/guests/%.yml,%,$(wildcard images/guests/*.yml))

$(B)/images/%-dev.img: images/guests/%.yml $(IMAGE_SCRIPTS)
	images/build.sh --dev $*

$(B)/images/%.img: images/guests/%.yml $(IMAGE_SCRIPTS) $(B)/guestbench-i386 $(B)/guestbench-amd64 \
		$(B)/tcc-i386 $(B)/tcc-amd64
	images/build.sh $*

.PHONY: image images
image: $(B)/images/$(GUEST).img ##  build the image of GUEST

images: $(GUESTS:%=$(B)/images/%.img) ##  build the images of all guests

# ISOs are always made anew: it takes a moment.
# STICK="--default hvm --append 'guestbench.set=standard'" and so on: images/stick.sh.
.PHONY: stick
stick: $(B)/hv.elf $(B)/images/$(GUEST).img ##  a disk image for a real PC: GUEST natively and under hv.elf
	images/stick.sh $(STICK) $(GUEST) $(B)/images/stick-$(GUEST).img

.PHONY: hv-iso guest-iso
hv-iso: $(B)/hv.elf $(B)/images/$(GUEST).img ##  an ISO or USB stick that boots hv.elf with GUEST
	images/mkiso.sh hv $(GUEST) $(B)/images/penumbra-$(GUEST).iso

guest-iso: $(B)/images/$(GUEST).img ##  a CD that boots GUEST's kernel itself
	images/mkiso.sh guest $(GUEST) $(B)/images/$(GUEST)-cd.iso

DEV_IMAGES := $(patsubst %,$(B)/images/%-dev.img,linux-686 linux-686-pae linux-amd64 linux-686-unpacked)
$(eval $(call script_test,images/tests/guests.t))
$(eval $(call script_test,images/tests/layout.t,$(B)/images/linux-686-dev.img))
$(eval $(call script_test,images/tests/unpack.t,$(DEV_IMAGES)))
$(eval $(call script_test,images/tests/boot.t,$(DEV_IMAGES)))
$(eval $(call script_test,images/tests/hv-iso.t,$(B)/hv.elf $(B)/images/linux-686-dev.img))
