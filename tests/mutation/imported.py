"""The pytest plugin of a fresh interpreter: from here on, one module is imported in its mutant."""

from __future__ import annotations

import json
import os
import sys

from tests.mutation.session import imports_of

sys.meta_path.insert(0, imports_of(json.loads(os.environ["HANDGRAD_MUTANT"])))
