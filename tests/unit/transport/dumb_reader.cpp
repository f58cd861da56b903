#include "tests/unit/transport/dumb_reader.hpp"

#include "tests/unit/transport/basp_frames.hpp"

#include <string>

namespace troupe::net::testing {
namespace {

/// A count and as many texts, written again.
std::string texts(frame_rest& in) {
  auto left = in.length();
  auto written = basp::length(left);
  for (; left > 0; --left) written += basp::text(in.text());
  return written;
}

/// A message, written again.
std::string message(frame_rest& in, const basp_dialect& dialect, const guard_options& options, bool is_response) {
  const auto types = dialect.read_types(in);
  if (types.size() == 1)
    if (const auto found = options.types.find(types.front()); found != options.types.end()) {
      const auto content = in.text();
      demand(found->second(content));
      return dialect.message(types, basp::text(content));
    }
  // A message that is not a response must not be empty or an error.
  demand(is_response);
  if (types.empty()) return dialect.message({});
  demand(types == std::vector{dialect.error_type()});
  return dialect.message(types, dialect.read_error(in));
}

} // namespace

bool dumb_reader::accepts(std::string_view frame) try {
  frame_rest in{frame};
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
    const auto source = dialect_.read_node(in);
    const auto target = dialect_.read_node(in);
    demand(source == peer_ && (options_.self.empty() || target == options_.self));
    return source + target;
  };
  switch (head.operation) {
  case basp::server_handshake:
    demand(here_ == side::dialed && handshakes_ == 0 && data == dialect_.version());
    head.data = data;
    payload = peer_ = dialect_.read_node(in);
    payload += texts(in); // separately: operands are evaluated in any order
    payload += in.take(8);
    payload += texts(in);
    break;
  case basp::client_handshake:
    demand(here_ == side::accepted && handshakes_ < dialect_.client_handshakes());
    head.flags = handshakes_ == 0 ? 0 : basp::select_connection;
    payload = dialect_.read_node(in);
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
    payload = message(in, dialect_, options_, data >= basp::response);
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
    payload += dialect_.read_error(in);
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
