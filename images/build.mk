# Guest images: build/images/GUEST.img for every images/guests/GUEST.yml, and
# GUEST-dev.img, whose init only checks the image and powers off.
IMAGE_SCRIPTS := $(wildcard images/*.sh) ci/fetch-debs.sh ci/apt-private.sh
GUESTS := $(patsubst images/guests/%.yml,%,$(wildcard images/guests/*.yml))

$(B)/images/%-dev.img: images/guests/%.yml $(IMAGE_SCRIPTS)
	images/build.sh --dev $*

$(B)/images/%.img: images/guests/%.yml $(IMAGE_SCRIPTS) $(B)/guestbench-i386 $(B)/guestbench-amd64
	images/build.sh $*

.PHONY: image images
image: $(B)/images/$(GUEST).img ##  build the image of GUEST

images: $(GUESTS:%=$(B)/images/%.img) ##  build the images of all guests
