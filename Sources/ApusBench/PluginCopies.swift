package import ApusCore
package import ApusPluginHost

/// Plugin files that differ in their content alone, as versions of one plugin do.
///
/// Each is the same file with its number and zeros behind what the loader maps, so that its SHA-256
/// is another one.  One thread.
package final class PluginCopies {
    private let loader: PluginLoader
    private let disk: any Disk
    private let content: [UInt8]
    private let folder: String
    private let byteCount: Int
    private let distinctCount: Int
    private var loaded: [(number: Int, plugin: LoadedPlugin)] = []

    /// How many distinct files were loaded.
    package private(set) var loadedCount = 0
    /// How many of those are unloaded again.
    package private(set) var unloadedCount = 0

    /// Creates copies of a file.
    ///
    /// - Parameters:
    ///   - file: The plugin.
    ///   - folder: Where copies go; made when missing.
    ///   - byteCount: The size of a copy, if the file is not larger.
    ///   - distinctCount: How many different ones there are: number n is the same file as n plus
    ///     that.
    ///   - loader: Loads them.
    ///   - disk: Where the files are.
    /// - Throws: ``BenchmarkFailure`` when the file cannot be read.
    package init(
        of file: String,
        folder: String,
        byteCount: Int,
        distinctCount: Int,
        loader: PluginLoader,
        disk: any Disk
    ) throws(BenchmarkFailure) {
        self.loader = loader
        self.disk = disk
        self.folder = folder
        self.byteCount = byteCount
        self.distinctCount = distinctCount
        do {
            content = try disk.readPlainFile(file, maximumByteCount: 1 << 30)
            try disk.makeDirectory(folder)
        } catch {
            throw BenchmarkFailure("\(error)")
        }
    }

    /// Writes a copy; not part of what is measured.
    func write(_ number: Int) throws(BenchmarkFailure) {
        // SAFETY: the bytes are copied before the number goes.
        var bytes = content + withUnsafeBytes(of: (number % distinctCount).bigEndian) { Array($0) }
        if bytes.count < byteCount {
            bytes += [UInt8](repeating: 0, count: byteCount - bytes.count)
        }
        do {
            try disk.writeAtomically(bytes, to: path(number), mode: 0o700)
        } catch {
            throw BenchmarkFailure("\(error)")
        }
    }

    /// Loads a copy that was written.
    func load(_ number: Int) throws(BenchmarkFailure) -> LoadedPlugin {
        do {
            let plugin = try loader.load(path(number))
            if !loaded.contains(where: { $0.plugin === plugin }) {
                loadedCount += 1
                loaded.append((number, plugin))
            }
            return plugin
        } catch {
            throw BenchmarkFailure("\(error)")
        }
    }

    /// Unloads what was loaded before a number, as far as nobody uses it any more.
    func unload(before number: Int) throws(BenchmarkFailure) {
        guard distinctCount > 2 else { return }
        var left: [(number: Int, plugin: LoadedPlugin)] = []
        for (own, plugin) in loaded {
            guard own < number, plugin.users.isEmpty else {
                left.append((own, plugin))
                continue
            }
            do {
                if try loader.unload(plugin).isUnloaded {
                    unloadedCount += 1
                } else {
                    left.append((own, plugin))
                }
            } catch {
                throw BenchmarkFailure("\(error)")
            }
        }
        loaded = left
    }

    private func path(_ number: Int) -> String { "\(folder)/libcopy-\(number % distinctCount).so" }
}
