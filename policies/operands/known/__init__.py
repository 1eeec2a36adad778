"""One file per left operand, found by its presence: each holds an `OPERAND` with its vectors."""
