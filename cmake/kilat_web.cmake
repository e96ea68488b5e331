# kilat_web(target): bundles the pages of web/ (npm ci, esbuild) and compiles their bytes into the target.
# KILAT_WEB=OFF needs neither node nor a network: the table of assets is empty then.

include(kilat_npm)

option(KILAT_WEB "Embed the live page (needs node and npm)" ON)

function(kilat_web target)
  set(web ${CMAKE_SOURCE_DIR}/web)
  set(out ${CMAKE_BINARY_DIR}/web)
  set(generated ${out}/assets.gen.cc)

  if(NOT KILAT_WEB)
    file(CONFIGURE OUTPUT ${out}/no_assets.gen.cc @ONLY CONTENT [[
#include "console/asset_table.h"

std::span<const kilat::console::Asset> kilat::console::asset_table() { return {}; }
]])
    target_sources(${target} PRIVATE ${out}/no_assets.gen.cc)
    target_compile_definitions(${target} PUBLIC KILAT_WEB=0)
    return()
  endif()

  if(NOT KILAT_NODE OR NOT KILAT_NPM)
    message(FATAL_ERROR "The live page is bundled by node and npm, which are not here.\n"
      "  try   apt install nodejs npm\n  or    cmake -DKILAT_WEB=OFF … (a binary without the page)")
  endif()

  kilat_npm(${web} ${out})

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${web}/src/* ${web}/public/*)
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${KILAT_NODE} ${web}/build.mjs --modules ${out}/node_modules --out ${out}/dist
    COMMAND ${KILAT_NODE} ${web}/embed.mjs --from ${out}/dist --to ${generated}
    DEPENDS ${out}/npm.stamp ${sources} ${web}/build.mjs ${web}/embed.mjs
    COMMENT "Bundling the web page"
    VERBATIM)
  # The page's script is longer than the shortest string limit that a compiler may have; GCC and clang have none.
  set_source_files_properties(${generated} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
  target_sources(${target} PRIVATE ${generated})
  target_compile_definitions(${target} PUBLIC KILAT_WEB=1)
endfunction()
