// Log entries as JSON text.
#pragma once

#include "raft/entry.hpp"

#include <string>

namespace troupe::offline {

/// The entry as one line of JSON, without the line break:
///
///   {"index":7,"term":2,"kind":"noop"}
///   {"index":8,"term":2,"kind":"configuration","voters":[{"id":"0000000000000001","address":"a:1"}],...}
///   {"index":9,"term":2,"kind":"command","service":"map","tag":"put","bytes":12,"payload":["key",1]}
///
///   {"index":10,"term":2,"kind":"command","service":"$cluster","tag":"restore","backup":"0000000000000005-..."}
///
/// A payload in MessagePack is shown as the value that it encodes (services/json_value.hpp), and so are values of maps
/// within it. Any other payload is shown as bytes. If the data is not valid for the kind of the entry, it is shown as
/// bytes, with the member "problem".
std::string to_json(const raft::entry& shown);

} // namespace troupe::offline
