#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/types.h"

struct out {
    char *buf;
    size_t size, len;
};

struct spec {
    bool left, zero, negative;
    int width, precision;
    unsigned longs;
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->size)
        o->buf[o->len] = c;
    o->len++;
}

static void pad(struct out *o, char c, int n)
{
    while (n-- > 0)
        put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text, size_t n)
{
    if (!s->left)
        pad(o, ' ', s->width - (int)n);
    for (size_t i = 0; i < n; i++)
        put(o, text[i]);
    if (s->left)
        pad(o, ' ', s->width - (int)n);
}

static void put_number(struct out *o, const struct spec *s, u64 value, unsigned base,
                       const char *digits)
{
    char tmp[24];
    int n = 0;
    do
        tmp[n++] = digits[value % base];
    while (value /= base);
    int fill = s->width - n - s->negative;
    if (!s->left && !s->zero)
        pad(o, ' ', fill);
    if (s->negative)
        put(o, '-');
    if (!s->left && s->zero)
        pad(o, '0', fill);
    while (n)
        put(o, tmp[--n]);
    if (s->left)
        pad(o, ' ', fill);
}

static const char *parse_spec(const char *f, struct spec *s, va_list *ap)
{
    *s = (struct spec){.precision = -1};
    for (;; f++) {
        if (*f == '-')
            s->left = true;
        else if (*f == '0')
            s->zero = true;
        else
            break;
    }
    if (*f == '*') {
        s->width = va_arg(*ap, int);
        f++;
    }
    for (; *f >= '0' && *f <= '9'; f++)
        s->width = s->width * 10 + (*f - '0');
    if (*f == '.') {
        f++;
        s->precision = 0;
        if (*f == '*') {
            s->precision = va_arg(*ap, int);
            f++;
        }
        for (; *f >= '0' && *f <= '9'; f++)
            s->precision = s->precision * 10 + (*f - '0');
    }
    for (; *f == 'l' || *f == 'z'; f++)
        s->longs++;
    return f;
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
    size_t n = 0;
    if (!text)
        text = "(null)";
    while (text[n] && (s->precision < 0 || n < (size_t)s->precision))
        n++;
    put_text(o, s, text, n);
}

int fmt_vsnprintf(char *buf, size_t size, const char *f, va_list args)
{
    struct out o = {buf, size, 0};
    struct spec s;
    va_list ap;

    va_copy(ap, args);
    for (; *f; f++) {
        if (*f != '%') {
            put(&o, *f);
            continue;
        }
        f = parse_spec(f + 1, &s, &ap);
        switch (*f) {
        case 'd':
        case 'i': {
            s64 v = s.longs ? va_arg(ap, s64) : va_arg(ap, int);
            s.negative = v < 0;
            put_number(&o, &s, v < 0 ? -(u64)v : (u64)v, 10, "0123456789");
            break;
        }
        case 'u':
        case 'x':
        case 'X': {
            u64 v = s.longs ? va_arg(ap, u64) : va_arg(ap, unsigned);
            put_number(&o, &s, v, *f == 'u' ? 10 : 16,
                       *f == 'X' ? "0123456789ABCDEF" : "0123456789abcdef");
            break;
        }
        case 'p': put_number(&o, &s, (u64)va_arg(ap, void *), 16, "0123456789abcdef"); break;
        case 'c': {
            char c = (char)va_arg(ap, int);
            put_text(&o, &s, &c, 1);
            break;
        }
        case 's': put_string(&o, &s, va_arg(ap, const char *)); break;
        case '%': put(&o, '%'); break;
        default: /* not a conversion: shown as it is */
            put(&o, '%');
            if (!*f)
                f--;
            else
                put(&o, *f);
        }
    }
    va_end(ap);
    if (size)
        buf[o.len < size ? o.len : size - 1] = '\0';
    return (int)o.len;
}

int fmt_snprintf(char *buf, size_t size, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = fmt_vsnprintf(buf, size, format, ap);
    va_end(ap);
    return n;
}
