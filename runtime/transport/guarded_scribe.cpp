#include "runtime/transport/guarded_scribe.hpp"

#include <set>
#include <string>
#include <utility>

namespace troupe::net {

using caf::io::network::native_socket;
using caf::io::network::rw_state;

rw_state channel_policy::read_some(std::size_t& result, native_socket, void* to, std::size_t size) {
  const auto got = stream_->read(static_cast<char*>(to), size);
  result = got.bytes;
  return got.state == flow::closed ? rw_state::failure : rw_state::success;
}

rw_state channel_policy::write_some(std::size_t& result, native_socket, const void* from, std::size_t size) {
  result = 0;
  if (size == 0) return rw_state::success;
  const auto sent = stream_->write(static_cast<const char*>(from), size);
  result = sent.bytes;
  // Not `indeterminate`, which would make CAF forget the bytes that it could not send.
  return sent.state == flow::closed ? rw_state::failure : rw_state::success;
}

guarded_scribe::guarded_scribe(caf::io::network::default_multiplexer& loop, open_connection connection,
                               std::size_t max_unsent_bytes)
    : caf::io::scribe(caf::io::network::conn_hdl_from_socket(connection.socket.get())),
      liveness_(std::move(connection.liveness)), watch_(std::move(connection.watch)),
      meter_(std::move(connection.meter)), max_unsent_bytes_(max_unsent_bytes),
      stream_(loop, connection.socket.release(), std::move(connection.stream)) {}

guarded_scribe::~guarded_scribe() { liveness_->end(); }

void guarded_scribe::configure_read(caf::io::receive_policy::config config) {
  stream_.configure_read(config);
  if (launched_) return;
  launched_ = true;
  stream_.start(this);
}

void guarded_scribe::ack_writes(bool enable) { stream_.ack_writes(enable); }
compat::io_buffer& guarded_scribe::wr_buf() { return stream_.wr_buf(); }
compat::io_buffer& guarded_scribe::rd_buf() { return stream_.rd_buf(); }

void guarded_scribe::graceful_shutdown() {
  stream_.graceful_shutdown();
  detach(&stream_.backend(), false);
}

bool guarded_scribe::consume(compat::io_context* context, const void* data, std::size_t size) {
  const bool goes_on = scribe::consume(context, data, size);
  constexpr std::size_t kept = 256 * 1024;
  // The stream allocates the buffer again before its next read.
  if (goes_on && size > kept) rd_buf() = compat::io_buffer{};
  meter_->handed(size);
  if (!goes_on || !meter_->is_over()) return goes_on;
  liveness_->hold();
  // The pending token keeps this scribe alive until it is read again or closed.
  const bool held = meter_->hold(
      [self = caf::intrusive_ptr<guarded_scribe>{this}] { self->stream_.backend().post([self] { self->go_on(); }); });
  if (held)
    watch_->held_back();
  else
    liveness_->release();
  return !held;
}

void guarded_scribe::go_on() {
  liveness_->release();
  if (detached()) return;
  stream_.activate(this);
  // If the loop has not yet processed the request to stop reading, this cancels that request.
  stream_.backend().add(caf::io::network::operation::read, stream_.fd(), &stream_);
  // The socket does not become readable for bytes that the channel holds.
  stream_.handle_event(caf::io::network::operation::read);
}

void guarded_scribe::flush() {
  if (stream_.wr_buf().size() > max_unsent_bytes_) {
    stream_.wr_buf().clear();
    if (!std::exchange(overfull_, true)) watch_->violated(incident::cut_for_memory, "too many bytes wait to be sent");
    return liveness_->cut();
  }
  stream_.flush(this);
}

std::string guarded_scribe::addr() const { return liveness_->peer(); }
std::uint16_t guarded_scribe::port() const {
  const auto port = caf::io::network::remote_port_of_fd(stream_.fd());
  return port ? *port : std::uint16_t{0};
}
void guarded_scribe::add_to_loop() { stream_.activate(this); }
void guarded_scribe::remove_from_loop() { stream_.passivate(); }

caf::io::scribe_ptr make_scribe(caf::actor_system& system, open_connection connection, std::size_t max_unsent_bytes) {
  auto& loop = dynamic_cast<caf::io::network::default_multiplexer&>(system.middleman().backend());
  return caf::make_counted<guarded_scribe>(loop, std::move(connection), max_unsent_bytes);
}

void serve(caf::actor_system& system, open_connection connection, std::size_t max_unsent_bytes, std::uint16_t port,
           caf::strong_actor_ptr published) {
  compat::anon_send(compat::basp_broker(system), compat::publish_word,
                    make_scribe(system, std::move(connection), max_unsent_bytes), port, std::move(published),
                    std::set<std::string>{});
}

} // namespace troupe::net
