/* address.h - socket addresses as values, both ways, and the names behind them. */
#ifndef ASY_RUNTIME_NET_ADDRESS_H
#define ASY_RUNTIME_NET_ADDRESS_H

#include <netdb.h>
#include <sys/socket.h>

#include "runtime/vm.h"

/* As the module socket shows it: (host, port), (host, port, flowinfo, scope_id), a path ... */
asy_value asy_address_value(asy_vm *vm, const struct sockaddr *address, socklen_t length);
/* The address of that family which a value names; host names are resolved, which may take its time. `caller` is for errors. */
bool asy_address_parse(asy_vm *vm, asy_value value, int family, const char *caller, struct sockaddr_storage *out,
                       socklen_t *length);
asy_value asy_raise_gaierror(asy_vm *vm, int code); /* errno for EAI_SYSTEM */
/* A host (str, bytes, None) or service (also an int) for getaddrinfo. *text NULL for None; it lives as long as *keep. */
bool asy_host_text(asy_vm *vm, asy_value host, const char **text, asy_value *keep);
bool asy_service_text(asy_vm *vm, asy_value service, char number[24], const char **text, asy_value *keep);
/* [(family, type, proto, canonname, sockaddr), ...] */
asy_value asy_addrinfo_list(asy_vm *vm, const struct addrinfo *first);

#endif
