/*
 * The command that contenders run: tells when it began and when it ended, and costs next to nothing itself.
 *
 *     stamp FILE ID MILLISECONDS     waits so long
 *     stamp FILE ID -                waits for the end of its standard input
 *
 * Appends "enter ID NANOSECONDS" as its first act and "exit ID NANOSECONDS" as its last, each in one write.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int tell(int log, const char *verb, const char *id, struct timespec at) {
  char line[256];
  int length = snprintf(line, sizeof line, "%s %s %lld%09ld\n", verb, id, (long long)at.tv_sec, at.tv_nsec);
  return write(log, line, (size_t)length) == length ? 0 : 1;
}

int main(int argc, char **argv) {
  struct timespec began, ended;
  clock_gettime(CLOCK_REALTIME, &began);
  if (argc != 4) return 2;
  int log = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0 || tell(log, "enter", argv[2], began) != 0) return 1;
  if (argv[3][0] == '-') {
    char ignored[64];
    while (read(0, ignored, sizeof ignored) > 0) continue;
  } else {
    long ms = strtol(argv[3], NULL, 10);
    struct timespec rest = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) continue;
  }
  clock_gettime(CLOCK_REALTIME, &ended);
  return tell(log, "exit", argv[2], ended);
}
