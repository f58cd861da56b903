// What a caller learns when a role rejects its command.
#pragma once

#include "raft/events.hpp"

#include <optional>
#include <troupe/errors.hpp>

namespace troupe {

struct refusal_answer {
  errc code;
  const char* text;
};

/// nullopt for a refusal that only says that this node does not lead any more: the command is retried elsewhere.
std::optional<refusal_answer> answer_to(raft::reject_reason why);

} // namespace troupe
