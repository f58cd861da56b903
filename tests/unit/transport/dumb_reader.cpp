#include "tests/unit/transport/dumb_reader.hpp"

#include "tests/unit/transport/basp_frames.hpp"

#include <stdexcept>
#include <string>

namespace troupe::net::testing {
namespace {

struct not_it : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void demand(bool what) {
  if (!what) throw not_it("not what is demanded");
}

/// The rest of a frame. Each function removes something from its front, or throws.
class rest {
 public:
  explicit rest(std::string_view bytes) : bytes_(bytes) {}

  std::string take(std::size_t size) {
    demand(size <= bytes_.size());
    const std::string taken{bytes_.substr(0, size)};
    bytes_ = bytes_.substr(size);
    return taken;
  }
  std::uint64_t integer(unsigned size) {
    std::uint64_t value = 0;
    for (const char c : take(size)) value = value * 256 + static_cast<unsigned char>(c);
    return value;
  }
  std::uint64_t length() {
    std::uint64_t value = 0;
    std::uint64_t weight = 1;
    for (int groups = 0; groups < 8; ++groups, weight *= 128) {
      const auto group = integer(1);
      value += group % 128 * weight;
      if (group < 128) return value;
    }
    throw not_it("endless");
  }
  std::string text() { return take(length()); }
  /// A count and as many texts, re-encoded.
  std::string texts() {
    auto left = length();
    auto written = basp::length(left);
    for (; left > 0; --left) written += basp::text(text());
    return written;
  }
  std::string node() {
    demand(integer(8) == basp::atom("default"));
    return basp::integer(basp::atom("default"), 8) + take(24);
  }
  /// Re-encoded.
  std::string error() {
    const auto code = integer(1);
    const auto category = integer(8);
    demand(integer(2) == 0);
    const auto names = text();
    std::string expected = "@<>";
    std::string elements;
    while (expected.size() < names.size()) {
      expected += "+@str";
      elements += basp::text(text());
    }
    demand(names == expected);
    return basp::integer(code, 1) + basp::integer(category, 8) + basp::types(names) + elements;
  }

 private:
  std::string_view bytes_;
};

/// A message, re-encoded.
std::string message(rest& in, const guard_options& options, bool is_response) {
  demand(in.length() == 0);
  demand(in.integer(2) == 0);
  const auto names = in.text();
  for (const auto& [type, check] : options.types) {
    if (names != "@<>+" + type) continue;
    const auto content = in.text();
    demand(check(content));
    return basp::message(names, basp::text(content));
  }
  // A message that is not a response must not be empty or an error.
  demand(is_response);
  if (names == "@<>") return basp::message(names);
  demand(names == "@<>+@error");
  return basp::message(names, in.error());
}

} // namespace

bool dumb_reader::accepts(std::string_view frame) try {
  rest in{frame};
  // Only the fields that may differ from frame to frame are copied from the header. Comparing checks the others.
  basp::header head{.operation = static_cast<std::uint8_t>(in.integer(1))};
  in.take(7);
  const auto data = in.integer(8);
  const auto from = in.integer(8);
  const auto to = in.integer(8);
  demand(head.operation == basp::direct_message || frame.size() <= basp::header_size + 4096);
  const bool introduces = head.operation == basp::server_handshake || head.operation == basp::client_handshake;
  demand(introduces || handshakes_ > 0);
  std::string payload;
  const auto between_nodes = [&] {
    const auto source = in.node();
    const auto target = in.node();
    demand(source == peer_ && (options_.self.empty() || target == options_.self));
    return source + target;
  };
  switch (head.operation) {
  case basp::server_handshake:
    demand(here_ == side::dialed && handshakes_ == 0 && data == basp::version);
    head.data = data;
    payload = peer_ = in.node();
    payload += in.texts(); // separately: operands are evaluated in any order
    payload += in.take(8);
    payload += in.texts();
    break;
  case basp::client_handshake:
    demand(here_ == side::accepted && handshakes_ < 2);
    head.flags = handshakes_ == 0 ? 0 : basp::select_connection;
    payload = in.node();
    demand(payload != options_.self && (handshakes_ == 0 || payload == peer_));
    peer_ = payload;
    break;
  case basp::direct_message:
    demand(to != 0 && data / basp::stream_category % 2 == 0 && frame.size() <= options_.max_frame_bytes);
    demand(data >= basp::response || !options_.receivers || options_.receivers->contains(to));
    senders_.insert(from);
    demand(senders_.size() <= options_.max_senders);
    head.data = data;
    head.from = from;
    head.to = to;
    payload = message(in, options_, data >= basp::response);
    break;
  case basp::monitor_message:
    demand(to != 0);
    head.to = to;
    payload = between_nodes();
    break;
  case basp::down_message:
    demand(from != 0);
    head.from = from;
    payload = between_nodes();
    payload += in.error();
    break;
  default: // including heartbeats, whose arrival is their only information
    return false;
  }
  demand(frame == basp::frame(head, payload));
  handshakes_ += introduces;
  return true;
} catch (const not_it&) {
  return false;
}

} // namespace troupe::net::testing
