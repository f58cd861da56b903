// How a version of BASP writes payloads: for the generators of frames, and for the simple oracle of the frame guard.
#pragma once

#include "runtime/transport/basp_format.hpp"
#include "tests/unit/transport/frame_rest.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::testing {

/// Immutable. Types are written as in guard_options::types.
class basp_dialect {
 public:
  virtual ~basp_dialect() = default;
  virtual std::uint64_t version() const = 0;
  virtual unsigned client_handshakes() const = 0;
  virtual std::string error_type() const = 0;
  /// A type that no node sends.
  virtual std::string foreign_type() const = 0;

  virtual std::string node(std::uint32_t process, char host) const = 0;
  /// The payload of a message: the types of its elements, and the elements.
  virtual std::string message(const std::vector<std::string>& types, std::string_view elements = {}) const = 0;
  /// Zero means success: in BASP 8, nothing else is written then. `category` is a position in a short list.
  virtual std::string error(std::uint8_t code, const std::vector<std::string>& context = {},
                            std::size_t category = 0) const = 0;

  /// These remove something from the front and return it, written again.
  virtual std::string read_node(frame_rest& in) const = 0;
  virtual std::string read_error(frame_rest& in) const = 0;
  /// The types of a message's elements. Several may be returned as one, which is then none of a single element.
  virtual std::vector<std::string> read_types(frame_rest& in) const = 0;
};

class basp_3_dialect : public basp_dialect {
 public:
  std::uint64_t version() const override { return 3; }
  unsigned client_handshakes() const override { return 2; }
  std::string error_type() const override { return "@error"; }
  std::string foreign_type() const override { return "@i32"; }
  std::string node(std::uint32_t process, char host) const override;
  std::string message(const std::vector<std::string>& types, std::string_view elements) const override;
  std::string error(std::uint8_t code, const std::vector<std::string>& context, std::size_t category) const override;
  std::string read_node(frame_rest& in) const override;
  std::string read_error(frame_rest& in) const override;
  std::vector<std::string> read_types(frame_rest& in) const override;
};

class basp_8_dialect : public basp_dialect {
 public:
  explicit basp_8_dialect(basp_8::type_ids ids) : ids_(std::move(ids)) {}
  std::uint64_t version() const override { return 8; }
  unsigned client_handshakes() const override { return 1; }
  std::string error_type() const override;
  std::string foreign_type() const override;
  std::string node(std::uint32_t process, char host) const override;
  std::string message(const std::vector<std::string>& types, std::string_view elements) const override;
  std::string error(std::uint8_t code, const std::vector<std::string>& context, std::size_t category) const override;
  std::string read_node(frame_rest& in) const override;
  std::string read_error(frame_rest& in) const override;
  std::vector<std::string> read_types(frame_rest& in) const override;

 private:
  basp_8::type_ids ids_;
};

} // namespace troupe::net::testing
