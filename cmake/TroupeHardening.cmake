# One interface target carries the flags that make memory errors harder to exploit. A program that links `troupe` may link
# `troupe_hardening` too. docs/security.md lists the flags.
include(CheckCXXCompilerFlag)

option(TROUPE_HARDENING "Build with stack protection, fortified libc calls, control-flow protection and full RELRO" ON)

add_library(troupe_hardening INTERFACE)
# Why a build is not hardened; empty if it is. tests/process/hardening_test.cpp shows it.
set(TROUPE_UNHARDENED)
if(NOT TROUPE_HARDENING)
  set(TROUPE_UNHARDENED "TROUPE_HARDENING is off")
elseif(TROUPE_SANITIZE)
  set(TROUPE_UNHARDENED "it has sanitizers (TROUPE_SANITIZE)")
elseif(TROUPE_FUZZ)
  set(TROUPE_UNHARDENED "it is for fuzzing (TROUPE_FUZZ)")
endif()
# The sanitizers bring stronger checks of their own, and intercept the calls that FORTIFY replaces.
if(NOT TROUPE_UNHARDENED)
  foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection=full)
    string(MAKE_C_IDENTIFIER "TROUPE_HAS${flag}" has_flag)
    check_cxx_compiler_flag(${flag} ${has_flag}) # some exist for some processors alone
    if(${has_flag})
      target_compile_options(troupe_hardening INTERFACE ${flag})
    endif()
  endforeach()
  # FORTIFY needs an optimizing build. A distribution's compiler may define it already.
  set(fortified $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)
  target_compile_options(troupe_hardening INTERFACE $<${fortified}:-U_FORTIFY_SOURCE> $<${fortified}:-D_FORTIFY_SOURCE=2>)
  target_compile_definitions(troupe_hardening INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(troupe_hardening INTERFACE LINKER:-z,relro,-z,now,-z,noexecstack)
endif()
