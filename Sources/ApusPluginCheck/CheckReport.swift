/// The results of all checks of a plugin, in the forms in which people and programs read them.
public struct CheckReport: Codable, Equatable, Sendable {
    /// The plugin's file.
    public var file: String
    /// The seed of all random input.
    public var seed: UInt64
    /// Checks up to this strictness were run.
    public var strictness: Int
    /// How each came out.
    public var results: [CheckResult]

    /// Creates a report.
    package init(file: String, seed: UInt64, strictness: Int, results: [CheckResult]) {
        self.file = file
        self.seed = seed
        self.strictness = strictness
        self.results = results
    }

    /// How many have passed.
    public var passedCount: Int { results.count { $0.verdict == .pass } }
    /// How many have a warning.
    public var warnedCount: Int { results.count { $0.verdict == .warn } }
    /// How many have failed, crashed or hung.
    public var failedCount: Int { results.count(where: \.isBad) }
    /// How many said nothing.
    public var skippedCount: Int { results.count { $0.verdict == .skip } }

    /// Components that could not even be created, so that most checks were skipped.
    package var unusedComponents: [String] {
        var ids: [String] = []
        for result in results where result.verdict == .skip {
            guard let id = result.component, !ids.contains(id),
                result.message.hasPrefix("create ")
            else { continue }
            ids.append(id)
        }
        return ids
    }

    /// Whether nothing has failed.
    public var isGood: Bool { failedCount == 0 }

    /// The last line of the report.
    public var summary: String {
        "\(passedCount) passed, \(warnedCount) warned, \(failedCount) failed, "
            + "\(skippedCount) skipped"
    }

    /// A result as one or more lines.
    ///
    /// - Parameters:
    ///   - result: The result.
    ///   - last: The message of the one before, which is not said again.
    /// - Returns: The lines.
    package func text(of result: CheckResult, after last: String = "") -> String {
        let component = result.component.map { " [\($0)]" } ?? ""
        let head =
            result.check.padded(to: 6) + result.verdict.rawValue.padded(to: 6) + result.name
            + component
        guard !result.message.isEmpty else { return head }
        if result.verdict == .skip, result.message == last {
            return head + "  (for the same reason)"
        }
        var text = head + "\n            " + result.message
        if let seed = result.seed, result.isBad || result.verdict == .warn {
            text += "\n            again: apus plugin check \(file) --reproduce "
            text += "\(result.check):\(seed)"
            if let component = result.component { text += " --component \(component)" }
        }
        return text
    }

    /// The report for continuous integration, in the form of JUnit.
    package var junit: String {
        var lines = [
            #"<?xml version="1.0" encoding="UTF-8"?>"#,
            #"<testsuite name="apus plugin check" tests="\#(results.count)" "#
                + #"failures="\#(failedCount)" skipped="\#(skippedCount)">"#,
        ]
        for result in results {
            let name = Self.escaped("\(result.check) \(result.name)")
            let place = Self.escaped(result.component ?? "plugin")
            let text = Self.escaped(result.message)
            lines.append(
                #"  <testcase classname="\#(place)" name="\#(name)" "#
                    + #"time="\#(DecimalText.of(Double(result.milliseconds) / 1_000))">"#
            )
            switch result.verdict {
            case .fail, .crash, .hang:
                lines.append(
                    #"    <failure type="\#(result.verdict.rawValue)" message="\#(text)"/>"#
                )
            case .skip: lines.append(#"    <skipped message="\#(text)"/>"#)
            case .warn, .pass:
                if !text.isEmpty { lines.append("    <system-out>\(text)</system-out>") }
            }
            lines.append("  </testcase>")
        }
        return (lines + ["</testsuite>"]).joined(separator: "\n") + "\n"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "&#10;"
            case "\t": result += " "
            default: result.unicodeScalars.append(scalar.value < 32 ? "?" : scalar)
            }
        }
        return result
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
