// A service behind bytes: the form in which a node holds it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <troupe/detail/reply.hpp>
#include <troupe/detail/snapshot.hpp>
#include <troupe/service.hpp>
#include <utility>
#include <vector>

namespace troupe::detail {

/// A replicated state machine with its types erased. Not thread-safe.
class machine {
 public:
  machine() = default;
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;
  virtual ~machine() = default;

  virtual std::string_view name() const noexcept = 0;
  /// Runs a committed command. Throws what the service throws, except `refused`; never throws because of the bytes in
  /// `tag` or `payload`.
  virtual reply apply(std::string_view tag, std::string_view payload, const apply_context& context) = 0;
  /// Answers from the present state, with the same outcomes.
  virtual reply query(std::string_view tag, std::string_view payload) const = 0;

  /// Returns the size of the state as the service reports it; 0 if it does not. Takes constant time.
  virtual std::uint64_t state_bytes() const { return 0; }
  /// Returns the tags of the commands that cannot enlarge the state.
  virtual std::vector<std::string> non_growing_commands() const { return {}; }
  /// Returns whether a command would enlarge the present state: true when the service cannot tell, and for bytes that
  /// are not one of its commands.
  virtual bool would_add(std::string_view, std::string_view) const { return true; }

  /// Returns the present state, which later commands do not change. As cheap as a copy of the service. Destroying it
  /// may be expensive (it frees what has changed since), so destroy it on the thread that saved it.
  virtual std::unique_ptr<machine_view> view() const = 0;
  /// Takes over a state that a view of a service of this name saved. For a machine in its initial state. Throws
  /// `snapshot_error` if the bytes are not exactly such a state, and what the source throws; then the machine is
  /// unusable.
  virtual void load(snapshot_source& from) = 0;
};

/// Makes the state machine of one service, in its initial state. Called on several threads.
using machine_factory = std::function<std::unique_ptr<machine>()>;

// Replies that need no type of the service.
reply unknown_message(std::string_view service, std::string_view kind, std::string_view tag);
reply undecodable_message(std::string_view service, std::string_view kind, std::string_view tag);
/// Reads the name of the service whose state follows. Throws `snapshot_error` if it is not `expected`.
void check_state_owner(state_reader& from, std::string_view expected);

/// A state begins with the name of its service, so that no service loads the state of another one.
template <class S> class view_of final : public machine_view {
 public:
  explicit view_of(const S& service) : service_(service) {}

  void save(snapshot_sink& to) const override {
    state_writer writer(to);
    writer.put(std::string{S::name});
    service_.save(writer);
    writer.finish();
  }

 private:
  const S service_;
};

template <class S> class machine_of final : public machine {
 public:
  explicit machine_of(S service) : service_(std::move(service)) {}

  std::string_view name() const noexcept override { return S::name; }

  reply apply(std::string_view tag, std::string_view payload, const apply_context& context) override {
    const auto handle = [&context](auto& service, auto&& command) {
      return service.apply(std::forward<decltype(command)>(command), context);
    };
    return dispatch(typename S::commands{}, service_, "command", tag, payload, handle);
  }

  reply query(std::string_view tag, std::string_view payload) const override {
    const auto handle = [](const auto& service, auto&& question) {
      return service.query(std::forward<decltype(question)>(question));
    };
    return dispatch(typename S::queries{}, service_, "query", tag, payload, handle);
  }

  std::uint64_t state_bytes() const override {
    if constexpr (tells_size<S>) return service_.state_bytes();
    return 0;
  }
  std::vector<std::string> non_growing_commands() const override { return non_growing(typename S::commands{}); }
  bool would_add(std::string_view tag, std::string_view payload) const override {
    return would_add_to(typename S::commands{}, tag, payload);
  }

  std::unique_ptr<machine_view> view() const override { return std::make_unique<view_of<S>>(service_); }

  void load(snapshot_source& from) override {
    state_reader reader(from);
    check_state_owner(reader, S::name);
    service_.load(reader);
    reader.finish();
  }

 private:
  using codec = serializer_of_t<S>;

  template <class... Cs> static std::vector<std::string> non_growing(types<Cs...>) {
    std::vector<std::string> tags;
    const auto note = [&tags](bool adds, std::string_view tag) {
      if (!adds) tags.emplace_back(tag);
    };
    (note(may_add<Cs>(), Cs::tag), ...);
    return tags;
  }

  template <class... Cs> bool would_add_to(types<Cs...>, std::string_view tag, std::string_view payload) const {
    bool adds = true;
    static_cast<void>(((tag == Cs::tag && (adds = would_add_by<Cs>(payload), true)) || ...));
    return adds;
  }

  template <class C> bool would_add_by(std::string_view payload) const {
    if constexpr (!may_add<C>()) return false;
    if constexpr (tells_growth<S, C>) {
      C command{};
      return !codec::decode(payload, command) || service_.adds(command);
    }
    return true;
  }

  /// A service has a handful of messages: comparing tags one after the other is faster than any table.
  template <class... Ms, class Service, class Handle>
  static reply dispatch(types<Ms...>, [[maybe_unused]] Service& service, const char* kind, std::string_view tag,
                        [[maybe_unused]] std::string_view payload, [[maybe_unused]] const Handle& handle) {
    std::optional<reply> answer;
    static_cast<void>(((tag == Ms::tag && (answer = run<Ms>(service, kind, payload, handle), true)) || ...));
    return answer ? std::move(*answer) : unknown_message(S::name, kind, tag);
  }

  template <class M, class Service, class Handle>
  static reply run(Service& service, const char* kind, std::string_view payload, const Handle& handle) {
    M message{};
    if (!codec::decode(payload, message)) return undecodable_message(S::name, kind, M::tag);
    try {
      const typename M::result result = handle(service, std::move(message));
      return {reply_status::ok, codec::encode(result)};
    } catch (const refused& refusal) {
      return {reply_status::refused, refusal.what()};
    }
  }

  S service_;
};

/// Wraps a service. A class that is not a `state_machine` fails to compile with the reason in words.
template <class S> std::unique_ptr<machine> make_machine(S service) {
  static_assert(check_service<S>());
  return std::make_unique<machine_of<S>>(std::move(service));
}

} // namespace troupe::detail
