# The interface target troupe_hardening carries the compiler flags that make memory errors harder to exploit. A program
# that links `troupe` can link it too. docs/security.md lists the flags.
include(CheckCXXCompilerFlag)

option(TROUPE_HARDENING "Build with stack protection, fortified libc calls, control-flow protection and full RELRO" ON)

add_library(troupe_hardening INTERFACE)
# The reason why this build is not hardened; empty if it is hardened. tests/process/hardening_test.cpp prints it.
set(TROUPE_UNHARDENED)
if(NOT TROUPE_HARDENING)
  set(TROUPE_UNHARDENED "TROUPE_HARDENING is off")
elseif(TROUPE_SANITIZE)
  set(TROUPE_UNHARDENED "it has sanitizers (TROUPE_SANITIZE)")
elseif(TROUPE_FUZZ)
  set(TROUPE_UNHARDENED "it is for fuzzing (TROUPE_FUZZ)")
endif()
# Not with the sanitizers: they have stronger checks and intercept the calls that FORTIFY replaces.
if(NOT TROUPE_UNHARDENED)
  foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection=full)
    string(MAKE_C_IDENTIFIER "TROUPE_HAS${flag}" has_flag)
    check_cxx_compiler_flag(${flag} ${has_flag}) # some flags exist only for some processors
    if(${has_flag})
      target_compile_options(troupe_hardening INTERFACE ${flag})
    endif()
  endforeach()
  # FORTIFY needs an optimizing build. The compilers of some distributions already define it.
  set(fortified $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)
  target_compile_options(troupe_hardening INTERFACE $<${fortified}:-U_FORTIFY_SOURCE> $<${fortified}:-D_FORTIFY_SOURCE=2>)
  target_compile_definitions(troupe_hardening INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(troupe_hardening INTERFACE LINKER:-z,relro,-z,now,-z,noexecstack)
endif()
