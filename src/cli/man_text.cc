#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/command_text.h"
#include "cli/version.h"
#include "config/reference.h"

namespace kilat::cli {
namespace {

constexpr std::string_view kSettingsPage = "kilat.toml";

std::vector<const CLI::App*> subcommands(const CLI::App& program) {
  return program.get_subcommands([](const CLI::App*) { return true; });
}

// Text for roff: no line is taken for a request, no character for an escape, and - stays one that can be copied.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

// The same for text with Markdown's `code`, which becomes bold.
std::string prose(std::string_view text) {
  std::string out;
  bool bold = false;
  for (const char c : roff(text)) {
    if (c != '`') {
      out += c;
    } else {
      bold = !bold;
      out += bold ? "\\fB" : "\\fR";
    }
  }
  return out;
}

std::string heading(std::string_view page, std::string_view help) {
  return ".TH \"" + std::string(page) + "\" " + std::string(man_section(page)) + " \"\" \"kilat " +
         std::string(version()) + "\" \"Kilat\"\n.nh\n.ad l\n.SH NAME\n" + roff(page) + " \\- " + roff(help) + "\n";
}

std::string verbatim(std::string_view text) {
  return ".nf\n" + roff(text) + "\n.fi\n";
}

std::string options_of(const CLI::App& command) {
  std::string out;
  for (const CLI::Option* option : command.get_options()) {
    std::string name = option->get_positional() ? option->get_name(true) : option->get_name(false, true);
    std::ranges::replace(name, ',', ' ');
    out += ".TP\n.B " + roff(name);
    if (option->get_items_expected_max() > 0 && !option->get_positional())
      out += " \\fI" + roff(option->get_type_name()) + "\\fR";
    std::string help = option->get_description();
    if (const std::string type = option->get_type_name();
        option->get_positional() && type.find('{') != std::string::npos)
      help += ": one of " + type.substr(type.find('{'));
    if (!option->get_default_str().empty()) help += " (default: " + option->get_default_str() + ")";
    out += "\n" + roff(help) + "\n";
  }
  return out;
}

std::string example_of(const CLI::App& command) {
  std::string text = command.get_footer();
  if (const size_t end = text.find('\n'); end != std::string::npos) text.erase(0, end + 1);
  return text;
}

std::string arguments_of(const CLI::App& command) {
  std::string out;
  for (const CLI::Option* option :
       command.get_options([](const CLI::Option* candidate) { return candidate->get_positional(); })) {
    const std::string name = option->get_name(true);
    out += " \\fI" + roff(option->get_required() ? name : "[" + name + "]") + "\\fR";
  }
  return out;
}

std::string see_also(const CLI::App& program) {
  std::string out = ".SH SEE ALSO\n";
  for (const std::string& name : man_page_names(program))
    out += ".BR " + roff(name) + " (" + std::string(man_section(name)) + "),\n";
  return out.erase(out.size() - 2, 1);
}

// The commands of a command, each with its options.
std::string inner_commands_of(const CLI::App& command) {
  std::string out;
  for (const CLI::App* inner : subcommands(command)) {
    out += ".SS \"" + roff(command.get_name()) + " " + roff(inner->get_name()) + "\\fR" + arguments_of(*inner) +
           "\"\n" + roff(inner->get_description()) + "\n" + options_of(*inner);
  }
  return out.empty() ? out : ".SH COMMANDS\n" + out;
}

std::string command_page(const CLI::App& program, const CLI::App& command) {
  const std::string page = "kilat-" + command.get_name();
  return heading(page, command.get_description()) + ".SH SYNOPSIS\n.B kilat " + roff(command.get_name()) +
         (subcommands(command).empty() ? "" : " \\fICOMMAND") + "\\fR [\\fIOPTIONS\\fR]" + arguments_of(command) +
         "\n.SH OPTIONS\n" + options_of(command) + inner_commands_of(command) + ".SH EXAMPLES\n" +
         verbatim(example_of(command)) + ".SH EXIT STATUS\n0: done. 1: failed. 2: used wrongly.\n" + see_also(program);
}

std::string program_page(const CLI::App& program) {
  std::string out = heading("kilat", program.get_description()) +
                    ".SH SYNOPSIS\n.B kilat\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH COMMANDS\n";
  for (const CLI::App* command : subcommands(program))
    out += ".TP\n.B " + roff(command->get_name()) + "\n" + roff(command->get_description()) + "\n";
  out += ".SH EXAMPLES\n";
  for (const CLI::App* command : subcommands(program)) out += verbatim(example_of(*command));
  return out + ".SH EXIT STATUS\n0: done. 1: failed. 2: used wrongly.\n" + see_also(program);
}

std::string settings_page(const CLI::App& program) {
  std::string out = heading(kSettingsPage, "the configuration of kilat");
  out += ".SH DESCRIPTION\n" + prose(config::reference_introduction()) + "\n.SH EXAMPLE\n" +
         verbatim(config::reference_example());
  for (const config::ReferenceSection& section : config::reference_sections()) {
    out += ".SH " + roff(section.name) + "\n" + roff(section.help) + "\n";
    for (const config::ReferenceEntry& entry : section.entries) {
      out += ".TP\n.B " + roff(entry.name) + "\n" + roff(entry.help) + "\n.br\n" + roff(entry.values) + "; default " +
             roff(entry.standard) + "; a change takes effect at " + (entry.needs_restart ? "restart" : "reload") +
             ".\n";
      if (!entry.why.empty()) out += ".br\nWhy the bounds: " + roff(entry.why) + ".\n";
    }
  }
  return out + see_also(program);
}

}  // namespace

std::vector<std::string> man_page_names(const CLI::App& program) {
  std::vector<std::string> out{"kilat"};
  for (const CLI::App* command : subcommands(program)) out.push_back("kilat-" + command->get_name());
  out.emplace_back(kSettingsPage);
  return out;
}

std::string_view man_section(std::string_view page) {
  return page == kSettingsPage ? "5" : "1";
}

std::string man_page(const CLI::App& program, std::string_view page) {
  if (page == "kilat") return program_page(program);
  if (page == kSettingsPage) return settings_page(program);
  if (page.starts_with("kilat-")) page.remove_prefix(6);
  for (const CLI::App* command : subcommands(program)) {
    if (command->get_name() == page) return command_page(program, *command);
  }
  return {};
}

}  // namespace kilat::cli
