// How a user writes a replicated service: a plain class.
//
//   struct add { static constexpr std::string_view tag = "add"; using result = std::int64_t;
//                std::int64_t amount = 0; TROUPE_FIELDS(amount) };
//   struct read { static constexpr std::string_view tag = "read"; using result = std::int64_t; TROUPE_FIELDS() };
//
//   class counter {
//   public:
//     static constexpr std::string_view name = "counter";
//     using commands = troupe::types<add>; // may change the state; replicated
//     using queries = troupe::types<read>; // only look at it
//     std::int64_t apply(const add& command, const troupe::services::apply_context&) {
//       if (command.amount < 0) throw troupe::services::refused("it only counts up");
//       return total_ += command.amount;
//     }
//     std::int64_t query(const read&) const { return total_; }
//
//     void save(troupe::services::state_writer& to) const {
//       to.put(1); // the format of what follows
//       to.put(total_);
//     }
//     void load(troupe::services::state_reader& from) {
//       from.get_format(1); // the newest that this version knows
//       total_ = from.get<std::int64_t>();
//     }
//
//   private:
//     std::int64_t total_ = 0;
//   };
//
// Every node applies the same commands in the same order and must come to the same state and the same replies:
// `apply` depends on nothing but the state, the command and the context. No clock, no randomness, no iteration over
// unordered containers, no I/O. One thread at a time uses a service.
//
// Snapshots keep the log short: a node that starts, or was away for long, loads the state instead of every command that
// led to it. `save` writes all that `apply` and `query` depend on; `load` reads it into a service as it was when the
// node was started, which then answers as the saved one did. If `load` throws, the service is thrown away. A snapshot
// outlives the version that wrote it: put a format number first, raise it whenever the rest changes, and go on loading
// the older ones. Put containers element by element, their size first (services/state_io.hpp).
//
// What is saved is a copy of the service, made between two commands and saved on another thread while the service goes
// on. A small state is simply copied. A large one lies in a `cow_map` (services/cow_map.hpp), whose copy costs nothing;
// copies that share anything else must share nothing that a command changes.
//
// A service may say how large its state is, for a node's status and its quota (node_options::max_state_bytes):
//
//     std::uint64_t state_bytes() const { return bytes_; }
//
// It is called after every batch of commands, so it must take constant time. It depends on the state alone: a service
// that loaded a state tells what the one that saved it told. A node with a quota lets no command into the log, once it
// is reached, but those that say that they cannot add to the state, with `static constexpr bool adds = false;` in the
// command. Removals must say so: else nothing can be removed from a state that is full. Of other commands the service
// may tell whether one would make the present state larger, so that a value can be replaced by a smaller one:
//
//     bool adds(const put& command) const;
#pragma once

#include "raft/base/types.hpp"
#include "services/fields.hpp"
#include "services/msgpack_serializer.hpp"
#include "services/serializer.hpp"
#include "services/state_io.hpp"

#include <array>
#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace troupe {

/// A list of message types.
template <class... Ts> struct types {};

} // namespace troupe

namespace troupe::services {

/// What a command may know besides itself.
struct apply_context {
  /// The command's log index: the same on every node, and larger than that of any earlier command.
  raft::index_t index = 0;
};

/// Thrown by `apply` or `query` to refuse a message; the text goes to the caller. Throw before touching the state, and
/// only for reasons that are the same on every node. Any other exception is a bug: it stops the node rather than let it
/// differ from the others, and as every node applies the same command, it stops all of them, and again after a restart,
/// until they run a version of the service that can apply it.
class refused : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Names of services and tags of messages are 1 to 255 bytes long.
inline constexpr std::size_t max_name_size = 255;
constexpr bool is_valid_name(std::string_view name) { return !name.empty() && name.size() <= max_name_size; }
/// Names that begin with a dollar are for commands to the cluster itself (command.hpp, `cluster_service`).
constexpr bool is_service_name(std::string_view name) { return is_valid_name(name) && name.front() != '$'; }

namespace detail {

template <class S> struct serializer_of { using type = msgpack_serializer; };
template <class S>
requires requires { typename S::serializer; }
struct serializer_of<S> {
  using type = typename S::serializer;
};

template <class S>
concept has_name = requires {
  { S::name } -> std::convertible_to<std::string_view>;
};
template <class M>
concept has_tag = requires {
  { M::tag } -> std::convertible_to<std::string_view>;
};
template <class M>
concept has_result = requires {
  typename M::result;
};
template <class S, class M>
concept travels = std::default_initializable<M> && serializer<typename serializer_of<S>::type, M> &&
                  serializer < typename serializer_of<S>::type,
typename M::result > ;
template <class M>
concept lists_fields = has_fields<M> || requires(const M& message, packer& to) {
  message.msgpack_pack(to);
};
template <class S, class C>
concept applies = requires(S& service, C command, const apply_context& context) {
  { service.apply(std::move(command), context) } -> std::convertible_to<typename C::result>;
};
template <class S, class Q>
concept answers = requires(const S& service, Q query) {
  { service.query(std::move(query)) } -> std::convertible_to<typename Q::result>;
};

template <class S>
concept saves = std::copy_constructible<S> &&
    requires(const S& saved, S& loaded, state_writer& to, state_reader& from) {
  { saved.save(to) } -> std::same_as<void>;
  { loaded.load(from) } -> std::same_as<void>;
};

template <class S>
concept tells_size = requires(const S& service) {
  { service.state_bytes() } -> std::convertible_to<std::uint64_t>;
};
template <class S, class C>
concept tells_growth = requires(const S& service, const C& command) {
  { service.adds(command) } -> std::same_as<bool>;
};
template <class C> consteval bool may_add() {
  if constexpr (requires { C::adds; }) return C::adds;
  return true;
}

template <class T> inline constexpr bool is_types = false;
template <class... Ts> inline constexpr bool is_types<types<Ts...>> = true;

template <class T, class List> inline constexpr bool contains = false;
template <class T, class... Ts> inline constexpr bool contains<T, types<Ts...>> = (std::same_as<T, Ts> || ...);

template <class... Cs, class... Qs> consteval bool tags_are_unique(types<Cs...>, types<Qs...>) {
  const std::array<std::string_view, sizeof...(Cs) + sizeof...(Qs)> tags{Cs::tag..., Qs::tag...};
  for (std::size_t i = 0; i < tags.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (tags[i] == tags[j]) return false;
  return true;
}

/// Says in words what a class lacks; `state_machine` is the same rules as a concept.
template <class S, class M> consteval bool check_message() {
  static_assert(has_tag<M>, "a message needs `static constexpr std::string_view tag`");
  static_assert(has_result<M>, "a message needs `using result = ...`, the type of the reply");
  static_assert(is_valid_name(M::tag), "a message's tag is 1 to 255 bytes long");
  static_assert(
      !std::is_same_v<typename serializer_of<S>::type, msgpack_serializer> || lists_fields<M>,
      "a message that travels as MessagePack lists its fields: TROUPE_FIELDS(a, b), TROUPE_FIELDS() for none");
  static_assert(travels<S, M>, "the serializer cannot encode and decode the message or its result (TROUPE_FIELDS?), "
                               "or the message has no default constructor");
  return true;
}
template <class S, class... Cs> consteval void check_commands(types<Cs...>) {
  static_assert((check_message<S, Cs>() && ...));
  static_assert((applies<S, Cs> && ...), "a command needs `result apply(const command&, const apply_context&)`");
}
template <class S, class... Qs> consteval void check_queries(types<Qs...>) {
  static_assert((check_message<S, Qs>() && ...));
  static_assert((answers<S, Qs> && ...), "a query needs `result query(const query&) const`");
}
template <class S> consteval bool check_service() {
  static_assert(has_name<S>, "a service needs `static constexpr std::string_view name`");
  static_assert(is_service_name(S::name), "a service's name is 1 to 255 bytes long, and does not begin with '$'");
  static_assert(is_types<typename S::commands>, "a service needs `using commands = troupe::types<...>`");
  static_assert(is_types<typename S::queries>, "a service needs `using queries = troupe::types<...>`");
  check_commands<S>(typename S::commands{});
  check_queries<S>(typename S::queries{});
  static_assert(tags_are_unique(typename S::commands{}, typename S::queries{}),
                "two messages of a service have the same tag");
  static_assert(std::copy_constructible<S>, "a service is copyable: a snapshot is taken of a copy");
  static_assert(saves<S>, "a service needs `void save(troupe::services::state_writer&) const` and "
                          "`void load(troupe::services::state_reader&)`: its state goes into snapshots");
  return true;
}

template <class M>
concept message = has_tag<M> && has_result<M> && is_valid_name(M::tag);
template <class S, class... Cs> consteval bool handles_commands(types<Cs...>) {
  return ((message<Cs> && travels<S, Cs> && applies<S, Cs>)&&...);
}
template <class S, class... Qs> consteval bool handles_queries(types<Qs...>) {
  return ((message<Qs> && travels<S, Qs> && answers<S, Qs>)&&...);
}

} // namespace detail

/// The serializer of a service: its `using serializer = ...`, else MessagePack.
template <class S> using serializer_of_t = typename detail::serializer_of<S>::type;

/// A class that can be replicated, as the head of this file shows. `make_machine` says in words what one lacks.
template <class S>
concept state_machine = detail::has_name<S> && detail::saves<S> &&
    is_service_name(S::name) && detail::is_types<typename S::commands> && detail::is_types<typename S::queries> &&
    detail::handles_commands<S>(typename S::commands{}) && detail::handles_queries<S>(
        typename S::queries{}) && detail::tags_are_unique(typename S::commands{}, typename S::queries{});

/// True if no two of these have the same name.
template <class... Services> consteval bool distinct_names() {
  const std::string_view names[]{Services::name..., {}};
  for (std::size_t i = 0; i < sizeof...(Services); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (names[i] == names[j]) return false;
  return true;
}

/// `M` is one of `S`'s commands, or of its queries.
template <class M, class S>
concept command_of = detail::contains<M, typename S::commands>;
template <class M, class S>
concept query_of = detail::contains<M, typename S::queries>;

} // namespace troupe::services
