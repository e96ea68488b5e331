# cmake --install: the binary, and what it prints about itself: manual pages and completion scripts.
include(GNUInstallDirs)

install(TARGETS kilat RUNTIME)
# Made while installing, so that a build needs no run of its own product.
install(CODE "
  set(out \"${CMAKE_BINARY_DIR}/installed_text\")
  file(REMOVE_RECURSE \"\${out}\")
  file(MAKE_DIRECTORY \"\${out}/man\")
  execute_process(COMMAND \"$<TARGET_FILE:kilat>\" man --directory \"\${out}/man\" COMMAND_ERROR_IS_FATAL ANY)
  foreach(shell bash zsh fish)
    execute_process(COMMAND \"$<TARGET_FILE:kilat>\" completion \${shell} OUTPUT_FILE \"\${out}/kilat.\${shell}\"
      COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
")
foreach(section 1 5)
  install(DIRECTORY ${CMAKE_BINARY_DIR}/installed_text/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section}
    FILES_MATCHING PATTERN "*.${section}")
endforeach()
set(data ${CMAKE_INSTALL_DATAROOTDIR})
install(FILES ${CMAKE_BINARY_DIR}/installed_text/kilat.bash DESTINATION ${data}/bash-completion/completions RENAME kilat)
install(FILES ${CMAKE_BINARY_DIR}/installed_text/kilat.zsh DESTINATION ${data}/zsh/vendor-completions RENAME _kilat)
install(FILES ${CMAKE_BINARY_DIR}/installed_text/kilat.fish DESTINATION ${data}/fish/vendor_completions.d)
