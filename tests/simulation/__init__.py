"""Two whole nodes in one thread, a network that errs, and a seed that decides everything.

`world` makes the nodes from one published state and lets them crash; `network` loses, repeats,
delays and reorders; `schedule` chooses what happens next; `judge` says what must hold at the end.
One seed is one schedule, to the last byte: `python -m tests.simulation SEED` tells it again.
"""
