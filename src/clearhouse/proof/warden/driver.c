/*
 * The program around a C or C++ harness: gives it one input, once, and reports what it knows.
 *
 * Compiled without sanitizers and linked with their runtime into "program"; the harness and the
 * target are shared objects of their own, so that the place of a frame says whose it is.  What is
 * kept here lies in memory that AddressSanitizer has been told is nobody's: sanitized code that
 * touches it, directly or through the target, ends in a report.
 *
 * Descriptors at the start: 3 the report, 4 the input, 5 the job, 6 the marks.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REPORT = 3, INPUT = 4, JOB = 5, MARKS = 6 };
enum { MARK_BYTES = 65536, MARK_HEAD = 16, KEY = 64 };
enum { SPANS = 32, BUSY = 8, HANDLES = 64, MODULES = 16, IMAGES = 32, RESULTS = 512, TOLD = 16 };

/* Of the usual 8 MiB: what an honest harness has on the stack when it calls the target. */
static const uintptr_t STACK_OF_HARNESS = 1 << 20;
static const rlim_t STACK_BYTES = 8 << 20;
static const size_t LONGEST_TEXT = 16 << 20;

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

extern void __asan_init(void);
extern void __asan_poison_memory_region(void const volatile *address, size_t size);
extern void *__asan_region_is_poisoned(void *begin, size_t size);
extern void __asan_set_error_report_callback(void (*callback)(const char *));
extern const char *__asan_get_report_description(void);
extern void *__asan_get_report_address(void);
extern size_t __asan_get_report_access_size(void);
extern const char *__asan_locate_address(void *address, char *name, size_t name_size,
                                         void **region, size_t *region_size);
extern size_t __asan_get_alloc_stack(void *address, void **trace, size_t size, int *thread);
extern int __sanitizer_install_malloc_and_free_hooks(
    void (*allocated)(const volatile void *, size_t), void (*freed)(const volatile void *));

struct range {
    uintptr_t start, end;
};

struct claim {
    struct range range;
    int line;
};

/* Whole pages, so that all of it can be made nobody's. */
static union {
    struct {
        volatile uint8_t *marks;
        uint8_t *input;
        size_t size;
        char key[KEY];
        int report;
        int told;
        uint64_t calls;
        uintptr_t stack_top;
        uintptr_t outermost; /* stack pointer of the call of the target that is going on */
        struct range handles[HANDLES];
        unsigned handle_count, handle_next;
        struct claim spans[SPANS]; /* what the target was told is there, and is not */
        unsigned span_next;
        struct claim texts[SPANS]; /* texts without an end */
        unsigned text_next;
        uintptr_t busy[BUSY], given[BUSY]; /* objects of the outermost call, and of the next one */
        unsigned given_count;
        uintptr_t first; /* stack pointer of the outermost of the calls that have not returned */
        unsigned depth;  /* how many these are */
        int nested_line; /* where the innermost was made */
        struct range modules[MODULES]; /* writable parts of what is not the harness's */
        unsigned module_count;
        struct range images[IMAGES]; /* everything that is loaded */
        unsigned image_count;
        struct range harness;
        struct {
            int32_t site;
            uint8_t kind; /* 'i' a number, 'p' a pointer, 'n' a null pointer */
            int64_t value;
        } results[RESULTS];
        unsigned result_count;
    };
    char pages[8 * 4096];
} own __attribute__((aligned(4096)));

/* What the sanitizers' runtime asks for; the environment has no say. */
#define OPTIONS                                                                                    \
    "abort_on_error=1:handle_abort=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:"               \
    "handle_sigill=0:handle_sigtrap=0:use_sigaltstack=0:symbolize=0:detect_leaks=0:"               \
    "detect_odr_violation=0:detect_stack_use_after_return=0:allocator_may_return_null=1:"          \
    "quarantine_size_mb=16:thread_local_quarantine_size_kb=64:malloc_context_size=4:"              \
    "print_legend=0:print_module_map=0:disable_coredump=1"

const char *__asan_default_options(void) { return OPTIONS; }
const char *__ubsan_default_options(void) { return OPTIONS; }

/* libFuzzer's helper for custom mutators, which are never called here. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room)
{
    (void)data;
    return size < room ? size : room;
}

/* -- system calls and text, past the sanitizer's interceptors ------------------------------------ */

static long kernel(long number, long first, long second, long third)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
}

struct message {
    char text[1024];
    size_t length;
};

static void add_character(struct message *message, char character)
{
    if (message->length < sizeof message->text - 1)
        message->text[message->length++] = character;
}

static void add(struct message *message, const char *text)
{
    while (*text != '\0')
        add_character(message, *text++);
}

static void add_number(struct message *message, int64_t value)
{
    char digits[24];
    int count = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    if (value < 0)
        add_character(message, '-');
    do
        digits[count++] = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    while (count > 0)
        add_character(message, digits[--count]);
}

/* Up to the end of the text or one of the characters in "until"; what JSON would escape is "?". */
static void add_quoted(struct message *message, const char *text, const char *until)
{
    add_character(message, '"');
    for (int left = 200; left > 0 && *text != '\0'; left--, text++) {
        const char *end = until;
        while (*end != '\0' && *end != *text)
            end++;
        if (*end != '\0')
            break;
        add_character(message, *text < ' ' || *text > '~' || *text == '"' || *text == '\\' ? '?' : *text);
    }
    add_character(message, '"');
}

static void start_message(struct message *message)
{
    message->length = 0;
    for (const char *key = own.key; *key != '\0'; key++)
        add_character(message, *key);
}

static void flush_message(struct message *message)
{
    for (size_t sent = 0; sent < message->length;) {
        long part = kernel(SYS_write, own.report, (long)(message->text + sent),
                           (long)(message->length - sent));
        if (part <= 0)
            break;
        sent += (size_t)part;
    }
    message->length = 0;
}

static void send_message(struct message *message)
{
    add_character(message, '\n');
    flush_message(message);
}

static void tell_tampering(const char *what, int line)
{
    struct message message;

    if (own.told >= TOLD)
        return;
    own.told++;
    start_message(&message);
    add(&message, "{\"tamper\": ");
    add_quoted(&message, what, "");
    add(&message, ", \"line\": ");
    add_number(&message, line);
    add(&message, "}");
    send_message(&message);
}

/* -- what the instrumented harness calls --------------------------------------------------------- */

static void mark(int number)
{
    if (number >= 0 && number < MARK_BYTES - MARK_HEAD)
        own.marks[MARK_HEAD + number] = 1;
}

void __clearhouse_mark(int number) { mark(number); }

void __clearhouse_truth(int number, int value) { mark(number + (value ? 0 : 1)); }

/* A call of the target is about to be made from a line of the harness. */
void __clearhouse_call(int number, int line)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    volatile uint64_t *head = (volatile uint64_t *)own.marks;

    mark(number);
    head[0] = ++own.calls;
    head[1] = (uint64_t)line;
    /* Deeper down the target has called back: the stack is then not the harness's alone. */
    if (here > own.outermost)
        own.outermost = 0;
    if (here >= own.first) /* what was called from there was left by an exception */
        own.depth = 0;
    if (own.depth++ == 0) {
        own.first = here;
        for (unsigned i = 0; i < BUSY; i++)
            own.busy[i] = i < own.given_count ? own.given[i] : 0;
    }
    own.nested_line = line;
    own.given_count = 0;
    if (own.outermost == 0) {
        own.outermost = here;
        if (own.stack_top != 0 && own.stack_top - here > STACK_OF_HARNESS)
            tell_tampering("has over 1 MiB on the stack when it calls the target", line);
    }
}

/* It has returned. */
void __clearhouse_back(void)
{
    if (own.depth > 0)
        own.depth--;
}

/* The call that comes next works on this object. */
void __clearhouse_busy(const void *pointer)
{
    if (own.given_count < BUSY)
        own.given[own.given_count++] = (uintptr_t)pointer;
}

/* Whether memory is mapped and, as far as the sanitizer knows, somebody's. */
static int is_usable(const void *pointer, size_t size)
{
    unsigned char resident;
    uintptr_t page = (uintptr_t)pointer & ~(uintptr_t)4095;

    return __asan_region_is_poisoned((void *)pointer, size) == NULL &&
           kernel(SYS_mincore, (long)page, 1, (long)&resident) == 0;
}

static int is_in_input(const void *pointer)
{
    return (const uint8_t *)pointer >= own.input && (const uint8_t *)pointer <= own.input + own.size;
}

/*
 * Kinds of pointer: null, to memory that is nobody's, to something.  The end of something is
 * something: many functions take a beginning and an end.
 */
void __clearhouse_pointer(int number, const void *pointer, int line)
{
    if (pointer == NULL) {
        mark(number);
    } else if (is_usable(pointer, 1) || is_in_input(pointer) ||
               is_usable((const char *)pointer - 1, 1)) {
        mark(number + 2);
    } else {
        mark(number + 1);
        if (line != 0)
            tell_tampering("hands the target memory that is nobody's", line);
    }
}

static void note_claim(struct claim *claims, unsigned *next, const void *start, uint64_t length,
                       int line)
{
    claims[*next].range.start = (uintptr_t)start;
    claims[*next].range.end = (uintptr_t)start + length;
    claims[*next].line = line;
    *next = (*next + 1) % SPANS;
}

/*
 * Whether a pointer and the length that goes with it stay within memory that is somebody's.  Any
 * number may follow a pointer; it is a length for sure where its type is that of sizes, or where
 * the pointer is to the input, which has no end of its own.
 */
void __clearhouse_span(int number, const void *pointer, int64_t length, int is_size, int line)
{
    int beyond;

    if (pointer == NULL || length == 0)
        return;
    beyond = length < 0 || length > (int64_t)1 << 40 || !is_usable(pointer, (size_t)length);
    mark(number + beyond);
    if (beyond && length > 0) {
        note_claim(own.spans, &own.span_next, pointer, (uint64_t)length, line);
    }
    if (beyond && line != 0 && (is_size || (is_in_input(pointer) && length > 0)))
        tell_tampering("hands the target less memory than it says", line);
}

/* One of 16 classes for a function, by its place in what it was loaded from; "salt" is secret. */
static int class_of(const void *function, int salt, unsigned which)
{
    static const uint64_t factors[] = {UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xc2b2ae3d27d4eb4f),
                                       UINT64_C(0x165667b19e3779f9)};
    uint64_t place = (uintptr_t)function & 0xfff;

    for (unsigned i = 0; i < own.image_count; i++)
        if (own.images[i].start <= (uintptr_t)function && (uintptr_t)function < own.images[i].end)
            place = (uintptr_t)function - own.images[i].start;
    return (int)((place ^ (uint32_t)salt) * factors[which] >> 60);
}

/* Which function is called through a pointer. */
void __clearhouse_indirect(int number, const void *callee, int salt)
{
    for (unsigned i = 0; i < 3; i++)
        mark(number + 16 * (int)i + class_of(callee, salt, i));
}

/* Which function the target is given to call back. */
void __clearhouse_function(int number, const void *function, int salt)
{
    mark(number + class_of(function, salt, 0));
}

/* Whether the harness itself asked for the memory that a pointer leads to, or has it on its stack. */
static int is_of_harness(const void *pointer)
{
    void *trace[8], *region = NULL;
    size_t depth, size = 0;
    int thread;
    char name[1];
    const char *kind = __asan_locate_address((void *)pointer, name, 0, &region, &size);

    if (kind == NULL || kind[0] != 'h' || kind[1] != 'e' || kind[4] != '\0') /* "heap" */
        return 1;
    depth = __asan_get_alloc_stack((void *)pointer, trace, 8, &thread);
    for (size_t i = 0; i < depth; i++)
        for (unsigned image = 0; image < own.image_count; image++) {
            const struct range *range = &own.images[image];
            if ((uintptr_t)trace[i] < range->start || (uintptr_t)trace[i] >= range->end)
                continue;
            if (range->start == own.harness.start)
                return 1;
            if (range->start != own.images[0].start) /* the first is our program: the allocator */
                return 0;
        }
    return 0;
}

/* Which class an object of the harness's says it is of, by its virtual table. */
void __clearhouse_virtual(int number, const void *object, int salt)
{
    if (object != NULL && is_usable(object, sizeof(void *)) && is_of_harness(object))
        mark(number + class_of(*(const void *const *)object, salt, 0));
}

/*
 * The same for a pointer in a structure that is handed over, and the number that follows it; with a
 * salt, the pointer is to a function.
 */
void __clearhouse_member(int number, const char *structure, int64_t pointer_at, int64_t length_at,
                         int bits, int salt)
{
    const void *pointer;

    if (structure == NULL || !is_usable(structure + pointer_at, sizeof pointer))
        return;
    pointer = *(const void *const *)(structure + pointer_at);
    if (salt != 0) {
        mark(number + class_of(pointer, salt, 0));
        return;
    }
    __clearhouse_pointer(number, pointer, 0);
    if (bits == 0 || !is_usable(structure + length_at, (size_t)bits / 8))
        return;
    __clearhouse_span(number + 3, pointer,
                      bits == 32 ? *(const uint32_t *)(structure + length_at)
                                 : *(const int64_t *)(structure + length_at),
                      0, 0);
}

/* Whether a text that has no length ends; "alone" where nothing else could tell its length. */
void __clearhouse_text(int number, const char *text, int alone, int line)
{
    size_t at = 0;
    int ended = 0;

    if (text == NULL)
        return;
    for (; at < LONGEST_TEXT && !ended; at++) {
        if ((at == 0 || ((uintptr_t)(text + at) & 4095) == 0) && !is_usable(text + at, 1))
            break;
        if (__asan_region_is_poisoned((void *)(text + at), 1) != NULL)
            break;
        ended = text[at] == '\0';
    }
    mark(number + !ended);
    if (!ended && alone && at < LONGEST_TEXT) {
        note_claim(own.texts, &own.text_next, text + at, 1, line);
    }
    if (!ended && alone && is_in_input(text))
        tell_tampering("hands the target a text without an end", line);
}

/* The harness names a file to the C library: only those below /work and /tmp are its business. */
void __clearhouse_path(const char *path, int line)
{
    static const char *const allowed[] = {"/work/", "/tmp/", "/dev/null"};
    int inside;

    if (path == NULL || !is_usable(path, 1))
        return;
    inside = path[0] != '/';
    for (int i = 0; i < 3; i++) {
        const char *at = path, *wanted = allowed[i];
        while (*wanted != '\0' && *at == *wanted)
            at++, wanted++;
        inside |= *wanted == '\0';
    }
    for (const char *at = path; *at != '\0' && at - path < 4096; at++)
        if (at[0] == '.' && at[1] == '.')
            inside = 0;
    if (!inside)
        tell_tampering("opens or asks for a file outside of its working folder", line);
}

/* Whether what a callback returns is more than one of its arguments, a buffer's size perhaps. */
void __clearhouse_relation(int number, int64_t value, int64_t argument)
{
    mark(number + (value > argument));
}

static void keep_result(int site, uint8_t kind, int64_t value)
{
    if (own.result_count >= RESULTS)
        return;
    own.results[own.result_count].site = site;
    own.results[own.result_count].kind = kind;
    own.results[own.result_count].value = value;
    own.result_count++;
}

void __clearhouse_integer(int site, int64_t value) { keep_result(site, 'i', value); }

void __clearhouse_object(int site, const void *value)
{
    keep_result(site, value != NULL ? 'p' : 'n', 0);
}

/* An object whose inside the target's headers do not show: the harness has no business there. */
void __clearhouse_handle(const void *pointer)
{
    void *region = NULL;
    size_t size = 0;
    char name[1];
    const char *kind;

    for (unsigned i = 0; i < own.handle_count; i++)
        if (own.handles[i].start <= (uintptr_t)pointer && (uintptr_t)pointer < own.handles[i].end)
            return;
    if (pointer == NULL || !is_usable(pointer, 1))
        return;
    kind = __asan_locate_address((void *)pointer, name, 0, &region, &size);
    if (kind == NULL || kind[0] != 'h' || kind[1] != 'e' || kind[4] != '\0') /* "heap" */
        return;
    own.handles[own.handle_next].start = (uintptr_t)region;
    own.handles[own.handle_next].end = (uintptr_t)region + size;
    own.handle_next = (own.handle_next + 1) % HANDLES;
    if (own.handle_count < HANDLES)
        own.handle_count++;
}

static void forget_handle(const volatile void *pointer)
{
    for (unsigned i = 0; own.depth > 1 && pointer != NULL && i < BUSY; i++)
        if (own.busy[i] == (uintptr_t)pointer)
            tell_tampering("has an object freed that the target is working on", own.nested_line);
    for (unsigned i = 0; i < own.handle_count; i++)
        if (own.handles[i].start == (uintptr_t)pointer)
            own.handles[i].start = own.handles[i].end = 0;
}

static void ignore_allocation(const volatile void *pointer, size_t size)
{
    (void)pointer;
    (void)size;
}

static int is_inside_handle(const void *pointer)
{
    for (unsigned i = 0; i < own.handle_count; i++)
        if (own.handles[i].start <= (uintptr_t)pointer && (uintptr_t)pointer < own.handles[i].end)
            return (uintptr_t)pointer == own.handles[i].start ? 1 : 2;
    return 0;
}

/* The first member is let through: headers have macros that read it, for user data mostly. */
void __clearhouse_load(const void *pointer, int line)
{
    if (is_inside_handle(pointer) > 1)
        tell_tampering("reads inside an object of the target's", line);
}

void __clearhouse_store(const void *pointer, int line)
{
    if (is_inside_handle(pointer))
        tell_tampering("writes into an object of the target's", line);
    for (unsigned i = 0; i < own.module_count; i++)
        if (own.modules[i].start <= (uintptr_t)pointer && (uintptr_t)pointer < own.modules[i].end)
            tell_tampering("writes into the target's own data", line);
}

/* A function of the C library is given a pointer, to read from or to write to. */
void __clearhouse_lend(const void *pointer, int line)
{
    if (is_inside_handle(pointer))
        tell_tampering("has an object of the target's read or written", line);
}

/* -- from the start to the end ------------------------------------------------------------------- */

/* Tells where the harness said that there is something at an address. */
static void blame(const struct claim *claims, uintptr_t address, size_t size, const char *what)
{
    for (unsigned i = 0; i < SPANS; i++)
        if (claims[i].range.start < address + size && address < claims[i].range.end)
            tell_tampering(what, claims[i].line > 0 ? claims[i].line : own.nested_line);
}

/* What the target ran over is memory that the harness said was there. */
static void blame_harness(int is_read)
{
    uintptr_t address = (uintptr_t)__asan_get_report_address();
    size_t size = __asan_get_report_access_size();

    size = size > 0 ? size : 1;
    blame(own.spans, address, size, "hands the target less memory than it says");
    if (is_read)
        blame(own.texts, address, size, "hands the target a text without an end");
}

/* Called by AddressSanitizer inside its report: what it found is told past the harness. */
static void note_report(const char *text)
{
    struct message message;
    const char *access = "";

    for (const char *at = text; *at != '\0'; at++)
        if (at[0] == '\n' && ((at[1] == 'R' && at[2] == 'E' && at[3] == 'A' && at[4] == 'D') ||
                              (at[1] == 'W' && at[2] == 'R' && at[3] == 'I' && at[4] == 'T'))) {
            access = at + 1;
            break;
        }
    blame_harness(access[0] == 'R');
    start_message(&message);
    add(&message, "{\"sanitizer\": {\"tool\": \"AddressSanitizer\", \"kind\": ");
    add_quoted(&message, __asan_get_report_description(), "");
    add(&message, ", \"text\": ");
    add_quoted(&message, access, "\na"); /* "WRITE of size 1 at 0x..." */
    add(&message, "}}");
    send_message(&message);
}

static struct range note_image(const struct dl_phdr_info *info)
{
    struct range image = {UINTPTR_MAX, 0};

    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD) {
            uintptr_t start = info->dlpi_addr + part->p_vaddr;
            image.start = start < image.start ? start : image.start;
            image.end = start + part->p_memsz > image.end ? start + part->p_memsz : image.end;
        }
    }
    if (own.image_count < IMAGES && image.end != 0) {
        own.images[own.image_count].start = image.start;
        own.images[own.image_count].end = image.end;
        own.image_count++;
    }
    return image;
}

static int note_module(struct dl_phdr_info *info, size_t size, void *nothing)
{
    const char *name = info->dlpi_name;
    const char *place = "/build/", *harness = "/build/libharness.so";
    const char *rest = name;
    struct range image;

    (void)size;
    (void)nothing;
    image = note_image(info);
    if (*name != '\0') {
        while (*place != '\0' && *rest == *place)
            place++, rest++;
        if (*place != '\0')
            return 0;
        for (rest = name; *harness != '\0' && *rest == *harness;)
            harness++, rest++;
        if (*harness == '\0' && *rest == '\0') {
            own.harness = image;
            return 0;
        }
    }
    for (int i = 0; i < info->dlpi_phnum && own.module_count < MODULES; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_W) != 0) {
            own.modules[own.module_count].start = info->dlpi_addr + part->p_vaddr;
            own.modules[own.module_count].end = info->dlpi_addr + part->p_vaddr + part->p_memsz;
            own.module_count++;
        }
    }
    return 0;
}

static void read_key(void)
{
    static const char wanted[] = "\"key\": \"";
    char job[8192];
    long length = kernel(SYS_read, JOB, (long)job, sizeof job - 1);
    size_t matched = 0;

    for (long at = 0; at < length; at++) {
        matched = job[at] == wanted[matched] ? matched + 1 : (job[at] == wanted[0]);
        if (wanted[matched] == '\0') {
            for (size_t i = 0; i < KEY - 1 && at + 1 < length && job[at + 1] != '"'; i++)
                own.key[i] = job[++at];
            return;
        }
    }
    kernel(SYS_exit_group, 70, 0, 0);
}

/* Runs before any other object's start-up code, the harness's included. */
static void prepare(int argc, char **argv, char **environment)
{
    const uint8_t *random = (const uint8_t *)getauxval(AT_RANDOM);
    struct rlimit stack;
    struct stat status;
    uint8_t *marks;

    (void)argc;
    (void)argv;
    (void)environment;
    __asan_init();
    /* Or the harness could write to its own memory by way of /proc/self/mem. */
    kernel(SYS_prctl, PR_SET_DUMPABLE, 0, 0);
    if (getrlimit(RLIMIT_STACK, &stack) == 0) {
        stack.rlim_cur = stack.rlim_max < STACK_BYTES ? stack.rlim_max : STACK_BYTES;
        setrlimit(RLIMIT_STACK, &stack);
    }
    read_key();
    if (fstat(INPUT, &status) != 0)
        kernel(SYS_exit_group, 70, 0, 0);
    own.size = (size_t)status.st_size;
    /* Exactly as long as the input, so that the first byte behind it is nobody's. */
    own.input = malloc(own.size);
    for (size_t got = 0; got < own.size;) {
        long part = kernel(SYS_read, INPUT, (long)(own.input + got), (long)(own.size - got));
        if (part <= 0)
            kernel(SYS_exit_group, 70, 0, 0);
        got += (size_t)part;
    }
    if (own.size == 0)
        __asan_poison_memory_region(own.input, 1);
    marks = mmap(NULL, MARK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, MARKS, 0);
    own.report = fcntl(REPORT, F_DUPFD_CLOEXEC, 32 + (random[3] & 127));
    if (marks == MAP_FAILED || own.report < 0)
        kernel(SYS_exit_group, 70, 0, 0);
    own.marks = marks;
    for (int number = REPORT; number <= MARKS; number++)
        close(number);
    __asan_set_error_report_callback(note_report);
    __asan_poison_memory_region(marks, MARK_BYTES);
    __asan_poison_memory_region(&own, sizeof own);
}

__attribute__((section(".preinit_array"), used)) static void (*first)(int, char **,
                                                                      char **) = prepare;

static void mark_call(void)
{
    struct message path;

    path.length = 0;
    add(&path, "/.mark/");
    for (const char *key = own.key; *key != '\0'; key++)
        add_character(&path, *key);
    add(&path, "/call");
    path.text[path.length] = '\0';
    kernel(SYS_unlink, (long)path.text, 0, 0);
}

int main(void)
{
    char name[] = "/build/program";
    char *arguments[] = {name, NULL};
    char **vector = arguments;
    int count = 1;
    struct message message;
    int result;

    dl_iterate_phdr(note_module, NULL);
    __sanitizer_install_malloc_and_free_hooks(ignore_allocation, forget_handle);
    if (LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&count, &vector);
    own.stack_top = (uintptr_t)__builtin_frame_address(0);
    mark_call();
    result = LLVMFuzzerTestOneInput(own.input, own.size);
    start_message(&message);
    add(&message, "{\"outcome\": \"returned\", \"value\": ");
    add_number(&message, result);
    add(&message, ", \"returned\": [");
    for (unsigned i = 0; i < own.result_count; i++) {
        if (message.length > sizeof message.text / 2)
            flush_message(&message);
        add(&message, i > 0 ? ", [" : "[");
        add_number(&message, own.results[i].site);
        add(&message, ", ");
        if (own.results[i].kind == 'i')
            add_number(&message, own.results[i].value);
        else
            add(&message, own.results[i].kind == 'p' ? "\"<pointer>\"" : "null");
        add(&message, "]");
    }
    add(&message, "]}");
    send_message(&message);
    kernel(SYS_exit_group, 0, 0, 0);
    return 0;
}
