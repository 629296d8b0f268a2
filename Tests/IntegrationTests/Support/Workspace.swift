import Foundation
import Glibc

/// A temporary folder in which programs run; it goes away with this object.
final class Workspace {
    let path: String
    private var runCount = 0

    init() throws {
        let folder = FileManager.default.temporaryDirectory
        let template = folder.appending(path: "apus-integration-XXXXXX").path
        var name = Array(template.utf8CString)
        guard mkdtemp(&name) != nil else {
            throw Child.Failure(description: "cannot make a folder like \(template)")
        }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        // What is left behind lies among temporary files and does no harm.
        try? FileManager.default.removeItem(atPath: path)
    }

    // MARK: - Files

    /// The path of a file in the folder.
    func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, in place if there is one.
    func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }

    /// Writes a file, in place if there is one.
    func write(_ name: String, _ bytes: Data) throws {
        try bytes.write(to: URL(filePath: path(name)))
    }

    /// Adds to the end of a file.
    func append(_ name: String, _ text: String) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: path(name)))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    /// Writes `job.yaml`.
    func write(_ job: Job) throws { try write("job.yaml", job.text) }

    /// The content of a file; empty when there is none.
    func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path(name)) ?? Data(), as: UTF8.self)
    }

    /// The lines of a file.
    func lines(_ name: String) -> [String] { text(name).lineList }

    /// Whether there is a file.
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    // MARK: - Programs

    /// Runs `apus` in the folder and waits for its end.
    func apus(_ arguments: String..., environment: [String: String] = [:]) throws -> Run {
        try start(arguments, environment: environment).finish()
    }

    /// Starts `apus` in the folder.
    func start(
        _ arguments: [String],
        environment: [String: String] = [:],
        input: Child.Input = .nothing
    ) throws -> Child {
        try launch([Program.apus()] + arguments, environment: environment, input: input)
    }

    /// Runs a line of shell in the folder, with the path of `apus` as `$0`.
    func shell(_ line: String) throws -> Run {
        try tool(["bash", "-c", line, Program.apus()])
    }

    /// Runs a tool that is on the `PATH` in the folder.
    @discardableResult
    func tool(_ arguments: [String]) throws -> Run {
        try launch(arguments).finish()
    }

    private func launch(
        _ arguments: [String],
        environment: [String: String] = [:],
        input: Child.Input = .nothing
    ) throws -> Child {
        runCount += 1
        var variables = ProcessInfo.processInfo.environment
        variables["APUS_PLUGIN_PATH"] = nil
        variables["APUS_CACHE"] = path("cache")
        variables.merge(environment) { _, new in new }
        let command = Child.Command(
            arguments: arguments,
            folder: path,
            environment: variables,
            input: input
        )
        return try Child(command, logs: ".run-\(runCount)", in: path)
    }
}

extension String {
    /// The lines, without their line feeds.
    var lineList: [String] { split(separator: "\n").map(String.init) }
}
