import Foundation
import Synchronization

/// Plugins for tests, compiled when they are first asked for.
///
/// What is compiled lies in a folder for temporary files, under a name made from the sources, the
/// headers and the options; so all processes of a test run share it.
package enum TestPlugin {
    /// The path of `Tests/Plugins/Probe`: a well-behaved plugin.
    package static func probe() throws -> String {
        try build("probe", ["Tests/Plugins/Probe/probe.c"])
    }

    /// The path of the same plugin, compiled with the headers of ABI 0.1.
    package static func oldProbe() throws -> String {
        try build(
            "old-probe",
            ["Tests/Plugins/Probe/probe.c"],
            include: "Tests/Plugins/Headers01"
        )
    }

    /// The path of `Tests/Plugins/Hostile`: every component misbehaves in one way.
    package static func hostile() throws -> String {
        try build("hostile", ["Tests/Plugins/Hostile/hostile.cpp"])
    }

    /// The path of `Tests/Plugins/Faulty`: a sound plugin, or the same with a fault.
    ///
    /// - Parameter fault: The check that must find it, "E48"; nil for none.
    /// - Returns: The path.
    /// - Throws: What the compiler complained of.
    package static func faulty(_ fault: String?) throws -> String {
        try build(
            "faulty",
            ["Tests/Plugins/Faulty/faulty.c"],
            options: fault.map { ["-DFAULT_\($0)"] } ?? []
        )
    }

    /// The path of `Tests/Plugins/Kinds`: aggregates, broadcast and operator state.
    package static func kinds() throws -> String {
        try build("kinds", ["Tests/Plugins/Kinds/kinds.c"])
    }

    /// The path of `Tests/Plugins/Async`: asynchronous calls that end in many ways.
    package static func async() throws -> String {
        try build("async", ["Tests/Plugins/Async/async.c"])
    }

    /// The path of `Tests/Plugins/Endpoints`: sources, sinks, codecs, a snapshot, a secret.
    package static func endpoints() throws -> String {
        try build("endpoints", ["Tests/Plugins/Endpoints/endpoints.c"])
    }

    /// The path of `Plugins/Files`.
    package static func files() throws -> String {
        let names = [
            "append_sink", "config", "epochs_sink", "folder_source", "length_prefixed_codec",
            "plugin",
        ]
        return try build(
            "files",
            names.map { "Plugins/Files/\($0).c" },
            options: ["-D_GNU_SOURCE"]
        )
    }

    /// The path of `Tests/Plugins/Trespasser`: calls the host where it may not.
    package static func trespasser() throws -> String {
        try build("trespasser", ["Tests/Plugins/Trespasser/trespasser.c"])
    }

    /// The path of `Tests/Plugins/Functions` in C: functions, and no plugin.
    package static func functions() throws -> String {
        try build("functions", ["Tests/Plugins/Functions/functions.c"])
    }

    /// The path of `Tests/Plugins/Functions` in C++: functions that throw.
    package static func throwingFunctions() throws -> String {
        try build("throwing", ["Tests/Plugins/Functions/throwing.cpp"])
    }

    /// The path of `Tests/Plugins/WrongMajor`: made for another major version of the ABI.
    package static func wrongMajor() throws -> String {
        try build("wrong-major", ["Tests/Plugins/WrongMajor/wrong_major.c"])
    }

    /// The path of `Tests/Plugins/BadDescription`, spoilt by a C statement.
    package static func badDescription(
        _ change: String,
        noteFlags: String = "0"
    ) throws -> String {
        try build(
            "bad-description",
            ["Tests/Plugins/BadDescription/bad_description.c"],
            options: ["-DCHANGE=\(change)", "-DNOTE_FLAGS=\(noteFlags)"]
        )
    }

    /// The path of a library or program compiled from a text.
    ///
    /// - Parameters:
    ///   - name: Part of the file's name, for people.
    ///   - text: The source.
    ///   - suffix: "c" or "cpp".
    ///   - isShared: Whether it is a shared library and not a program.
    ///   - options: Further options of the compiler.
    /// - Returns: The path.
    /// - Throws: What the compiler complained of.
    package static func source(
        _ name: String,
        _ text: String,
        suffix: String = "c",
        isShared: Bool = true,
        options: [String] = []
    ) throws -> String {
        let file = folder.appending(path: "\(name)-\(digest([text])).\(suffix)")
        try replaceAtomically(file, with: Data(text.utf8))
        return try build(name, [file.path], options: options, isShared: isShared)
    }

    /// The root of the repository: what `sdk` and `Tests` are found under.
    package static let root: URL = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    // MARK: - The compiler

    private static let folder: URL = {
        let path = "apus-test-plugins-\(ProcessInfo.processInfo.userName)"
        let url = FileManager.default.temporaryDirectory.appending(path: path)
        try? FileManager.default.createDirectory(  // A missing folder shows at the first write.
            at: url,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        return url
    }()

    /// All headers of the SDK, as one text.
    private static let headers: String = {
        let include = root.appending(path: "sdk/c/include/apus")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: include.path)) ?? []
        // An unreadable header makes the compiler say so.
        return names.sorted()
            .map { (try? String(contentsOf: include.appending(path: $0), encoding: .utf8)) ?? "" }
            .joined()
    }()

    private static func build(
        _ name: String,
        _ sources: [String],
        options: [String] = [],
        isShared: Bool = true,
        include: String = "sdk/c/include"
    ) throws -> String {
        let files = sources.map { $0.hasPrefix("/") ? URL(filePath: $0) : root.appending(path: $0) }
        let texts = try files.map { try String(contentsOf: $0, encoding: .utf8) }
        let key = digest([headers, include] + texts + options + [isShared ? "shared" : "program"])
        let product = folder.appending(path: "\(name)-\(key)\(isShared ? ".so" : "")")
        if FileManager.default.fileExists(atPath: product.path) { return product.path }
        let isCPlusPlus = files.contains { $0.pathExtension == "cpp" }
        let temporary =
            product.path + ".\(ProcessInfo.processInfo.processIdentifier)"
            + ".\(buildCount.add(1, ordering: .relaxed).newValue)"
        try run(
            [isCPlusPlus ? "clang++" : "clang", isCPlusPlus ? "-std=c++17" : "-std=c11"]
                + ["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"]
                + (isShared ? ["-shared", "-fPIC"] : [])
                + ["-I", root.appending(path: include).path] + options
                + files.map(\.path) + ["-o", temporary]
        )
        guard rename(temporary, product.path) == 0 else {
            throw BuildError(description: "cannot rename \(temporary): errno \(errno)")
        }
        return product.path
    }

    private static let buildCount = Atomic<Int>(0)

    private static func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = String(
            decoding: errors.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BuildError(description: "\(arguments.joined(separator: " ")):\n\(text)")
        }
    }

    private static func replaceAtomically(_ file: URL, with data: Data) throws {
        if (try? Data(contentsOf: file)) == data { return }  // Nothing there yet, or cut off.
        try data.write(to: file, options: .atomic)
    }

    /// FNV-1a over all texts: names files, no more.
    private static func digest(_ texts: [String]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for text in texts {
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0xff) &* 0x100_0000_01b3
        }
        return String(hash, radix: 16)
    }

    /// The compiler's complaint.
    private struct BuildError: Error, CustomStringConvertible {
        let description: String
    }
}
