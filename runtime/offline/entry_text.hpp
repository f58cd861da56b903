// Log entries for people and programs.
#pragma once

#include "raft/entry.hpp"

#include <string>

namespace troupe::offline {

/// One line of JSON without a line break:
///
///   {"index":7,"term":2,"kind":"noop"}
///   {"index":8,"term":2,"kind":"configuration","voters":[{"id":"0000000000000001","address":"a:1"}],...}
///   {"index":9,"term":2,"kind":"command","service":"map","tag":"put","bytes":12,"payload":["key",1]}
///
///   {"index":10,"term":2,"kind":"command","service":"$cluster","tag":"restore","backup":"0000000000000005-..."}
///
/// A payload is shown as the value that its MessagePack encodes, as services/json_value.hpp says, and values of maps
/// within it likewise; where it is none, as bytes. Bytes that are no entry of their kind are shown as such, with the
/// member "problem".
std::string to_json(const raft::entry& shown);

} // namespace troupe::offline
