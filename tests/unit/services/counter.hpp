// The service that most tests of services run. It counts; certain commands make it refuse or throw.
#pragma once

#include <stdexcept>
#include <string_view>
#include <troupe/service.hpp>

namespace troupe::test {

struct add {
  static constexpr std::string_view tag = "add";
  using result = std::int64_t;
  std::int64_t amount = 0;
  TROUPE_FIELDS(amount)
};
struct total {
  static constexpr std::string_view tag = "total";
  using result = std::int64_t;
  TROUPE_FIELDS()
};

class counter {
 public:
  static constexpr std::string_view name = "counter";
  using commands = types<add>;
  using queries = types<total>;

  std::int64_t apply(const add& command, const apply_context& context) {
    if (command.amount < 0) throw refused("it only counts up");
    if (command.amount == 13) throw std::logic_error("a bug");
    last_ = context.index;
    return total_ += command.amount;
  }
  std::int64_t query(const total&) const {
    if (last_ == 99) throw refused("not now");
    return total_;
  }

  void save(state_writer& to) const {
    to.put(1);
    to.put(total_);
    to.put(last_);
  }
  void load(state_reader& from) {
    from.get_format(1);
    total_ = from.get<std::int64_t>();
    last_ = from.get<index_t>();
  }

 private:
  std::int64_t total_ = 0;
  index_t last_ = 0;
};

} // namespace troupe::test
