// `kilat check --who` and `--token`: what the rules let somebody do in a channel, and why. Main thread of the command.
#pragma once

#include <string>

#include "cli/failure.h"
#include "config/load.h"

namespace kilat::cli {

struct AccessQuestion {
  std::string channel;
  std::string app;    ///< id; empty: the only one
  std::string who;    ///< claims as a JSON object; empty: nobody is signed in
  std::string token;  ///< instead of who; its signature and dates are checked
};

struct AccessAnswer {
  std::string text;  ///< for people, rule by rule
  bool may_subscribe = false;
};

/// What the app's rules say. Fails when there is no such app, or when the claims or the token can't be taken.
Outcome<AccessAnswer> explain_access(const config::Loaded& loaded, const AccessQuestion& question);

}  // namespace kilat::cli
