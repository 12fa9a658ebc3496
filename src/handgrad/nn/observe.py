"""Where the equations show each quantity as it comes to be.

Training passes `UNOBSERVED` and pays one call per quantity; the worked record passes an observer of its own
that keeps, replaces (a value given by hand) or rounds (paper arithmetic) what it is shown. So the step that
is shown and the step that trains are the same code.
"""

from __future__ import annotations

from handgrad.nn.arrays import Array


class Observer:
    """Sees each quantity by its name (`z1`, `a1`, `dW1`, ...) and returns the value to go on with.

    >>> UNOBSERVED("z1", 3.0)
    3.0
    """

    #: True: also compute what training itself does not need (dyhat where the fused form is used).
    complete = False
    #: True: each value is rounded before it is used again, so nothing may be computed around it.
    rounds = False

    def __call__(self, name: str, value: Array) -> Array:
        """The value that takes the place of `value` in all that follows; here `value` itself."""
        return value

    def given(self, name: str) -> bool:
        """True where the value of this quantity was given by hand."""
        return False

    def within(self, prefix: str) -> Observer:
        """An observer that shows `name` to this one as `prefix_name`."""
        return self


UNOBSERVED = Observer()
