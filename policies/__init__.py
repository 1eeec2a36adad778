"""What may be done with data: policies, consent, applications, plans.

This room is pure. It reads and compares, it decides and explains; it opens no file but its own
templates, no socket, no clock. Only the standard library, `orjson` and `rfc8785` may enter. The
other two packages stand on it and it knows neither.
"""

from policies.problem import register
from policies.texts import TEXTS

register(TEXTS)
