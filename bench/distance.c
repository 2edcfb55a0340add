/*
 * A distance between programs and the API server on this machine: Linux only, and only for root.
 *
 *     distance relay MICROSECONDS               makes a network namespace in which 127.0.0.1 is this one's, so far away
 *     distance start PID FILE ID PROGRAM ARG…   runs a program in the namespace of that relay ("-": in this one)
 *
 * The relay carries IP packets between two TUN devices, one in each namespace, and keeps each for the given time: half a
 * round trip. Both ends of a connection are therefore the kernel's own TCP, and acknowledgements travel as slowly as
 * data, which a proxy for connections would answer at once. It prints a line when all is ready, and ends, and takes
 * devices and namespace with it, when its standard input ends.
 *
 * `start` appends "begin ID NANOSECONDS" to the file as its last act ("-": to none), as stamp.c does.
 *
 * See https://docs.kernel.org/networking/tuntap.html and route_localnet in
 * https://docs.kernel.org/networking/ip-sysctl.html; 198.18.0.0/15 is for benchmarks by RFC 2544.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/route.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* More than a crowd has under way; a packet that is dropped costs its connection a fifth of a second. */
#define QUEUE_LENGTH 100000
#define MTU 1500

struct packet {
  struct packet *next;
  struct timespec due;
  ssize_t length;
  char bytes[MTU];
};

struct direction {
  int from, to;
  struct packet *first, **last;
};

static void fail(const char *what) {
  fprintf(stderr, "distance: %s: %s\n", what, strerror(errno));
  exit(1);
}

static struct sockaddr ipv4(unsigned address) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
  struct sockaddr any;
  memcpy(&any, &in, sizeof any);
  return any;
}

static int open_device(struct ifreq *device, const char *name) {
  memset(device, 0, sizeof *device);
  strncpy(device->ifr_name, name, IFNAMSIZ - 1);
  device->ifr_flags = IFF_TUN | IFF_NO_PI;
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) fail("/dev/net/tun");
  if (ioctl(fd, TUNSETIFF, device) != 0) fail("a TUN device");
  return fd;
}

/* Gives a device of this namespace its address, and has it carry packets for and from 127.0.0.1. */
static void set_up(const char *name, unsigned own, unsigned peer, int is_far) {
  int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {0};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_addr = ipv4(own);
  if (ioctl(any, SIOCSIFADDR, &request) != 0) fail("SIOCSIFADDR");
  request.ifr_dstaddr = ipv4(peer);
  if (ioctl(any, SIOCSIFDSTADDR, &request) != 0) fail("SIOCSIFDSTADDR");
  request.ifr_qlen = QUEUE_LENGTH;
  if (ioctl(any, SIOCSIFTXQLEN, &request) != 0) fail("SIOCSIFTXQLEN");
  request.ifr_flags = IFF_UP | IFF_POINTOPOINT | IFF_NOARP;
  if (ioctl(any, SIOCSIFFLAGS, &request) != 0) fail("SIOCSIFFLAGS");
  char path[128];
  snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/route_localnet", name);
  int setting = open(path, O_WRONLY | O_CLOEXEC);
  if (setting < 0 || write(setting, "1", 1) != 1) fail(path);
  close(setting);
  if (is_far) {
    struct rtentry route = {.rt_flags = RTF_UP | RTF_HOST, .rt_dev = request.ifr_name};
    route.rt_dst = ipv4(INADDR_LOOPBACK);
    route.rt_genmask = ipv4(0xffffffff);
    if (ioctl(any, SIOCADDRT, &route) != 0) fail("a route to 127.0.0.1");
  }
  close(any);
}

static long long nanoseconds(struct timespec at) { return at.tv_sec * 1000000000ll + at.tv_nsec; }

/* Takes what has come, and sends what is due; returns the nanoseconds until the next packet is, or -1. */
static long long carry(struct direction *way, long long delay) {
  struct timespec now;
  for (;;) {
    struct packet *packet = malloc(sizeof *packet);
    if (packet == NULL) fail("memory");
    packet->length = read(way->from, packet->bytes, sizeof packet->bytes);
    if (packet->length <= 0) {
      free(packet);
      break;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long due = nanoseconds(now) + delay;
    packet->due = (struct timespec){due / 1000000000, due % 1000000000};
    packet->next = NULL;
    *way->last = packet;
    way->last = &packet->next;
  }
  for (;;) {
    struct packet *packet = way->first;
    if (packet == NULL) return -1;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long left = nanoseconds(packet->due) - nanoseconds(now);
    if (left > 0) return left;
    /* What the other end cannot take now is lost, as on any road. */
    if (write(way->to, packet->bytes, (size_t)packet->length) < 0 && errno == EBADFD) fail("write");
    way->first = packet->next;
    if (way->first == NULL) way->last = &way->first;
    free(packet);
  }
}

static int relay(long long delay) {
  struct ifreq near, far;
  int near_fd = open_device(&near, "klatch%d");
  /* Several may run at a time: each has four addresses of its own. */
  unsigned base = 0xc6120000u + 4u * (unsigned)atoi(near.ifr_name + strlen("klatch"));
  set_up(near.ifr_name, base + 1, base + 2, 0);
  if (unshare(CLONE_NEWNET) != 0) fail("a network namespace");
  int far_fd = open_device(&far, "far%d");
  set_up(far.ifr_name, base + 2, base + 1, 1);
  /* As punctual as it may be; on a machine that does not allow it, it is less so. */
  prctl(PR_SET_TIMERSLACK, 1);
  sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 1});
  struct direction there = {far_fd, near_fd, NULL, &there.first}, back = {near_fd, far_fd, NULL, &back.first};
  puts("ready");
  fflush(stdout);
  for (;;) {
    long long one = carry(&there, delay), other = carry(&back, delay);
    long long left = one < 0 || (other >= 0 && other < one) ? other : one;
    struct timespec rest = {left / 1000000000, left % 1000000000};
    struct pollfd ends[] = {{far_fd, POLLIN, 0}, {near_fd, POLLIN, 0}, {0, POLLIN, 0}};
    if (ppoll(ends, 3, left < 0 ? NULL : &rest, NULL) < 0 && errno != EINTR) fail("ppoll");
    if (ends[2].revents != 0) return 0;
  }
}

static int start(char **argv) {
  if (argv[0][0] != '-') {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/ns/net", argv[0]);
    int space = open(path, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET) != 0) fail(path);
  }
  if (argv[1][0] != '-') {
    int log = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    char line[256];
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    int length = snprintf(line, sizeof line, "begin %s %lld\n", argv[2], nanoseconds(at));
    if (log < 0 || write(log, line, (size_t)length) != length) fail(argv[1]);
  }
  execvp(argv[3], argv + 3);
  fail(argv[3]);
  return 1;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "relay") == 0) return relay(atoll(argv[2]) * 1000);
  if (argc >= 6 && strcmp(argv[1], "start") == 0) return start(argv + 2);
  fprintf(stderr, "usage: distance relay MICROSECONDS | start PID FILE ID PROGRAM ARG...\n");
  return 2;
}
