// What the public errors say about errors of CAF itself.
#include "actors/caf.hpp"

#include <algorithm>
#include <troupe/errors.hpp>

namespace troupe {

bool is_orderly(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::user_shutdown || reason == caf::exit_reason::unreachable;
}

std::string to_text(caf::actor_system& system, const caf::error& e) {
  if (!e) return system.render(e);
  std::string words;
  const auto& context = e.context();
  for (std::size_t i = 0; i < context.size(); ++i) {
    if (!context.match_element<std::string>(i)) return system.render(e);
    const auto& part = context.get_as<std::string>(i);
    if (part.empty()) continue; // an own error always carries the same number of texts, and some may be empty
    words += (words.empty() ? "" : ": ") + part;
  }
  constexpr std::size_t most = 500; // the text may come from another node
  words.resize(std::min(words.size(), most));
  return words.empty() ? system.render(e) : words;
}

} // namespace troupe
