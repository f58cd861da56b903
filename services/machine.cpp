#include <troupe/detail/machine.hpp>
#include <troupe/printable.hpp>

namespace troupe::detail {

reply unknown_message(std::string_view service, std::string_view kind, std::string_view tag) {
  return {reply_status::unknown_type,
          "service " + printable(service) + " has no " + std::string{kind} + " " + printable(tag)};
}

reply undecodable_message(std::string_view service, std::string_view kind, std::string_view tag) {
  return {reply_status::undecodable,
          "the bytes are not a " + std::string{kind} + " " + printable(tag) + " of service " + printable(service)};
}

void check_state_owner(state_reader& from, std::string_view expected) {
  if (const auto saved = from.get<std::string>(); saved != expected)
    throw snapshot_error("the state belongs to service " + printable(saved) + ", not to " + printable(expected));
}

} // namespace troupe::detail
