/* What freestanding code that is also built with a C library needs of one. */
#pragma once
#include "../../../tests/guests/core/guest.h"
