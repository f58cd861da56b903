// The caller's side of a service: turns messages into envelopes, and replies into results.
#pragma once

#include "services/command.hpp"

#include <optional>
#include <string>
#include <troupe/detail/reply.hpp>
#include <troupe/service.hpp>

namespace troupe::test {

/// The envelope of a command or query of service `S`.
template <class S, class M>
requires detail::command_of<M, S> || detail::query_of<M, S> std::string encode_call(const M& message) {
  return services::encode_command(S::name, M::tag, serializer_of_t<S>::encode(message));
}

/// Returns the result in a reply to a message `M` of service `S`; nothing if the status is not `ok`, or the bytes are
/// not such a result.
template <class S, class M>
requires detail::command_of<M, S> || detail::query_of<M, S> std::optional<typename M::result>
decode_result(const detail::reply& answer) {
  typename M::result result{};
  if (answer.status != detail::reply_status::ok || !serializer_of_t<S>::decode(answer.payload, result))
    return std::nullopt;
  return result;
}

} // namespace troupe::test
