/* scripts.h - the scripts of the standard library inside the binary: their list and texts, packed by stdlib/embed.py and unpacked when
 * they are first needed.
 */
#ifndef ASY_RUNTIME_SCRIPTS_H
#define ASY_RUNTIME_SCRIPTS_H

#include <limits.h>

#include "runtime/asy.h"

/* What embed.py writes. In the index stand the words that a code stands for, then name and size of each script, the size of a package
 * with a p; a NUL is behind each. The texts are those of the scripts in that order, coded. */
extern const asy_packed asy_scripts_index, asy_scripts_texts;
extern const uint32_t asy_scripts_count;

/* That of this name; *found is NULL when there is none. False: MemoryError. */
bool asy_find_embedded(asy_vm *vm, const char *name, const asy_embedded **found);
/* The file that asy calls this script: "<asy>/json/__init__.asy". */
void asy_embedded_path(const asy_embedded *embedded, char path[PATH_MAX]);
/* Its text and a NUL, to be freed. NULL: MemoryError. */
char *asy_embedded_text(asy_vm *vm, const asy_embedded *embedded, size_t *length);
void asy_scripts_free(asy_vm *vm);

#endif
