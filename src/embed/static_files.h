// StaticFiles: the files below one directory. Immutable; any thread. Reads at most web::kFileBytesMax for an answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/request.h"
#include "http/response.h"

namespace kilat::embed {

class StaticFiles {
 public:
  /// `prefix`: "/" or "/static". A directory that is not there serves nothing.
  StaticFiles(std::string prefix, const std::string& directory);

  /// The answer for a GET or HEAD of `path` (decoded), or nothing when there is no such file.
  std::optional<http::Response> answer(const http::Request& request, std::string_view path) const;

 private:
  std::string prefix_;     ///< without its last slash
  std::string directory_;  ///< as the system names it, without symbolic links
};

/// The Content-Type of a file by its name; application/octet-stream where it is not known.
std::string_view content_type_of(std::string_view name);

}  // namespace kilat::embed
