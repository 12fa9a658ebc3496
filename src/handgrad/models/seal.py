"""The seal of a model file: a SHA-256 over all of it, kept inside it.

The digest is taken over the whole file, header, table of tensors and tensors, with zeros in the place of the
digest itself.
"""

from __future__ import annotations

import hashlib
import hmac

OPEN = "0" * 64
"""What stands in the place of the digest before it is known."""

_LEAD = rb"\"sha256\":\""  # inside a JSON string that is inside the JSON header, so its quotes are escaped


def sealed(data: bytes) -> bytes:
    """The file with its digest put in the place that was left open, or that holds another digest.

    >>> header = rb'{"__metadata__":{"handgrad":"{\\"sha256\\":\\"' + OPEN.encode() + rb'\\"}"}}'
    >>> whole = sealed(len(header).to_bytes(8, "little") + header)
    >>> is_whole(whole), is_whole(whole + b"!")
    (True, False)

    Raises ValueError where there is no such place.
    """
    place = _place(data)
    return data[:place] + digest(data).encode() + data[place + len(OPEN) :]


def digest(data: bytes) -> str:
    """The SHA-256 of the file with zeros in the place of the digest. Raises ValueError where there is none."""
    place = _place(data)
    total = hashlib.sha256(data[:place])
    total.update(OPEN.encode())
    total.update(memoryview(data)[place + len(OPEN) :])
    return total.hexdigest()


def is_whole(data: bytes) -> bool:
    """True where the file holds the digest of its own bytes."""
    try:
        place = _place(data)
    except ValueError:
        return False
    return hmac.compare_digest(data[place : place + len(OPEN)], digest(data).encode())


def _place(data: bytes) -> int:
    header = 8 + int.from_bytes(data[:8], "little")
    found = data.find(_LEAD, 8, header)
    if found < 0 or found + len(_LEAD) + len(OPEN) > header:
        raise ValueError("the file has no place for a digest")
    return found + len(_LEAD)
