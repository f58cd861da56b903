"""Starts a cluster of webserver processes, kills its leader, and shows that no acknowledged write is lost."""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from certificates import Certificates
from cluster import Cluster, Failure, Unanswered, names_of_nodes, wait_for

ROOT = Path(__file__).resolve().parent.parent.parent

MAP = "demo"
MOST_SECONDS_WITHOUT_LEADER = 2.0
MOST_SECONDS_UNTIL_RENEWED = 10
LOG_TAIL_LINES = 25
LITTLE_LOG = ["--log-tail", "10"]  # so that a node falls behind the log after a few writes


class Demo:
    """State shared by the steps: the cluster, its certificates if it uses TLS, and all acknowledged writes."""

    def __init__(self, cluster, folder, certificates):
        self.cluster = cluster
        self.folder = folder
        self.certificates = certificates
        self.acknowledged = {}
        self.leader = None
        self.dead = None

    def put(self, node, key, value, timeout=5):
        revision = node.put(MAP, key, value, timeout)
        self.acknowledged[key] = value
        return revision


# A step does its work and returns its line of the report. It raises Failure if an expectation does not hold.

def certify(demo):
    demo.certificates.make()
    return f"a CA and a certificate for each of {len(demo.certificates.names)} nodes"


def start(demo):
    demo.cluster.start()

    def answering():
        demo.cluster.check_alive()
        return all(node.status() for node in demo.cluster.nodes)

    began = time.monotonic()
    wait_for("an answer from every node's /status", 20, answering)
    kind = "webserver processes with TLS" if demo.certificates else "webserver processes"
    return f"{len(demo.cluster.nodes)} {kind} answer after {since(began)}"


def elect(demo):
    began = time.monotonic()
    node, status = wait_for("the election of a leader", 20, demo.cluster.leader)
    elected = since(began)
    wait_for("/readyz of every node", 20, lambda: all(node.ready() for node in demo.cluster.nodes))
    demo.leader = node
    return f"{node.name} leads in term {status['term']}; all know it after {elected}, all are ready after {since(began)}"


def write(demo):
    writer = demo.cluster.others(demo.leader)[0]
    revision = demo.put(writer, "greeting", "hello")
    began = time.monotonic()
    count = 100
    for i in range(count):
        demo.put(writer, f"key {i}", {"number": i, "text": "é" * (i % 5)})
    each = (time.monotonic() - began) / count
    return f"1 + {count} writes through {writer.name}, a follower: first revision {revision}, {each * 1000:.1f} ms each"


def read(demo):
    writer = demo.cluster.others(demo.leader)[0]
    readers = demo.cluster.others(writer)
    for node in readers:
        expect_value(node, "greeting", "hello")
        expect_value(node, "key 99", demo.acknowledged["key 99"])
    return f"{' and '.join(node.name for node in readers)} answer linearizable reads with the written values"


def kill_leader(demo):
    old_term = demo.leader.status()["term"]
    demo.leader.kill()
    killed = time.monotonic()
    demo.dead, survivors = demo.leader, demo.cluster.running
    attempts = 0

    def write_again():
        nonlocal attempts
        # Putting the same value again is harmless, so rejected and unknown outcomes are both retried.
        node = survivors[attempts % len(survivors)]
        attempts += 1
        return demo.put(node, "after the kill", "still here", timeout=1)

    wait_for("a write after the leader's death", 15, write_again, pause=0.01)
    took = time.monotonic() - killed
    demo.leader, status = wait_for("agreement on the next leader", 10, demo.cluster.leader)
    if status["term"] <= old_term:
        raise Failure(f"the next leader's term {status['term']} is not above {old_term}")
    if took > MOST_SECONDS_WITHOUT_LEADER:
        raise Failure(f"the next write took {took:.2f} s after the kill, more than {MOST_SECONDS_WITHOUT_LEADER} s")
    return (f"{demo.dead.name} was killed; the next write succeeded {took:.2f} s later ({attempts} attempts); "
            f"{demo.leader.name} leads in term {status['term']}")


def restart(demo):
    for i in range(20):
        demo.put(demo.leader, f"missed {i}", i)
    target = demo.leader.status()["commit_index"]
    began = time.monotonic()
    demo.dead.start()

    def caught_up():
        demo.cluster.check_alive()
        return demo.dead.status()["applied_index"] >= target

    wait_for(f"{demo.dead.name} applying index {target}", 15, caught_up)
    took = since(began)
    expect_value(demo.dead, "missed 19", 19, level="stale")
    expect_value(demo.dead, "after the kill", "still here", level="stale")
    return f"{demo.dead.name} restarted from its data directory and applied index {target} after {took}"


def snapshot(demo):
    late = demo.cluster.others(demo.leader)[0]
    seen = late.status()["last_index"]
    late.kill()
    survivors = demo.cluster.running
    # Twice, because a node keeps two snapshots and the log from the older one on. Each part is larger than the 4 MiB
    # that the leader keeps in memory for a silent follower.
    for part in range(2):
        for i in range(50):
            demo.put(demo.leader, f"compacted {part} {i}", f"{i} " + 120_000 * "x")
        for node in survivors:
            node.expect("POST", "/v1/snapshot", timeout=20)
    wait_for(f"compaction of the log that {late.name} needs", 15,
             lambda: all(node.status()["log_start"] > seen for node in survivors))
    target = demo.leader.status()["commit_index"]
    began = time.monotonic()
    late.start()
    wait_for(f"{late.name} applying index {target}", 15, lambda: late.status()["applied_index"] >= target)
    took = since(began)
    start = late.status()["log_start"]
    if start <= seen:
        raise Failure(f"{late.name} caught up by the log, which starts at index {start}, and not by a snapshot")
    expect_value(late, "compacted 1 49", demo.acknowledged["compacted 1 49"], level="stale")
    expect_value(late, "greeting", "hello", level="stale")
    return (f"{late.name} was killed at index {seen}, the others compacted their logs past it; after its restart, it "
            f"got a snapshot at index {start} and applied {target} within {took}")


def backup(demo):
    asked = demo.cluster.others(demo.leader)[0]
    file = demo.folder / "demo.backup"
    began = time.monotonic()
    asked.download("/v1/backup", file)
    size, took = file.stat().st_size, since(began)
    folder = demo.folder / "restored"
    folder.mkdir()
    certificates = demo.certificates
    fresh = Cluster(demo.cluster.binary, folder, len(demo.cluster.nodes), certificates)
    fresh.nodes[0].add_flags("--restore", str(file))
    try:
        began = time.monotonic()
        fresh.start()
        wait_for("readiness of the restored cluster", 30, lambda: all(node.ready() for node in fresh.nodes))
        ready = since(began)
        for node in fresh.nodes:
            for key, value in demo.acknowledged.items():
                expect_value(node, key, value)
        if demo.cluster.nodes[0].get_whole(MAP, "greeting") != fresh.nodes[0].get_whole(MAP, "greeting"):
            raise Failure("the restored cluster has a different revision of 'greeting'")
        ids = [cluster.nodes[0].status()["cluster_id"] for cluster in (demo.cluster, fresh)]
        if ids[0] == ids[1]:
            raise Failure("the restored cluster has the same id as the old one")
    finally:
        wrong = fresh.stop()
    if wrong:
        raise Failure("; ".join(wrong))
    return (f"{size} bytes through {asked.name} in {took}, while the cluster kept serving; a new cluster was restored "
            f"from them, all its nodes ready after {ready}, each with all {len(demo.acknowledged)} values")


def verify(demo):
    wait_for("/readyz of every node", 15, lambda: all(node.ready() for node in demo.cluster.nodes))
    for node in demo.cluster.nodes:
        for key, value in demo.acknowledged.items():
            expect_value(node, key, value)
    return f"linearizable reads through each node return all {len(demo.acknowledged)} acknowledged writes"


def renew(demo):
    nodes = demo.cluster.nodes

    def count(text):
        return [node.log.read_text(errors="replace").count(text) for node in nodes]

    renewals, losses = count("took over renewed files"), count("lost the link")
    began = time.monotonic()
    demo.certificates.make()
    wait_for("the new certificate to be loaded by every node", MOST_SECONDS_UNTIL_RENEWED,
             lambda: all(now > before for now, before in zip(count("took over renewed files"), renewals)))
    took = since(began)
    demo.put(demo.leader, "after the renewal", "still here")
    if count("lost the link") != losses:
        raise Failure("links were lost when the certificates were renewed")
    return f"every node loaded its new certificate within {took}, and no link was lost"


STEPS = [("start", start), ("elect", elect), ("write", write), ("read", read), ("kill", kill_leader),
         ("restart", restart), ("snapshot", snapshot), ("verify", verify), ("backup", backup)]
TLS_STEPS = [("certify", certify), *STEPS, ("renew", renew)]


def expect_value(node, key, expected, level="linearizable"):
    found = node.get(MAP, key, level)
    if found != expected:
        raise Failure(f"{node.name}: {level} read of '{key}' returned {found!r}, not {expected!r}")


def since(began):
    return f"{time.monotonic() - began:.2f} s"


def say(text):
    print(text, flush=True)


def run_steps(demo):
    """Runs all steps and prints their reports. Returns whether all succeeded."""
    for name, step in TLS_STEPS if demo.certificates else STEPS:
        try:
            report = step(demo)
        except (Failure, Unanswered) as error:
            say(f"  {name:<8} FAILED: {error}")
            return False
        say(f"  {name:<8} {report}")
    return True


def stay(cluster, folder, certificates, keep):
    say("\nThe cluster runs until Ctrl-C. Try:")
    for node in cluster.nodes:
        say(f"  curl {node.url}/status                            # {node.name}, pid {node.process.pid}, log {node.log}")
    first, last = cluster.nodes[0].url, cluster.nodes[-1].url
    say(f"  curl -X PUT -d '[1, {{\"a\": 2}}]' {first}/v1/maps/{MAP}/mine")
    say(f"  curl {last}/v1/maps/{MAP}/mine")
    say(f"Data is in {folder}{'' if keep else ' and will be deleted at the end; --keep keeps it'}.")
    if certificates:
        say(f"tools/certs {certificates.folder} {' '.join(certificates.names)} renews the certificates.")
    gone = set()
    while cluster.running:
        for node in cluster.nodes:
            if not node.running and node not in gone:
                gone.add(node)
                say(f"{node.name} has exited with code {node.process.returncode}.")
        time.sleep(0.5)


def show_logs(cluster):
    for node in cluster.nodes:
        if node.log.exists():
            say(f"\n--- the last lines of {node.log}")
            say("\n".join(node.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]))


def preset_to_build():
    """`release` if it has been built already, else `demo`: without optimization, it compiles in half the time."""
    return "release" if (ROOT / "build" / "release" / "examples" / "webserver").exists() else "demo"


def find_webserver(options):
    """Builds the webserver unless told not to, and returns its path."""
    preset = preset_to_build()
    path = options.webserver or ROOT / "build" / preset / "examples" / "webserver"
    if not options.webserver and not options.no_build:
        subprocess.run([ROOT / "tools" / "lib" / "build", preset, "webserver"], check=True)
    if path.is_dir():
        path = path / "webserver"
    if not path.is_file():
        raise Failure(f"no webserver at {path}")
    return path.resolve()


def parse():
    parser = argparse.ArgumentParser(prog="tools/demo", description=__doc__)
    parser.add_argument("--check", action="store_true",
                        help="exit after the steps, with code 0 only if all succeeded and the next write after the kill "
                             f"took less than {MOST_SECONDS_WITHOUT_LEADER} s")
    parser.add_argument("--nodes", type=int, default=3, metavar="N", help="number of nodes, 3 to 9 (default: 3)")
    parser.add_argument("--tls", action="store_true",
                        help="use TLS with certificates from tools/certs, and renew them at the end")
    parser.add_argument("--no-build", action="store_true", help="use the existing build")
    parser.add_argument("--webserver", type=Path, metavar="PATH", help="run this program; implies --no-build")
    parser.add_argument("--keep", action="store_true", help="keep data and logs at the end")
    options = parser.parse_args()
    if not 3 <= options.nodes <= 9:
        parser.error("--nodes must be 3 to 9; fewer nodes do not tolerate the loss of one")
    return options


def interrupted(number, _):
    raise KeyboardInterrupt(signal.Signals(number).name)


def main():
    options = parse()
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    try:
        binary = find_webserver(options)
    except subprocess.CalledProcessError as error:
        return error.returncode
    except KeyboardInterrupt:
        return 130
    except Failure as error:
        say(f"tools/demo: {error}")
        return 1

    folder = Path(tempfile.mkdtemp(prefix="troupe-demo-"))
    certificates = Certificates(folder / "tls", names_of_nodes(options.nodes)) if options.tls else None
    cluster = Cluster(binary, folder, options.nodes, certificates, LITTLE_LOG)
    held, was_interrupted = False, False
    say(f"Troupe demo, data and logs in {folder}")
    try:
        held = run_steps(Demo(cluster, folder, certificates))
        if held and not options.check:
            stay(cluster, folder, certificates, options.keep)
    except KeyboardInterrupt:
        was_interrupted = True
        say("\nstopping")
    finally:
        # A second Ctrl-C must not leave processes behind.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        began = time.monotonic()
        wrong = cluster.stop()

    say(f"  stop     {'; '.join(wrong)}" if wrong else f"  stop     all nodes exited with code 0, {since(began)} after SIGTERM")
    good = held and not wrong
    if not good and not was_interrupted:
        show_logs(cluster)
    if options.keep or not (good or was_interrupted):
        say(f"Data and logs are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    if options.check:
        if was_interrupted:
            return 130
        say("demo: ok" if good else "demo: FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
