#include <troupe/msgpack_serializer.hpp>

#include <msgpack/null_visitor.hpp>
#include <msgpack/parse.hpp>
#include <msgpack/unpack.hpp>

namespace troupe::detail {
namespace {

/// Parses without building anything. So a container that announces more elements than follow is detected before
/// msgpack-c allocates memory for them.
class depth_check : public msgpack::null_visitor {
 public:
  bool start_array(std::uint32_t) { return ++depth_ <= max_msgpack_depth; }
  bool start_map(std::uint32_t) { return ++depth_ <= max_msgpack_depth; }
  bool end_array() { return close(); }
  bool end_map() { return close(); }

 private:
  bool close() {
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;
};

} // namespace

bool is_one_bounded_value(std::string_view encoded) {
  depth_check check;
  std::size_t read = 0;
  return msgpack::parse(encoded.data(), encoded.size(), read, check) && read == encoded.size();
}

msgpack::object unpack_value(msgpack::zone& zone, std::string_view encoded) {
  const auto in_place = [](msgpack::type::object_type, std::size_t, void*) { return true; };
  return msgpack::unpack(zone, encoded.data(), encoded.size(), in_place);
}

} // namespace troupe::detail
