"""The use cases: publish, discover, negotiate, release, withdraw, audit.

A folder a use case; at the top what all of them share. The only room that composes others. One
pattern for every act: load, pure step, one commit of {row, outbox, leaf, reply}. A function here
takes the `Node` first and is short; a rule that could be judged without the store belongs to a
room below.
"""
