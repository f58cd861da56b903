"""The project's style as data and small functions. `tools/check` runs them; `tools/check --self-test` tests them.

A rule takes a `Source` and yields `Problem`s. The tables at the top hold what changes most often: the layers, the bans
and the limits of file sizes.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

# The layers. Each is a folder, with the layers directly below it. A layer may include its own headers and those of all
# layers below it, directly or indirectly. A file belongs to the longest folder in this table that contains it. `angle`
# limits the headers in <...>:
#   std   the C++ standard library without threads, files and streams
#   pure  anything except CAF
#   any   anything
LAYERS = {
    # folder                layers right below it                                              angle
    "public base":          ([],                                                               "std"),
    "public service":       (["public base"],                                                  "pure"),
    "public process":       (["public base"],                                                  "pure"),
    "include/troupe":       (["public service", "public process"],                             "any"),
    "raft/base":            (["public base"],                                                  "std"),
    "raft":                 (["raft/base"],                                                    "std"),
    "raft/membership":      (["raft"],                                                         "std"),
    "services":             (["raft", "public service"],                                       "pure"),
    "runtime/http/client":  (["raft/base"],                                                    "pure"),
    "discovery":            (["raft/membership", "public process", "runtime/http/client"],     "pure"),
    "actors":               (["include/troupe", "raft/base"],                                  "any"),
    "actors/protocol":      (["actors", "raft/membership", "services"],                        "any"),
    "actors/cluster":       (["actors/protocol"],                                              "any"),
    "actors/discovery":     (["actors/protocol", "discovery"],                                 "any"),
    "actors/frontend":      (["actors/protocol"],                                              "any"),
    "actors/replica":       (["actors/protocol"],                                              "any"),
    "runtime/os":           (["raft/base", "public process"],                                  "pure"),
    "runtime/storage":      (["services", "runtime/os"],                                       "pure"),
    "runtime/http":         (["runtime/os"],                                                   "pure"),
    "runtime/offline":      (["runtime/storage", "runtime/http/client"],                       "pure"),
    "runtime/transport":    (["actors/cluster", "runtime/os"],                                 "any"),
    "runtime":              (["actors/cluster", "actors/discovery", "actors/frontend", "actors/replica",
                              "runtime/storage", "runtime/transport"],                         "any"),
    "examples":             (["include/troupe"],                                               "any"),
    "tools":                (["include/troupe"],                                               "any"),
    "tools/log":            (["runtime/offline"],                                              "any"),
    "tools/backup":         (["runtime/offline"],                                              "any"),
    "tests":                (["examples", "tools", "runtime", "runtime/http",
                              "runtime/offline"],                                              "any"),
}

# Public headers that do not know actors, so that the layers below the actors may include them.
PUBLIC = {
    "public base": ["address", "cluster_options", "printable", "status", "types"],
    "public service": ["cow_map", "fields", "json", "msgpack_serializer", "serializer", "service", "services/map_service",
                       "state_io", "value", "detail/cow_node", "detail/cow_ptr", "detail/machine", "detail/msgpack", "detail/reply",
                       "detail/snapshot"],
    "public process": ["blocking_method", "http/message", "http/server", "http/target", "process"],
}
PUBLIC_LAYER = {f"include/troupe/{name}.hpp": layer for layer, names in PUBLIC.items() for name in names}


def layer_of(path):
    """The layer in LAYERS that a file belongs to, or None."""
    if str(path) in PUBLIC_LAYER:
        return PUBLIC_LAYER[str(path)]
    folder = str(path).rpartition("/")[0]
    while folder and folder not in LAYERS:
        folder = folder.rpartition("/")[0]
    return folder or None


def reach(layer):
    """The layer and all layers below it."""
    return {layer}.union(*(reach(below) for below in LAYERS[layer][0]))


# Standard headers that the pure layers must not use.
IMPURE_STD = {"thread", "mutex", "shared_mutex", "condition_variable", "future", "stop_token", "semaphore", "latch",
              "barrier", "fstream", "iostream", "filesystem", "random", "ctime"}

# Patterns that are banned outside the listed folders, and what to do instead.
BANS = [
    (r"\b(steady|system|high_resolution)_clock\s*::\s*now\b|\bclock(_type)?\s*::\s*now\b|\bgettimeofday\b|\bclock_gettime\b",
     {"runtime", "tests", "tools"}, "reads a clock; take `now` as an argument"),
    (r"\brandom_device\b|\bsrand\s*\(|\bstd::rand\b",
     {"runtime", "tests", "tools"}, "draws true randomness; take the seed as an argument"),
    (r"\bsleep_for\b|\bsleep_until\b|\b(u|nano)?sleep\s*\(",
     {"runtime", "tests", "tools"}, "sleeps; wait for the event instead"),
]

# A test waits for an event. If it has to sleep, the line gives the reason: `// nap: reason`.
NAP = re.compile(r"\bsleep_for\b|\bsleep_until\b|\b(u|nano)?sleep\s*\(")
NAP_REASON = re.compile(r"//.*\bnap: *\S")

# (warning above, error above), in lines.
SIZES = {".cpp": (400, 600), ".hpp": (250, 400)}

# Files with these suffixes begin with a `//` comment that describes the file.
OPENING_COMMENT = {".hpp"}

# The brackets keep this file from violating its own rule.
LEFTOVERS = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X)\b")

CPP = {".cpp", ".hpp"}
TEXT = CPP | {".cmake", ".json", ".md", ".py", ".sh", ".supp", ".yml", ".yaml"}
TEXT_NAMES = {"CMakeLists.txt", ".clang-format", ".clang-tidy", ".gitignore"}


@dataclass(frozen=True, order=True)
class Problem:
    path: str
    line: int
    message: str
    warning: bool = False

    def __str__(self):
        return f"{self.path}:{self.line}: {'warning: ' if self.warning else ''}{self.message}"


# Comments become blanks; strings stay, because an #include names its file in one. Raw strings are matched first, since
# they may contain anything.
TOKENS = re.compile(
    r'R"(?P<mark>[^()\\\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|\'(?:\\[^\'\n]+|\\\'|[^\'\\\n])\''
    r"|(?P<comment>//[^\n]*|/\*.*?\*/)", re.DOTALL)


class Source:
    """One file: its path relative to the project's root, and its text with and without comments."""

    def __init__(self, root, path):
        self.root, self.path = Path(root), str(path)
        self.suffix = Path(path).suffix
        self.text = (self.root / path).read_text(encoding="utf-8", errors="replace")
        self.lines = self.text.splitlines()

    @property
    def is_cpp(self):
        return self.suffix in CPP

    @property
    def is_text(self):
        name = Path(self.path).name
        return self.suffix in TEXT or name in TEXT_NAMES or (not self.suffix and self.text.startswith("#!"))

    @property
    def folder(self):
        return self.path.split("/")[0]

    @cached_property
    def code_lines(self):
        def blank(match):
            return re.sub(r"[^\n]", " ", match[0]) if match["comment"] else match[0]
        return TOKENS.sub(blank, self.text).splitlines()

    @cached_property
    def prose_lines(self):
        """The lines that people read: of C++ the comments and strings, of other files all."""
        if not self.is_cpp:
            return self.lines
        kept, end = [], 0
        for match in TOKENS.finditer(self.text):
            kept += [re.sub(r"[^\n]", " ", self.text[end:match.start()]), match[0]]
            end = match.end()
        return "".join(kept).splitlines()

    def problem(self, line, message, warning=False):
        return Problem(self.path, line, message, warning)


def include_direction(source):
    if not source.is_cpp:
        return
    layer = layer_of(source.path)
    if layer is None:
        yield source.problem(1, "the file is in no layer; see LAYERS in tools/lib/style_rules.py")
        return
    own, angle = reach(layer), LAYERS[layer][1]
    is_public = source.path.startswith("include/")
    for number, line in enumerate(source.code_lines, 1):
        match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
        if not match:
            continue
        quoted, bracketed = match.groups()
        target = quoted or (f"include/{bracketed}" if bracketed.startswith("troupe/") else None)
        if quoted and is_public:
            yield source.problem(number, f'must not include "{quoted}": a public header includes <troupe/...> alone')
        elif target:
            if not (source.root / target).is_file():
                yield source.problem(number, f'"{target}" is not a file of the project; quoted includes start at its root')
            elif quoted and quoted.startswith("include/"):
                yield source.problem(number, f"a public header is included as <{quoted[len('include/'):]}>")
            elif layer_of(target) not in own:
                yield source.problem(number, f'must not include "{target}": from here only {", ".join(sorted(own))}')
        elif angle != "any" and bracketed.startswith("caf/"):
            yield source.problem(number, f"must not include <{bracketed}>: this layer does not use CAF")
        elif angle == "std" and (not re.fullmatch(r"\w+", bracketed) or bracketed in IMPURE_STD):
            yield source.problem(number, f"must not include <{bracketed}>: this layer uses no I/O, clocks, threads or libraries")


def bans(source):
    if not source.is_cpp:
        return
    for number, line in enumerate(source.code_lines, 1):
        for pattern, allowed, reason in BANS:
            match = re.search(pattern, line)
            if match and source.folder not in allowed:
                yield source.problem(number, f"`{match[0].strip()}` {reason}")


# What talks to actors in CAF's own spelling, which differs between its versions. These files translate it.
CAF_SEAM = {"actors/caf.hpp", "actors/caf_0_17.hpp", "actors/caf_1.hpp", "actors/caf_io.hpp", "actors/type_registry.cpp",
            "actors/protocol/message_code.hpp", "include/troupe/detail/caf.hpp", "include/troupe/detail/caf_0_17.hpp",
            "include/troupe/detail/caf_1.hpp", "include/troupe/detail/type_ids.hpp", "runtime/message_types.cpp",
            "runtime/transport/caf_wire.cpp", "tests/actor/send_as.hpp", "tests/actor/caf_dialect.cpp", "tests/actor/test_scheduler.hpp",
            "tests/actor/unexpected.hpp", "tests/fuzz/caf_reader.cpp"}
CAF_SPELLING = re.compile(r"\bcaf::(anon_send(_exit)?|delayed_anon_send|event_based_actor|typed_event_based_actor|"
                          r"scoped_actor|replies_to|reacts_to|atom|typed_actor)\b|\b\w+::base\b(?!::)")


# Only these files ask which CAF they are compiled with.
CAF_QUESTION = re.compile(r"\b(TROUPE_CAF_1|CAF_VERSION\w*)\b")


def caf_seam(source):
    if not source.is_cpp or source.path in CAF_SEAM:
        return
    speaks = source.folder in {"actors", "include", "runtime"}
    for number, line in enumerate(source.code_lines, 1):
        if match := CAF_QUESTION.search(line):
            yield source.problem(number, f"`{match[0]}`: only the files of CAF_SEAM depend on the version of CAF; see docs/caf-versions.md")
        if speaks and (match := CAF_SPELLING.search(line)):
            yield source.problem(number, f"`{match[0]}` is spelled differently in other versions of CAF; use actors/caf.hpp")


def naps(source):
    if not source.is_cpp or source.folder != "tests":
        return
    for number, (code, full) in enumerate(zip(source.code_lines, source.lines), 1):
        if NAP.search(code) and not NAP_REASON.search(full):
            yield source.problem(number, "a test that sleeps is slow and flaky; wait for the event, or give the reason: `// nap: reason`")


def size(source):
    if source.suffix not in SIZES:
        return
    soft, hard = SIZES[source.suffix]
    count = len(source.lines)
    if count > hard:
        yield source.problem(count, f"{count} lines, more than the limit of {hard}: split the file")
    elif count > soft:
        yield source.problem(count, f"{count} lines, more than {soft}: consider splitting the file", warning=True)


def leftovers(source):
    if not source.is_text:
        return
    for number, line in enumerate(source.lines, 1):
        match = LEFTOVERS.search(line)
        if match:
            yield source.problem(number, f"{match[0]}: finish it or open an issue")


def whitespace(source):
    if not source.is_text:
        return
    for number, line in enumerate(source.lines, 1):
        if "\t" in line:
            yield source.problem(number, "tab")
        if line != line.rstrip():
            yield source.problem(number, "trailing whitespace")
    if source.text and not source.text.endswith("\n"):
        yield source.problem(len(source.lines), "no newline at the end")


def read_retired(page):
    """Reads the last table of docs/vocabulary.md: the retired words and their replacements.

    Text in parentheses tells where a word is retired, and is ignored here. `X` stands for any word. "There is no X" is
    good English and not matched.
    """
    found = []
    for row in page.split("## Retired words")[1].splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if not row.startswith("|") or len(cells) != 2 or cells[0] in ("instead of", "---"):
            continue
        for phrase in re.sub(r"\(.*?\)", "", cells[0]).split(","):
            pattern = re.escape(phrase.strip()).replace(r"\ ", r"\s+").replace("X", r"(?!longer|more|heavier|reason|room)\w+")
            found.append((re.compile(rf"(?<!there )\b{pattern}\b", re.IGNORECASE), phrase.strip(), cells[1]))
    return found


RETIRED = read_retired((Path(__file__).parents[2] / "docs/vocabulary.md").read_text(encoding="utf-8"))

PROSE = CPP | {".md"}
# Pages that list the retired words themselves.
NOT_PROSE = {"docs/vocabulary.md"}


def retired_words(source):
    if source.suffix not in PROSE or source.path in NOT_PROSE:
        return
    for number, line in enumerate(source.prose_lines, 1):
        for pattern, phrase, instead in RETIRED:
            if pattern.search(line):
                yield source.problem(number, f'"{phrase}" is retired (docs/vocabulary.md): write {instead}')


def opening(source):
    if not source.is_cpp:
        return
    if source.suffix in OPENING_COMMENT and not source.text.startswith("//"):
        yield source.problem(1, "begins without a `//` comment that describes the file")
    if source.suffix == ".hpp" and not any(line.strip() == "#pragma once" for line in source.code_lines):
        yield source.problem(1, "header without #pragma once")


RULES = [include_direction, bans, caf_seam, naps, size, leftovers, whitespace, retired_words, opening]


def check(root, paths):
    """All problems of these files, in order."""
    return sorted(problem for path in paths for source in [Source(root, path)] for rule in RULES for problem in rule(source))
