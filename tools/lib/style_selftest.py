"""Proves that each style rule reports a bad file with the right line, and no problem in a good file."""

import tempfile
from pathlib import Path

import style_rules

GOOD_HEADER = "// A thing.\n#pragma once\n"

# path, text, and the exact list of expected problems, each as (line, part of the message).
CASES = [
    ("raft/good.hpp", "// Good: steady_clock::now and #include <caf/all.hpp> in a comment.\n#pragma once\n\n#include <vector>\n", []),
    ("actors/good.hpp", GOOD_HEADER, []),
    ("services/good.hpp", GOOD_HEADER, []),
    ("discovery/good.hpp", GOOD_HEADER, []),
    ("runtime/good.cpp", "// Uses all.\n#include \"actors/good.hpp\"\nauto t = std::chrono::steady_clock::now();\n", []),
    ("raft/base/good.hpp", GOOD_HEADER, []),
    ("include/troupe/types.hpp", GOOD_HEADER, []),
    ("include/troupe/node.hpp", GOOD_HEADER + "#include <caf/all.hpp>\n#include <troupe/types.hpp>\n", []),
    ("include/troupe/inside.hpp", GOOD_HEADER + "#include \"actors/good.hpp\"\n", [(3, "a public header includes")]),
    ("include/troupe/service.hpp", GOOD_HEADER + "#include <troupe/node.hpp>\n#include <caf/all.hpp>\n",
     [(3, "must not include"), (4, "not use CAF")]),
    ("raft/public.cpp", "// Public.\n#include <troupe/types.hpp>\n#include <troupe/node.hpp>\n", [(3, "must not include")]),
    ("actors/public.cpp", "// Public.\n#include <troupe/node.hpp>\n#include <troupe/none.hpp>\n",
     [(3, "is not a file")]),
    ("actors/quoted.cpp", "// Quoted.\n#include \"include/troupe/node.hpp\"\n", [(2, "is included as")]),
    ("examples/inside.cpp", "// Inside.\n#include <troupe/node.hpp>\n#include \"actors/good.hpp\"\n",
     [(3, "must not include")]),
    ("actors/replica/shell.cpp", "// Through two layers.\n#include \"services/good.hpp\"\n#include \"raft/base/good.hpp\"\n#include <caf/all.hpp>\n", []),
    ("raft/base/up.cpp", "// Up.\n#include \"raft/good.hpp\"\n", [(2, "must not include")]),
    ("actors/frontend/sideways.cpp", "// Sideways.\n#include \"discovery/good.hpp\"\n", [(2, "must not include")]),
    ("runtime/http/actors.cpp", "// No actors.\n#include \"actors/good.hpp\"\n", [(2, "must not include")]),
    ("tests/nap.cpp", "// Naps.\nsleep_for(1s);  // nap: the kernel does not report when it is done\n", []),
    ("raft/up.cpp", "// Up.\n#include \"actors/good.hpp\"\n", [(2, "must not include")]),
    ("raft/caf.cpp", "// CAF.\n\n#include <caf/all.hpp>\n", [(3, "not use CAF")]),
    ("raft/io.cpp", "// I/O.\n#include <unistd.h>\n#include <thread>\n", [(2, "no I/O"), (3, "no I/O")]),
    ("raft/unrooted.cpp", "// Not from the root.\n#include \"good.hpp\"\n", [(2, "not a file of the project")]),
    ("services/pure.cpp", "// Pure.\n#include <caf/all.hpp>\n#include \"actors/good.hpp\"\n", [(2, "not use CAF"), (3, "must not include")]),
    ("services/sideways.cpp", "// Sideways.\n#include \"discovery/good.hpp\"\n", [(2, "must not include")]),
    ("discovery/sideways.cpp", "// Sideways.\n#include \"services/good.hpp\"\n", [(2, "must not include")]),
    ("actors/up.cpp", "// Up.\n#include \"runtime/good.cpp\"\n", [(2, "must not include")]),
    ("elsewhere/stray.cpp", "// Stray.\n", [(1, "no layer")]),
    ("actors/seam.cpp", "// CAF's spelling.\nclass a : public a_handle::base {};\ncaf::anon_send(to, flush{});\n",
     [(2, "spelled differently"), (3, "spelled differently")]),
    ("tests/version.cpp", "// Version.\n#if TROUPE_CAF_1\n#endif\n", [(2, "version of CAF")]),
    ("actors/caf.hpp", GOOD_HEADER + "using b = caf::event_based_actor;\n", []),
    ("actors/clock.cpp", "// Clock.\nauto a = steady_clock::now();\nauto b = clock::now();\n", [(2, "clock"), (3, "clock")]),
    ("examples/dice.cpp", "// Dice.\nstd::random_device dice;\n", [(2, "random")]),
    ("services/sleepy.cpp", "// Sleepy.\nsleep_for(1s);\nusleep(5);\nsleep_until(t);\n", [(2, "sleeps"), (3, "sleeps"), (4, "sleeps")]),
    ("tests/sleepy.cpp", "// Sleepy.\nstd::this_thread::sleep_for(1s);\nusleep(1); // nap:\n", [(2, "a test that sleeps"), (3, "a test that sleeps")]),
    ("raft/long.cpp", "// Long.\n" + "int x;\n" * 400, [(401, "consider splitting")]),
    ("raft/longer.cpp", "// Longer.\n" + "int x;\n" * 600, [(601, "the limit of")]),
    ("raft/long.hpp", GOOD_HEADER + "\n" * 249, [(251, "consider splitting")]),
    ("raft/longer.hpp", GOOD_HEADER + "\n" * 399, [(401, "the limit of")]),
    ("docs/later.md", "TO" + "DO\n\nFIX" + "ME XX" + "X\n", [(1, "finish it"), (3, "finish it")]),
    ("docs/old.md", "Nobody leads.\nIt begins anew.\nThis is no leader.\nThere is no leader. It is no longer one.\n",
     [(1, "retired"), (2, "again"), (3, "is not an X")]),
    ("raft/old.cpp", "// Nobody leads.\nvoid f(); // It begins anew.\nauto nobody = \"is told\";\n",
     [(1, "retired"), (2, "again"), (3, "learns")]),
    ("raft/blank.cpp", "// Blank. \n\tint x;\nint y;", [(1, "trailing"), (2, "tab"), (3, "no newline")]),
    ("raft/bare.hpp", "#pragma once\n", [(1, "begins without")]),
    ("raft/guard.hpp", "// No guard.\n", [(1, "#pragma once")]),
    ("raft/raw.cpp", "// Raw string.\nauto s = R\"(// no comment: \")\";\nint n = 1'000'000; /* steady_clock::now */\n", []),
]


def run():
    """Returns one line for each failure; an empty list if every rule works."""
    wrong = []
    fired = set()
    with tempfile.TemporaryDirectory(prefix="troupe-check-") as root:
        for path, text, _ in CASES:
            file = Path(root, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        for path, _, expected in CASES:
            source = style_rules.Source(root, path)
            found = []
            for rule in style_rules.RULES:
                problems = list(rule(source))
                found += problems
                if problems:
                    fired.add(rule.__name__)
            found.sort()
            matches = len(found) == len(expected) and all(
                problem.line == line and part in problem.message for problem, (line, part) in zip(found, expected))
            if not matches:
                wrong.append(f"{path}: expected {expected}, found {[str(problem) for problem in found]}")
    silent = {rule.__name__ for rule in style_rules.RULES} - fired
    wrong += [f"rule {name} reported none of the bad files" for name in sorted(silent)]
    return wrong
