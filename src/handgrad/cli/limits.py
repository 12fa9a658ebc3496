"""What the system lets a process have."""

from __future__ import annotations

import sys

_ENOUGH = 1 << 36  # bytes of address space that no command comes near
_FEW = 4096  # processes


def limited() -> bool:
    """True where the system lets this process have little memory, or few threads."""
    if sys.platform == "win32":
        return False
    import resource

    def soft(name: str) -> int:
        limit = resource.getrlimit(getattr(resource, name))[0] if hasattr(resource, name) else -1
        return sys.maxsize if limit in (-1, resource.RLIM_INFINITY) else int(limit)

    return min(soft("RLIMIT_AS"), soft("RLIMIT_DATA")) < _ENOUGH or soft("RLIMIT_NPROC") < _FEW
