# One static binary: it must run in an image FROM scratch, and in any container whatever its libraries.
#
# The packages' CMake targets stand for shared libraries only, so our own archives are named one by one and the
# packages' come from pkg-config.

pkg_check_modules(GRPC_STATIC REQUIRED grpc++)
pkg_check_modules(PROTOBUF_STATIC REQUIRED protobuf)

# Debian has no static libfmt.
add_library(mirrorfs_static_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/static_fmt.cc)
target_compile_options(mirrorfs_static_fmt PRIVATE -w)

# All static libraries of the project that `library` needs, itself included.
function(mirrorfs_collect_archives library result)
  set(archives ${${result}})
  if(NOT library IN_LIST archives)
    list(APPEND archives ${library})
    get_target_property(needed ${library} LINK_LIBRARIES)
    foreach(name IN LISTS needed)
      string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" name "${name}")
      if(name MATCHES "^mirrorfs_" AND TARGET ${name})
        mirrorfs_collect_archives(${name} archives)
      endif()
    endforeach()
  endif()
  set(${result} ${archives} PARENT_SCOPE)
endfunction()

function(mirrorfs_link_static program)
  set(archives mirrorfs_static_fmt)
  foreach(library mirrorfs_agent_shared mirrorfs_agent_service mirrorfs_privileges mirrorfs_target)
    mirrorfs_collect_archives(${library} archives)
  endforeach()
  set(files)
  foreach(archive IN LISTS archives)
    list(APPEND files $<TARGET_FILE:${archive}>)
  endforeach()
  add_dependencies(${program} ${archives})
  set_property(TARGET ${program} APPEND PROPERTY LINK_DEPENDS ${files})
  set(packages ${GRPC_STATIC_STATIC_LDFLAGS} ${PROTOBUF_STATIC_STATIC_LDFLAGS})
  list(REMOVE_DUPLICATES packages)
  list(REMOVE_ITEM packages -pthread -ldl)
  # A static glibc cannot load the libraries behind its name lookups; the agent makes none.
  target_link_libraries(${program} PRIVATE
    -static -Wl,--start-group ${files} ${packages} -lboost_program_options -lseccomp -lpthread -ldl -Wl,--end-group)
endfunction()
