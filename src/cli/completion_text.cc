#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/command_text.h"

namespace kilat::cli {
namespace {

std::vector<const CLI::App*> subcommands(const CLI::App& program) {
  return program.get_subcommands([](const CLI::App*) { return true; });
}

// Of the command and of its own commands, each name once: a script does not look which of them stands there.
std::vector<const CLI::Option*> named_options(const CLI::App& command) {
  std::vector<const CLI::Option*> out =
      command.get_options([](const CLI::Option* option) { return option->nonpositional(); });
  for (const CLI::App* inner : subcommands(command)) {
    for (const CLI::Option* option : named_options(*inner)) {
      const bool known = std::ranges::any_of(
          out, [option](const CLI::Option* other) { return other->get_lnames() == option->get_lnames(); });
      if (!known) out.push_back(option);
    }
  }
  return out;
}

std::string option_words(const CLI::App& command) {
  std::string out;
  for (const CLI::Option* option : named_options(command)) {
    for (const std::string& name : option->get_lnames()) out += (out.empty() ? "--" : " --") + name;
  }
  return out;
}

// The words that a command's first argument may be: its own commands, or what CLI11 keeps as "{a,b}" in the name of
// its type.
std::string argument_words(const CLI::App& command) {
  std::string inner;
  for (const CLI::App* one : subcommands(command)) inner += (inner.empty() ? "" : " ") + one->get_name();
  if (!inner.empty()) return inner;
  for (const CLI::Option* option :
       command.get_options([](const CLI::Option* candidate) { return candidate->get_positional(); })) {
    const std::string type = option->get_type_name();
    const size_t open = type.rfind('{');
    const size_t close = type.rfind('}');
    if (open == std::string::npos || close == std::string::npos || close < open) continue;
    std::string words = type.substr(open + 1, close - open - 1);
    std::ranges::replace(words, ',', ' ');
    return words;
  }
  return {};
}

// In single quotes of a shell; our own help texts hold no control characters.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string bash(const CLI::App& program) {
  std::string names;
  std::string cases;
  for (const CLI::App* command : subcommands(program)) {
    names += (names.empty() ? "" : " ") + command->get_name();
    const std::string words = argument_words(*command);
    cases += "    " + command->get_name() +
             ") words=" + shell_quoted(option_words(*command) + (words.empty() ? "" : " ") + words) + " ;;\n";
  }
  return "# Completion of kilat for bash. Made by: kilat completion bash\n"
         "_kilat() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} words\n"
         "  if ((COMP_CWORD == 1)); then\n"
         "    mapfile -t COMPREPLY < <(compgen -W " +
         shell_quoted(names + " --help --version") +
         " -- \"$current\")\n"
         "    return\n"
         "  fi\n"
         "  case ${COMP_WORDS[1]} in\n" +
         cases +
         "    *) words='' ;;\n"
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "}\n"
         "# Where nothing matches, files do.\n"
         "complete -o default -F _kilat kilat\n";
}

// zsh takes ":" as the end of a name and "[" as the beginning of a text.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh(const CLI::App& program) {
  std::string names;
  std::string cases;
  for (const CLI::App* command : subcommands(program)) {
    names += "    " + shell_quoted(zsh_text(command->get_name()) + ":" + zsh_text(command->get_description())) + "\n";
    cases += "    " + command->get_name() + ")\n      _arguments";
    for (const CLI::Option* option : named_options(*command)) {
      for (const std::string& name : option->get_lnames()) {
        std::string spec = "--" + name + "[" + zsh_text(option->get_description()) + "]";
        if (option->get_items_expected_max() > 0) spec += ":" + zsh_text(option->get_type_name()) + ":_files";
        cases += " \\\n        " + shell_quoted(spec);
      }
    }
    const std::string words = argument_words(*command);
    cases +=
        " \\\n        " + shell_quoted(words.empty() ? "*:argument:_files" : "1:argument:(" + words + ")") + " ;;\n";
  }
  return "#compdef kilat\n"
         "# Completion of kilat for zsh. Made by: kilat completion zsh\n"
         "_kilat() {\n"
         "  local -a commands\n"
         "  commands=(\n" +
         names +
         "  )\n"
         "  if ((CURRENT == 2)); then\n"
         "    _describe command commands\n"
         "    return\n"
         "  fi\n"
         "  local command=${words[2]}\n"
         "  shift words\n"
         "  ((CURRENT -= 1))\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "}\n"
         "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _kilat \"$@\"; else compdef _kilat kilat; fi\n";
}

std::string fish(const CLI::App& program) {
  std::string out = "# Completion of kilat for fish. Made by: kilat completion fish\n";
  for (const CLI::App* command : subcommands(program)) {
    const std::string& name = command->get_name();
    out += "complete -c kilat -f -n __fish_use_subcommand -a " + name + " -d " +
           shell_quoted(command->get_description()) + "\n";
    const std::string seen = "complete -c kilat -n '__fish_seen_subcommand_from " + name + "'";
    for (const CLI::Option* option : named_options(*command)) {
      for (const std::string& word : option->get_lnames()) {
        out.append(seen).append(" -l ").append(word);
        out.append(option->get_items_expected_max() > 0 ? " -r -d " : " -d ");
        out.append(shell_quoted(option->get_description())).append("\n");
      }
    }
    if (const std::string words = argument_words(*command); !words.empty())
      out += seen + " -f -a " + shell_quoted(words) + "\n";
  }
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& program, std::string_view shell) {
  if (shell == "bash") return bash(program);
  if (shell == "zsh") return zsh(program);
  if (shell == "fish") return fish(program);
  return {};
}

}  // namespace kilat::cli
