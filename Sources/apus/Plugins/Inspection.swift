import ApusPluginHost

/// What `apus plugin inspect` prints.
struct Inspection: Codable {
    /// Whether the file may be loaded.
    enum Verdict: String, Codable {
        case accepted
        case refused
    }

    var verdict: Verdict
    /// Whether warnings were taken for refusals.
    var isStrict: Bool
    var file: String
    var byteCount: Int
    var sha256: String
    var contents: FileReport.Contents?
    var findings: [Finding]

    init(_ report: FileReport, strictly isStrict: Bool) {
        self.isStrict = isStrict
        verdict = report.refusal(strictly: isStrict) == nil ? .accepted : .refused
        file = report.file
        byteCount = report.byteCount
        sha256 = report.sha256
        contents = report.contents
        findings = report.findings.map { finding in
            var finding = finding
            if isStrict, finding.severity == .warn { finding.severity = .refuse }
            return finding
        }
    }

    /// The report as text.
    var text: String {
        var lines = ["\(file): \(verdict.rawValue)", "  sha256     \(sha256)"]
        lines.append("  size       \(byteCount) bytes")
        if let contents { lines += Self.lines(contents) }
        for finding in findings {
            let mark =
                switch finding.severity {
                case .refuse: "refused"
                case .warn: "warning"
                case .info: "note"
                }
            lines.append("")
            lines.append("\(mark) \(finding.check): \(finding.what)")
            lines.append("  expected  \(finding.expected)")
            lines.append("  found     \(finding.found)")
            if !finding.fix.isEmpty { lines.append("  fix       \(finding.fix)") }
        }
        return lines.joined(separator: "\n")
    }

    /// The first names, and how many more there are: JSON has them all.
    private static func list(_ names: [String]) -> String {
        let left = names.count - listedCountMax
        let shown = names.prefix(listedCountMax).joined(separator: ", ")
        return left > 0 ? "\(shown) and \(left) more" : shown
    }

    private static let listedCountMax = 12

    private static func lines(_ contents: FileReport.Contents) -> [String] {
        var lines: [String] = []
        func add(_ name: String, _ text: String?) {
            guard let text, !text.isEmpty else { return }
            let gap = String(repeating: " ", count: max(1, 11 - name.count))
            lines.append("  \(name)\(gap)\(text)")
        }
        add("language", contents.language)
        if let note = contents.note {
            let flags =
                (note.isOneRuntime ? ", one runtime" : "")
                + (note.needsIsolation ? ", needs isolation" : "")
            add(
                "note",
                "ABI \(note.abi), on hosts from \(note.abi.prefix { $0 != "." })."
                    + "\(note.minorFloor) on, SDK \(note.sdk)\(flags)"
            )
            add("layout", note.layout)
        }
        add("build id", contents.buildID)
        add("name", contents.ownName)
        add("exports", list(contents.exports))
        add("needs", contents.needed.joined(separator: ", "))
        add("looks in", contents.searchPaths.joined(separator: ":"))
        add("versions", list(contents.versions))
        add("processor", contents.processor)
        add("calls", contents.notableImports.joined(separator: ", "))
        if contents.threadLocalByteCount > 0 {
            add("per thread", "\(contents.threadLocalByteCount) bytes")
        }
        add(
            "runs",
            "functions when it is loaded: \(contents.constructorCount), unloaded: "
                + "\(contents.destructorCount)"
        )
        let unloading =
            contents.residency.isEmpty
            ? "can be unloaded" : contents.residency.map(\.text).joined(separator: "; ")
        add("unloading", unloading)
        return lines
    }
}
