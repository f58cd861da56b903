"""Runs in gdb, after tools/gdb/troupe.py: compares how the variables of subject.cpp are printed."""

import gdb

EXPECTED = {
    "node": "7d1f0c2ab394e655",
    "no_node": "none",
    "cluster": "000000000000004d",
    "position": "5/3",
    "snapshot": "5/3, 1000 bytes",
    "data": '43 bytes: "ab\\x01' + "x" * 29 + '..."',
    "no_data": "0 bytes",
    "role": "follower: node 7d1f0c2ab394e655, term 4, vote 7d1f0c2ab394e655, commit 0, durable 0",
}

gdb.execute("set confirm off")
gdb.execute("break values_are_set")
gdb.execute("run")
gdb.execute("up")
wrong = 0
for name, expected in EXPECTED.items():
    found = gdb.execute(f"output {name}", to_string=True)
    if found != expected:
        wrong += 1
        print(f"{name}: expected {expected}, found {found}")
gdb.execute("kill")
print("the values are printed as expected" if wrong == 0 else f"{wrong} values are printed wrong")
