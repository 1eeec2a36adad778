"""What `preau demo` plays: a MOOC platform, a research lab, a school authority, an auditor.

Three real processes; only `connector.cli.demo` enters here. The acts drive the nodes from outside,
through the management API, commands, and the files they leave, as their people would; what they
assert is measured on the receiving side and recomputed from the source files with nothing but
`json` and `csv`. No module here imports the rooms that release data, so a fault in those cannot
hide itself; of the data plane, only the attack that joins two recipients' files is used (`risk`).
"""

from connector.cli.story import texts as _texts  # noqa: F401  registers the sentences
