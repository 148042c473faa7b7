// Guest images (docs/reference.md, "Guest image"): what is checked before a run, and the private
// copy that carries the job's words.
#pragma once
#include "util.h"

enum { image_sector = 512, image_env_lba = 2040, image_env_bytes = 1024, image_append_max = 800 };

// Checks that `path` is a disk whose partitions lie inside the file and that has the environment
// block. 0 and the size, or -1 with a message that names the file and the defect.
int image_check(const char *path, unsigned long long *bytes);

// Checks the same but asks for no environment block: any bootable disk.
int image_check_disk(const char *path, unsigned long long *bytes);

// Copies `from` to `to` and puts `append` into the copy's environment block, where it is not empty.
// 0, or -1 with a message.
int image_copy(const char *from, const char *to, const char *append);

// Builds an environment block that sets `append`. 0, or -1 where the words are too long.
int image_env_block(char block[image_env_bytes], const char *append);
