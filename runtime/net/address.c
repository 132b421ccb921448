/* address.c - socket addresses as values. See address.h. */
#include "runtime/net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "runtime/exc.h"
#include "runtime/types/bytes.h"

/* ---- To values ------------------------------------------------------------------------------------------------------ */

static asy_value number(uint64_t n) { return asy_from_small((int64_t)n); }

static asy_value inet_value(asy_vm *vm, const struct sockaddr *address) {
  char host[INET6_ADDRSTRLEN];
  if (address->sa_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)address;
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    return asy_tuple_of(vm, 2, asy_from_cstr(vm, host), number(ntohs(in->sin_port)));
  }
  const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)address;
  inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
  return asy_tuple_of(vm, 4, asy_from_cstr(vm, host), number(ntohs(in->sin6_port)), number(ntohl(in->sin6_flowinfo)),
                      number(in->sin6_scope_id));
}

static asy_value unix_value(asy_vm *vm, const struct sockaddr_un *address, socklen_t length) {
  size_t n = length > offsetof(struct sockaddr_un, sun_path) ? length - offsetof(struct sockaddr_un, sun_path) : 0;
  if (n && !address->sun_path[0]) return asy_from_bytes(vm, address->sun_path, n); /* Linux: an abstract name */
  return asy_from_text(vm, address->sun_path, strnlen(address->sun_path, n));
}

static asy_value packet_value(asy_vm *vm, const struct sockaddr_ll *address) {
  char name[IF_NAMESIZE] = "";
  if (address->sll_ifindex) if_indextoname((unsigned)address->sll_ifindex, name);
  return asy_tuple_of(vm, 5, asy_from_cstr(vm, name), number(ntohs(address->sll_protocol)),
                      number(address->sll_pkttype), number(address->sll_hatype),
                      asy_from_bytes(vm, address->sll_addr, address->sll_halen));
}

asy_value asy_address_value(asy_vm *vm, const struct sockaddr *address, socklen_t length) {
  if (length < sizeof address->sa_family) return ASY_NONE;
  switch (address->sa_family) {
    case AF_INET:
    case AF_INET6: return inet_value(vm, address);
    case AF_UNIX: return unix_value(vm, (const struct sockaddr_un *)address, length);
    case AF_PACKET: return packet_value(vm, (const struct sockaddr_ll *)address);
    case AF_NETLINK: {
      const struct sockaddr_nl *nl = (const struct sockaddr_nl *)address;
      return asy_tuple_of(vm, 2, number(nl->nl_pid), number(nl->nl_groups));
    }
    case AF_VSOCK: {
      const struct sockaddr_vm *vs = (const struct sockaddr_vm *)address;
      return asy_tuple_of(vm, 2, number(vs->svm_cid), number(vs->svm_port));
    }
    default:
      return asy_tuple_of(vm, 2, number(address->sa_family),
                          asy_from_bytes(vm, address->sa_data, length - offsetof(struct sockaddr, sa_data)));
  }
}

/* ---- From values ---------------------------------------------------------------------------------------------------- */

asy_value asy_raise_gaierror(asy_vm *vm, int code) {
  if (code == EAI_SYSTEM) return asy_raise_errno(vm, errno, ASY_UNBOUND);
  asy_value module = asy_import(vm, "_socket");
  asy_value cls = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "gaierror");
  asy_value text = asy_failed(cls) ? ASY_FAILED : asy_from_cstr(vm, gai_strerror(code));
  asy_value exception = asy_failed(text) ? ASY_FAILED : asy_call2(vm, cls, asy_from_small(code), text);
  return asy_failed(exception) ? ASY_FAILED : asy_raise_value(vm, exception);
}

bool asy_host_text(asy_vm *vm, asy_value host, const char **text, asy_value *keep) {
  *keep = host;
  *text = NULL;
  if (host == ASY_NONE) return true;
  if (asy_is_str(host)) {
    asy_str *s = (asy_str *)asy_obj_of(host);
    if (s->head.flags & STR_ASCII) return asy_to_cstr(vm, host, text);
    asy_value encoding = asy_from_cstr(vm, "idna");
    asy_str *encode = asy_intern(vm, "encode");
    host = asy_failed(encoding) || !encode ? ASY_FAILED : asy_call_method(vm, host, encode, 1, &encoding);
    if (asy_failed(host)) return false;
    *keep = host;
  }
  asy_buffer b;
  if (!asy_is_kind(host, KIND_BYTES) && !asy_is_kind(host, KIND_BYTEARRAY)) {
    asy_raise(vm, ASY_TypeError, "str, bytes or bytearray expected, not %T", host);
    return false;
  }
  if (!asy_buffer_get(vm, host, &b)) return false;
  *keep = asy_from_bytes(vm, b.data, b.len);
  bool nul = memchr(b.data, 0, b.len);
  asy_buffer_release(vm, &b);
  if (asy_failed(*keep)) return false;
  if (nul) return asy_raise(vm, ASY_TypeError, "host name must not contain null character"), false;
  *text = (const char *)((asy_bytes *)asy_obj_of(*keep))->data;
  return true;
}

bool asy_service_text(asy_vm *vm, asy_value service, char digits[24], const char **text, asy_value *keep) {
  if (asy_is_integer(service)) {
    int64_t n;
    if (!asy_to_int64(vm, service, &n)) return false;
    snprintf(digits, 24, "%lld", (long long)n);
    *text = digits;
    *keep = service;
    return true;
  }
  if (service == ASY_NONE || asy_is_str(service) || asy_is_kind(service, KIND_BYTES))
    return asy_host_text(vm, service, text, keep);
  asy_raise(vm, ASY_OSError, "Int or String expected");
  return false;
}

/* The address of a host: "", "<broadcast>", digits, or a name that is looked up. */
static bool host_address(asy_vm *vm, const char *host, int family, struct sockaddr_storage *out, socklen_t *length) {
  memset(out, 0, sizeof *out);
  out->ss_family = (sa_family_t)family;
  struct sockaddr_in *in = (struct sockaddr_in *)out;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
  *length = family == AF_INET ? sizeof *in : sizeof *in6;
  if (!*host) return true; /* any */
  if (family == AF_INET && (!strcmp(host, "<broadcast>") || !strcmp(host, "255.255.255.255"))) {
    in->sin_addr.s_addr = INADDR_BROADCAST;
    return true;
  }
  if (family == AF_INET && inet_pton(AF_INET, host, &in->sin_addr) == 1) return true;
  if (family == AF_INET6 && !strchr(host, '%') && inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) return true;
  struct addrinfo hints = {.ai_family = family}, *found = NULL;
  asy_thread *self = asy_thread_release(vm);
  int code = getaddrinfo(host, NULL, &hints, &found);
  asy_thread_acquire(vm, self);
  if (code) return asy_raise_gaierror(vm, code), false;
  memcpy(out, found->ai_addr, found->ai_addrlen);
  *length = found->ai_addrlen;
  freeaddrinfo(found);
  return true;
}

static bool small_item(asy_vm *vm, const asy_tuple *tuple, uint32_t i, int64_t max, const char *caller,
                       const char *complaint, int64_t *out) {
  *out = 0;
  if (i >= tuple->len) return true;
  if (!asy_to_int64(vm, tuple->items[i], out)) return false;
  if (*out >= 0 && *out <= max) return true;
  asy_raise(vm, ASY_OverflowError, "%s(): %s", caller, complaint);
  return false;
}

static bool parse_inet(asy_vm *vm, asy_value value, int family, const char *caller, struct sockaddr_storage *out,
                       socklen_t *length) {
  bool six = family == AF_INET6;
  const char *name = six ? "AF_INET6" : "AF_INET", *host;
  if (!asy_is_kind(value, KIND_TUPLE)) {
    asy_raise(vm, ASY_TypeError, "%s(): %s address must be tuple, not %T", caller, name, value);
    return false;
  }
  const asy_tuple *tuple = (const asy_tuple *)asy_obj_of(value);
  if (six ? tuple->len < 2 || tuple->len > 4 : tuple->len != 2) {
    asy_raise(vm, ASY_TypeError,
              six ? "AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])"
                  : "AF_INET address must be a pair (host, port)");
    return false;
  }
  asy_value keep;
  int64_t port, flow, scope;
  if (tuple->items[0] == ASY_NONE) {
    asy_raise(vm, ASY_TypeError, "str, bytes or bytearray expected, not NoneType");
    return false;
  }
  if (!asy_host_text(vm, tuple->items[0], &host, &keep)) return false;
  if (!asy_is_integer(tuple->items[1]) && asy_failed(asy_index(vm, tuple->items[1]))) return false;
  if (!small_item(vm, tuple, 1, 65535, caller, "port must be 0-65535.", &port) ||
      !small_item(vm, tuple, 2, 0xfffff, caller, "flowinfo must be 0-1048575.", &flow) ||
      !small_item(vm, tuple, 3, UINT32_MAX, caller, "scopeid must be 0-4294967295.", &scope) ||
      !host_address(vm, host, family, out, length))
    return false;
  if (!six) {
    ((struct sockaddr_in *)out)->sin_port = htons((uint16_t)port);
  } else {
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)out;
    in->sin6_port = htons((uint16_t)port);
    in->sin6_flowinfo = htonl((uint32_t)flow);
    if (tuple->len > 3 || !in->sin6_scope_id) in->sin6_scope_id = (uint32_t)scope;
  }
  return true;
}

static bool parse_unix(asy_vm *vm, asy_value value, struct sockaddr_storage *out, socklen_t *length) {
  struct sockaddr_un *un = (struct sockaddr_un *)out;
  asy_value keep = value;
  if (asy_is_str(value)) {
    size_t n;
    const char *text = asy_str_utf8(vm, (asy_str *)asy_obj_of(value), &n, &keep);
    keep = text ? asy_from_bytes(vm, text, n) : ASY_FAILED;
    if (asy_failed(keep)) return false;
  }
  asy_buffer b;
  if (!asy_buffer_get(vm, keep, &b)) return false;
  memset(un, 0, sizeof *un);
  un->sun_family = AF_UNIX;
  bool abstract = b.len && !b.data[0];
  bool fits = b.len + !abstract <= sizeof un->sun_path;
  if (fits) memcpy(un->sun_path, b.data, b.len);
  *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + b.len + !abstract);
  if (!b.len) *length = offsetof(struct sockaddr_un, sun_path);
  asy_buffer_release(vm, &b);
  if (!fits) asy_raise(vm, ASY_OSError, "AF_UNIX path too long");
  return fits;
}

/* Two numbers: AF_NETLINK (pid, groups), AF_VSOCK (cid, port). */
static bool parse_pair(asy_vm *vm, asy_value value, int family, const char *caller, struct sockaddr_storage *out,
                       socklen_t *length) {
  const char *name = family == AF_NETLINK ? "AF_NETLINK" : "AF_VSOCK";
  if (!asy_is_kind(value, KIND_TUPLE) || ((asy_tuple *)asy_obj_of(value))->len != 2) {
    asy_raise(vm, ASY_TypeError, "%s(): %s address must be tuple, not %T", caller, name, value);
    return false;
  }
  const asy_tuple *pair = (const asy_tuple *)asy_obj_of(value);
  int64_t first, second;
  if (!asy_to_int64(vm, pair->items[0], &first) || !asy_to_int64(vm, pair->items[1], &second)) return false;
  memset(out, 0, sizeof *out);
  if (family == AF_NETLINK) {
    *(struct sockaddr_nl *)out = (struct sockaddr_nl){
      .nl_family = AF_NETLINK, .nl_pid = (uint32_t)first, .nl_groups = (uint32_t)second};
    *length = sizeof(struct sockaddr_nl);
  } else {
    *(struct sockaddr_vm *)out = (struct sockaddr_vm){
      .svm_family = AF_VSOCK, .svm_cid = (unsigned)first, .svm_port = (unsigned)second};
    *length = sizeof(struct sockaddr_vm);
  }
  return true;
}

/* (ifname, protocol, ...) */
static bool parse_packet(asy_vm *vm, asy_value value, const char *caller, struct sockaddr_storage *out,
                         socklen_t *length) {
  const char *name;
  int64_t protocol;
  if (!asy_is_kind(value, KIND_TUPLE) || ((asy_tuple *)asy_obj_of(value))->len < 2) {
    asy_raise(vm, ASY_TypeError, "%s(): AF_PACKET address must be tuple, not %T", caller, value);
    return false;
  }
  const asy_tuple *tuple = (const asy_tuple *)asy_obj_of(value);
  if (!asy_to_cstr(vm, tuple->items[0], &name) ||
      !small_item(vm, tuple, 1, 65535, caller, "proto must be 0-65535.", &protocol))
    return false;
  unsigned index = if_nametoindex(name);
  if (!index) return asy_raise_errno(vm, errno, ASY_UNBOUND), false;
  memset(out, 0, sizeof *out);
  *(struct sockaddr_ll *)out = (struct sockaddr_ll){
    .sll_family = AF_PACKET, .sll_protocol = htons((uint16_t)protocol), .sll_ifindex = (int)index};
  *length = sizeof(struct sockaddr_ll);
  return true;
}

bool asy_address_parse(asy_vm *vm, asy_value value, int family, const char *caller, struct sockaddr_storage *out,
                       socklen_t *length) {
  switch (family) {
    case AF_INET:
    case AF_INET6: return parse_inet(vm, value, family, caller, out, length);
    case AF_UNIX: return parse_unix(vm, value, out, length);
    case AF_NETLINK:
    case AF_VSOCK: return parse_pair(vm, value, family, caller, out, length);
    case AF_PACKET: return parse_packet(vm, value, caller, out, length);
    default: asy_raise(vm, ASY_OSError, "%s(): bad family", caller); return false;
  }
}

asy_value asy_addrinfo_list(asy_vm *vm, const struct addrinfo *first) {
  asy_list *list = asy_list_new(vm, 4);
  for (const struct addrinfo *a = first; list && a; a = a->ai_next) {
    asy_value name = asy_from_cstr(vm, a->ai_canonname ? a->ai_canonname : "");
    asy_value address = asy_failed(name) ? ASY_FAILED : asy_address_value(vm, a->ai_addr, a->ai_addrlen);
    if (asy_failed(address)) return ASY_FAILED;
    asy_value row = asy_tuple_of(vm, 5, asy_from_small(a->ai_family), asy_from_small(a->ai_socktype),
                                 asy_from_small(a->ai_protocol), name, address);
    if (asy_failed(row) || !asy_list_append(vm, list, row)) return ASY_FAILED;
  }
  return list ? asy_from_obj(list) : ASY_FAILED;
}
