// A service behind bytes: what the dispatcher and the service actor hold.
#pragma once

#include "raft/base/printable.hpp"
#include "services/reply.hpp"
#include "services/service.hpp"
#include "services/snapshot.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::services {

/// A replicated state machine with its types erased. Used by one thread at a time.
class machine {
 public:
  machine() = default;
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;
  virtual ~machine() = default;

  virtual std::string_view name() const noexcept = 0;
  /// Runs a committed command. Never throws because of what `tag` or `payload` hold; throws what the service throws,
  /// save `refused`.
  virtual reply apply(std::string_view tag, std::string_view payload, const apply_context& context) = 0;
  /// Answers from the present state; the same outcomes.
  virtual reply query(std::string_view tag, std::string_view payload) const = 0;

  /// How large the state is, as far as the service tells; else 0. Takes constant time.
  virtual std::uint64_t state_bytes() const { return 0; }
  /// The tags of the commands that cannot make the state larger.
  virtual std::vector<std::string> harmless_commands() const { return {}; }
  /// Whether a command would make the present state larger. True when the service cannot tell, and for bytes that are
  /// not one of its commands.
  virtual bool would_add(std::string_view, std::string_view) const { return true; }

  /// The present state, which later commands do not change. As cheap as a copy of the service; its end may cost more
  /// (it frees what has changed since), and best comes on the thread that saves it.
  virtual std::unique_ptr<machine_view> view() const = 0;
  /// Takes over a state that a view of a service of this name saved. For a freshly made machine. Throws
  /// `snapshot_error` if the bytes are not exactly that, and what the source throws; the machine is then of no use.
  virtual void load(snapshot_source& from) = 0;
};

namespace detail {

/// The state begins with the service's name, so that no service takes another's for its own.
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
      return service.apply(std::move(command), context);
    };
    return dispatch(typename S::commands{}, service_, "command", tag, payload, handle);
  }

  reply query(std::string_view tag, std::string_view payload) const override {
    const auto handle = [](const auto& service, auto&& question) { return service.query(std::move(question)); };
    return dispatch(typename S::queries{}, service_, "query", tag, payload, handle);
  }

  std::uint64_t state_bytes() const override {
    if constexpr (tells_size<S>) return service_.state_bytes();
    return 0;
  }
  std::vector<std::string> harmless_commands() const override { return harmless(typename S::commands{}); }
  bool would_add(std::string_view tag, std::string_view payload) const override {
    return would_add_to(typename S::commands{}, tag, payload);
  }

  std::unique_ptr<machine_view> view() const override { return std::make_unique<view_of<S>>(service_); }

  void load(snapshot_source& from) override {
    state_reader reader(from);
    if (const auto saved = reader.get<std::string>(); saved != S::name)
      throw snapshot_error("the state is that of service " + printable(saved) + ", not of " + printable(S::name));
    service_.load(reader);
    reader.finish();
  }

 private:
  using codec = serializer_of_t<S>;

  template <class... Cs> static std::vector<std::string> harmless(types<Cs...>) {
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

  /// A service has a handful of messages: comparing tags one after the other beats any table.
  template <class... Ms, class Service, class Handle>
  static reply dispatch(types<Ms...>, [[maybe_unused]] Service& service, const char* kind, std::string_view tag,
                        [[maybe_unused]] std::string_view payload, [[maybe_unused]] const Handle& handle) {
    std::optional<reply> answer;
    static_cast<void>(((tag == Ms::tag && (answer = run<Ms>(service, kind, payload, handle), true)) || ...));
    if (answer) return std::move(*answer);
    return {reply_status::unknown_type, "service " + printable(S::name) + " has no " + kind + " " + printable(tag)};
  }

  template <class M, class Service, class Handle>
  static reply run(Service& service, const char* kind, std::string_view payload, const Handle& handle) {
    M message{};
    if (!codec::decode(payload, message))
      return {reply_status::undecodable,
              std::string("the bytes are no ") + kind + " " + printable(M::tag) + " of service " + printable(S::name)};
    try {
      const typename M::result result = handle(service, std::move(message));
      return {reply_status::ok, codec::encode(result)};
    } catch (const refused& refusal) {
      return {reply_status::refused, refusal.what()};
    }
  }

  S service_;
};

} // namespace detail

/// Wraps a service. A class that is not a `state_machine` fails to compile with the reason in words.
template <class S> std::unique_ptr<machine> make_machine(S service) {
  static_assert(detail::check_service<S>());
  return std::make_unique<detail::machine_of<S>>(std::move(service));
}

} // namespace troupe::services
