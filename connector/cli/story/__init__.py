"""What `preau demo` plays: a MOOC platform, a research lab, an auditor; two real processes.

Only `connector.cli.demo` enters here. The acts drive the two nodes from outside, through the
management API and the files they leave, as their people would; what they assert is measured on
the receiving side and recomputed from the source file with nothing but `json`. No module here
imports the rooms that release data, so a fault in those cannot hide itself.
"""

from connector.cli.story import texts as _texts  # noqa: F401  registers the sentences
