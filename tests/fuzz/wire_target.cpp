// Fuzzes messages from other nodes: the frame guard's check of their bytes, and their decoding.
#include "tests/actor/wire_examples.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <troupe/detail/message_types.hpp>
#include <type_traits>

using namespace troupe;

namespace {

/// The types in the order of their numbers, which never changes: kept inputs go on to name the same types.
#define TROUPE_NAME(type) #type,
constexpr std::string_view types[] = {TROUPE_WIRE_TYPES(TROUPE_NAME)};
#undef TROUPE_NAME

/// Calls `f.operator()<Message>(position)` for each message that crosses the network.
template <class F> void for_each_position(F f) {
#define TROUPE_CALL(type, name)                                                                                        \
  f.template operator()<type>(                                                                                         \
      static_cast<char>(std::find(std::begin(types), std::end(types), #type) - std::begin(types)));
  TROUPE_WIRE_MESSAGES(TROUPE_CALL)
#undef TROUPE_CALL
}

template <class Message> void try_message(std::string_view bytes) {
  const auto message = wire::decode<Message>(std::string{bytes});
  fuzz::check(wire::is_encoded<Message>(bytes) == message.has_value(), "the check and the decoder disagree");
  if (message) fuzz::check(wire::encode(*message) == bytes, "a message is encoded differently");
}

} // namespace

/// The first byte selects the type.
void troupe::fuzz::try_input(std::string_view bytes) {
  if (bytes.empty()) return;
  for_each_position([&]<class Message>(char position) {
    if (position == bytes.front()) try_message<Message>(bytes.substr(1));
  });
}

std::vector<std::string> troupe::fuzz::seeds() {
  std::vector<std::string> all;
  test::for_each_wire_example([&]<class Message>(const Message& message) {
    const auto bytes = wire::encode(message);
    check(wire::is_encoded<Message>(bytes), "a node's own message is refused");
    for_each_position([&]<class Other>(char position) {
      if constexpr (std::is_same_v<Message, Other>) all.push_back(position + bytes);
    });
  });
  return all;
}

std::vector<std::string> troupe::fuzz::words() {
  return {std::string("\1\0\0\0", 4), std::string("\0\0\0\0", 4), std::string("\1\0\0\0\0\0\0\0", 8),
          "\xff\xff\xff\xff",         std::string("\0\0\1\0", 4), std::string("\5\0\0\0host:", 9)};
}
