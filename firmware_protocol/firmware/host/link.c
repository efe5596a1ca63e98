/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

static bool set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool set_raw(int fd)
{
    struct termios mode;

    if (tcgetattr(fd, &mode) != 0)
        return false;
    mode.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    mode.c_oflag &= ~(tcflag_t)OPOST;
    mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    mode.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
    mode.c_cflag |= CS8;
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    return tcsetattr(fd, TCSANOW, &mode) == 0;
}

bool link_open_pty(host_link *link)
{
    const char *name;

    link->listener = -1;
    link->slave = -1;
    link->fd = posix_openpt(O_RDWR | O_NOCTTY);
    if (link->fd < 0 || grantpt(link->fd) != 0 || unlockpt(link->fd) != 0)
        return false;
    name = ptsname(link->fd);
    if (name == NULL || strlen(name) >= sizeof link->address)
        return false;
    memcpy(link->address, name, strlen(name) + 1);
    link->slave = open(name, O_RDWR | O_NOCTTY);
    return link->slave >= 0 && set_raw(link->slave) && set_nonblocking(link->fd);
}

bool link_open_tcp(host_link *link, uint16_t port)
{
    struct sockaddr_in place;
    socklen_t size = sizeof place;
    int yes = 1;

    link->fd = -1;
    link->slave = -1;
    link->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (link->listener < 0)
        return false;
    memset(&place, 0, sizeof place);
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    place.sin_port = htons(port);
    if (setsockopt(link->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(link->listener, (struct sockaddr *)&place, sizeof place) != 0 || listen(link->listener, 1) != 0 ||
        getsockname(link->listener, (struct sockaddr *)&place, &size) != 0)
        return false;
    snprintf(link->address, sizeof link->address, "socket://127.0.0.1:%u", (unsigned)ntohs(place.sin_port));
    return set_nonblocking(link->listener);
}

bool link_accept(host_link *link)
{
    int yes = 1;

    if (link->listener < 0 || link->fd >= 0)
        return false;
    link->fd = accept(link->listener, NULL, NULL);
    if (link->fd < 0)
        return false;
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return set_nonblocking(link->fd);
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

long link_read(host_link *link, uint8_t *bytes, size_t room)
{
    ssize_t got;

    if (link->fd < 0)
        return 0;
    got = read(link->fd, bytes, room);
    if (got > 0)
        return (long)got;
    return got < 0 && is_passing(errno) ? 0 : -1;
}

size_t link_write(host_link *link, const uint8_t *bytes, size_t size)
{
    ssize_t taken = link->fd < 0 ? 0 : write(link->fd, bytes, size);

    return taken > 0 ? (size_t)taken : 0;
}

bool link_is_drained(const host_link *link)
{
    int unread = 0;

    return link->slave < 0 || ioctl(link->slave, FIONREAD, &unread) != 0 || unread == 0;
}

void link_hang_up(host_link *link)
{
    if (link->listener < 0 || link->fd < 0)
        return;
    close(link->fd);
    link->fd = -1;
}

void link_close(host_link *link)
{
    const int all[3] = {link->fd, link->slave, link->listener};
    unsigned i;

    for (i = 0; i < 3; i++) {
        if (all[i] >= 0)
            close(all[i]);
    }
}
