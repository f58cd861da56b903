#include "actors/type_registry.hpp"

#include <troupe/detail/caf.hpp>

#if TROUPE_CAF_1
#include "actors/type_table.hpp"

#include <caf/detail/meta_object.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/span.hpp>

#include <mutex>
#include <stdexcept>

namespace troupe::compat {
namespace {

struct registry {
  std::mutex mutex;
  type_table types;
};

/// Made at its first use, because types announce themselves in any order before main starts.
registry& all() {
  static registry one;
  return one;
}

} // namespace

bool announce_type(caf::type_id_t id, std::string_view name, const std::type_info& type,
                   caf::detail::meta_object (*make)(std::string_view name)) {
  auto& [mutex, types] = all();
  const std::lock_guard lock{mutex};
  if (types.add(id, name, type) != type_table::added::yes) return true;
  // Before main starts, because CAF does not allow it while an actor system exists. With its own types, errors can be
  // made before there is a troupe::config.
  if (caf::detail::global_meta_objects().size() < end_of_ids) {
    caf::core::init_global_meta_objects();
    caf::detail::resize_global_meta_objects(end_of_ids);
  }
  if (const auto* other = caf::detail::global_meta_object_or_null(id); other && other->type_name != name) {
    types.collides(id, other->type_name, name);
    return true;
  }
  const auto meta = make(name);
  caf::detail::set_global_meta_objects(id, caf::span<const caf::detail::meta_object>{&meta, 1});
  return true;
}

void check_types() {
  auto& [mutex, types] = all();
  const std::lock_guard lock{mutex};
  if (types.problem()) throw std::logic_error(*types.problem());
}

} // namespace troupe::compat
#endif
