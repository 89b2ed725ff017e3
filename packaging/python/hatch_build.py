"""The wheel's tag: any Python 3, any Linux of the program's CPU, since the program is static."""
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The oldest tags that installers know: pip 19.3 for glibc, 21.0 for musl.
TAG = "py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_1_x86_64"


class Tag(BuildHookInterface):
    def initialize(self, version, build_data):
        build_data["pure_python"] = False
        build_data["tag"] = TAG
