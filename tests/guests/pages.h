#pragma once

#include "core/guest.h"

/* Pages that say which one they are. */
static inline u8 *tagged(u8 tag)
{
    u8 *page = page_alloc();
    memset(page, tag, PAGE);
    return page;
}

static inline u8 seen(const volatile void *va)
{
    return *(const volatile u8 *)va;
}
