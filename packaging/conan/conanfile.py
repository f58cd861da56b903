"""A Conan 2 recipe that packages the checkout that it is part of: conan create packaging/conan --build=missing"""

import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

required_conan_version = ">=2.0"


class TroupeConan(ConanFile):
    name = "troupe"
    license = "BSD-3-Clause"
    description = "Replicated, fault-tolerant actors for the C++ Actor Framework"
    topics = ("actors", "raft", "consensus", "replication", "high-availability")
    package_type = "static-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"fPIC": [True, False]}
    default_options = {"fPIC": True}

    def set_version(self):
        cmake = load(self, os.path.join(self.recipe_folder, "..", "..", "CMakeLists.txt"))
        self.version = re.search(r"project\(troupe VERSION ([\d.]+)", cmake)[1]

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..")
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "raft/*", "services/*", "discovery/*", "actors/*",
                        "runtime/*"):
            copy(self, pattern, root, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("Troupe runs on Linux")

    def requirements(self):
        # Users' programs include headers of the first four.
        self.requires("caf/[>=1.1 <1.2]", transitive_headers=True)
        self.requires("msgpack-cxx/[>=4.1 <8]", transitive_headers=True)
        self.requires("fmt/[>=9.1]", transitive_headers=True)
        self.requires("boost/[>=1.74]", transitive_headers=True)
        self.requires("libcurl/[>=7.87 <9]")
        self.requires("nlohmann_json/[>=3.11]")
        self.requires("openssl/[>=3.0 <4]")
        self.requires("spdlog/[>=1.10]")
        self.requires("xxhash/[>=0.8]")
        # Conan Center has no Avahi: install the system's libavahi-client.

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.variables["TROUPE_BUILD_TESTS"] = False
        toolchain.variables["TROUPE_BUILD_EXAMPLES"] = False
        toolchain.variables["TROUPE_INSTALL"] = True
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()

    def package_info(self):
        # The package has its own package file for CMake.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "troupe")]
