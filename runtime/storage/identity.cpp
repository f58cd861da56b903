#include "runtime/storage/identity.hpp"

#include "raft/base/codec.hpp"
#include "runtime/storage/checksum.hpp"
#include "runtime/storage/damage.hpp"

namespace troupe {
namespace {

constexpr std::string_view magic = "troupeID";
/// Version 1 has no backup field. It is still written if there is no backup.
constexpr std::uint32_t version = 2;
constexpr std::size_t checksum_size = 8;

[[noreturn]] void damaged(const std::filesystem::path& file) {
  throw raft::storage_error("damaged identity file " + file.string() + " " + repair_advice(file.parent_path()), false,
                            true);
}

} // namespace

std::string encode_identity(const identity& value) {
  std::string out;
  raft::writer to{out};
  to.put_raw(magic);
  to.put(value.restored == 0 ? 1 : version);
  to.put(value.id.value);
  to.put(value.cluster.value);
  to.put(value.starts);
  to.put(static_cast<std::uint8_t>(value.promise ? 1 : 0));
  to.put_string(value.promise.value_or(""));
  if (value.restored != 0) to.put(value.restored);
  to.put(checksum(out));
  return out;
}

identity decode_identity(std::string_view content, const std::filesystem::path& file) {
  raft::reader from{content};
  if (from.get_raw(magic.size()) != magic) damaged(file);
  const auto found = from.get<std::uint32_t>();
  if (from.ok() && found != 1 && found != version)
    throw raft::storage_error("identity file " + file.string() + " has format version " + std::to_string(found) +
                              "; this program supports versions up to " + std::to_string(version));
  identity value;
  value.id.value = from.get<std::uint64_t>();
  value.cluster.value = from.get<std::uint64_t>();
  value.starts = from.get<std::uint64_t>();
  const auto promised = from.get<std::uint8_t>();
  const auto promise = from.get_string();
  if (promised != 0) value.promise = std::string{promise};
  if (found == version) value.restored = from.get<std::uint64_t>();
  const auto sum = from.get<std::uint64_t>();
  if (!from.done() || promised > 1 || !value.id || sum != checksum(content.substr(0, content.size() - checksum_size)))
    damaged(file);
  return value;
}

} // namespace troupe
