// One client's connection. Internal to the server; every function runs on the I/O thread.
#pragma once

#include "runtime/http/mailbox.hpp"
#include "runtime/http/server.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::http {

/// The concrete executor spares every operation a type-erased one.
using socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
using time_point = std::chrono::steady_clock::time_point;

/// What the connections of a server share.
struct surroundings {
  options settings;
  handler serve;
  std::shared_ptr<mailbox> answers;
  /// Called once by each connection, at its end.
  std::function<void(std::uint64_t)> ended;
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
  connection(std::uint64_t id, socket peer, surroundings& server);

  void start();
  /// The answer to the request that was handed to the handler.
  void take(response answer);
  /// The piece of its body that was asked for.
  void take(piece next);
  /// Ends what has been waiting too long.
  void expire(time_point now);
  /// The server stops: idle connections end now, the others after their answer.
  void finish();
  void close();

 private:
  enum class state { idle, reading, handling, writing, fetching, draining, closed };
  using parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void enter(state next, std::chrono::milliseconds patience);
  void wait_readable();
  void on_readable();
  /// Goes on with bytes that are there already, then waits for more.
  void proceed();
  /// Parses up to the end of one request; returns how many bytes were used.
  std::size_t feed(std::string_view bytes);
  bool check_header();
  void dispatch();
  void reject(unsigned status, std::string_view code, std::string_view message);
  void reject(boost::system::error_code error);
  void flush();
  void on_written();
  void fetch();

  std::uint64_t id_;
  socket socket_;
  surroundings& server_;
  state state_ = state::idle;
  time_point deadline_;
  std::optional<parser> parser_;
  /// Received but not parsed: an incomplete header or chunk, or pipelined requests.
  std::string pending_;
  std::string out_;
  /// What is missing of a body in pieces.
  std::optional<body_in_pieces> rest_;
  bool waiting_ = false;
  bool header_checked_ = false;
  bool head_only_ = false;
  bool keep_alive_ = true;
  bool http_1_0_ = false;
  bool drain_ = false;
};

} // namespace troupe::http
