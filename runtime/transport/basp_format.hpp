// What differs between the versions of BASP, CAF's protocol between nodes. All versions have the same frames with the
// same headers. They write node ids, messages and errors differently.
#pragma once

#include "runtime/transport/payload_reader.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net {

/// Reads the pieces of a payload in one version of BASP. A piece that CAF would not write makes the reader fail. Pure
/// and immutable.
class basp_format {
 public:
  enum class content { nothing, error, other };
  /// What a message consists of.
  struct head {
    content kind = content::nothing;
    /// With `other`: the types of the elements, as they stand in the payload.
    std::string_view types;
  };

  virtual ~basp_format() = default;
  /// As servers announce it in their handshake.
  virtual std::uint64_t version() const noexcept = 0;
  /// How often CAF introduces the dialing end of a connection.
  virtual unsigned max_client_handshakes() const noexcept = 0;
  /// Accepts only the kind of node id that CAF generates by itself.
  virtual std::string_view get_node_id(payload_reader& in) const = 0;
  /// Reads all of a message up to its first element.
  virtual head get_head(payload_reader& in) const = 0;
  /// Accepts only an error whose context consists of strings.
  virtual void skip_error(payload_reader& in) const = 0;
};

/// BASP 3, of CAF 0.17: types are names, node ids and categories of errors are packed short names.
class basp_3 : public basp_format {
 public:
  std::uint64_t version() const noexcept override { return 3; }
  /// It repeats a client's handshake once, to select the connection.
  unsigned max_client_handshakes() const noexcept override { return 2; }
  std::string_view get_node_id(payload_reader& in) const override;
  /// `types` is the name of the only element's type. Of several elements it has all names, with "+" between them.
  head get_head(payload_reader& in) const override;
  void skip_error(payload_reader& in) const override;
};

/// BASP 8, of CAF 1.1: types and categories of errors are numbers of two bytes.
class basp_8 : public basp_format {
 public:
  struct type_ids {
    std::uint16_t string;
    std::uint16_t error;
    /// CAF ends the process when it shows an error of a category that it does not know.
    std::vector<std::uint16_t> error_categories;
  };
  explicit basp_8(type_ids ids) : ids_(std::move(ids)) {}

  std::uint64_t version() const noexcept override { return 8; }
  unsigned max_client_handshakes() const noexcept override { return 1; }
  std::string_view get_node_id(payload_reader& in) const override;
  /// `types` has the two bytes of each element's number.
  head get_head(payload_reader& in) const override;
  void skip_error(payload_reader& in) const override;
  /// A number as it stands in a payload.
  static std::string written(std::uint16_t id);

 private:
  type_ids ids_;
};

/// The version of BASP in which this is the payload of a client's handshake; empty if it is none.
std::optional<std::uint64_t> version_of_client(std::string_view payload);

} // namespace troupe::net
