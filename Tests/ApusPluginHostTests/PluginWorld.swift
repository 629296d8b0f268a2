import ApusIO
import ApusPluginHost
import ApusTestPlugins
import Foundation

/// A loader with an image folder of its own.
final class PluginWorld {
    let folder: TestFolder
    let loader: PluginLoader

    init() throws {
        folder = try TestFolder()
        loader = PluginLoader(disk: LinuxDisk(), imageDirectory: folder.file("images"))
    }

    /// Loads a plugin that must be refused, and tells why.
    func refusal(_ path: String) -> PluginError? {
        do throws(PluginError) {
            _ = try loader.load(path)
            return nil
        } catch {
            return error
        }
    }

    /// Loads a file with this content that must be refused, and tells why.
    func refusal(_ bytes: [UInt8]) throws -> PluginError? {
        refusal(try folder.write("plugin.so", bytes))
    }

    /// The content of a file.
    static func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: path)))
    }
}
