"""Measures closed-loop load on a durable three-node cluster on this machine, and on etcd for comparison."""

import argparse
import base64
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from certificates import Certificates  # noqa: E402
from cluster import HOST, Cluster, Failure, free_ports, names_of_nodes, wait_for  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mib(pid):
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(match.group(1)) / 1024


class Load:
    """A troupe_load process. `say` sends it a job and returns the results."""

    def __init__(self, binary, *arguments):
        self.process = subprocess.Popen([str(binary), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise Failure("troupe_load did not start")

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=15)


class Row:
    """One measurement: operations per second, latencies, and the CPU time and memory of the servers."""

    def __init__(self, operations, seconds, p50_us, p99_us, failed, servers, before):
        self.rate = operations / seconds
        self.p50_us, self.p99_us, self.failed = p50_us, p99_us, failed
        spent = sum(cpu_seconds(pid) for pid in servers) - before
        self.cpu_per_100k = spent / operations * 100_000 if operations else float("nan")
        self.rss_mib = max(rss_mib(pid) for pid in servers)


def by_load(load, servers, what, callers, milliseconds, size):
    before = sum(cpu_seconds(pid) for pid in servers)
    seen = load.say(f"{what} {callers} {milliseconds}" + (f" {size}" if what == "put" else ""))
    return Row(seen["operations"], seen["seconds"], seen["p50_us"], seen["p99_us"], seen["failed"], servers, before)


UNITS = {"us": 1, "ms": 1000, "s": 1_000_000}


def by_wrk(url, script, servers, callers, seconds):
    before = sum(cpu_seconds(pid) for pid in servers)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        text = subprocess.run(["wrk", "-t1", f"-c{callers}", f"-d{max(1, round(seconds))}s", "--latency", "-s",
                               file.name, url], capture_output=True, text=True, check=True).stdout
    latency = {p: float(v) * UNITS[u] for p, v, u in re.findall(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)$", text, re.M)}
    count, took = re.search(r"(\d+) requests in ([\d.]+)(?:s|m)", text).groups()
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    failed = int(bad.group(1)) if bad else 0
    return Row(int(count) - failed, float(took), latency["50"], latency["99"], failed, servers, before)


def put_script(size):
    return f"""math.randomseed(os.time())
local body = '"' .. string.rep("v", {size}) .. '"'
request = function()
  return wrk.format("PUT", "/v1/maps/bench/key" .. math.random(0, 99999), {{["Content-Type"]="application/json"}}, body)
end"""


GET_SCRIPT = """math.randomseed(os.time())
request = function() return wrk.format("GET", "/get?map=bench&key=key" .. math.random(0, 99999)) end"""


def etcd_script(size):
    value = base64.b64encode(b"v" * size).decode()
    keys = ",".join('"' + base64.b64encode(b"key%d" % n).decode() + '"' for n in range(1000))
    return f"""math.randomseed(os.time())
local keys = {{{keys}}}
request = function()
  local body = '{{"key":"' .. keys[math.random(1, #keys)] .. '","value":"{value}"}}'
  return wrk.format("POST", "/v3/kv/put", {{["Content-Type"]="application/json"}}, body)
end"""


class Etcd:
    """Three local members of Debian's etcd-server, through its own HTTP gateway."""

    def __init__(self, folder):
        ports = free_ports(6)
        names = [f"m{i}=http://{HOST}:{ports[i]}" for i in range(3)]
        self.members, self.client_ports = [], ports[3:]
        for i in range(3):
            peer, client = f"http://{HOST}:{ports[i]}", f"http://{HOST}:{ports[3 + i]}"
            with (folder / f"etcd{i}.log").open("wb") as log:
                self.members.append(subprocess.Popen(
                    ["etcd", "--name", f"m{i}", "--data-dir", str(folder / f"etcd{i}"), "--listen-peer-urls", peer,
                     "--initial-advertise-peer-urls", peer, "--listen-client-urls", client, "--advertise-client-urls",
                     client, "--initial-cluster", ",".join(names), "--initial-cluster-state", "new"],
                    stdout=log, stderr=log))
        self.leader = wait_for("etcd's election", 20, self._find_leader, 0.2)

    def _find_leader(self):
        for i, port in enumerate(self.client_ports):
            answer = subprocess.run(["curl", "-s", "-m", "1", "-X", "POST", "-d", "{}",
                                     f"http://{HOST}:{port}/v3/maintenance/status"], capture_output=True, text=True)
            try:
                status = json.loads(answer.stdout)
                if status["leader"] == status["header"]["member_id"]:
                    return f"http://{HOST}:{port}"
            except (ValueError, KeyError):
                continue
        return None

    @property
    def pids(self):
        return [m.pid for m in self.members]

    def stop(self):
        for member in self.members:
            member.terminate()
        for member in self.members:
            member.wait(timeout=15)


def show(title, rows_by_callers):
    print(f"\n{title}")
    print(f"{'C':>5} {'ops/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'CPU s/100k':>11} {'RSS MiB':>8} {'failed':>7}")
    for callers, rows in rows_by_callers.items():
        middle = {name: statistics.median(getattr(r, name) for r in rows)
                  for name in ("rate", "p50_us", "p99_us", "cpu_per_100k", "rss_mib")}
        print(f"{callers:>5} {middle['rate']:>9.0f} {middle['p50_us'] / 1000:>8.2f} {middle['p99_us'] / 1000:>8.2f} "
              f"{middle['cpu_per_100k']:>11.2f} {middle['rss_mib']:>8.1f} {sum(r.failed for r in rows):>7}", flush=True)


CLIENT_LOADS = (("put", "writes, callers share one troupe::client in a separate process"),
                ("get", "linearizable reads, the same"))


class Side:
    """A cluster and its own troupe_load. Both use TLS if certificates are given."""

    def __init__(self, name, build, folder, certificates=None, flags=()):
        self.name = name
        folder.mkdir()
        self.cluster = Cluster(build / "examples/webserver", folder, 3, certificates, flags)
        self.load, self.pids = None, []
        self.arguments = [build / "tools/load/troupe_load", "client", "--endpoints",
                          ",".join(f"{HOST}:{port}" for port in self.cluster.raft_ports)]
        if certificates:
            self.arguments += certificates.flags("load")

    def start(self):
        self.cluster.start()
        wait_for("a leader", 20, self.cluster.leader)
        self.pids = [node.process.pid for node in self.cluster.nodes]
        self.load = Load(*self.arguments)

    def stop(self):
        if self.load:
            self.load.stop()
        self.cluster.stop()


def ratio(figure, rows, others):
    """The ratio of the medians; NaN if the second one is 0."""
    ours, theirs = (statistics.median(getattr(row, figure) for row in side) for side in (rows, others))
    return ours / theirs if theirs else float("nan")


def compare(chosen, callers, milliseconds, one, other):
    """Measures the same load on two sides, in alternation."""
    sides = [one, other]
    try:
        for side in sides:
            side.start()
        for what, title in CLIENT_LOADS:
            rows = {side: {c: [] for c in callers} for side in sides}
            for c in callers:
                for turn in range(chosen.rounds):
                    # Each side goes first in every other round, so that changes of the machine affect both alike.
                    for side in sides if turn % 2 == 0 else reversed(sides):
                        rows[side][c].append(by_load(side.load, side.pids, what, c, milliseconds, chosen.bytes))
            for side in sides:
                show(f"{side.name}: {title}", rows[side])
            for c in callers:
                print(f"  C={c}, {other.name}/{one.name}: " + ", ".join(
                    f"{name} {ratio(figure, rows[other][c], rows[one][c]):.2f}" for figure, name in
                    (("cpu_per_100k", "CPU per 100k"), ("p50_us", "p50"), ("rate", "ops/s"))), flush=True)
    finally:
        for side in sides:
            side.stop()


def compare_tls(chosen, callers, milliseconds, build, folder):
    certificates = Certificates(folder / "certificates", [*names_of_nodes(3), "load"])
    certificates.make()
    compare(chosen, callers, milliseconds, Side("plain", build, folder / "plain"),
            Side("TLS", build, folder / "tls", certificates))


FILL_BYTES = 16 * 1024  # size of a value that fills the map; troupe_load draws from 100,000 keys


def fill(side, mib):
    """Writes until the map holds about `mib` MiB."""
    goal, keys = mib * 1024 * 1024 / FILL_BYTES, 100_000
    if goal > 0.95 * keys:
        raise Failure(f"--mib can be at most {int(0.95 * keys * FILL_BYTES / 2**20)}")
    written = 0
    while keys * (1 - math.exp(-written / keys)) < goal:
        seen = side.load.say(f"put 32 1000 {FILL_BYTES} large")
        if not seen["operations"]:
            raise Failure("no write succeeded while filling the map")
        written += seen["operations"]
        print(f"  filling: {keys * (1 - math.exp(-written / keys)) * FILL_BYTES / 2**20:.0f} of {mib} MiB", flush=True)


def bench_snapshot(chosen, callers, milliseconds, build, folder):
    """Measures writes before and while each node in turn takes a snapshot of a large map."""
    side = Side("nodes", build, folder / "nodes", flags=["--snapshot-log-size", "1TB", "--snapshot-entries", "1000000000"])
    held = True
    try:
        side.start()
        fill(side, chosen.mib)
        leader, status = side.cluster.leader()
        for c in callers:
            calm = by_load(side.load, side.pids, "put", c, milliseconds, chosen.bytes)
            for node in [leader, *side.cluster.others(leader)]:
                made = {}

                def take():
                    began = time.monotonic()
                    made.update(node.expect("POST", "/v1/snapshot", timeout=600))
                    made["seconds"] = time.monotonic() - began

                taking = threading.Thread(target=take)
                taking.start()
                busy = by_load(side.load, side.pids, "put", c, milliseconds, chosen.bytes)
                taking.join()
                if "seconds" not in made:
                    raise Failure(f"{node.name} did not take a snapshot")
                ratio = busy.p99_us / calm.p99_us
                held = held and ratio < 10
                print(f"  C={c}, {node.name}{' (leads)' if node is leader else ''}: {made['size'] / 2**20:.0f} MiB in "
                      f"{made['seconds']:.1f} s; writes/s {calm.rate:.0f} -> {busy.rate:.0f}, p50 {calm.p50_us / 1000:.1f} -> "
                      f"{busy.p50_us / 1000:.1f} ms, p99 {calm.p99_us / 1000:.1f} -> {busy.p99_us / 1000:.1f} ms "
                      f"({ratio:.1f}x), largest RSS {busy.rss_mib:.0f} MiB", flush=True)
        now = side.cluster.leader()
        if not now or now[0] is not leader or now[1]["term"] != status["term"]:
            raise Failure("an election took place during the measurement")
        print("  no election")
        if not held:
            raise Failure("p99 rose to at least ten times its value without snapshots")
    finally:
        side.stop()


def start_members(binary, folder):
    ports = free_ports(3)
    peers = "static:" + ",".join(f"{HOST}:{p}" for p in ports)
    members = [Load(binary, "member", "--raft-port", str(p), "--data-dir", str(folder / f"member{p}"), "--discovery",
                    peers) for p in ports]
    leader = wait_for("a leader", 20, lambda: next((m for m in members if m.say("leader")), None), 0.1)
    return members, leader


def main():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["snapshot"],
                        help="snapshot: measure writes while each node in turn takes a snapshot of a map of --mib MiB; "
                             "exit code 1 if p99 rises tenfold or an election takes place")
    parser.add_argument("--mib", type=int, default=64, help="size of that map in MiB (default %(default)s)")
    parser.add_argument("--long", action="store_true", help="snapshot: same as --mib 1024")
    parser.add_argument("--callers", default="1,64,256",
                        help="numbers of closed-loop callers to measure (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=4, help="length of one measurement (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements per median (default %(default)s)")
    parser.add_argument("--bytes", type=int, default=256, help="size of a value (default %(default)s)")
    parser.add_argument("--vs", choices=["etcd"], help="also measure etcd, in alternation, and print ratios")
    parser.add_argument("--only", choices=["client", "http", "member"], help="measure only this kind of load")
    parser.add_argument("--tls", action="store_true",
                        help="measure a cluster with and one without TLS in alternation, and print ratios")
    parser.add_argument("--against", metavar="DIR", type=Path,
                        help="measure this build and the one in the build tree DIR in alternation, and print ratios; DIR "
                             "may belong to another commit or another version of CAF (build/caf)")
    parser.add_argument("--no-build", action="store_true", help="use the existing build")
    chosen = parser.parse_args()
    if (chosen.tls or chosen.against) and (chosen.vs or chosen.only not in (None, "client")):
        parser.error("--tls and --against measure only client loads: they cannot be combined with --vs or another --only")
    if chosen.tls and chosen.against:
        parser.error("--tls and --against cannot be combined")
    for program in ("examples/webserver", "tools/load/troupe_load") if chosen.against else ():
        if not (chosen.against / program).exists():
            parser.error(f"there is no {program} in the build tree {chosen.against}: build webserver and troupe_load there")
    if chosen.long:
        chosen.mib = 1024
    callers = [int(c) for c in chosen.callers.split(",")]
    kinds = [] if chosen.tls or chosen.against or chosen.what else [chosen.only] if chosen.only else ["client", "http", "member"]
    build = Path("build/release")
    folder = Path(tempfile.mkdtemp(prefix="troupe-bench-"))
    milliseconds = round(chosen.seconds * 1000)
    print(f"three nodes and the load on {os.cpu_count()} cores, {chosen.bytes}-byte values, durable, "
          f"medians of {chosen.rounds} x {chosen.seconds:g} s")
    etcd = None
    try:
        if chosen.what == "snapshot":
            bench_snapshot(chosen, callers, milliseconds, build, folder)
        if chosen.tls:
            compare_tls(chosen, callers, milliseconds, build, folder)
        if chosen.against:
            compare(chosen, callers, milliseconds, Side("this build", build, folder / "this"),
                    Side(str(chosen.against), chosen.against, folder / "other"))
        if "client" in kinds or "http" in kinds:
            cluster = Cluster(build / "examples/webserver", folder, 3)
            cluster.start()
            leader, _ = wait_for("a leader", 20, cluster.leader)
            pids = [n.process.pid for n in cluster.nodes]
            if "client" in kinds:
                load = Load(build / "tools/load/troupe_load", "client", "--endpoints",
                            ",".join(f"{HOST}:{p}" for p in cluster.raft_ports))
                for what, title in CLIENT_LOADS:
                    show(title, {c: [by_load(load, pids, what, c, milliseconds, chosen.bytes)
                                     for _ in range(chosen.rounds)] for c in callers})
                load.stop()
            if "http" in kinds:
                etcd = Etcd(folder) if chosen.vs else None
                ours, theirs = {}, {}
                for c in callers:
                    for _ in range(chosen.rounds):
                        ours.setdefault(c, []).append(
                            by_wrk(leader.url, put_script(chosen.bytes), pids, c, chosen.seconds))
                        if etcd:
                            theirs.setdefault(c, []).append(
                                by_wrk(etcd.leader, etcd_script(chosen.bytes), etcd.pids, c, chosen.seconds))
                show("writes over HTTP to the leader (wrk)", ours)
                if etcd:
                    show("etcd's writes over its HTTP gateway to the leader (wrk)", theirs)
                    for c in callers:
                        rate = [statistics.median(r.rate for r in side[c]) for side in (ours, theirs)]
                        cpu = [statistics.median(r.cpu_per_100k for r in side[c]) for side in (ours, theirs)]
                        print(f"  C={c}: {rate[0] / rate[1]:.2f} x etcd's writes/s at {cpu[0] / cpu[1]:.2f} x its CPU")
                show("linearizable reads over HTTP from the leader (wrk)",
                     {c: [by_wrk(leader.url, GET_SCRIPT, pids, c, chosen.seconds) for _ in range(chosen.rounds)]
                      for c in callers})
            cluster.stop()
        if "member" in kinds:
            members, leading = start_members(build / "tools/load/troupe_load", folder)
            pids = [m.process.pid for m in members]
            for what, title in (("put", "writes, callers inside the leader's process"),
                                ("get", "linearizable reads, the same")):
                show(title, {c: [by_load(leading, pids, what, c, milliseconds, chosen.bytes)
                                 for _ in range(chosen.rounds)] for c in callers})
            for member in members:
                member.stop()
    except (Failure, subprocess.CalledProcessError) as error:
        print(f"tools/bench: {error}; logs are in {folder}", file=sys.stderr)
        return 1
    finally:
        if etcd:
            etcd.stop()
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
