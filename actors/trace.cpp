#include "actors/trace.hpp"

#include <algorithm>
#include <cstdlib>
#include <troupe/log.hpp>
#include <troupe/printable.hpp>

namespace troupe::trace {

constinit std::atomic<std::uint8_t> active{0};

selection parse(std::string_view words) {
  selection chosen;
  while (!words.empty()) {
    const auto word = words.substr(0, words.find(','));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    if (word == "1" || word == "all")
      chosen.areas = all;
    else if (word == "actors")
      chosen.areas |= actors;
    else if (word == "raft")
      chosen.areas |= raft;
    else if (word == "links")
      chosen.areas |= links;
    else if (!word.empty() && word != "0" && word != "off")
      chosen.unknown.emplace_back(word);
  }
  return chosen;
}

void turn_on(std::string_view words) {
  const auto chosen = parse(words);
  std::string unknown;
  for (const auto& word : chosen.unknown) unknown += (unknown.empty() ? "" : ", ") + printable(word);
  if (!unknown.empty())
    log().warn("TROUPE_TRACE: there is no area {}; the areas are actors, raft, links and all",
               unknown.substr(0, max_line));
  if (chosen.areas != 0) set_log_level(log_level::trace);
  active = chosen.areas;
}

void turn_on_from_environment() {
  static const bool once = [] {
    if (const char* words = std::getenv("TROUPE_TRACE")) turn_on(words);
    return true;
  }();
  static_cast<void>(once);
}

void write(area what, std::string_view line) {
  const auto* name = what == actors ? "actors" : what == raft ? "raft" : "links";
  log().trace("{}: {}{}", name, line.substr(0, max_line), line.size() > max_line ? "..." : "");
}

} // namespace troupe::trace
