#include "tests/actor/spoken_frames.hpp"

#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/wire_messages.hpp"
#include "tests/unit/transport/basp8_frames.hpp"

#include <map>
#include <stdexcept>

namespace troupe::net::testing::spoken {

#if TROUPE_CAF_1

namespace {

std::uint16_t number_of(std::string_view type) {
  std::map<std::string, std::uint16_t, std::less<>> numbers;
  for_each_wire_message(
      [&]<class Message>(const char* name) { numbers.emplace(name, std::uint16_t{caf::type_id_v<Message>}); });
  const auto found = numbers.find(type);
  if (found == numbers.end()) throw std::invalid_argument("no message that nodes exchange: " + std::string{type});
  return found->second;
}

} // namespace

std::string node(std::uint32_t process, char host) { return basp8::node(process, host); }

std::string message(std::string_view type, std::string_view element) {
  return basp8::types({number_of(type)}) + std::string{element};
}

std::string error(std::uint8_t code) {
  return basp8::types({caf::type_id_v<caf::error>}) + basp8::error(code, caf::type_id_v<caf::sec>);
}

#else

std::string node(std::uint32_t process, char host) { return basp::node(process, host); }

std::string message(std::string_view type, std::string_view element) {
  return basp::message("@<>+" + std::string{type}, element);
}

std::string error(std::uint8_t code) { return message("@error", basp::error(code, "")); }

#endif

} // namespace troupe::net::testing::spoken
