/* list.h - a growable array of values. */
#ifndef ASY_RUNTIME_TYPES_LIST_H
#define ASY_RUNTIME_TYPES_LIST_H

#include "runtime/object.h"

typedef struct asy_list {
  asy_obj head;
  uint32_t len;     /* elements in use */
  uint32_t cap;     /* elements allocated */
  asy_value *items; /* owned (asy_mem_alloc); NULL while cap is 0 */
} asy_list;

asy_list *asy_list_new(asy_vm *vm, uint32_t capacity);
asy_list *asy_list_from(asy_vm *vm, const asy_value *items, uint32_t len);
bool asy_list_reserve(asy_vm *vm, asy_list *list, uint32_t capacity); /* room for so many elements, and no more */
bool asy_list_append(asy_vm *vm, asy_list *list, asy_value item);
bool asy_list_extend(asy_vm *vm, asy_list *list, asy_value iterable);
bool asy_list_insert(asy_vm *vm, asy_list *list, int64_t index, asy_value item);
void asy_list_set(asy_vm *vm, asy_list *list, uint32_t index, asy_value item); /* index in range */
bool asy_list_sort(asy_vm *vm, asy_list *list, asy_value key, bool reverse);   /* key None or a callable; stable */
asy_tuple *asy_list_to_tuple(asy_vm *vm, asy_list *list);
asy_list *asy_list_from_iterable(asy_vm *vm, asy_value iterable);
/* Replaces `removed` elements from start (in range) by `count` values; these must not lie in the list itself. */
bool asy_list_splice(asy_vm *vm, asy_list *list, uint32_t start, uint32_t removed, const asy_value *values,
                     uint32_t count);
asy_value asy_list_pop(asy_vm *vm, asy_list *list, uint32_t index); /* index in range */
void asy_list_clear(asy_vm *vm, asy_list *list);

#endif
