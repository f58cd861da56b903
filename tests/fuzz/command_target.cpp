// Fuzzes commands, as in log entries and from other nodes: for a service, or for the cluster itself.
#include "raft/base/utf8.hpp"
#include "services/command.hpp"
#include "services/restore_command.hpp"
#include "tests/fuzz/target.hpp"

#include <limits>
#include <troupe/detail/machine.hpp>
#include <troupe/services/map_service.hpp>

using namespace troupe;

namespace {

void try_for_cluster(std::string_view bytes) {
  fuzz::check(base::is_utf8(services::why_no_restore(bytes)), "a reason that cannot be printed");
  if (const auto backup = services::restored_by(bytes, std::numeric_limits<raft::index_t>::max()))
    fuzz::check(services::encode_restore(*backup) == bytes, "a restore command is encoded differently");
}

/// Applies it on two separate machines: replicas must not differ.
void try_at_service(const services::command_view& command) {
  std::string answers[2];
  for (auto& answer : answers) {
    const auto machine = detail::make_machine(map_service{});
    machine->apply(map::put::tag, msgpack_serializer::encode(map::put{"m", "k", value::of(1)}), {1});
    const auto applied = machine->apply(command.tag, command.payload, {2});
    const auto asked = machine->query(command.tag, command.payload);
    answer = applied.payload + asked.payload;
    fuzz::check(applied.status == detail::reply_status::ok || base::is_utf8(applied.payload),
                "a refusal that cannot be printed");
  }
  fuzz::check(answers[0] == answers[1], "two replicas answer a command differently");
}

} // namespace

void troupe::fuzz::try_input(std::string_view bytes) {
  try_for_cluster(bytes);
  const auto command = services::decode_command(bytes);
  if (!command) return check(base::is_utf8(services::why_no_command(bytes)), "a reason that cannot be printed");
  check(services::encode_command(command->service, command->tag, command->payload) == bytes,
        "a command is encoded differently");
  check(base::is_utf8(services::why_no_service(command->service)), "a reason that cannot be printed");
  try_at_service(*command);
}

std::vector<std::string> troupe::fuzz::seeds() {
  const auto command = [](const auto& message) {
    return services::encode_command(map_service::name, message.tag, msgpack_serializer::encode(message));
  };
  const auto one = value::of(1);
  return {command(map::put{"m", "k", value::of(std::string{"text"})}),
          command(map::remove{"m", "k"}),
          command(map::compare_and_swap{"m", "k", one, value::of(std::vector<int>{1, 2, 3})}),
          command(map::compare_and_swap{"m", "new", std::nullopt, one}),
          command(map::get{"m", "k"}),
          command(map::list_keys{"m", 10, "a"}),
          services::encode_restore({{5, 1}, 100, 255})};
}

std::vector<std::string> troupe::fuzz::words() {
  return {"\1\3map\3put",
          "\3get",
          "\6remove",
          "\x10"
          "compare_and_swap",
          "\x09list_keys",
          "$cluster",
          "\7restore",
          "\xc4\1\xc0",
          "\xc6\xff\xff\xff\xff",
          "\xdd\xff\xff\xff\xff",
          "\xdb\xff\xff\xff\xff",
          "\x93",
          "\xa1m"};
}
