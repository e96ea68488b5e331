#include "cli/command_text.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"

namespace kilat::cli {
namespace {

// The real program, with its real table.
struct Program {
  CLI::App app{"Kilat.", "kilat"};
  std::vector<Action> actions = add_commands(app, commands());
};

// The words of a command line as a shell sees them, up to a redirection or pipe.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> out;
  std::string word;
  char quote = 0;
  bool open = false;
  for (const char c : std::string(line) + " ") {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      open = true;
    } else if (c != ' ') {
      word += c;
    } else if (open || !word.empty()) {
      if (word == ">" || word == ">>" || word == "|") break;
      out.push_back(std::exchange(word, {}));
      open = false;
    }
  }
  return out;
}

TEST(Commands, EveryExample_IsTakenByTheCommandLine) {
  for (const Command& command : commands()) {
    Program program;
    std::vector<std::string> words = words_of(command.example);
    ASSERT_GE(words.size(), 2U) << command.name;
    EXPECT_EQ(words[0], "kilat");
    EXPECT_EQ(words[1], command.name);
    words.erase(words.begin());
    std::ranges::reverse(words);  // as CLI11 wants them
    EXPECT_NO_THROW(program.app.parse(words)) << command.example;
    EXPECT_TRUE(program.app.got_subcommand(std::string(command.name)));
  }
}

TEST(Commands, EveryHelp_HasItsExampleAndEveryOptionItsText) {
  Program program;
  for (const Command& command : commands()) {
    const CLI::App* sub = program.app.get_subcommand(std::string(command.name));
    EXPECT_NE(sub->help().find(command.example), std::string::npos) << command.name;
    for (const CLI::Option* option : sub->get_options())
      EXPECT_FALSE(option->get_description().empty()) << command.name << " " << option->get_name();
  }
}

TEST(Completion, EveryShell_KnowsEveryCommandAndLongOption) {
  Program program;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(program.app, shell);
    for (const Command& command : commands()) {
      EXPECT_NE(script.find(command.name), std::string::npos) << shell << " " << command.name;
      const CLI::App* sub = program.app.get_subcommand(std::string(command.name));
      for (const CLI::Option* option : sub->get_options()) {
        for (const std::string& name : option->get_lnames())
          EXPECT_NE(script.find(name), std::string::npos) << shell << " " << command.name << " --" << name;
      }
    }
    EXPECT_NE(script.find("laravel"), std::string::npos) << "the choices of an argument are completed";
  }
  EXPECT_EQ(completion_script(program.app, "tcsh"), "");
}

TEST(ManPage, EveryName_HasAPageWithTheSectionsReadersLookFor) {
  Program program;
  const std::vector<std::string> names = man_page_names(program.app);
  EXPECT_EQ(names.size(), commands().size() + 2);
  for (const std::string& name : names) {
    const std::string page = man_page(program.app, name);
    EXPECT_TRUE(page.starts_with(".TH \"" + name + "\" ")) << name;
    for (const char* section : {".SH NAME\n", ".SH SEE ALSO\n"})
      EXPECT_NE(page.find(section), std::string::npos) << name;
  }
  EXPECT_NE(man_page(program.app, "serve").find(".SH EXAMPLES\n"), std::string::npos);
  EXPECT_NE(man_page(program.app, "serve").find("\\-\\-port"), std::string::npos);
  EXPECT_NE(man_page(program.app, "kilat.toml").find("max_connections"), std::string::npos);
  EXPECT_EQ(man_page(program.app, "nonsense"), "");
}

}  // namespace
}  // namespace kilat::cli
