import ApusPluginHost
import ApusTestPlugins
import Foundation
import Glibc
import Testing

/// Goal: what is loaded is a private copy of a checked file.
///
/// Method: real files, real dlopen.
@Suite("Plugin loader")
struct PluginLoaderTests {
    // MARK: - Refusals

    @Test("a missing file is refused with the path")
    func aMissingFileIsRefusedWithThePath() throws {
        let world = try PluginWorld()
        let path = world.folder.file("nothing.so")
        let error = world.refusal(path)
        #expect(
            error
                == PluginError(
                    .unreadable,
                    path,
                    "No such file or directory; is the path right?"
                )
        )
        #expect(
            error?.description == "\(path): No such file or directory; is the path right?"
        )
    }

    @Test("a folder is refused")
    func aFolderIsRefused() throws {
        let world = try PluginWorld()
        #expect(
            world.refusal(world.folder.path)?.message == "Is a directory; is the path right?"
        )
    }

    @Test("an empty file and a text are refused")
    func anEmptyFileAndATextAreRefused() throws {
        let world = try PluginWorld()
        let message = "not an ELF file; expected a shared library (.so)"
        #expect(try world.refusal([])?.message == message)
        #expect(try world.refusal(Array("kind: Job\n".utf8))?.message == message)
    }

    @Test("a library without the entry function is not a plugin")
    func aLibraryWithoutTheEntryFunctionIsNotAPlugin() throws {
        let path = try TestPlugin.source("no-entry", "int x(void); int x(void) { return 1; }\n")
        let error = try PluginWorld().refusal(path)
        #expect(error?.code == .notAPlugin)
        #expect(
            error?.message == "a shared library, but not an Apus plugin: it does not export "
                + "apus_plugin_v0; define it with APUS_EXPORT"
        )
    }

    @Test("an entry function that is only called, not defined, does not count")
    func anEntryFunctionThatIsOnlyCalledDoesNotCount() throws {
        let path = try TestPlugin.source(
            "undefined-entry",
            "#include \"apus/apus.h\"\nAPUS_EXPORT const void *x(void);\n"
                + "const void *x(void) { return apus_plugin_v0(NULL, NULL); }\n"
        )
        #expect(try PluginWorld().refusal(path)?.code == .notAPlugin)
    }

    @Test("a plugin for another major version is incompatible")
    func aPluginForAnotherMajorVersionIsIncompatible() throws {
        let error = try PluginWorld().refusal(TestPlugin.wrongMajor())
        #expect(error?.code == .incompatible)
        #expect(
            error?.message == "made for ABI major 9, this host has major 0; compile it with this "
                + "version's headers"
        )
    }

    @Test("a symbol that nobody defines is an error when loading, not later")
    func aSymbolThatNobodyDefinesIsAnErrorWhenLoading() throws {
        let path = try TestPlugin.source(
            "unresolved",
            """
            #include "apus/apus.h"
            int nowhere_to_be_found(void);
            const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
                (void)host;
                apus_fail(error, nowhere_to_be_found(), "");
                return NULL;
            }

            """
        )
        let error = try PluginWorld().refusal(path)
        #expect(error?.code == .notLoadable)
        #expect(error?.message == "the file: undefined symbol: nowhere_to_be_found")
        #expect(error?.subject == path)
    }

    @Test("an entry function that returns NULL tells why, or that it does not")
    func anEntryFunctionThatReturnsNullTellsWhy() throws {
        let world = try PluginWorld()
        let silent = world.refusal(try TestPlugin.badDescription("return NULL"))
        #expect(silent?.code == .incompatible)
        #expect(silent?.message == "refused to load: the entry function returned NULL")
        let wordy = world.refusal(
            try TestPlugin.badDescription(
                "return apus_fail(error, APUS_UNSUPPORTED, \"needs a GPU\"), NULL"
            )
        )
        #expect(wordy?.code == .incompatible)
        #expect(wordy?.message == "refused to load: needs a GPU")
    }

    @Test("an entry function that throws is not loadable")
    func anEntryFunctionThatThrowsIsNotLoadable() throws {
        let path = try TestPlugin.source(
            "entry-throws",
            """
            #include <stdexcept>
            #include "apus/apus.h"
            const apus_plugin *apus_plugin_v0(const apus_host *, apus_error *) {
                throw std::runtime_error("no licence found");
            }

            """,
            suffix: "cpp"
        )
        let error = try PluginWorld().refusal(path)
        #expect(error?.code == .notLoadable)
        #expect(error?.message == "the entry function threw an exception: no licence found")
    }

    // MARK: - The private copy

    @Test("overwriting and deleting the file harms no loaded plugin")
    func overwritingAndDeletingTheFileHarmsNoLoadedPlugin() throws {
        let world = try PluginWorld()
        let path = try world.folder.write(
            "probe.so",
            PluginWorld.bytes(try TestPlugin.probe())
        )
        let plugin = try world.loader.load(path)
        // In place, as a careless linker does it: the same inode.
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.write(contentsOf: Data(repeating: 0xcc, count: 100_000))
        try file.close()
        try FileManager.default.removeItem(atPath: path)
        let bench = try InstanceBench(plugin, "tagger", configuration: "\"!\"")
        #expect(bench.process(["a", "b"]) == .done)
        #expect(bench.drain().map(\.text) == ["a!", "b!"])
    }

    @Test("the same content is the same plugin, wherever it lies")
    func theSameContentIsTheSamePluginWhereverItLies() throws {
        let world = try PluginWorld()
        let bytes = try PluginWorld.bytes(TestPlugin.probe())
        let one = try world.loader.load(try world.folder.write("one.so", bytes))
        let two = try world.loader.load(try world.folder.write("two.so", bytes))
        #expect(one === two)
        #expect(one.contentHash.utf8.count == 64)
    }

    @Test("new content at the same path is a new plugin, and the old one goes on")
    func newContentAtTheSamePathIsANewPlugin() throws {
        let world = try PluginWorld()
        let path = world.folder.file("plugin.so")
        func load(_ version: String) throws -> LoadedPlugin {
            let built = try TestPlugin.badDescription("plugin.version = TEXT(\"\(version)\")")
            _ = try world.folder.write("plugin.so", PluginWorld.bytes(built))
            return try world.loader.load(path)
        }
        let old = try load("1.0.0")
        let new = try load("2.0.0")
        #expect(old !== new)
        #expect(old.contentHash != new.contentHash)
        #expect(old.description.version == "1.0.0")
        #expect(new.description.version == "2.0.0")
        #expect(try InstanceBench(old, "first").process(["a"]) == .done)
        #expect(try load("1.0.0") === old)
    }

    @Test("the copy and its folders are for their owner only")
    func theCopyAndItsFoldersAreForTheirOwnerOnly() throws {
        let world = try PluginWorld()
        let plugin = try world.loader.load(try TestPlugin.probe())
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        let image = world.folder.file("images/\(plugin.contentHash)")
        #expect(try mode(world.folder.file("images")) == 0o700)
        #expect(try mode(image) == 0o700)
        #expect(try mode(image + "/plugin.so") == 0o500)
        #expect(try FileManager.default.contentsOfDirectory(atPath: image) == ["plugin.so"])
        #expect(
            try PluginWorld.bytes(image + "/plugin.so") == PluginWorld.bytes(TestPlugin.probe())
        )
    }

    @Test("an image folder that cannot be made is an error of the environment")
    func anImageFolderThatCannotBeMadeIsAnErrorOfTheEnvironment() throws {
        let world = try PluginWorld()
        _ = try world.folder.write("images", [1])
        let error = world.refusal(try TestPlugin.probe())
        #expect(error?.code == .unreadable)
        #expect(error?.message.hasSuffix("(the private copy of the plugin)") == true)
    }

    @Test("a copy with other content is replaced, a link in its place is refused")
    func aCopyWithOtherContentIsReplaced() throws {
        let world = try PluginWorld()
        let path = try TestPlugin.probe()
        let bytes = try PluginWorld.bytes(path)
        let image = world.folder.file("images/\(FileDigest.sha256(bytes))")
        for folder in [world.folder.file("images"), image] {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700]
            )
        }
        let copy = image + "/plugin.so"
        // As long as the real one, and as one that was cut off.
        for wrong in [Data(repeating: 1, count: bytes.count), Data([0x7f]), Data(bytes + [0])] {
            try wrong.write(to: URL(filePath: copy))
            chmod(copy, 0o600)
            #expect(try world.loader.stage(path).image == copy)
            #expect(try PluginWorld.bytes(copy) == bytes)
        }
        try FileManager.default.removeItem(atPath: copy)
        try FileManager.default.createSymbolicLink(atPath: copy, withDestinationPath: path)
        let error = world.refusal(path)
        #expect(error?.code == .unreadable)
        #expect(
            error?.message == "cannot read \(copy): a link; expected a file of its own: remove it "
                + "(the private copy of the plugin)"
        )
    }

    @Test("a copy that others can write to is refused")
    func aCopyThatOthersCanWriteToIsRefused() throws {
        let world = try PluginWorld()
        let path = try TestPlugin.probe()
        let copy = try world.loader.stage(path).image
        chmod(copy, 0o722)
        #expect(
            world.refusal(path)?.message == "cannot read \(copy): user \(geteuid()) owns it and "
                + "its mode is 722; expected user \(geteuid()), and nobody else who can write to "
                + "it: remove it (the private copy of the plugin)"
        )
    }

    @Test("a plugin of ABI 0.3 without a note is refused")
    func aPluginWithoutANoteIsRefused() throws {
        let path = try TestPlugin.source(
            "no-note",
            """
            #include "apus/apus.h"
            static int32_t create(const apus_args *a, void **self, apus_error *e) {
                (void)a, (void)e;
                *self = NULL;
                return APUS_OK;
            }
            static void destroy(void *self) { (void)self; }
            static int32_t process(void *self, apus_ctx *ctx, const apus_batch *batch) {
                (void)self, (void)ctx, (void)batch;
                return APUS_OK;
            }
            static const apus_port port = {.size = sizeof port, .name = APUS_STR("main")};
            static const apus_port *const ports[] = {&port};
            static const apus_operator_vt vt = {.size = sizeof vt, .process = process};
            static const apus_component component = {
                .size = sizeof component, .kind = APUS_OPERATOR, .create = create,
                .destroy = destroy, .vt = &vt, .id = APUS_STR("first"), .input_count = 1,
                .output_count = 1, .outputs = ports};
            static const apus_component *const components[] = {&component};
            static const apus_plugin plugin = {
                .size = sizeof plugin, .abi_minor = 3, .id = APUS_STR("test.silent"),
                .version = APUS_STR("1.0.0"), .component_count = 1, .components = components};
            const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
                (void)host, (void)error;
                return &plugin;
            }

            """
        )
        let error = try PluginWorld().refusal(path)
        #expect(error?.code == .incompatible)
        #expect(
            error?.message == "says that it was made for ABI 0.3, and has no note .note.apus, "
                + "which plugins have from 0.3 on; write APUS_PLUGIN_NOTE of apus/note.h in one "
                + "source file"
        )
    }

    @Test("a second plugin with a runtime of its own is refused with the name of the first")
    func aSecondRuntimeIsRefused() throws {
        let world = try PluginWorld()
        func load(_ version: String) throws {
            let built = try TestPlugin.badDescription(
                "plugin.version = TEXT(\"\(version)\")",
                noteFlags: "APUS_NOTE_ONE_RUNTIME"
            )
            _ = try world.loader.load(built)
        }
        try load("1.0.0")
        try load("1.0.0")
        let error = #expect(throws: PluginError.self) { try load("2.0.0") }
        #expect(error?.code == .incompatible)
        #expect(
            error?.message.contains(
                "its runtime can be in a process once only (ONE_RUNTIME, as with Go), and "
                    + "test.description 1.0.0 ("
            ) == true
        )
        #expect(error?.message.hasSuffix("run it in a job of its own") == true)
    }

    // MARK: - Components

    @Test("a component is found by its id, or as the only one")
    func aComponentIsFoundByItsIdOrAsTheOnlyOne() throws {
        let world = try PluginWorld()
        let two = try world.loader.load(try TestPlugin.badDescription(""))
        #expect(try two.componentIndex("second") == 1)
        let unnamed = #expect(throws: PluginError.self) { try two.componentIndex(nil) }
        #expect(
            unnamed?.message
                == "has 2 operators; say which with `component:`, one of first, second"
        )
        let unknown = #expect(throws: PluginError.self) { try two.componentIndex("third") }
        #expect(unknown?.message == "has no component 'third'; expected one of first, second")
        let one = try world.loader.load(try TestPlugin.badDescription("plugin.component_count = 1"))
        #expect(try one.componentIndex(nil) == 0)
    }
}
