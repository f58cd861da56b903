#include "tests/actor/spoken_frames.hpp"

#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/wire_messages.hpp"
#include "tests/unit/transport/basp_frames.hpp"

#include <map>
#include <stdexcept>

namespace troupe::net::testing::spoken {

#if TROUPE_CAF_1

namespace {

std::string types(std::uint16_t only) { return basp::length(1) + basp::integer(only, 2); }

std::uint16_t number_of(std::string_view type) {
  std::map<std::string, std::uint16_t, std::less<>> numbers;
  for_each_wire_message(
      [&]<class Message>(const char* name) { numbers.emplace(name, std::uint16_t{caf::type_id_v<Message>}); });
  const auto found = numbers.find(type);
  if (found == numbers.end()) throw std::invalid_argument("no message that nodes exchange: " + std::string{type});
  return found->second;
}

} // namespace

std::string node(std::uint32_t process, char host) {
  constexpr std::uint8_t hashed = 1;
  return basp::integer(hashed, 1) + basp::integer(process, 4) + std::string(20, host);
}

std::string message(std::string_view type, std::string_view element) {
  return types(number_of(type)) + std::string{element};
}

std::string error(std::uint8_t code) {
  return types(caf::type_id_v<caf::error>) + basp::integer(1, 1) + basp::integer(code, 1) +
         basp::integer(caf::type_id_v<caf::sec>, 2) + basp::length(0);
}

#else

std::string node(std::uint32_t process, char host) { return basp::node(process, host); }

std::string message(std::string_view type, std::string_view element) {
  return basp::message("@<>+" + std::string{type}, element);
}

std::string error(std::uint8_t code) { return message("@error", basp::error(code, "")); }

#endif

} // namespace troupe::net::testing::spoken
