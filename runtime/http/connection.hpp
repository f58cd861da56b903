// One client's connection. Internal to the server; every function runs on the I/O thread.
#pragma once

#include "runtime/http/body_reader.hpp"
#include "runtime/http/budget.hpp"
#include "runtime/http/mailbox.hpp"
#include "runtime/http/server.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::http {

/// The concrete executor spares every operation a type-erased one.
using socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
using time_point = std::chrono::steady_clock::time_point;

class connection;

/// The connections of a server by what they wait for, in each list the one first that has been waiting for longest.
enum class waiting_for : std::uint8_t {
  request,  // idle, or not a byte came yet
  bytes,    // of a request
  answer,   // from the program
  departed, // the same, but the client has closed its side: it may be gone
  client,   // to take the answer
  end,      // draining
  nothing,  // closed
};
inline constexpr std::size_t waiting_kinds = 7;
using waiting_list = std::list<connection*>;

/// What the connections of a server share.
struct surroundings {
  options settings;
  handler serve;
  std::shared_ptr<mailbox> answers;
  /// Called once by each connection, at its end.
  std::function<void(std::uint64_t)> ended;
  /// Whether a connection of the reserve may become one like the others.
  std::function<bool(connection&)> settle;
  /// Gives up something that holds memory, to make room for this connection; false if there is nothing.
  std::function<bool(const connection&)> relieve;
  std::array<waiting_list, waiting_kinds> waiting;
  /// All connections read into this one buffer and keep only what they could not parse yet: idle ones hold nothing.
  std::vector<char> scratch = std::vector<char>(64 * 1024);
  bool stopping = false;
};

///                  first byte          complete            answer            written
///   accepted, idle ----------> reading --------> handling --------> writing --------> idle
///                                 | malformed, too large, too slow    |  last answer of this connection
///                                 +---------------------------------->+--> draining --> closed
///
/// With a body in pieces: writing -- taken, more is missing --> fetching -- piece --> writing
///
/// Draining reads and forgets what the client still sends: closing at once would make the kernel reset the
/// connection, and the client might never see the answer. Every state but those that wait for the program, `handling`
/// and `fetching`, ends by a deadline.
class connection : public std::enable_shared_from_this<connection> {
 public:
  /// `reserved`: there is no place for it, so that only probes are served. `group` is the address for limits.
  connection(std::uint64_t id, socket peer, std::string group, bool reserved, surroundings& server);
  ~connection();

  void start();
  /// The answer to the request that was handed to the handler.
  void take(response content, charge held);
  /// The piece of its body that was asked for.
  void take(piece next, charge held);
  /// Ends what has been waiting too long.
  void expire(time_point now);
  /// The server stops: idle connections end now, the others after their answer.
  void finish();
  /// The client has closed its side while it waits for an answer.
  void depart();
  /// Refuses a request that is still arriving: its memory is needed.
  void give_up();
  void close();

  std::uint64_t id() const noexcept { return id_; }
  const std::string& group() const noexcept { return group_; }
  bool reserved() const noexcept { return reserved_; }
  void settle() noexcept { reserved_ = false; }
  int descriptor() { return socket_.native_handle(); }
  /// Of the server's budget, in bytes, beyond what waits in the handler.
  std::size_t held() const noexcept { return pending_held_.taken() + body_held_.taken() + out_held_.taken(); }
  time_point since() const noexcept { return since_; }
  /// For how long it has been writing what it writes now, and how many bytes a second the client has taken of that. The
  /// first moment does not count: the kernel's buffers take bytes at once.
  std::chrono::duration<double> writing_for(time_point now) const noexcept { return now - writing_since_; }
  double rate(time_point now) const noexcept { return static_cast<double>(taken_) / writing_for(now).count(); }

 private:
  enum class state { idle, reading, handling, writing, fetching, draining, closed };

  void enter(state next, std::chrono::milliseconds patience);
  /// To the end of the list of those who wait for this.
  void queue(waiting_for what);
  void wait_readable();
  void on_readable();
  /// Goes on with bytes that are there already, then waits for more.
  void proceed();
  /// Takes up to the end of one request; returns how many bytes were used.
  std::size_t feed(std::string_view bytes);
  /// Reads and checks a whole head; returns its size, or 0 if it is not whole. It may refuse.
  std::size_t take_head(std::string_view bytes);
  bool begin(head asked);
  bool take_body(std::string_view bytes, std::size_t& used);
  bool tell_to_go_on();
  void hold_pending();
  void note_taken(std::size_t bytes);
  void dispatch();
  void reject(unsigned status, std::string_view code, std::string_view message);
  /// By value: what it says may lie in the request that ends here.
  void reject(problem why) { reject(why.status, why.code, why.message); }
  void report(const std::exception& error) const;
  void reject_for_room();
  /// Frees the memory of the request, and of what was received behind it.
  void forget_request();
  void flush();
  void on_written();
  void fetch();

  std::uint64_t id_;
  socket socket_;
  std::string group_;
  bool reserved_;
  surroundings& server_;
  state state_ = state::idle;
  waiting_for kind_ = waiting_for::request;
  waiting_list::iterator place_;
  time_point since_;
  time_point deadline_;
  /// The request that is being read.
  request asked_;
  std::optional<body_reader> body_;
  /// What the head occupies of the memory; 0 if that is not counted.
  std::size_t head_held_ = 0;
  /// Received but not used: an incomplete head, or pipelined requests; and how much of it was looked through.
  std::string pending_;
  std::size_t scanned_ = 0;
  /// The answer's head and its body, or one piece of that.
  std::string out_head_;
  std::string out_;
  time_point writing_since_;
  std::size_t taken_ = 0;
  charge pending_held_;
  charge body_held_;
  charge out_held_;
  /// What is missing of a body in pieces.
  std::optional<body_in_pieces> rest_;
  bool waiting_ = false;
  bool bad_target_ = false;
  bool go_on_due_ = false;
  bool head_only_ = false;
  bool keep_alive_ = true;
  bool http_1_0_ = false;
  bool drain_ = false;
};

} // namespace troupe::http
