"""Where the headers of every minor version are, and since which one each thing is there."""

from pathlib import Path

import compare
import headers
import layout

ROOT = Path(__file__).resolve().parents[2]
CURRENT = ROOT / "sdk/c/include"
# Headers of released versions, frozen. On a release: copy `sdk/c/include/apus`, add a line here.
RELEASED = {
    1: ROOT / "Tests/Plugins/Headers01",
    2: ROOT / "Tests/Plugins/Headers02",
}
MAJOR = 0


class Version:
    """The headers of one minor version, read and measured."""

    def __init__(self, folder):
        self.folder = folder
        self.headers = headers.read_folder(folder)
        self.layout = layout.Layout(folder, self.headers)
        self.minor = self.layout.constants["APUS_ABI_MINOR"][1]
        if self.layout.constants["APUS_ABI_MAJOR"][1] != MAJOR:
            raise headers.HeaderError(f"{folder}: the major version is not {MAJOR}")
        self.macros = {macro.name for header in self.headers for macro in header.of(headers.Macro)}
        self.functions = {
            item.name for header in self.headers for item in header.of(headers.Function)
        }

    @property
    def name(self):
        return f"{MAJOR}.{self.minor}"

    @property
    def structs(self):
        return [struct for header in self.headers for struct in header.of(headers.Struct)]


class History:
    """All versions, oldest first; the last one is the current one."""

    def __init__(self):
        self.versions = [Version(folder) for folder in RELEASED.values()]
        self.current = Version(CURRENT)
        for minor, version in zip(RELEASED, self.versions):
            if version.minor != minor:
                raise headers.HeaderError(f"{version.folder} says it is {version.name}")
        if self.current.minor in RELEASED:
            raise headers.HeaderError(f"{self.current.name} is released; raise APUS_ABI_MINOR")
        self.versions.append(self.current)
        self.frozen = compare.NEVER_GROW

    def first(self, has):
        """The first minor version that has something."""
        return next(version.minor for version in self.versions if has(version))

    def since_struct(self, name):
        return self.first(lambda version: name in version.layout.sizes)

    def since_field(self, struct, path):
        return self.first(lambda version: (struct, path) in version.layout.places)

    def since_macro(self, name):
        return self.first(lambda version: name in version.macros)

    def since_function(self, name):
        return self.first(lambda version: name in version.functions)

    def wrong_comments(self):
        """Fields whose "Since 0.x" is missing, or not what the frozen headers say."""
        for struct in self.current.structs:
            said, born = None, self.since_struct(struct.name)
            for field in struct.fields:
                found = headers.since(field.comment)
                said = said if found is None else found
                actual = self.since_field(struct.name, field.name)
                if (said or born) != actual and not (said and said <= born == actual):
                    yield (
                        f"{struct.name}.{field.name} is there since {MAJOR}.{actual}, "
                        f"but its comment says {MAJOR}.{said or born}"
                    )
