/* What a cleanup costs at least: `floor scan DIR` lists a tree as a dry run does, `floor` removes the paths on stdin. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct entry { unsigned long ino; long off; unsigned short len; unsigned char type; char name[]; };
static const char *pruned[] = {"__pycache__", "node_modules", "build", "dist", ".mypy_cache", ".git", 0};

static int is_pruned(const char *name) {
    for (int i = 0; pruned[i]; i++)
        if (!strcmp(name, pruned[i])) return 1;
    return 0;
}

/* Lists a tree without entering what a cleanup would remove; with removal, empties and removes the tree. */
static long walk(int at, const char *name, int removing) {
    int handle = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (handle < 0) return 0;
    char *buffer = malloc(65536);
    long count = 0, got;
    while ((got = syscall(SYS_getdents64, handle, buffer, 65536)) > 0)
        for (long place = 0; place < got;) {
            struct entry *each = (struct entry *)(buffer + place);
            place += each->len;
            if (!strcmp(each->name, ".") || !strcmp(each->name, "..")) continue;
            count++;
            if (each->type == DT_DIR) {
                if (removing || !is_pruned(each->name)) count += walk(handle, each->name, removing);
            } else if (removing) unlinkat(handle, each->name, 0);
        }
    free(buffer);
    close(handle);
    if (removing) unlinkat(at, name, AT_REMOVEDIR);
    return count;
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "scan")) { printf("%ld\n", walk(AT_FDCWD, argv[2], 0)); return 0; }
    static char line[65536];
    size_t length = 0;
    int c;
    while ((c = getchar()) != EOF) {
        line[length++] = (char)c;
        if (c == 0) {
            if (unlinkat(AT_FDCWD, line, 0)) walk(AT_FDCWD, line, 1);
            length = 0;
        }
    }
    return 0;
}
