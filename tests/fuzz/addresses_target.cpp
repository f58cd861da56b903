// Fuzzes the parsers of names: addresses, discovery methods, snapshots, segments.
#include "discovery/mdns_view.hpp"
#include "discovery/spec.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "runtime/storage/wal_format.hpp"
#include "tests/fuzz/target.hpp"

#include <troupe/address.hpp>

using namespace troupe;

void troupe::fuzz::try_input(std::string_view bytes) {
  try {
    const auto address = parse_host_port(bytes);
    check(parse_host_port(to_string(address)) == address, "the text of an address parses as a different one");
  } catch (const bad_address&) { // the error says what is wrong
  }
  try {
    for (const auto& method : parse_discovery(bytes)) check(!name_of(method).empty(), "a method without a name");
  } catch (const std::invalid_argument&) { // the error says what is wrong
  }
  if (const auto found = mdns_address(std::string{bytes}, 5000, 2)) static_cast<void>(parse_host_port(*found));
  if (const auto id = parse_snapshot_id(bytes))
    check(to_string(*id) == bytes, "a snapshot's name parses as a different one");
  if (const auto id = snapshot_format::parse_file_name(bytes))
    check(snapshot_format::file_name(*id) == bytes, "a snapshot's file name parses as a different one");
  if (const auto sequence = wal_format::parse_segment_name(bytes))
    check(wal_format::segment_name(*sequence) == bytes, "a segment's name parses as a different one");
}

std::vector<std::string> troupe::fuzz::seeds() {
  return {"node-1.example:5000",
          "[fe80::1%eth0]:65535",
          "static:127.0.0.1:5001, [::1]:5002; dns:troupe.example:5000,interval=5,server=127.0.0.1:53",
          "dns:_raft._tcp.example",
          "k8s:service=troupe-nodes,namespace=troupe,port=raft,server=https://10.0.0.1:443",
          "k8s:selector=app=troupe,tier in (a)",
          "mdns:_troupe._tcp",
          "none",
          "0000000000000005-0000000000000001-0000000000000064-00000000000000ff",
          "0000000000000005-0000000000000001-0000000000000064-00000000000000ff.snapshot",
          "0000000000000001.wal"};
}

std::vector<std::string> troupe::fuzz::words() {
  return {
      "static:", "dns:", "k8s:", "mdns:", "service=", "selector=", "namespace=", "port=",     "interval=", "server=",
      ";",       ",",    "[",    "]:",    ":0",       ":65536",    "_tcp",       ".snapshot", ".wal",      "::ffff:"};
}
