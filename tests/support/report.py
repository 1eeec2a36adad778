"""Lines that tests leave for the end of the run."""

from typing import Final

import pytest

SIZE: Final = pytest.StashKey[str]()
