// Nothing: its target exists for the headers that it precompiles.
