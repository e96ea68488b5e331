# kilat_npm(source out): `npm ci` of the locked packages of a folder, into OUT/node_modules; OUT/npm.stamp says that it is
# done. npm runs in the build directory, so the source tree stays clean and several builds cannot meet in one
# node_modules. Finds KILAT_NODE and KILAT_NPM.
find_program(KILAT_NODE NAMES node nodejs)
find_program(KILAT_NPM npm)

function(kilat_npm source out)
  set(lock ${source}/package.json ${source}/package-lock.json ${source}/.npmrc)
  add_custom_command(
    OUTPUT ${out}/npm.stamp
    COMMAND ${CMAKE_COMMAND} -E make_directory ${out}
    COMMAND ${CMAKE_COMMAND} -E copy ${lock} ${out}/
    COMMAND ${CMAKE_COMMAND} -E chdir ${out} ${KILAT_NPM} ci --ignore-scripts --prefer-offline --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${out}/npm.stamp
    DEPENDS ${lock}
    COMMENT "Fetching the npm packages of ${source}"
    VERBATIM)
endfunction()
