"""The questions a verification asks, one function each; `verify` says in which order.

Pure. A check is a generator over a `Case`: it yields or raises a `Problem` for each thing that is
wrong, each naming the file, line or leaf, and `NotMade` for what it cannot see. A check that
yields nothing has passed.
"""
