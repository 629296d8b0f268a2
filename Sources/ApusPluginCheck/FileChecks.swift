import ApusCore
import ApusIO
import ApusPluginHost

/// Group A: what the host sees in the file before any code of it runs; `apus plugin inspect` has
/// the details.
enum FileChecks {
    static let all = [
        check("A1", "machine", "The file is a shared library for this machine", 1),
        check("A2", "whole-file", "Everything that the file speaks of lies within it", 1),
        check("A3", "note", "A note says for which ABI it was built", 5),
        check("A4", "exports", "It exports its entry function and nothing else", 5),
        check("A5", "no-unique-objects", "No object is shared by all versions of it", 5),
        check("A6", "thread-local-room", "Thread-local variables need no room that is scarce", 5),
        check("A7", "usual-libraries", "It needs no libraries but the usual ones", 5),
        check("A8", "symbol-versions", "This system has the versions of symbols it needs", 5),
        check("A9", "search-paths", "It looks for libraries in no folder of one machine", 5),
        check("A10", "safe-memory", "No code is relocated, no stack is executed", 5),
        check("A11", "processor", "It runs on this processor", 5),
        check("A12", "build-id", "It can be told which build it is", 5),
        check("A13", "constructors", "How many functions run when it is loaded; a report", 5),
    ]

    private static func check(
        _ id: String,
        _ name: String,
        _ demand: String,
        _ strictness: Int
    ) -> Check {
        Check(
            id: id,
            name: name,
            demand: demand,
            strictness: strictness,
            timeoutSeconds: 10,
            subject: .plugin
        ) { try outcome(of: id, try report(on: $0.file, $0.disk)) }
    }

    private static func report(on file: String, _ disk: LinuxDisk) throws -> FileReport {
        do {
            let bytes = try disk.readAll(file, maximumByteCount: 512 << 20)
            return FileReport.make(bytes, file: file, sha256: "")
        } catch {
            throw CheckStop.skip("\(error)")
        }
    }

    /// The same for a file that could not be loaded.
    static func outcome(of id: String, file: String, _ disk: LinuxDisk) throws -> CheckOutcome {
        try outcome(of: id, try report(on: file, disk))
    }

    private static func outcome(of id: String, _ report: FileReport) throws -> CheckOutcome {
        let findings = report.findings.filter { $0.check == id }
        func text(_ finding: Finding) -> String {
            "\(finding.what): expected \(finding.expected), found \(finding.found)"
                + (finding.fix.isEmpty ? "" : "; \(finding.fix)")
        }
        if let refusal = findings.first(where: { $0.severity == .refuse }) {
            throw CheckStop.fail(text(refusal))
        }
        if let warning = findings.first(where: { $0.severity == .warn }) {
            return .warn(text(warning))
        }
        if report.contents == nil {
            throw CheckStop.skip("the file cannot be read so far: see A1 and A2")
        }
        return .pass(findings.first.map(text) ?? "")
    }
}
