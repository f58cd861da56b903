// Encodes the messages that cross the network. The project has its own format, so that both CAF versions carry messages
// the same way, and its own decoder checks all bytes before an actor gets them. A message lists its fields once, in
// `visit_fields`.
#pragma once

#include "actors/caf.hpp"
#include "raft/base/codec.hpp"
#include "raft/membership/health.hpp"
#include "raft/messages.hpp"

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {

template <class F> void visit_fields(member& x, F&& f) { f(x.id, x.address); }
template <class F> void visit_fields(log_position& x, F&& f) { f(x.index, x.term); }
template <class F> void visit_fields(snapshot_id& x, F&& f) { f(x.last, x.size, x.checksum); }
template <class F> void visit_fields(addition& x, F&& f) { f(x.who, x.votes, x.replaces); }

} // namespace troupe

namespace troupe::raft {

template <class F> void visit_fields(header& x, F&& f) { f(x.cluster, x.from, x.to, x.term); }
template <class F> void visit_fields(vote_request& x, F&& f) {
  f(x.head, x.last_index, x.last_term, x.pre, x.transfer);
}
template <class F> void visit_fields(vote_response& x, F&& f) { f(x.head, x.pre, x.granted); }
template <class F> void visit_fields(append_request& x, F&& f) {
  f(x.head, x.prev_index, x.prev_term, x.commit, x.round, x.entries, x.session);
}
template <class F> void visit_fields(append_response& x, F&& f) {
  f(x.head, x.success, x.prev_index, x.match, x.hint_index, x.hint_term, x.round, x.needs_snapshot, x.no_room,
    x.session, x.incarnation);
}
template <class F> void visit_fields(snapshot_request& x, F&& f) {
  f(x.head, x.snapshot, x.offset, x.data, x.round, x.session);
}
template <class F> void visit_fields(snapshot_response& x, F&& f) {
  f(x.head, x.snapshot, x.offset, x.next, x.failed, x.round, x.no_room, x.session, x.incarnation);
}
template <class F> void visit_fields(timeout_now& x, F&& f) { f(x.head); }
template <class F> void visit_fields(removed_notice& x, F&& f) {
  f(x.head, x.index, x.commit, x.dismissed, x.forgotten, x.out_for_ms);
}
template <class F> void visit_fields(removed_answer& x, F&& f) { f(x.head, x.index); }
template <class F> void visit_fields(probe& x, F&& f) { f(x.cluster, x.from, x.to, x.number); }
template <class F> void visit_fields(probe_ack& x, F&& f) { f(x.cluster, x.from, x.to, x.about, x.number); }
template <class F> void visit_fields(probe_request& x, F&& f) { f(x.cluster, x.from, x.to, x.target); }

} // namespace troupe::raft

namespace troupe::wire {

/// The maximum number of elements of all lists of a message. A decoded element can take more memory than its bytes.
inline constexpr std::uint32_t max_elements = 65'536;

template <class T>
concept listed = requires(T& x) {
  visit_fields(x, [](auto&...) {});
};

/// Writes fields in order.
class output {
 public:
  explicit output(std::string& out) : to_(out) {}
  template <class... Ts> void operator()(Ts&... xs) { (put(xs), ...); }

 private:
  template <class T> void put(T& x) {
    if constexpr (std::is_same_v<T, bool>) {
      to_.put(static_cast<std::uint8_t>(x));
    } else if constexpr (std::is_enum_v<T>) {
      to_.put(static_cast<std::underlying_type_t<T>>(x));
    } else if constexpr (std::unsigned_integral<T>) {
      to_.put(x);
    } else if constexpr (std::is_same_v<T, raft::node_id> || std::is_same_v<T, raft::cluster_id>) {
      to_.put(x.value);
    } else {
      visit_fields(x, *this);
    }
  }
  void put(std::string& x) { to_.put_string(x); }
  void put(raft::bytes& x) { to_.put_string(x.view()); }
  void put(raft::entry& x) { (*this)(x.index, x.term, x.kind, x.data); }
  template <class T> void put(std::vector<T>& xs) {
    to_.put(static_cast<std::uint32_t>(xs.size()));
    for (auto& x : xs) put(x);
  }
  /// The index of the alternative, and its fields.
  template <class... Ts> void put(std::variant<Ts...>& x) {
    to_.put(static_cast<std::uint8_t>(x.index()));
    std::visit([this](auto& held) { this->put(held); }, x);
  }

  raft::writer to_;
};

enum class reading {
  /// Decodes into the fields. `raft::bytes` become parts of the shared block. Every element of a list takes at least
  /// one byte, so the memory use stays proportional to the size of the input.
  builds,
  /// Checks only whether `builds` would succeed. It skips the content of strings and lists, and does
  /// not allocate memory for it.
  checks
};

/// Reads fields in order.
template <reading how> class input {
 public:
  explicit input(std::shared_ptr<const std::string> block) requires(how == reading::builds)
      : block_(std::move(block)), from_(*block_) {}
  explicit input(std::string_view bytes) requires(how == reading::checks) : from_(bytes) {}
  template <class... Ts> void operator()(Ts&... xs) { (get(xs), ...); }
  bool done() const { return valid_ && from_.done(); }

 private:
  template <class T> void get(T& x) {
    if constexpr (std::is_same_v<T, bool>) {
      const auto raw = from_.get<std::uint8_t>();
      valid_ = valid_ && raw <= 1;
      x = raw == 1;
    } else if constexpr (std::is_enum_v<T>) {
      // Every enum that crosses the network has an overload that says which values are valid.
      const auto raw = from_.get<std::underlying_type_t<T>>();
      valid_ = valid_ && is_valid(static_cast<T>(raw));
      x = static_cast<T>(raw);
    } else if constexpr (std::unsigned_integral<T>) {
      x = from_.get<T>();
    } else if constexpr (std::is_same_v<T, raft::node_id> || std::is_same_v<T, raft::cluster_id>) {
      x.value = from_.get<std::uint64_t>();
    } else {
      visit_fields(x, *this);
    }
  }
  static bool is_valid(raft::entry_kind kind) { return raft::is_entry_kind(static_cast<std::uint8_t>(kind)); }
  template <class T> static bool is_valid(T x) { return is_known(x); }
  void get(std::string& x) {
    const auto text = from_.get_string();
    if constexpr (how == reading::builds) x = text;
  }
  void get(raft::bytes& x) {
    const auto part = from_.get_string();
    if constexpr (how == reading::builds) x = raft::bytes{block_, part};
  }
  void get(raft::entry& x) { (*this)(x.index, x.term, x.kind, x.data); }
  template <class T> void get(std::vector<T>& xs) {
    xs.clear();
    const auto count = from_.get<std::uint32_t>();
    valid_ = valid_ && count <= elements_left_;
    elements_left_ -= valid_ ? count : 0;
    T skipped{};
    for (std::uint32_t i = 0; i < count && from_.ok() && valid_; ++i)
      get(how == reading::builds ? xs.emplace_back() : skipped);
  }
  template <class... Ts> void get(std::variant<Ts...>& x) {
    const auto index = from_.get<std::uint8_t>();
    valid_ = valid_ && index < sizeof...(Ts);
    std::size_t next = 0;
    ((next++ == index ? get(x.template emplace<Ts>()) : void()), ...);
  }

  std::shared_ptr<const std::string> block_;
  raft::reader from_;
  bool valid_ = true;
  std::uint32_t elements_left_ = max_elements;
};

template <listed T> std::string encode(const T& x) {
  std::string bytes;
  output out{bytes};
  visit_fields(const_cast<T&>(x), out); // one field list serves both directions; `output` only reads
  return bytes;
}

template <listed T> std::optional<T> decode(std::string bytes) {
  input<reading::builds> in{std::make_shared<const std::string>(std::move(bytes))};
  T x;
  visit_fields(x, in);
  if (!in.done()) return std::nullopt;
  return x;
}

/// Returns whether `decode` accepts these bytes, at a fraction of its cost.
template <listed T> bool is_encoded(std::string_view bytes) {
  input<reading::checks> in{bytes};
  T x;
  visit_fields(x, in);
  return in.done();
}

/// Presents a message to a CAF inspector as one string.
template <class Inspector, listed T>
compat::inspection<Inspector> inspect_as_bytes(Inspector& f, const char* name, T& x) {
  // `encode` is qualified, because a message may have another one for the disk.
  return compat::inspect_bytes(
      f, name, x, [&x] { return wire::encode(x); },
      [&x](std::string bytes) {
        auto value = wire::decode<T>(std::move(bytes));
        if (value) x = std::move(*value);
        return value.has_value();
      });
}

} // namespace troupe::wire

/// Makes a message with `visit_fields` a CAF message. Use it in the message's own namespace.
#define TROUPE_WIRE_MESSAGE(type)                                                                                      \
  template <class Inspector>::troupe::compat::inspection<Inspector> inspect(Inspector& f, type& x) {                   \
    return ::troupe::wire::inspect_as_bytes(f, #type, x);                                                              \
  }

namespace troupe::raft {
TROUPE_WIRE_MESSAGE(vote_request)
TROUPE_WIRE_MESSAGE(vote_response)
TROUPE_WIRE_MESSAGE(append_request)
TROUPE_WIRE_MESSAGE(append_response)
TROUPE_WIRE_MESSAGE(snapshot_request)
TROUPE_WIRE_MESSAGE(snapshot_response)
TROUPE_WIRE_MESSAGE(timeout_now)
TROUPE_WIRE_MESSAGE(removed_notice)
TROUPE_WIRE_MESSAGE(removed_answer)
TROUPE_WIRE_MESSAGE(probe)
TROUPE_WIRE_MESSAGE(probe_ack)
TROUPE_WIRE_MESSAGE(probe_request)
} // namespace troupe::raft
