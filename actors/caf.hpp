// Hides the differences between CAF versions: inspection, signatures, type registration, settings, errors.
// Written against CAF 0.17.6 (Debian 12). All other code uses only what 0.17.6 and 1.1 have in common.
#pragma once

#include <caf/actor_ostream.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/error.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <troupe/detail/caf.hpp>
#include <utility>

namespace troupe::compat {

/// Sets a configuration value. `key` has no prefix: "scheduler.policy".
template <class T> void set(caf::actor_system_config& config, const std::string& key, T value) {
  config.set(key, std::move(value));
}
/// Sets a configuration value that is one of a few words.
inline void set_word(caf::actor_system_config& config, const std::string& key, const std::string& word) {
  config.set(key, caf::atom_from_string(word));
}

inline caf::error reason_of(const std::exception& e) {
  return caf::make_error(caf::sec::runtime_error, std::string{e.what()});
}

/// Makes an exception that leaves a handler end the actor with an error that carries the exception's text. CAF by
/// itself drops the text.
template <class Self> void end_on_exceptions(Self* self, caf::error (*as_error)(const std::exception&) = reason_of) {
  self->set_exception_handler([as_error](std::exception_ptr& thrown) -> caf::error {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      return as_error(e);
    } catch (...) {
      return caf::make_error(caf::sec::runtime_error, std::string{"unknown exception"});
    }
  });
}

/// True if an actor that ended with this reason did not fail: it was asked to end, or had nothing left to do.
inline bool is_orderly(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::user_shutdown || reason == caf::exit_reason::unreachable;
}

/// Human-readable text of an error: the strings that it carries, or CAF's rendering if it carries anything else.
inline std::string to_text(caf::actor_system& system, const caf::error& e) {
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

/// Makes an error of this project's category that carries `context`.
template <class... Strings> caf::error own_error(std::uint8_t code, Strings... context) {
  return {code, caf::atom("troupe"), caf::make_message(std::move(context)...)};
}
/// The code of an error of this project's category; empty for any other error.
inline std::optional<std::uint8_t> error_code(const caf::error& e) {
  if (!e || e.category() != caf::atom("troupe")) return std::nullopt;
  return e.code();
}
/// The string at `position` (from 0) in an error's context; empty if there is no string.
inline std::string error_text(const caf::error& e, std::size_t position) {
  const auto& context = e.context();
  if (position >= context.size() || !context.match_element<std::string>(position)) return {};
  return context.get_as<std::string>(position);
}

} // namespace troupe::compat
