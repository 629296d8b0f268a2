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
        try describe(try world.loader.stage(path))
    }

    /// Describes a plugin that was staged.
    func describe(_ plugin: StagedPlugin) throws -> PluginReport {
        guard let report = try verdict(on: plugin).report else {
            throw PluginError(.notLoadable, plugin.file, "the scan said nothing of it")
        }
        return report
    }

    /// The verdict on a plugin: that of an earlier scan by this version, or of a new one.
    ///
    /// - Parameters:
    ///   - plugin: The plugin.
    ///   - isAnew: Whether to scan it in any case.
    /// - Returns: The verdict; it is remembered beside the plugin's copy.
    /// - Throws: ``PluginError`` that says what is wrong with the file, or how the child ended.
    func verdict(on plugin: StagedPlugin, anew isAnew: Bool = false) throws -> ScanVerdict {
        if !isAnew, let known = earlierVerdict(on: plugin) { return known }
        let verdict = try scan(plugin)
        // One that was refused is scanned again: what was missing may be there then.
        if let refusal = verdict.refusal {
            throw PluginError(refusal.code, plugin.file, refusal.message)
        }
        remember(verdict, plugin)
        return verdict
    }

    // MARK: - Memory

    private static let noteName = "scan-\(HostTable.version)-abi-\(HostTable.abi).json"

    private func earlierVerdict(on plugin: StagedPlugin) -> ScanVerdict? {
        guard let bytes = world.loader.note(Self.noteName, of: plugin),
            let verdict = try? JSONDecoder().decode(  // Then it is scanned again.
                ScanVerdict.self,
                from: Data(bytes)
            ),
            verdict.host == ScanVerdict.currentHost, verdict.report != nil
        else { return nil }
        return verdict
    }

    private func remember(_ verdict: ScanVerdict, _ plugin: StagedPlugin) {
        do {
            let bytes = Array(try Console.json(verdict).utf8)
            try world.loader.setNote(Self.noteName, of: plugin, to: bytes)
        } catch {
            // The next start scans again, which costs a moment and nothing else.
        }
    }

    // MARK: - The child

    private func scan(_ plugin: StagedPlugin) throws -> ScanVerdict {
        let path = plugin.file
        let result: ProcessResult
        do {
            result = try world.processes.runSelf(
                arguments: ["scan", plugin.image],
                timeoutMilliseconds: Self.timeoutMilliseconds
            )
        } catch {
            throw PluginError(.notLoadable, path, "cannot start a process to scan it: \(error)")
        }
        let errorOutput = String(decoding: result.errorOutput, as: UTF8.self)
        let end = Self.text(result.end, errorOutput, plugin)
        guard var verdict = ScanVerdict.last(in: result.output) else {
            throw PluginError(.notLoadable, path, end ?? "the scan said nothing of it")
        }
        // The plugin was loaded, so that only the trials can have ended the child.
        if verdict.refusal == nil { verdict.trialEnd = end }
        verdict.errorOutput = String(errorOutput.prefix(Self.textLengthMax))
        return verdict
    }

    /// How a child ended that should have ended well; nil when it did.
    private static func text(
        _ end: ProcessResult.End,
        _ errorOutput: String,
        _ plugin: StagedPlugin
    ) -> String? {
        let crash = crash(errorOutput, plugin)
        switch end {
        case .exited(0):
            return nil
        case .exited(let status):
            return crash.map { "crashed while it was scanned: \($0)\(hint)" }
                ?? "ended the process that scanned it (status \(status))\(hint)"
        case .signalled(let number):
            return "crashed while it was scanned: \(crash ?? SignalName.of(number))\(hint)"
        case .timedOut:
            return "did not finish loading within \(timeoutMilliseconds / 1000) s; "
                + "constructors and \(HostTable.entryName) must not block"
        }
    }

    private static let hint =
        "; look at its constructors, at \(HostTable.entryName) and at create (it may use "
        + "\(ScanSandbox.memoryByteCountMax >> 20) MiB)"
    private static let textLengthMax = 64 << 10

    /// The last line of a crash report, without its beginning.
    private static func crash(_ text: String, _ plugin: StagedPlugin) -> String? {
        let line = text.split(separator: "\n").last { $0.contains("apus: crash: ") }
        return line?.split(separator: "apus: crash: ").last
            .map { $0.replacingOccurrences(of: plugin.image, with: plugin.file) }
    }
}
