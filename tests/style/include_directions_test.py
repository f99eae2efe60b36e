"""Each rule of include_directions.py finds what breaks it, and lets pass what does not."""

import pathlib
import tempfile
import unittest

import include_directions


class IncludeDirectionsTest(unittest.TestCase):
    def problems(self, path, text):
        with tempfile.TemporaryDirectory() as root:
            file = pathlib.Path(root) / path
            file.parent.mkdir(parents=True)
            file.write_text(text)
            return list(include_directions.problems(root))

    def assert_refused(self, path, text):
        self.assertEqual(1, len(self.problems(path, text)), f"{path}: {text}")

    def assert_allowed(self, path, text):
        self.assertEqual([], self.problems(path, text), f"{path}: {text}")

    def test_programs_do_not_include_each_other(self):
        self.assert_refused("launcher/mount.cc", '#include "fusefs/core/node_table.h"\n')
        self.assert_refused("fusefs/core/node_table.cc", '#include "protos/rootfs/identity.h"\n')
        self.assert_refused("agent/service/service.cc", '#include "launcher/keeper.h"\n')
        self.assert_refused("agent/service/service.cc", '#include "tests/contract/suite.h"\n')

    def test_inner_layers_do_not_know_outer_ones(self):
        self.assert_refused("fusefs/core/node_table.cc", '#include "fusefs/kernel/fuse_session.h"\n')
        self.assert_refused("protos/rootfs/walk.cc", '#include "agent/service/worker_pool.h"\n')
        self.assert_refused("protos/shared/ids.h", '#include "protos/wire/attributes.h"\n')
        self.assert_allowed("fusefs/kernel/trampolines.cc", '#include "fusefs/core/node_table.h"\n')
        self.assert_allowed("agent/service/service.cc", '#include "protos/rootfs/rooted_filesystem.h"\n')

    def test_libraries_stay_at_the_edges(self):
        self.assert_refused("fusefs/core/node_table.cc", "#include <fuse3/fuse_lowlevel.h>\n")
        self.assert_allowed("fusefs/kernel/trampolines.cc", "#include <fuse3/fuse_lowlevel.h>\n")
        self.assert_refused("fusefs/kernel/trampolines.cc", "#include <grpcpp/grpcpp.h>\n")
        self.assert_refused("launcher/keeper.cc", '#include "mirrorfs/v1/filesystem.pb.h"\n')
        self.assert_refused("protos/rootfs/walk.cc", "#include <boost/program_options.hpp>\n")
        self.assert_allowed("agent/options.cc", "#include <boost/program_options.hpp>\n")

    def test_files_are_touched_in_the_rooted_file_system_only(self):
        self.assert_refused("agent/service/service.cc", "int fd = ::open(name, O_RDONLY);\n")
        self.assert_refused("agent/service/service.cc", "std::ifstream in(path);\n")
        self.assert_allowed("protos/rootfs/walk.cc", "int fd = ::openat2(dir, name, &how, sizeof how);\n")
        self.assert_allowed("agent/service/service.cc", "// open(2) is done elsewhere\nfiles.open(name);\n")

    def test_a_file_outside_the_layout_is_reported(self):
        self.assert_refused("fusefs/misc/helper.cc", '#include "protos/shared/ids.h"\n')


if __name__ == "__main__":
    unittest.main()
