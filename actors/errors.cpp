#include "actors/caf.hpp"
#include "raft/base/utf8.hpp"

#include <algorithm>
#include <troupe/errors.hpp>

namespace troupe {

outcome outcome_of(errc code) {
  switch (code) {
  case errc::none:
    return outcome::committed;
  case errc::outcome_unknown:
    return outcome::unknown;
  case errc::no_leader:
  case errc::not_leader:
  case errc::not_ready:
  case errc::overloaded:
  case errc::stopping:
  case errc::unknown_service:
  case errc::unknown_type:
  case errc::undecodable:
  case errc::refused:
  case errc::too_large:
  case errc::deadline:
  case errc::disk_full:
  case errc::disk_failed:
  case errc::state_full:
    return outcome::rejected;
  }
  return outcome::unknown; // a code of a newer version, whose meaning is unknown here
}

bool retryable(errc code) {
  switch (code) {
  case errc::no_leader:
  case errc::not_leader:
  case errc::not_ready:
  case errc::overloaded:
  case errc::stopping:
  case errc::deadline:
  case errc::outcome_unknown:
  case errc::disk_full:
  case errc::disk_failed: // another node may do it
  case errc::state_full:  // after something is removed
    return true;
  case errc::none:
  case errc::unknown_service:
  case errc::unknown_type:
  case errc::undecodable:
  case errc::refused:
  case errc::too_large:
    return false;
  }
  return false;
}

const char* to_string(errc code) {
  switch (code) {
  case errc::none:
    return "none";
  case errc::no_leader:
    return "no_leader";
  case errc::not_leader:
    return "not_leader";
  case errc::not_ready:
    return "not_ready";
  case errc::overloaded:
    return "overloaded";
  case errc::stopping:
    return "stopping";
  case errc::unknown_service:
    return "unknown_service";
  case errc::unknown_type:
    return "unknown_type";
  case errc::undecodable:
    return "undecodable";
  case errc::refused:
    return "refused";
  case errc::too_large:
    return "too_large";
  case errc::deadline:
    return "deadline";
  case errc::outcome_unknown:
    return "outcome_unknown";
  case errc::disk_full:
    return "disk_full";
  case errc::disk_failed:
    return "disk_failed";
  case errc::state_full:
    return "state_full";
  }
  return "unknown_code";
}

const char* to_string(outcome value) {
  switch (value) {
  case outcome::committed:
    return "committed";
  case outcome::rejected:
    return "rejected";
  case outcome::unknown:
    return "unknown";
  }
  return "unknown";
}

caf::error make_error(const error_info& info) {
  if (info.code == errc::none) return {};
  return compat::own_error(static_cast<std::uint8_t>(info.code), info.message, info.leader_id, info.leader_address);
}

error_info describe(const caf::error& e) {
  if (!e) return {};
  const auto raw = compat::error_code(e);
  if (!raw || !is_known(static_cast<errc>(*raw)))
    return {errc::outcome_unknown, "unexpected error: " + to_string(e), {}, {}};
  return {static_cast<errc>(*raw), compat::error_text(e, 0), compat::error_text(e, 1), compat::error_text(e, 2)};
}

bool is_orderly(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::user_shutdown || reason == caf::exit_reason::unreachable;
}

std::string to_text(caf::actor_system& system, const caf::error& e) {
  if (!e) return compat::rendered(system, e);
  std::string words;
  const auto& context = e.context();
  bool words_only = true;
  for (std::size_t i = 0; words_only && i < context.size(); ++i) {
    words_only = context.match_element<std::string>(i);
    if (!words_only) break;
    const auto& part = context.get_as<std::string>(i);
    if (part.empty()) continue; // an own error always carries the same number of texts, and some may be empty
    words += (words.empty() ? "" : ": ") + part;
  }
  if (!words_only || words.empty()) words = compat::rendered(system, e);
  constexpr std::size_t most = 500; // the text may come from another node
  words.resize(std::min(words.size(), most));
  return base::plain_text(words);
}

} // namespace troupe
