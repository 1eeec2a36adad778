"""`preau doctor`: what is wrong with a node, found without changing anything.

`inside` looks at the folder, the ports, the clock and the database of this machine; `outside`
asks the node's public name as a peer would. Each check is one finding: fine, a warning, or a
failure that says what to do. What cannot be known from here is said too.
"""
