// The numbers of message types under CAF 1.x (troupe/detail/type_ids.hpp): finds two types with the same number.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>

namespace troupe::compat {

/// Not thread-safe.
class type_table {
 public:
  enum class added { yes, known, collides };

  /// `known`: this type has been added before, for instance by another shared library.
  added add(std::uint16_t id, std::string_view name, const std::type_info& type) {
    const auto [found, is_new] = types_.try_emplace(id, entry{std::string{name}, &type});
    if (is_new) return added::yes;
    if (*found->second.type == type) return added::known;
    collides(id, found->second.name, name);
    return added::collides;
  }
  /// The type has the number of a type that was not added here.
  void collides(std::uint16_t id, std::string_view with, std::string_view name) {
    if (problem_) return;
    problem_ = "the message types " + std::string{with} + " and " + std::string{name} +
               " have the same type id of CAF, " + std::to_string(id) + ": rename one of them";
  }
  /// Names the first two types with the same number; empty if there are none.
  const std::optional<std::string>& problem() const noexcept { return problem_; }

 private:
  struct entry {
    std::string name;
    const std::type_info* type;
  };
  std::map<std::uint16_t, entry> types_;
  std::optional<std::string> problem_;
};

} // namespace troupe::compat
