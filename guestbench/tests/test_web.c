/* The web benchmarks: what is requested, what is read of a reply, pacing and conformance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "../web_client.h"
#include "../web_files.h"

/* Kinds and directories are drawn; each hundred files has the shares of the classes. */
static void test_mix(void **state)
{
    static const int shares[WEB_CLASSES] = {35, 50, 14, 1};
    static struct web_mix mix;
    uint64_t random = 5;
    int classes[WEB_CLASSES] = {0}, kinds[WEB_KINDS] = {0}, first = 0, files = 0;
    (void)state;
    web_mix_init(&mix, 10);
    for (int i = 0; i < 90000; i++) {
        struct web_request request;
        web_mix_draw(&mix, &random, &request);
        assert_in_range(request.directory, 0, 9);
        kinds[request.kind]++;
        first += request.directory == 0;
        if (request.kind == WEB_POST)
            continue;
        classes[request.class]++;
        files++;
        for (int class = 0; class < WEB_CLASSES; class ++)
            assert_in_range(classes[class] * 100 - files * shares[class] + 100, 0, 200);
    }
    assert_in_range(kinds[WEB_STATIC], 62000, 64000);
    assert_in_range(kinds[WEB_POST], 4000, 4640);
    assert_in_range(kinds[WEB_CGI], 80, 190);
    /* 1 / (1 + 1/2 + ... + 1/10) is 0.341 */
    assert_in_range(first, 30000, 31500);
}

/* Of nine files of a class each has another size, and the order is not always the same. */
static void test_rounds(void **state)
{
    static struct web_mix mix;
    uint64_t random = 7;
    int count[WEB_CLASSES] = {0}, seen[WEB_CLASSES] = {0};
    int order[WEB_CLASSES] = {0}, last[WEB_CLASSES] = {0}, changes[WEB_CLASSES] = {0};
    (void)state;
    web_mix_init(&mix, 1);
    for (int i = 0; i < 20000; i++) {
        struct web_request request;
        web_mix_draw(&mix, &random, &request);
        int class = request.class;
        assert_in_range(request.size, 1, WEB_SIZES);
        if (request.kind == WEB_POST)
            continue;
        assert_false(seen[class] & 1 << request.size);
        seen[class] |= 1 << request.size;
        order[class] = order[class] * 10 + request.size;
        if (++count[class] % WEB_SIZES)
            continue;
        changes[class] += last[class] && order[class] != last[class];
        last[class] = order[class];
        order[class] = seen[class] = 0;
    }
    assert_true(count[0] > 5000 && count[3] > 2 * WEB_SIZES);
    assert_true(changes[0] > 500 && changes[1] > 500 && changes[2] > 100);
    assert_int_equal(changes[3], 0);
}

static void test_sizes(void **state)
{
    size_t sum = 0;
    (void)state;
    for (int class = 0; class < WEB_CLASSES; class ++) {
        for (int size = 1; size <= WEB_SIZES; size++)
            sum += web_file_size(class, size);
    }
    assert_in_range(sum, WEB_DIRECTORY_MB * 1000000, (WEB_DIRECTORY_MB + 1) * 1000000);
    assert_true(web_file_size(0, 9) < 1024 && web_file_size(3, 9) < 1024 * 1024);
}

/* 70 % of the requests on connections that stay. */
static void test_connections(void **state)
{
    uint64_t random = 1;
    int kept = 0, all = 0;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        int requests = web_draw_requests(&random);
        all += requests;
        kept += requests > 1 ? requests : 0;
    }
    assert_in_range(kept * 100L / all, 68, 72);
}

static void test_request_text(void **state)
{
    (void)state;
    for (int kind = 0; kind < WEB_KINDS; kind++) {
        struct web_request request = {.kind = (enum web_kind)kind,
                                      .directory = 12,
                                      .class = 2,
                                      .size = 7,
                                      .keep_alive = kind % 2};
        struct web_request back;
        char text[WEB_REQUEST_MAX];
        if (kind == WEB_AD || kind == WEB_POST)
            request.user = 1234;
        if (kind == WEB_AD)
            request.last_ad = 359;
        assert_in_range(web_request_format(&request, text), 40, WEB_REQUEST_MAX - 1);
        assert_true(web_request_parse(text, &back));
        assert_int_equal(back.kind, kind);
        assert_int_equal(back.directory, 12);
        assert_int_equal(back.class, 2);
        assert_int_equal(back.size, 7);
        assert_int_equal(back.user, request.user);
        assert_int_equal(back.last_ad, request.last_ad);
        assert_int_equal(back.keep_alive, request.keep_alive);
    }
}

static void test_bad_requests(void **state)
{
    static const char *const bad[] = {
        "",
        "PUT /dir00001/class1_1 HTTP/1.1\r\n\r\n",
        "GET /../../etc/passwd HTTP/1.1\r\n\r\n",
        "GET /dir00001/class4_1 HTTP/1.1\r\n\r\n",
        "GET /dir00001/class1_0 HTTP/1.1\r\n\r\n",
        "GET /dir-0001/class1_1 HTTP/1.1\r\n\r\n",
        "POST /dir00001/class1_1 HTTP/1.1\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct web_request request;
        if (web_request_parse(bad[i], &request))
            fail_msg("accepted: %s", bad[i]);
    }
}

static void test_record(void **state)
{
    struct web_request request = {
        .kind = WEB_POST, .directory = 3, .class = 1, .size = 2, .user = 9999};
    char record[WEB_RECORD + 1];
    (void)state;
    web_record_format(&request, record);
    assert_int_equal(strlen(record), WEB_RECORD);
    assert_int_equal(record[WEB_RECORD - 1], '\n');
}

/* A body in pieces of every length matches; with one byte wrong it does not. */
static void test_body(void **state)
{
    struct web_request request = {
        .kind = WEB_AD, .directory = 1, .class = 0, .size = 3, .user = 5, .last_ad = 8};
    static char whole[2048];
    struct web_body body;
    (void)state;
    web_body_init(&body, &request);
    size_t length = web_body_bytes(&body);
    assert_in_range(length, 306, sizeof whole);
    memcpy(whole, body.head, body.head_bytes);
    memcpy(whole + body.head_bytes, web_file_bytes(1, 0, 3, 0), body.file_bytes);
    memcpy(whole + body.head_bytes + body.file_bytes, web_body_tail(), body.tail_bytes);
    for (size_t piece = 1; piece <= length; piece++) {
        for (size_t at = 0; at < length; at += piece) {
            size_t part = length - at < piece ? length - at : piece;
            assert_true(web_body_matches(&body, at, whole + at, part));
        }
    }
    for (size_t wrong = 0; wrong < length; wrong++) {
        whole[wrong] ^= 1;
        assert_false(web_body_matches(&body, 0, whole, length));
        whole[wrong] ^= 1;
    }
    assert_false(web_body_matches(&body, 1, whole, length));
}

static void test_header(void **state)
{
    size_t body = 0;
    (void)state;
    const char *good = "HTTP/1.1 200 OK\r\nContent-Length: 123\r\nX: y\r\n\r\nContent";
    assert_int_equal(web_header_parse(good, &body), (int)strlen(good) - 7);
    assert_int_equal(body, 123);
    assert_int_equal(web_header_parse("HTTP/1.1 200 OK\r\nContent-Le", &body), 0);
    assert_int_equal(web_header_parse("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", &body),
                     -1);
    assert_int_equal(web_header_parse("HTTP/1.1 200 OK\r\n\r\nContent-Length: 5", &body), -1);
}

/* 50,000 bytes take a second at 400 kbit/s, and nothing overflows. */
static void test_pacing(void **state)
{
    (void)state;
    assert_int_equal(web_line_ns(50000), 1000000000);
    assert_int_equal(web_line_ns(1), 20000);
    assert_int_equal(web_line_ns(10ull << 30), 214748364800000);
}

static void test_conformance(void **state)
{
    const uint64_t second = 1000000000;
    (void)state;
    struct web_connection connection = {.bytes = 40000, .operations = 100, .errors = 1};
    assert_true(web_conforms(&connection, second));
    assert_false(web_conforms(&connection, second + second / 100));
    assert_false(web_conforms(&connection, 0));
    connection.errors = 2;
    assert_false(web_conforms(&connection, second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mix),          cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_sizes),        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_request_text), cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_record),       cmocka_unit_test(test_body),
        cmocka_unit_test(test_header),       cmocka_unit_test(test_pacing),
        cmocka_unit_test(test_conformance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
