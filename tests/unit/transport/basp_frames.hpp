// Builds BASP frames from pieces, as CAF 0.17.6 writes them, and in ways it never would.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::testing::basp {

enum operation : std::uint8_t {
  server_handshake = 0,
  client_handshake = 1,
  direct_message = 2,
  routed_message = 3,
  monitor_message = 4,
  down_message = 5,
  heartbeat = 6
};

inline constexpr std::uint8_t named_receiver = 1;
inline constexpr std::uint8_t select_connection = 2;
inline constexpr std::size_t header_size = 32;
/// Bit of a message id: belongs to CAF's streams.
inline constexpr std::uint64_t stream_category = std::uint64_t{1} << 61;
/// Bit of a message id: a response.
inline constexpr std::uint64_t response = std::uint64_t{1} << 63;

// -- pieces of a payload ----------------------------------------------------------------------------------------------

/// An integer of `size` bytes in network order.
inline std::string integer(std::uint64_t value, unsigned size) {
  std::string bytes(size, '\0');
  for (auto i = size; i-- > 0; value >>= 8) bytes[i] = static_cast<char>(value & 0xff);
  return bytes;
}

/// In groups of seven bits, least significant first.
inline std::string length(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

inline std::string text(std::string_view content) { return length(content.size()) + std::string{content}; }

inline std::string texts(std::initializer_list<std::string_view> all) {
  auto bytes = length(all.size());
  for (const auto one : all) bytes += text(one);
  return bytes;
}

/// CAF packs up to ten letters into an integer, six bits each.
constexpr std::uint64_t atom(std::string_view name) {
  constexpr std::string_view letters = " 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
  std::uint64_t value = 0xf;
  for (const char c : name) value = (value << 6) | letters.find(c);
  return value;
}

/// Process id and the host's identifier.
inline std::string node(std::uint32_t process, char host) {
  return integer(atom("default"), 8) + integer(process, 4) + std::string(20, host);
}

/// A message's type names, each after a plus sign: "@<>", "@<>+@str".
inline std::string types(std::string_view names) { return integer(0, 2) + text(names); }

/// The payload of a message without stages.
inline std::string message(std::string_view names, std::string_view elements = {}) {
  return length(0) + types(names) + std::string{elements};
}

inline std::string error(std::uint8_t code, std::string_view category,
                         const std::vector<std::string_view>& context = {}) {
  std::string names = "@<>";
  std::string elements;
  for (const auto one : context) {
    names += "+@str";
    elements += text(one);
  }
  return integer(code, 1) + integer(atom(category), 8) + types(names) + elements;
}

// -- frames -----------------------------------------------------------------------------------------------------------

struct header {
  std::uint8_t operation = 0;
  std::uint16_t padding = 0;
  std::uint8_t flags = 0;
  /// Without a value: the length of the payload.
  std::optional<std::uint32_t> payload = {};
  std::uint64_t data = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

inline std::string frame(const header& h, std::string_view payload = {}) {
  return integer(h.operation, 1) + integer(h.padding, 2) + integer(h.flags, 1) +
         integer(h.payload.value_or(static_cast<std::uint32_t>(payload.size())), 4) + integer(h.data, 8) +
         integer(h.from, 8) + integer(h.to, 8) + std::string{payload};
}

/// CAF's version of BASP.
inline constexpr std::uint64_t version = 3;

inline std::string server_hello(const std::string& of, std::uint64_t speaks = version) {
  return frame({.operation = server_handshake, .data = speaks},
               of + texts({"generic-caf-app"}) + integer(7, 8) + texts({"caf::reacts_to<hello>", "troupe"}));
}
inline std::string client_hello(const std::string& of, std::uint8_t flags = 0) {
  return frame({.operation = client_handshake, .flags = flags}, of);
}
/// A message with exactly this payload.
inline std::string said(std::string_view payload, std::uint64_t number = 1) {
  return frame({.operation = direct_message, .data = number, .from = 12, .to = 7}, payload);
}
/// Names and elements are as in `message`.
inline std::string direct(std::string_view names, std::string_view elements = {}, std::uint64_t number = 1) {
  return said(message(names, elements), number);
}
/// A message that consists of one of our own types.
inline std::string wire(std::string_view type, std::string_view bytes) {
  return direct("@<>+" + std::string{type}, text(bytes));
}
inline std::string monitor(const std::string& by, const std::string& of) {
  return frame({.operation = monitor_message, .to = 7}, by + of);
}
inline std::string down(const std::string& by, const std::string& of, std::string_view why) {
  return frame({.operation = down_message, .from = 7}, by + of + std::string{why});
}
inline std::string beat() { return frame({.operation = heartbeat}); }

} // namespace troupe::net::testing::basp
