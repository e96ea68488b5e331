// How a command says that it failed: what, where, why, and what to do about it. Never holds a secret.
#pragma once

#include <expected>
#include <string>
#include <vector>

namespace kilat::cli {

struct Failure {
  std::string what;                   ///< "cannot publish to chat"
  std::string where;                  ///< address, file or request; may be empty
  std::string why;                    ///< may be empty
  std::vector<std::string> remedies;  ///< commands or edits, one a line
};

template <typename T>
using Outcome = std::expected<T, Failure>;

/// The text for people; ends with a newline.
std::string render(const Failure& failure);

/// Prints it to standard error and returns the exit code 1.
int report(const Failure& failure);

/// `text` without the bytes that a terminal would obey: controls become \u00XX, bad UTF-8 U+FFFD. For what others sent.
std::string fit_for_terminal(std::string_view text);

}  // namespace kilat::cli
