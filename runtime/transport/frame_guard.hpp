// Protects CAF's parser from the network: checks every frame of BASP (CAF's protocol between nodes), and passes only
// frames that this project's own actors exchange, in the one format in which they send them.
//
//             first frame: the other side's handshake
//   [closed] -----------------------------------------> [open] -- messages, monitors, downs, heartbeats -->
//      |  names a node that is already connected
//      v
//   [on hold: it disconnects by itself if it is that node] -- anything else --> violation
//                                 (with BASP 3 its repeated handshake passes if the node is free by then)
//
// CAF crashes on a handshake without a payload, allocates any announced length, and builds any object that a
// payload names. So CAF gets nothing before a frame is complete and checked from end to end.
#pragma once

#include "runtime/transport/basp_format.hpp"
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

/// The actors to which other processes may send messages, by CAF's id. Thread-safe.
class receiver_list {
 public:
  /// `send_token` sends the actor a token, after everything that it was sent before. Empty: its unhandled messages are
  /// not measured.
  void add(std::uint64_t actor, flow_meter::token_sender send_token = {}) {
    const std::lock_guard lock(mutex_);
    actors_.insert_or_assign(actor, std::move(send_token));
  }
  /// Call this when the actor ends.
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

/// Message types as basp_format::head has them, each with a function that checks whether bytes are a message of that
/// type. The check is needed because CAF delivers a message that it cannot decode as an empty one.
using message_types = std::map<std::string, bool (*)(std::string_view), std::less<>>;

struct guard_options {
  /// The version of BASP that this system speaks.
  std::shared_ptr<const basp_format> format = std::make_shared<const basp_3>();
  /// Limit of one frame, header included. A larger frame is a violation.
  std::size_t max_frame_bytes = 16 << 20;
  /// The message types that may pass. Each is sent as one string.
  message_types types;
  /// This system's node id in CAF's encoding. Frames for other nodes are refused. Empty: any node id.
  std::string self;
  /// The actors that get messages other than responses. Null: all actors.
  std::shared_ptr<receiver_list> receivers = {};
  /// Limit of the actors at the other end of one connection that have sent something and have not ended. CAF keeps data
  /// for each until it learns that it has ended, which it asks the other end to report.
  std::size_t max_senders = 4096;
};

/// What to do with a frame.
enum class verdict {
  pass,
  /// CAF sends it on its own and no actor here needs it: skip it.
  ignore,
  /// Well-formed, but no node of this project expects it: skip it.
  drop,
  /// Protocol violation: close the connection.
  violation
};

/// Checks the frames of one connection, in order. Pure. Not thread-safe. The options must outlive it.
class frame_guard {
 public:
  static constexpr std::size_t header_size = 32;

  /// `claim` decides whether the other end may speak for the node whose CAF id it gives. Empty: always.
  using claim_check = std::function<claim_outcome(std::string_view node)>;
  frame_guard(side here, const guard_options& options, claim_check claim = {})
      : here_(here), options_(options), claim_(std::move(claim)) {}

  /// The size of the frame that starts with this header of `header_size` bytes. 0 if the header is a violation.
  std::size_t frame_size(std::string_view header);
  /// `frame` must be a complete frame, of the size that frame_size returned.
  verdict judge(std::string_view frame);
  /// The kind of the violation.
  incident kind() const noexcept { return kind_; }
  /// Why it is a violation. Printable. Contains no data from the network except numbers.
  const std::string& problem() const noexcept { return problem_; }

 private:
  struct header;
  std::size_t wrong(std::string_view what);
  std::size_t wrong_version(std::uint64_t other);
  bool in_order(const header& h);
  /// The other end has introduced itself as a node that is connected already.
  bool is_on_hold() const noexcept { return handshakes_ == 0 && !peer_.empty(); }
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
  /// Actors of the other end that have sent something and are not known to have ended.
  std::unordered_set<std::uint64_t> senders_;
  incident kind_ = incident::violation;
  std::string problem_;
};

} // namespace troupe::net
