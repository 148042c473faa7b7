#include "guest.h"

void *memset(void *to, int c, size_t n)
{
    void *at = to;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(c) : "memory");
    return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
    void *at = to;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const u8 *x = a, *y = b;
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

int strcmp(const char *a, const char *b)
{
    for (; *a && *a == *b; a++, b++)
        ;
    return (u8)*a - (u8)*b;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

bool word_value(const char *line, const char *key, char *out, size_t size)
{
    size_t n = strlen(key);
    for (bool start = true; *line; start = *line++ == ' ') {
        if (!start || memcmp(line, key, n))
            continue;
        size_t i = 0;
        for (line += n; *line && *line != ' ' && i + 1 < size; line++)
            out[i++] = *line;
        out[i] = '\0';
        return true;
    }
    return false;
}
