// Renders the inputs and outputs of roles and replicators as text, for the live trace and for the traces of tests.
#pragma once

#include "raft/events.hpp"
#include "raft/replicator.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::raft {

enum class text_style : std::uint8_t {
  /// Ids as in the log; sizes in place of the data of commands and snapshots; long lists are cut.
  log,
  /// Ids as decimal numbers, and the data of commands.
  test,
};

std::string describe(const rpc& message, text_style style);
std::string describe(const write& change, text_style style);
std::string describe(const std::vector<entry>& entries, text_style style);
std::string describe(const configuration& c, text_style style);
std::string describe(const snapshot_id& id);
const char* describe(reject_reason why);

std::string describe(const event& what, text_style style);
std::string describe(const replicator_event& what, text_style style);

/// The effects of a step, in the order in which they are carried out, without messages and changes of the role. The
/// style `log` names the first few items of a list, and how many follow.
std::vector<std::string> effects_of(const output& out, text_style style);
/// All of a step's output in one line, in the style `log`. Empty if there is none. May be cut when it is longer than
/// `most`.
std::string describe(const output& out, std::size_t most);
std::string describe(const replicator_output& out, std::size_t most);

} // namespace troupe::raft
