// What stands between the network and CAF's parser: checks every frame of BASP (CAF's protocol between nodes) and lets
// only those through that this project's own actors exchange, in the one shape in which they send them.
//
//             first frame: the other side's handshake
//   [closed] -----------------------------------------> [open] -- messages, monitors, downs, heartbeats -->
//      |  names a node that is connected already
//      v
//   [put off: it hangs up by itself, if it is that node] -- anything else -->  violation, unless the node is free by
//   now
//
// CAF 0.17.6 crashes on a handshake without a payload, allocates whatever length is announced, and builds any object a
// payload names. So nothing reaches it before the whole frame is here and was read from end to end.
#pragma once

#include "runtime/transport/flow_meter.hpp"
#include "runtime/transport/incidents.hpp"
#include "runtime/transport/node_id_registry.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace troupe::net {

/// Which end of a connection this is. In BASP the accepting side introduces itself first.
enum class side { dialed, accepted };

/// The actors that others may write to, by CAF's id. Thread-safe.
class receiver_list {
 public:
  /// `send_token` sends it a token, behind everything it was sent before; empty: what it has not handled is not
  /// measured.
  void add(std::uint64_t actor, flow_meter::token_sender send_token = {}) {
    const std::lock_guard lock(mutex_);
    actors_.insert_or_assign(actor, std::move(send_token));
  }
  /// At the actor's end.
  void remove(std::uint64_t actor) {
    const std::lock_guard lock(mutex_);
    actors_.erase(actor);
  }
  void send(const flow_token& token) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [actor, send_to_one] : actors_)
      if (send_to_one) send_to_one(token);
  }
  bool contains(std::uint64_t actor) const {
    const std::lock_guard lock(mutex_);
    return actors_.contains(actor);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, flow_meter::token_sender> actors_;
};

/// Portable names of message types, each with what tells whether bytes are a message of that type. CAF delivers one
/// that does not decode as a message without content.
using message_types = std::map<std::string, bool (*)(std::string_view), std::less<>>;

struct guard_options {
  /// Of one frame, header included. More is a violation.
  std::size_t max_frame_bytes = 16 << 20;
  /// What may pass; each travels as one string.
  message_types types;
  /// This system's node id in CAF's encoding; nothing is forwarded to other nodes. Empty: any.
  std::string self;
  /// Who gets messages that answer nothing. Null: everybody.
  std::shared_ptr<receiver_list> receivers = {};
  /// Actors at the other end of one connection that sent something and have not ended yet: CAF keeps something for each
  /// until it hears of its end, which it asks the other end to tell.
  std::size_t max_senders = 4096;
};

/// What is to be done with a frame.
enum class verdict {
  pass,
  /// What CAF sends by itself and nobody here needs: left out.
  ignore,
  /// Well-formed, but nothing that a node of this project waits for: left out.
  drop,
  /// Nobody who means well sends this: the connection is to be closed.
  violation
};

/// Judges the frames of one connection, in order. Pure; used by one thread at a time. The options must outlive it.
class frame_guard {
 public:
  static constexpr std::size_t header_size = 32;

  /// `claim` is asked whether the other end may be the node, by CAF's id, that it says it is; empty: anybody may.
  using claim_check = std::function<claim_outcome(std::string_view node)>;
  frame_guard(side here, const guard_options& options, claim_check claim = {})
      : here_(here), options_(options), claim_(std::move(claim)) {}

  /// The size of the frame that starts with this header of `header_size` bytes, or 0 if that is a violation.
  std::size_t frame_size(std::string_view header);
  /// `frame` is as long as frame_size said.
  verdict judge(std::string_view frame);
  /// What kind of violation it was.
  incident kind() const noexcept { return kind_; }
  /// What was wrong with it. Printable, and holds nothing that came from the network but numbers.
  const std::string& problem() const noexcept { return problem_; }

 private:
  struct header;
  std::size_t wrong(std::string_view what);
  bool in_order(const header& h);
  claim_outcome claim(std::string_view node) const { return claim_ ? claim_(node) : claim_outcome::granted; }
  verdict refuse(claim_outcome why);
  verdict judge_client_handshake(const header& h, std::string_view payload);
  verdict judge_message(const header& h, std::string_view payload);

  side here_;
  const guard_options& options_;
  claim_check claim_;
  unsigned handshakes_ = 0;
  /// The other end's node id, from its handshake.
  std::string peer_;
  /// Those not known to have ended.
  std::unordered_set<std::uint64_t> senders_;
  incident kind_ = incident::violation;
  std::string problem_;
};

} // namespace troupe::net
