// How a lambda becomes the handler of an event: `(const io::Args&, io::Ack)`, `(const io::Args&)`, or typed, as
// `(std::string name, int age, io::Ack ack)`, where each argument is taken from the JSON by json::value_to. A handler
// of a namespace may take the socket first: `(io::Socket socket, std::string text)`. Everything here is made once, when
// the handler is registered, and called on the shard of the socket.
#pragma once

#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "kilat/message.h"

namespace kilat::io {

class Socket;

/// The answer that a client waits for. Cheap to copy; may be kept, and called from any thread, also when the socket is
/// gone: then nothing happens. Only the first call counts.
class Ack {
 public:
  struct State;
  Ack() = default;
  explicit Ack(std::shared_ptr<State> state) : state_(std::move(state)) {}

  /// Whether the client asked for an answer.
  explicit operator bool() const { return state_ != nullptr; }
  /// False when the client did not ask, was answered before, or is gone.
  template <typename... Values>
  bool operator()(Values&&... values) const {
    return send(message_of(std::forward<Values>(values)...));
  }
  bool send(Message message) const;

 private:
  std::shared_ptr<State> state_;
};

using EventHandler = std::function<void(const Socket& socket, const Args& args, const Ack& ack)>;

namespace detail {

template <typename Function>
struct Signature : Signature<decltype(&Function::operator())> {};
template <typename Result, typename... Parameters>
struct Signature<Result (*)(Parameters...)> {
  using Types = std::tuple<std::remove_cvref_t<Parameters>...>;
};
template <typename Class, typename Result, typename... Parameters>
struct Signature<Result (Class::*)(Parameters...)> : Signature<Result (*)(Parameters...)> {};
template <typename Class, typename Result, typename... Parameters>
struct Signature<Result (Class::*)(Parameters...) const> : Signature<Result (*)(Parameters...)> {};

/// Takes the parameters of a handler from an event, the first to the last.
struct Cursor {
  const Socket& socket;
  const Args& args;
  const Ack& ack;
  std::size_t next = 0;

  template <typename Value>
  Value take() {
    if constexpr (std::same_as<Value, Socket>) {
      return socket;
    } else if constexpr (std::same_as<Value, Args>) {
      return args;
    } else if constexpr (std::same_as<Value, Ack>) {
      return ack;
    } else {
      return args.get<Value>(next++);
    }
  }
};

template <typename Function, typename... Types>
EventHandler typed(Function function, std::tuple<Types...>*) {
  return [function = std::move(function)](const Socket& socket, const Args& args, const Ack& ack) mutable {
    [[maybe_unused]] Cursor cursor{socket, args, ack};
    // Braces, because they fix the order.
    std::tuple<Types...> values{cursor.template take<Types>()...};
    std::apply(function, std::move(values));
  };
}

template <typename Function>
EventHandler handler_of(Function function) {
  using Types = typename Signature<std::conditional_t<std::is_function_v<std::remove_pointer_t<Function>>, Function,
                                                      std::remove_cvref_t<Function>>>::Types;
  return typed(std::move(function), static_cast<Types*>(nullptr));
}

}  // namespace detail
}  // namespace kilat::io
