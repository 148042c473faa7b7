#include "result.h"

#include <stdarg.h>
#include <stdio.h>

void result_warn(struct result *result, const char *format, ...)
{
    if (result->warnings >= RESULT_MAX_WARNINGS)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(result->warning[result->warnings++], sizeof result->warning[0], format, args);
    va_end(args);
}
