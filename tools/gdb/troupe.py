"""Pretty-printers for gdb: ids, positions, bytes and roles. Use: (gdb) source tools/gdb/troupe.py

`print/r` shows a value without them.
"""

import gdb
import gdb.printing

SHOWN_BYTES = 32


def identity(value):
    """An id as in the log: sixteen hexadecimal digits."""
    number = int(value["value"])
    return f"{number:016x}" if number else "none"


def position(value):
    return f"{int(value['index'])}/{int(value['term'])}"


def first_bytes(value):
    """The size of raft::bytes, and their beginning."""
    view = value["view_"]  # a std::string_view of libstdc++
    size = int(view["_M_len"])
    if size == 0:
        return "0 bytes"
    try:
        data = bytes(gdb.selected_inferior().read_memory(int(view["_M_str"]), min(size, SHOWN_BYTES)))
    except gdb.MemoryError:  # a core dump may lack it
        return f"{size} bytes"
    text = "".join(chr(c) if 0x20 <= c < 0x7f and chr(c) not in '"\\' else f"\\x{c:02x}" for c in data)
    return f'{size} bytes: "{text}{"..." if size > SHOWN_BYTES else ""}"'


def snapshot(value):
    size = int(value["size"])
    return f"{position(value['last'])}, {size} bytes" if size else "none"


def state(value):
    """What a role knows of its node."""
    return (f"node {identity(value['self_'])}, term {int(value['hard_']['term'])}, "
            f"vote {identity(value['hard_']['voted_for'])}, commit {int(value['commit_'])}, "
            f"durable {int(value['durable_index_'])}")


def role(name):
    return lambda value: f"{name}: {state(value['state_'])}"


PRINTERS = {
    "troupe::node_id": identity,
    "troupe::cluster_id": identity,
    "troupe::log_position": position,
    "troupe::snapshot_id": snapshot,
    "troupe::raft::bytes": first_bytes,
    "troupe::raft::node_state": state,
    "troupe::raft::follower": role("follower"),
    "troupe::raft::candidate": role("candidate"),
    "troupe::raft::leader": role("leader"),
}


class Printer:
    def __init__(self, value, text):
        self.value, self.text = value, text

    def to_string(self):
        return self.text(self.value)


def collection():
    printers = gdb.printing.RegexpCollectionPrettyPrinter("troupe")
    for name, text in PRINTERS.items():
        printers.add_printer(name, f"^{name}$", lambda value, text=text: Printer(value, text))
    return printers


gdb.printing.register_pretty_printer(gdb.current_objfile(), collection(), replace=True)
