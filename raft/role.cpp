#include "raft/role.hpp"

#include <stdexcept>

namespace troupe::raft {

role become(role&& from, role_kind to) {
  if (auto* f = std::get_if<follower>(&from); f && to == role_kind::candidate) return candidate{std::move(*f)};
  if (auto* c = std::get_if<candidate>(&from)) {
    if (to == role_kind::leader) return leader{std::move(*c)};
    if (to == role_kind::follower) return follower{std::move(*c)};
  }
  if (auto* l = std::get_if<leader>(&from); l && to == role_kind::follower) return follower{std::move(*l)};
  throw std::logic_error("raft: no such transition");
}

} // namespace troupe::raft
