"""Every sentence the node can say about a problem, in French and English: one module a room.

Codes start with the room's name, are stable, and are never reused for another meaning. Importing
this package registers them all.
"""

from importlib import import_module
from pkgutil import iter_modules

from policies.problem import register

for _module in iter_modules(__path__):
    register(import_module(f"{__name__}.{_module.name}").TEXTS)
