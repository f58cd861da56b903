// The caller's side of a service: messages in, envelopes out, and replies back into results.
#pragma once

#include "services/command.hpp"
#include "services/reply.hpp"
#include "services/service.hpp"

#include <optional>
#include <string>

namespace troupe::services {

/// The envelope of a command or query of service `S`.
template <class S, class M>
requires command_of<M, S> || query_of<M, S> std::string encode_call(const M& message) {
  return encode_command(S::name, M::tag, serializer_of_t<S>::encode(message));
}

/// The result in a reply to a message `M` of service `S`; nothing if the status is not `ok`, or the bytes are no such
/// result (the other side runs another version of the service).
template <class S, class M>
requires command_of<M, S> || query_of<M, S> std::optional<typename M::result> decode_result(const reply& answer) {
  typename M::result result{};
  if (answer.status != reply_status::ok || !serializer_of_t<S>::decode(answer.payload, result)) return std::nullopt;
  return result;
}

} // namespace troupe::services
