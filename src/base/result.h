// Result<T, E>: how a failure leaves a function. No exception crosses a module border.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "base/reason.h"

namespace kilat {

/// What a refused operation answers: the row of the reason table, and text for this one case (may be empty, then the
/// row's own text is meant). Never holds a secret.
struct Error {
  Reason reason = Reason::kInternal;
  std::string detail;
};

template <typename T, typename E = Error>
using Result = std::expected<T, E>;

inline std::unexpected<Error> fail(Reason reason, std::string detail = {}) {
  return std::unexpected(Error{reason, std::move(detail)});
}

}  // namespace kilat

#define KILAT_TRY_CONCAT2(a, b) a##b
#define KILAT_TRY_CONCAT(a, b) KILAT_TRY_CONCAT2(a, b)

/// TRY(lhs, expression): binds the value of a Result, or returns its error from the enclosing function.
#define TRY(lhs, ...)                                                                   \
  auto KILAT_TRY_CONCAT(try_result_, __LINE__) = (__VA_ARGS__);                         \
  if (!KILAT_TRY_CONCAT(try_result_, __LINE__))                                         \
    return std::unexpected(std::move(KILAT_TRY_CONCAT(try_result_, __LINE__)).error()); \
  lhs = std::move(*KILAT_TRY_CONCAT(try_result_, __LINE__))

/// TRY_VOID(expression): returns the error of a Result<void> from the enclosing function.
#define TRY_VOID(...)                                                                                         \
  if (auto KILAT_TRY_CONCAT(try_result_, __LINE__) = (__VA_ARGS__); !KILAT_TRY_CONCAT(try_result_, __LINE__)) \
  return std::unexpected(std::move(KILAT_TRY_CONCAT(try_result_, __LINE__)).error())
