# _imp, as far as programs look at it: no frozen modules, no extension modules.
import _imp

print(_imp.is_builtin('sys'), _imp.is_builtin('none such'), _imp.lock_held())
_imp.acquire_lock()
_imp.release_lock()
for call in lambda: _imp.get_frozen_object('none such'), lambda: _imp.init_frozen('none such'):
    try:
        print(call())
    except ImportError as exc:
        print(type(exc).__name__, exc)
