// How to write a replicated service: a plain class.
//
//   struct add { static constexpr std::string_view tag = "add"; using result = std::int64_t;
//                std::int64_t amount = 0; TROUPE_FIELDS(amount) };
//   struct read { static constexpr std::string_view tag = "read"; using result = std::int64_t; TROUPE_FIELDS() };
//
//   class counter {
//   public:
//     static constexpr std::string_view name = "counter";
//     using commands = troupe::types<add>; // may change the state; replicated
//     using queries = troupe::types<read>; // only read the state
//     std::int64_t apply(const add& command, const troupe::apply_context&) {
//       if (command.amount < 0) throw troupe::refused("it only counts up");
//       return total_ += command.amount;
//     }
//     std::int64_t query(const read&) const { return total_; }
//
//     void save(troupe::state_writer& to) const {
//       to.put(1); // the format of what follows
//       to.put(total_);
//     }
//     void load(troupe::state_reader& from) {
//       from.get_format(1); // the newest format that this version can read
//       total_ = from.get<std::int64_t>();
//     }
//
//   private:
//     std::int64_t total_ = 0;
//   };
//
// A result is a number, a bool, a string, a vector of these, or a struct with TROUPE_FIELDS. Wrap anything else, such
// as an optional, a value or a vector of structs, in such a struct; a command without a result has one without fields.
// A field is anything that the serializer takes: also vectors, maps and optionals of structs with TROUPE_FIELDS.
//
// Every node applies the same commands in the same order, and must come to the same state and the same replies: `apply`
// depends only on the state, the command and the context. It must not read a clock, draw random numbers, iterate over
// unordered containers or do I/O. One thread at a time uses a service.
//
// Snapshots keep the log short: a node that starts, or was away for long, loads the state instead of replaying every
// command that led to it. `save` writes everything that `apply` and `query` depend on. `load` reads it into a service
// in its initial state, which then answers as the saved one did. If `load` throws, the service is discarded. A snapshot
// outlives the version that wrote it: write a format number first, raise it whenever the rest changes, and keep loading
// the older formats. Write a container as its size followed by its elements, one by one (state_io.hpp).
//
// A copy of the service is saved: it is made between two commands, and saved on another thread while the service goes
// on. A small state is simply copied. Keep a large one in a `cow_map` (cow_map.hpp), whose copy is cheap. If copies
// share anything else, no command may change what they share.
//
// A service may report the size of its state, for the status of a node and its quota (node_options::max_state_bytes):
//
//     std::uint64_t state_bytes() const { return bytes_; }
//
// It is called after every batch of commands, so it must take constant time. It must depend on the state alone: after
// `load` it returns what the saved service returned. When the quota is reached, a node rejects all commands except
// those that declare that they cannot add to the state, with `static constexpr bool adds = false;` in the command.
// Removals must declare it, or nothing can be removed from a full state. For other commands the service may decide
// whether one would enlarge the present state, so that a value can be replaced by a smaller one:
//
//     bool adds(const put& command) const;
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <troupe/fields.hpp>
#include <troupe/msgpack_serializer.hpp>
#include <troupe/serializer.hpp>
#include <troupe/state_io.hpp>
#include <troupe/types.hpp>
#include <utility>

namespace troupe {

/// A list of message types.
template <class... Ts> struct types {};

/// What a command knows besides its fields.
struct apply_context {
  /// The log index of the command: the same on every node, and larger than that of any earlier command.
  index_t index = 0;
};

/// Thrown by `apply` or `query` to refuse a message; the caller gets the text. Throw before changing the state, and
/// only for reasons that are the same on every node. Any other exception is a bug, and stops the node so that its state
/// cannot differ from the others'. As every node applies the same command, it stops all of them, and again after a
/// restart, until they run a version of the service that can apply the command.
class refused : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The longest name of a service and the longest tag of a message, in bytes.
inline constexpr std::size_t max_name_size = 255;

namespace detail {

constexpr bool is_valid_name(std::string_view name) { return !name.empty() && name.size() <= max_name_size; }
/// Names that begin with a dollar sign are reserved for commands to the cluster itself.
constexpr bool is_service_name(std::string_view name) { return is_valid_name(name) && name.front() != '$'; }

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

/// Fails to compile with a sentence that says what the class lacks; `state_machine` has the same rules as a concept.
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
  static_assert(saves<S>, "a service needs `void save(troupe::state_writer&) const` and "
                          "`void load(troupe::state_reader&)`: its state goes into snapshots");
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

/// A class that can be replicated; the head of this file shows one. `detail::check_service` says in words what a class
/// lacks.
template <class S>
concept state_machine = detail::has_name<S> && detail::saves<S> &&
    detail::is_service_name(S::name) && detail::is_types<typename S::commands> &&
    detail::is_types<typename S::queries> && detail::handles_commands<S>(typename S::commands{}) &&
    detail::handles_queries<S>(typename S::queries{}) && detail::tags_are_unique(typename S::commands{},
                                                                                 typename S::queries{});

namespace detail {

/// True if no two of these services have the same name.
template <class... Services> consteval bool distinct_names() {
  const std::string_view names[]{Services::name..., {}};
  for (std::size_t i = 0; i < sizeof...(Services); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (names[i] == names[j]) return false;
  return true;
}

/// `M` is one of the commands, or of the queries, of `S`.
template <class M, class S>
concept command_of = contains<M, typename S::commands>;
template <class M, class S>
concept query_of = contains<M, typename S::queries>;

} // namespace detail

} // namespace troupe
