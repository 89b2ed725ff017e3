#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/redact.h"

struct row {
    const char *previous, *arg, *want;
};

static const struct row rows[] = {
    /* hidden: options and variables */
    { NULL, "--password=hunter2", "--password=***" },
    { NULL, "--password=a b&c,d", "--password=***" },
    { "--password", "hunter2", "***" },
    { "--password", "-hunter2", "***" },
    { "--db-passwd", "x", "***" },
    { "-password", "x", "***" },
    { NULL, "PASSWORD=hunter2", "PASSWORD=***" },
    { NULL, "DB_PASSWORD_PROD=hunter2", "DB_PASSWORD_PROD=***" },
    { NULL, "dbpassword=hunter2", "dbpassword=***" },
    { NULL, "SECRET_KEY=abc", "SECRET_KEY=***" },
    { NULL, "--secretKey=abc", "--secretKey=***" },
    { NULL, "--key=abc", "--key=***" },
    { "--key", "abc", "***" },
    { "--api-key", "abc", "***" },
    { NULL, "apiKey=abc", "apiKey=***" },
    { NULL, "APIKEY=abc", "APIKEY=***" },
    { NULL, "AWS_SECRET_ACCESS_KEY=abc", "AWS_SECRET_ACCESS_KEY=***" },
    { NULL, "--access-token=abc", "--access-token=***" },
    { NULL, "--auth=joe:x", "--auth=***" },
    { "--http-auth", "joe:x", "***" },
    { NULL, "PWD=letmein", "PWD=***" },
    { "--credentials", "x", "***" },
    { NULL, "--token=", "--token=" },
    { "-u", "joe:hunter2", "joe:***" },
    /* hidden: headers, JSON, code, URLs, shapes */
    { "-H", "Authorization: Bearer abc.def", "Authorization: ***" },
    { NULL, "X-Api-Key: abc", "X-Api-Key: ***" },
    { "-H", "Cookie: a=b; c=d", "Cookie: ***" },
    { NULL, "curl -H 'Set-Cookie: a=b; c=d' x", "curl -H 'Set-Cookie: ***' x" },
    { "--cookie", "a=b", "***" },
    { NULL, "sessionid=abc; theme=dark", "sessionid=***" },
    { NULL, "see sessionid=abc; theme=dark", "see sessionid=***; theme=dark" },
    { NULL, "curl -H 'Authorization: Basic dTpwYXNz' x", "curl -H 'Authorization: ***' x" },
    { NULL, "{\"user\":\"joe\",\"password\":\"a\\\"b\",\"x\":1}",
      "{\"user\":\"joe\",\"password\":\"***\",\"x\":1}" },
    { NULL, "{\"key\": \"abc\"}", "{\"key\": \"***\"}" },
    { "-c", "connect(user='joe', password='a b')", "connect(user='joe', password='***')" },
    { "-c", "connect(user='joe', password = secret_value)", "connect(user='joe', password = ***)" },
    { NULL, "host=db user=joe password=x port=5432", "host=db user=joe password=*** port=5432" },
    { NULL, "Server=db;Pwd=x;Timeout=5", "Server=db;Pwd=***;Timeout=5" },
    { NULL, "postgres://joe:hunter2@db:5432/app", "postgres://joe:***@db:5432/app" },
    { NULL, "redis://:hunter2@db/0", "redis://:***@db/0" },
    { NULL, "--db=amqp://a:b@h/v", "--db=amqp://a:***@h/v" },
    { NULL, "postgres://joe:p/w@db/app", "postgres://joe:***@db/app" },
    { NULL, "postgres://joe:p@w@db/app", "postgres://joe:***@db/app" },
    { NULL, "http://h/cb?token=abc&x=1", "http://h/cb?token=***&x=1" },
    { NULL, "http://h/cb?x=1&key=abc#f", "http://h/cb?x=1&key=***" },
    { NULL, "push ghp_0123456789abcdefghij0123 now", "push *** now" },
    { NULL, "AKIAIOSFODNN7EXAMPLE", "***" },
    { NULL, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_X", "***" },
    { NULL, "x=Bearer abcdefghijkl", "x=Bearer ***" },
    /* hidden: who calls, where a name is the key */
    { NULL, "https://0a1b2c@github.com/x", "https://***@github.com/x" },
    { NULL, "git+https://oauth2:0a1b@h/x", "git+https://oauth2:***@h/x" },
    { NULL, "https://glx0123456789abcdef:x@h/y", "https://***@h/y" },
    { NULL, "https://0a1b2c:@api.h", "https://***@api.h" },
    { NULL, "redis://0123456789abcdef0123@h", "redis://***@h" },
    { NULL, "x://a:b@h y://c:d@h", "x://a:***@h y://c:***@h" },
    /* hidden: headers without a blank */
    { "-H", "X-Api-Key:abc", "X-Api-Key:***" },
    { NULL, "X-Auth-Token:abc", "X-Auth-Token:***" },
    { NULL, "Authorization:Basic dTpw", "Authorization:***" },
    { NULL, "Cookie:a=b; c=d", "Cookie:***" },
    { NULL, "curl -H 'X-Api-Key:abc' x", "curl -H 'X-Api-Key:***' x" },
    { NULL, "curl -H 'Cookie:a=b; c=d' x", "curl -H 'Cookie:***' x" },
    /* hidden: openssl, cookies */
    { "-passin", "pass:hunter2", "pass:***" },
    { "-passout", "pass:a b", "pass:***" },
    { NULL, "openssl rsa -passin pass:hunter2 -in k", "openssl rsa -passin pass:*** -in k" },
    { "-b", "theme=dark; sid=abc", "theme=***" },
    { NULL, "get(u, cookies={'sid': 'abc'})", "get(u, cookies={***})" },
    /* hidden: signatures, webhooks, keys */
    { NULL, "https://a.blob/x?sv=1&sig=a%2Bb%3D&se=2", "https://a.blob/x?sv=1&sig=***&se=2" },
    { NULL, "https://s3/x?X-Amz-Signature=0a1b&x=1", "https://s3/x?X-Amz-Signature=***&x=1" },
    { NULL, "SharedAccessSignature=sv=1&sig=abc", "SharedAccessSignature=***" },
    { NULL, "https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/services/***" },
    { NULL, "--hook=https://discord.com/api/webhooks/123456789012345678/a-b",
      "--hook=https://discord.com/api/webhooks/***" },
    { NULL, "https://api.telegram.org/bot12:ab/send?x", "https://api.telegram.org/bot***?x" },
    { NULL, "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----",
      "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----" },
    { NULL, "-----BEGIN PRIVATE KEY-----\nMII", "-----BEGIN PRIVATE KEY-----***" },
    /* hidden: session, otp, pin as words */
    { "--session", "abcdef", "***" },
    { NULL, "session=abc", "session=***" },
    { NULL, "SESSION_ID=abc", "SESSION_ID=***" },
    { NULL, "http://h/?session=abc&x=1", "http://h/?session=***&x=1" },
    { "--otp", "123456", "***" },
    { NULL, "OTP=abc", "OTP=***" },
    { NULL, "user_pin=1234", "user_pin=***" },
    { "--pin", "123456", "***" },
    { NULL, "{\"pin\": \"1234\"}", "{\"pin\": \"***\"}" },
    /* near misses: must stay as they are */
    { NULL, "ssh://git@github.com/x", "ssh://git@github.com/x" },
    { NULL, "postgres://app@db/x", "postgres://app@db/x" },
    { NULL, "http://h/@scope/x", "http://h/@scope/x" },
    { NULL, "https://h/x?to=me@h.org", "https://h/x?to=me@h.org" },
    { NULL, "token-service:latest", "token-service:latest" },
    { NULL, "auth-token:8080", "auth-token:8080" },
    { NULL, "tests/test_x.py::TestToken::test_y", "tests/test_x.py::TestToken::test_y" },
    { NULL, "pass:app", "pass:app" },
    { "-passin", "env:PW", "env:PW" },
    { "-passin", "file:/run/pw", "file:/run/pw" },
    { "-b", "0.0.0.0:8000", "0.0.0.0:8000" },
    { "-b", "redis://h/0?x=1", "redis://h/0?x=1" },
    { NULL, "--sig=TERM", "--sig=TERM" },
    { NULL, "design=1&sign=2", "design=1&sign=2" },
    { NULL, "--signature-algorithm=rsa", "--signature-algorithm=rsa" },
    { NULL, "http://h:8000/webhooks/github", "http://h:8000/webhooks/github" },
    { NULL, "-----BEGIN CERTIFICATE-----\nMII", "-----BEGIN CERTIFICATE-----\nMII" },
    { "--session-timeout", "60", "60" },
    { "--session-name", "dev", "dev" },
    { "--session", "2", "2" },
    { NULL, "XDG_SESSION_ID=3", "XDG_SESSION_ID=3" },
    { NULL, "XDG_SESSION_TYPE=x11", "XDG_SESSION_TYPE=x11" },
    { NULL, "sessions=abc", "sessions=abc" },
    { NULL, "gpio_pin=17", "gpio_pin=17" },
    { "--pin", "main", "main" },
    { NULL, "spin=1234", "spin=1234" },
    { NULL, "pinned=12345", "pinned=12345" },
    { NULL, "opt=123456", "opt=123456" },
    { NULL, "monkey.py", "monkey.py" },
    { NULL, "tokenizer.py", "tokenizer.py" },
    { "python3", "password.py", "password.py" },
    { "--keepalive", "5", "5" },
    { NULL, "--keep-alive=5", "--keep-alive=5" },
    { "--keyfile", "/etc/ssl/k.pem", "/etc/ssl/k.pem" },
    { "--key-file", "/etc/ssl/k.pem", "/etc/ssl/k.pem" },
    { NULL, "--key-type=rsa", "--key-type=rsa" },
    { NULL, "--password-file=/run/secrets/pw", "--password-file=/run/secrets/pw" },
    { "--token-ttl", "60", "60" },
    { NULL, "token=None", "token=None" },
    { NULL, "{\"secret\": null, \"password\": nonesuch}", "{\"secret\": null, \"password\": ***}" },
    { "--password", "false", "false" },
    { "--cookie-file", "/srv/jar", "/srv/jar" },
    { NULL, "cookiecutter=gh:a/b", "cookiecutter=gh:a/b" },
    { NULL, "SESSION_COOKIE_SECURE=1", "SESSION_COOKIE_SECURE=1" },
    { "--max-tokens", "100", "100" },
    { NULL, "--sort-key=name", "--sort-key=name" },
    { NULL, "PWD=/srv/app", "PWD=/srv/app" },
    { NULL, "OLDPWD=/srv", "OLDPWD=/srv" },
    { "--auth", "--port", "--port" },
    { "--no-auth", "8000", "8000" },
    { NULL, "author=joe", "author=joe" },
    { NULL, "authority=x", "authority=x" },
    { NULL, "bypass=1", "bypass=1" },
    { NULL, "auth:app", "auth:app" },
    { NULL, "token:create_app", "token:create_app" },
    { "--bind", "0.0.0.0:8000", "0.0.0.0:8000" },
    { NULL, "http://h:8000/a@b", "http://h:8000/a@b" },
    { NULL, "http://h/a:b@c", "http://h/a:b@c" },
    { "-u", "module:app/x", "module:app/x" },
    { "-u", "1000:1000", "1000:1000" },
    { "-c", "sorted(x, key=len)", "sorted(x, key=len)" },
    { "-c", "if token == 3: pass", "if token == 3: pass" },
    { "-c", "sk-learn", "sk-learn" },
    { NULL, "", "" },
    { "--password", "", "" },
};

static void table(void **state)
{
    struct lk_arena *a = *state;
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        char *got = lk_redact(a, rows[i].arg, rows[i].previous);
        assert_string_equal(got, rows[i].want);
    }
}

/* Code that names a secret stays; what it is does not. */
static void source_lines(void **state)
{
    static const struct {
        const char *line, *want;
    } lines[] = {
        { "password = \"hunter2\"", "password = \"***\"" },
        { "self.password='hunter2'", "self.password='***'" },
        { "login(user, password=\"hunter2\", timeout=3)",
          "login(user, password=\"***\", timeout=3)" },
        { "API_KEY: str = f\"abc{x}\"  # comment", "API_KEY: str = f\"***\"  # comment" },
        { "headers = {\"Authorization\": \"Bearer abcdefgh\"}",
          "headers = {\"Authorization\": \"***\"}" },
        { "os.environ[\"DB_PASSWORD\"] = 'hunter2'", "os.environ[\"DB_PASSWORD\"] = '***'" },
        { "if token == \"abc\": return", "if token == \"***\": return" },
        { "if secret != b'abc': return", "if secret != b'***': return" },
        { "PIN_SECRET = 123456", "PIN_SECRET = ***" },
        { "secret = \"\"\"hunter2\"\"\"", "secret = \"\"\"***\"\"\"" },
        { "connect(\"postgres://u:hunter2@db/x\")", "connect(\"postgres://u:***@db/x\")" },
        { "get(url, auth=(\"me\", p))  # ghp_abcdefghijklmnopqrstuvwxyz",
          "get(url, auth=(\"me\", p))  # ***" },
        { "const char *api_key = \"abc\";", "const char *api_key = \"***\";" },
        { "get(u, cookies={\"sid\": \"abc\"})", "get(u, cookies={***})" },
        { "otp = \"123456\"", "otp = \"***\"" },
        { "post(\"https://hooks.slack.com/services/T0/B0/x\")",
          "post(\"https://hooks.slack.com/services/***\")" },
        /* what stays */
        { "return future.result()", "return future.result()" },
        { "password = getpass()", "password = getpass()" },
        { "await login(password=password)", "await login(password=password)" },
        { "if token == other.token: pass", "if token == other.token: pass" },
        { "token = tokens[3]", "token = tokens[3]" },
        { "sorted(rows, key=lambda r: r.name)", "sorted(rows, key=lambda r: r.name)" },
        { "password_file = \"/etc/x\"", "password_file = \"/etc/x\"" },
        { "def check(token: str) -> bool:", "def check(token: str) -> bool:" },
        { "name = \"password\"", "name = \"password\"" },
        { "session = Session()", "session = Session()" },
        { "cookies = {c.name: c.value for c in jar}", "cookies = {c.name: c.value for c in jar}" },
        { "led = Led(pin=17)", "led = Led(pin=17)" },
        { "", "" },
    };
    struct lk_arena *a = *state;
    for (size_t i = 0; i < LK_ARRAY_LEN(lines); i++) {
        assert_string_equal(lk_redact_source(a, lines[i].line), lines[i].want);
        assert_string_equal(lk_redact_source(a, lines[i].want), lines[i].want);
    }
    assert_null(lk_redact_source(a, NULL));
}

static void names(void **state)
{
    static const struct {
        const char *name, *want;
    } rows_[] = {
        { "worker token=abc", "worker token=***" },
        { "password=hunter2", "password=***" },
        { "fetch https://u:hunter2@h/x", "fetch https://u:***@h/x" },
        { "test_login[password=hunter2] (call)", "test_login[password=***] (call)" },
        { "tests/test_token.py::TestToken::test_x (call)",
          "tests/test_token.py::TestToken::test_x (call)" },
        { "Task-100000", "Task-100000" },
        { "ThreadPoolExecutor-0_0", "ThreadPoolExecutor-0_0" },
        { "Thread-7 (process_request_thread)", "Thread-7 (process_request_thread)" },
        { "127.0.0.1:5432", "127.0.0.1:5432" },
        { "", "" },
    };
    struct lk_arena *a = *state;
    for (size_t i = 0; i < LK_ARRAY_LEN(rows_); i++)
        assert_string_equal(lk_redact_name(a, rows_[i].name), rows_[i].want);
    assert_null(lk_redact_name(a, NULL));
}

/* Any bytes, any length: the secret after a name never comes through, and nothing crashes. */
static void odd_bytes(void **state)
{
    struct lk_arena *a = *state;
    char buf[600];
    uint32_t seed = 1;
    for (int round = 0; round < 5000; round++) {
        size_t n = seed % (sizeof(buf) - 1);
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525 + 1013904223;
            static const char chars[] = "key=token:\"'\\@/ &?eyJ.-\xff\x1b"
                                        "Bearer ";
            buf[i] = chars[(seed >> 16) % (sizeof(chars) - 1)];
        }
        buf[n] = '\0';
        seed = seed * 1664525 + 1013904223;
        assert_non_null(lk_redact(a, buf, round % 3 ? NULL : "--x"));
        assert_non_null(lk_redact_source(a, buf));
        assert_non_null(lk_redact_name(a, buf));
        assert_string_equal(lk_redact(a, buf, "--password"), n == 0 ? ""
                                                             : buf[0] == '-' && buf[1] == '-'
                                                                 ? lk_redact(a, buf, NULL)
                                                                 : "***");
    }
    memset(buf, 'k', sizeof(buf));
    memcpy(buf, "token=", 6);
    buf[sizeof(buf) - 1] = '\0';
    assert_string_equal(lk_redact(a, buf, NULL), "token=***");
    memset(buf, 'x', sizeof(buf) - 20);
    memcpy(buf + sizeof(buf) - 30, "password=hunter2", 17);
    char *got = lk_redact(a, buf, NULL);
    assert_null(strstr(got, "hunter2"));
}

/* CPU time, in clock ticks, for n bytes of what is repeated. */
static clock_t time_of(const char *part, size_t n)
{
    const size_t len = strlen(part);
    struct lk_arena *a = lk_arena_create();
    char *text = lk_arena_alloc(a, n + 1);
    for (size_t at = 0; at < n; at++)
        text[at] = part[at % len];
    const clock_t before = clock();
    (void)lk_redact(a, text, NULL);
    (void)lk_redact(a, text, "-H");
    (void)lk_redact_name(a, text);
    (void)lk_redact_source(a, text);
    const clock_t ret = clock() - before;
    lk_arena_destroy(a);
    return ret;
}

/* CPU time grows with the text alone: what is repeated makes nobody look through all of the rest
 * again. Eight times the text may take 32 times as long; a quadratic search takes 64 times. */
static void linear(void **state)
{
    enum { SHORT = 32 * 1024, TIMES = 8, MOST = 4 * TIMES };
    static const char *const parts[] = {
        "x://a:b",
        "://a/",
        "token: ",
        "token=\"",
        "token=",
        "token='\\'",
        "cookie={",
        "key\"",
        "eyJ",
        "Bearer ",
        "a ",
        "/webhooks/",
        "/webhooks/a/",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "password:A",
        "password = ",
        "X-Key:",
        "pass:",
        "-passin pass:",
        "sk-",
        "@",
        ":",
        "\"",
        "=",
        "a",
        "A",
        " ",
        "tokens=1",
        "pin=1",
    };
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(parts); i++) {
        const clock_t one = LK_MAX(time_of(parts[i], SHORT), (clock_t)(CLOCKS_PER_SEC / 1000)),
                      more = time_of(parts[i], (size_t)TIMES * SHORT);
        if (more > MOST * one)
            fail_msg("%d times the bytes of '%s' take %ld times as long", TIMES, parts[i],
                     (long)(more / one));
    }
}

static int setup(void **state)
{
    *state = lk_arena_create();
    return 0;
}

static int teardown(void **state)
{
    lk_arena_destroy(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(table, setup, teardown),
        cmocka_unit_test_setup_teardown(source_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(names, setup, teardown),
        cmocka_unit_test_setup_teardown(odd_bytes, setup, teardown),
        cmocka_unit_test(linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
