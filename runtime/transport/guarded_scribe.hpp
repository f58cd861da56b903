// A connection of the transport as a scribe of CAF's broker. Its stream reads through the frame guard.
#pragma once

#include "actors/caf_io.hpp"
#include "runtime/transport/transport.hpp"

#include <caf/io/network/stream_impl.hpp>
#include <caf/io/scribe.hpp>

#include <memory>

namespace troupe::net {

/// CAF's protocol policy, which reads and writes the bytes of a stream, implemented by a channel.
class channel_policy {
 public:
  explicit channel_policy(std::unique_ptr<channel> stream) : stream_(std::move(stream)) {}
  caf::io::network::rw_state read_some(std::size_t& result, caf::io::network::native_socket, void* to,
                                       std::size_t size);
  caf::io::network::rw_state write_some(std::size_t& result, caf::io::network::native_socket, const void* from,
                                        std::size_t size);
  bool must_read_more(caf::io::network::native_socket, std::size_t) const { return stream_->holds_bytes(); }

 private:
  std::unique_ptr<channel> stream_;
};

/// Any thread may create it. After that only CAF's network thread uses it.
class guarded_scribe : public caf::io::scribe {
 public:
  guarded_scribe(caf::io::network::default_multiplexer& loop, open_connection connection, std::size_t max_unsent_bytes);
  ~guarded_scribe() override;

  void configure_read(caf::io::receive_policy::config config) override;
  void ack_writes(bool enable) override;
  compat::io_buffer& wr_buf() override;
  compat::io_buffer& rd_buf() override;
  void graceful_shutdown() override;
  /// Frees the buffer of a large frame, and stops reading if the actors are too far behind.
  bool consume(compat::io_context* context, const void* data, std::size_t size) override;
  /// Cuts the connection if too many bytes wait to be sent.
  void flush() override;
  std::string addr() const override;
  std::uint16_t port() const override;
  void add_to_loop() override;
  void remove_from_loop() override;

 private:
  void go_on();

  std::shared_ptr<connection_liveness> liveness_;
  std::shared_ptr<channel_watcher> watch_;
  std::shared_ptr<flow_meter> meter_;
  std::size_t max_unsent_bytes_;
  bool launched_ = false;
  bool overfull_ = false;
  /// Closes the descriptor. After that liveness_ must not cut it.
  caf::io::network::stream_impl<channel_policy> stream_;
};

caf::io::scribe_ptr make_scribe(caf::actor_system& system, open_connection connection, std::size_t max_unsent_bytes);

/// Lets CAF's broker serve an accepted connection: the dialer finds `published` behind `port`.
void serve(caf::actor_system& system, open_connection connection, std::size_t max_unsent_bytes, std::uint16_t port,
           caf::strong_actor_ptr published);

} // namespace troupe::net
