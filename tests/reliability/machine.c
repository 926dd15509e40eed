/* A machine with faults, put under a server by LD_PRELOAD: syncs that fail, a full disk, a clock
 * that jumps. What it does stands in a small file that the test writes while the server runs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
    int64_t failing_syncs;   /* so many syncs fail with EIO; each counts down */
    int64_t is_full;         /* writes to files fail with ENOSPC */
    int64_t clock_offset_s;  /* added to the time of day */
    int64_t is_frozen;       /* the time of day stands */
    int64_t failed_syncs;    /* how many failed so far */
    int64_t refused_writes;  /* how many found no space so far */
};

static volatile struct control none;
static volatile struct control *control = &none;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TESTED_MACHINE");
    int fd = path ? open(path, O_RDWR) : -1;
    if (fd < 0) return;
    void *map = mmap(0, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED) control = map;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int sync_fails(void) {
    if (control->failing_syncs <= 0) return 0;
    __sync_fetch_and_sub(&control->failing_syncs, 1);
    __sync_fetch_and_add(&control->failed_syncs, 1);
    errno = EIO;
    return 1;
}

static int no_space(int fd) {
    struct stat about;
    if (!control->is_full || fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return 0;
    __sync_fetch_and_add(&control->refused_writes, 1);
    errno = ENOSPC;
    return 1;
}

int fsync(int fd) { REAL(fsync); return sync_fails() ? -1 : real(fd); }
int fdatasync(int fd) { REAL(fdatasync); return sync_fails() ? -1 : real(fd); }

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    return no_space(fd) ? -1 : real(fd, data, size);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(writev);
    return no_space(fd) ? -1 : real(fd, parts, count);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(pwrite);
    return no_space(fd) ? -1 : real(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(pwrite64);
    return no_space(fd) ? -1 : real(fd, data, size, at);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static struct timespec stood;
    REAL(clock_gettime);
    int done = real(clock, now);
    if (clock != CLOCK_REALTIME || done != 0) return done;
    if (control->is_frozen) {
        if (!stood.tv_sec) stood = *now;
        *now = stood;
    } else {
        stood.tv_sec = 0;
    }
    now->tv_sec += control->clock_offset_s;
    return done;
}
