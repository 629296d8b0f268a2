import ApusCore
import ApusIO
import ApusPluginHost
import Foundation

/// Has a child process load and describe a plugin, so that nothing the file does can harm this one.
struct PluginScan {
    let world: World

    private static let timeoutMilliseconds: Int32 = 5_000

    /// Describes a plugin.
    ///
    /// - Throws: ``PluginError`` that says what is wrong with the file, or how the child ended.
    func describe(_ path: String) throws -> PluginReport {
        let result: ProcessResult
        do {
            result = try world.processes.runSelf(
                arguments: ["scan", path],
                timeoutMilliseconds: Self.timeoutMilliseconds
            )
        } catch {
            throw PluginError(.notLoadable, path, "cannot start a process to scan it: \(error)")
        }
        switch result.end {
        case .exited(0):
            break
        case .exited:
            // The child has said what is wrong, and with which file.
            let text = String(decoding: result.errorOutput, as: UTF8.self)
            let message = text.trimmingCharacters(in: .whitespacesAndNewlines)
            let prefix = "error: \(path): "
            throw PluginError(
                .notAPlugin,
                path,
                message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : message
            )
        case .signalled(let number):
            let text = String(decoding: result.errorOutput, as: UTF8.self)
                .split(separator: "\n").last { $0.contains("apus: crash") }
            throw PluginError(
                .notLoadable,
                path,
                "crashed while it was scanned: "
                    + (text.map { String($0.dropFirst("apus: crash: ".count)) }
                        ?? SignalName.of(number))
                    + "; look at its constructors and at \(HostTable.entryName)"
            )
        case .timedOut:
            throw PluginError(
                .notLoadable,
                path,
                "did not finish loading within \(Self.timeoutMilliseconds / 1000) s; "
                    + "constructors and \(HostTable.entryName) must not block"
            )
        }
        do {
            return try JSONDecoder().decode(PluginReport.self, from: Data(result.output))
        } catch {
            throw PluginError(
                .notLoadable,
                path,
                "printed to standard output while it was loaded; it must not"
            )
        }
    }
}
