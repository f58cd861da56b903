#include "runtime/transport/frame_guard.hpp"

#include "runtime/transport/payload_reader.hpp"

namespace troupe::net {
namespace {

/// CAF's operations.
enum class operation : std::uint8_t {
  server_handshake = 0,
  client_handshake = 1,
  direct_message = 2,
  routed_message = 3,
  monitor_message = 4,
  down_message = 5,
  heartbeat = 6
};

constexpr std::uint8_t named_receiver_flag = 1;
constexpr std::uint8_t select_connection_flag = 2;
/// Limit of the payload of all frames except messages.
constexpr std::size_t max_control_bytes = 4096;
/// Bit of a message id: belongs to CAF's streams, whose handlers cast their input without a check.
constexpr std::uint64_t stream_category = 0x2000'0000'0000'0000;
/// Bit of a message id: a response.
constexpr std::uint64_t response_flag = 0x8000'0000'0000'0000;

} // namespace

struct frame_guard::header {
  explicit header(std::string_view bytes) {
    payload_reader in{bytes.substr(0, header_size)};
    op = static_cast<operation>(in.get<std::uint8_t>());
    padding = in.get<std::uint16_t>();
    flags = in.get<std::uint8_t>();
    payload = in.get<std::uint32_t>();
    data = in.get<std::uint64_t>();
    from = in.get<std::uint64_t>();
    to = in.get<std::uint64_t>();
  }
  operation op{};
  std::uint16_t padding = 0;
  std::uint8_t flags = 0;
  std::uint32_t payload = 0;
  std::uint64_t data = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

std::size_t frame_guard::wrong(std::string_view what) {
  problem_ = what;
  return 0;
}

std::size_t frame_guard::wrong_version(std::uint64_t other) {
  return wrong("it speaks BASP " + std::to_string(other) + ", this node BASP " +
               std::to_string(options_.format->version()) +
               ": nodes with different generations of CAF cannot form a cluster");
}

/// The first frame must be a handshake of the side that sends one. Later frames are not handshakes, except for a
/// repeated client handshake.
bool frame_guard::in_order(const header& h) {
  switch (h.op) {
  case operation::server_handshake:
    return here_ == side::dialed && handshakes_ == 0;
  case operation::client_handshake:
    return here_ == side::accepted && handshakes_ < options_.format->max_client_handshakes();
  default:
    return handshakes_ > 0;
  }
}

std::size_t frame_guard::frame_size(std::string_view bytes) {
  const header h{bytes};
  if (h.op > operation::heartbeat) return wrong("no such operation: " + std::to_string(static_cast<unsigned>(h.op)));
  if (h.padding != 0) return wrong("reserved bytes are not 0");
  if (is_on_hold() && options_.format->max_client_handshakes() == 1) {
    refuse(claim_outcome::taken); // in this version of BASP, no repeated handshake precedes the other frames
    return 0;
  }
  if (!in_order(h)) return wrong(handshakes_ == 0 ? "the first frame is not a handshake" : "a handshake out of turn");
  const bool message = h.op == operation::direct_message;
  const bool repeats = h.op == operation::client_handshake && options_.format->max_client_handshakes() > 1;
  const auto allowed = message ? named_receiver_flag : repeats ? select_connection_flag : std::uint8_t{0};
  if ((h.flags & ~allowed) != 0) return wrong("unknown flags");
  const auto size = header_size + std::size_t{h.payload};
  if (h.op == operation::heartbeat) {
    if (h.payload || h.data || h.from || h.to) return wrong("a heartbeat with content");
    return size;
  }
  if (h.payload == 0) return wrong("a payload is missing");
  if (message ? size > options_.max_frame_bytes : h.payload > max_control_bytes)
    return wrong("a frame of " + std::to_string(size) + " bytes is too large");
  bool plausible = false;
  switch (h.op) {
  case operation::server_handshake:
    plausible = h.from == 0 && h.to == 0;
    if (plausible && h.data != options_.format->version()) return wrong_version(h.data);
    break;
  case operation::client_handshake:
    plausible = h.data == 0 && h.from == 0 && h.to == 0;
    break;
  case operation::direct_message:
    plausible = h.to != 0 && (h.data & stream_category) == 0;
    break;
  case operation::monitor_message:
    plausible = h.data == 0 && h.from == 0 && h.to != 0;
    break;
  case operation::down_message:
    plausible = h.data == 0 && h.from != 0 && h.to == 0;
    break;
  default: // routed messages: nodes do not forward for other nodes
    return wrong("a routed message");
  }
  return plausible ? size : wrong("an inconsistent header");
}

verdict frame_guard::judge(std::string_view frame) {
  const header h{frame};
  payload_reader in{frame.substr(header_size)};
  const auto pass_if = [this](bool fine, const char* what) {
    if (!fine) wrong(what);
    return fine ? verdict::pass : verdict::violation;
  };
  // From the node that introduced itself, to this node.
  const auto between_nodes = [&] {
    const auto source = options_.format->get_node_id(in);
    const auto target = options_.format->get_node_id(in);
    return in.ok() && source == peer_ && (options_.self.empty() || target == options_.self);
  };
  switch (h.op) {
  case operation::server_handshake: {
    ++handshakes_;
    peer_ = options_.format->get_node_id(in);
    in.skip_strings(); // application identifiers
    in.get<std::uint64_t>();
    in.skip_strings(); // the published actor's interface
    if (!in.done()) return pass_if(false, "a malformed server handshake");
    // If another connection speaks for the node, CAF notices that it has one, ends this one, and uses the other.
    const auto outcome = claim(peer_);
    const bool usable = outcome == claim_outcome::granted || outcome == claim_outcome::taken;
    return usable ? verdict::pass : refuse(outcome);
  }
  case operation::client_handshake:
    return judge_client_handshake(h, frame.substr(header_size));
  case operation::monitor_message:
    return pass_if(between_nodes() && in.done(), "a malformed monitor message");
  case operation::down_message:
    senders_.erase(h.from);
    if (between_nodes())
      options_.format->skip_error(in);
    else
      in.fail();
    return pass_if(in.done(), "a malformed down message");
  case operation::heartbeat: // its arrival is its only information
    return verdict::ignore;
  default:
    return judge_message(h, frame.substr(header_size));
  }
}

/// The first handshake introduces the other end. With BASP 3, CAF repeats it once to select the connection. It closes
/// the connection instead if it has found that another connection leads to the same node.
verdict frame_guard::judge_client_handshake(const header& h, std::string_view payload) {
  payload_reader in{payload};
  const auto whose = options_.format->get_node_id(in);
  const bool first = peer_.empty();
  if (const auto other = version_of_client(payload); !in.done() && other) {
    wrong_version(*other);
    return verdict::violation;
  }
  if (!in.done() || h.flags != (first ? 0 : select_connection_flag) || (!first && whose != peer_)) {
    wrong("a malformed client handshake");
    return verdict::violation;
  }
  // From a dialer in this process, which disconnects when it notices. No other process may speak for this node.
  if (whose == options_.self) return verdict::ignore;
  peer_ = whose;
  const auto outcome = claim(whose);
  // A node that dials a peer to which it is already connected disconnects too. A peer that continues is not that node,
  // or no longer.
  const bool taken = outcome == claim_outcome::taken || outcome == claim_outcome::other_realm;
  if (taken && first) return verdict::ignore;
  if (outcome != claim_outcome::granted) return refuse(outcome);
  ++handshakes_;
  return verdict::pass;
}

verdict frame_guard::refuse(claim_outcome why) {
  kind_ = incident::identity_refused;
  switch (why) {
  case claim_outcome::granted:
  case claim_outcome::taken:
    wrong("it claims to be a node that is already connected");
    break;
  case claim_outcome::other_realm:
    wrong("that process is already connected for another node or client of this actor system, which uses other "
          "certificates or another secret");
    break;
  case claim_outcome::too_many_nodes:
    kind_ = incident::refused_by_limit;
    wrong("too many new processes introduce themselves");
    break;
  }
  return verdict::violation;
}

verdict frame_guard::judge_message(const header& h, std::string_view payload) {
  // Other nodes may not use CAF's services for remote spawning and configuration.
  if (h.flags & named_receiver_flag) return verdict::ignore;
  payload_reader in{payload};
  const auto head = options_.format->get_head(in);
  if (!in.ok()) {
    wrong("a malformed message");
    return verdict::violation;
  }
  senders_.insert(h.from);
  if (senders_.size() > options_.max_senders) {
    wrong("too many live senders on one connection");
    return verdict::violation;
  }
  // An error that is not a response would end its receiver.
  const bool response = (h.data & response_flag) != 0;
  if (!response && options_.receivers && !options_.receivers->contains(h.to)) return verdict::drop;
  switch (head.kind) {
  case basp_format::content::nothing:
    if (in.done()) return response ? verdict::pass : verdict::drop;
    wrong("a malformed empty message");
    return verdict::violation;
  case basp_format::content::error:
    options_.format->skip_error(in);
    return response && in.done() ? verdict::pass : verdict::drop;
  case basp_format::content::other:
    break;
  }
  const auto type = options_.types.find(head.types);
  if (type == options_.types.end()) return verdict::drop;
  const auto content = in.get_string();
  if (in.done() && type->second(content)) return verdict::pass;
  wrong(in.done() ? "a message whose content does not match its type" : "a message whose size does not match");
  return verdict::violation;
}

} // namespace troupe::net
