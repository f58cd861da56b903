// Fuzzes messages from other nodes: the frame guard's check of their bytes, and their decoding.
#include "actors/protocol/wire_messages.hpp"
#include "tests/fuzz/sent_messages.hpp"
#include "tests/fuzz/target.hpp"

#include <string>
#include <type_traits>

using namespace troupe;

namespace {

template <class Message> void try_message(std::string_view bytes) {
  const auto message = wire::decode<Message>(std::string{bytes});
  fuzz::check(wire::is_encoded<Message>(bytes) == message.has_value(), "the check and the decoder disagree");
  if (message) fuzz::check(wire::encode(*message) == bytes, "a message is encoded differently");
}

} // namespace

/// The first byte selects the type, by its position in the list of messages that cross the network.
void troupe::fuzz::try_input(std::string_view bytes) {
  if (bytes.empty()) return;
  std::uint8_t position = 0;
  for_each_wire_message([&]<class Message>(const char*) {
    if (position++ == static_cast<std::uint8_t>(bytes.front())) try_message<Message>(bytes.substr(1));
  });
}

std::vector<std::string> troupe::fuzz::seeds() {
  std::vector<std::string> all;
  testing::for_each_sent_message([&]<class Message>(const Message& message) {
    char position = 0;
    for_each_wire_message([&]<class Other>(const char*) {
      if constexpr (std::is_same_v<Message, Other>) all.push_back(position + wire::encode(message));
      ++position;
    });
  });
  return all;
}

std::vector<std::string> troupe::fuzz::words() {
  return {std::string("\1\0\0\0", 4), std::string("\0\0\0\0", 4), std::string("\1\0\0\0\0\0\0\0", 8),
          "\xff\xff\xff\xff",         std::string("\0\0\1\0", 4), std::string("\5\0\0\0host:", 9)};
}
