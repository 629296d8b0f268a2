/// Something that was noticed about a plugin's file: the check, what it says, how to mend it.
package struct Finding: Error, Codable, Equatable, Sendable {
    /// How much a finding matters.
    package enum Severity: String, Codable, Sendable {
        /// The file is not loaded.
        case refuse
        /// The file is loaded; in strict mode it is not.
        case warn
        /// Worth knowing.
        case info
    }

    /// The check by its number in docs/loader.md: "A5".
    package let check: String
    /// How much it matters.
    package var severity: Severity
    /// What is wrong, or what was found out, in a few words.
    package let what: String
    /// What there should be.
    package let expected: String
    /// What there is.
    package let found: String
    /// How to mend it; empty when nothing is to be mended.
    package let fix: String
    /// All of that as one sentence.
    package let message: String
    /// The fault that a refusal becomes.
    let code: PluginError.Code

    private enum CodingKeys: String, CodingKey {
        case check
        case severity
        case what
        case expected
        case found
        case fix
        case message
    }

    /// Creates a finding; without a message it is put together from the other texts.
    init(
        _ check: String,
        _ severity: Severity,
        _ what: String,
        expected: String,
        found: String,
        fix: String,
        code: PluginError.Code = .notALibrary,
        message: String? = nil
    ) {
        self.check = check
        self.severity = severity
        self.what = what
        self.expected = expected
        self.found = found
        self.fix = fix
        self.code = code
        self.message =
            message
            ?? "\(what): expected \(expected), found \(found)" + (fix.isEmpty ? "" : "; \(fix)")
    }

    /// Reads a finding from a report.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        check = try values.decode(String.self, forKey: .check)
        severity = try values.decode(Severity.self, forKey: .severity)
        what = try values.decode(String.self, forKey: .what)
        expected = try values.decode(String.self, forKey: .expected)
        found = try values.decode(String.self, forKey: .found)
        fix = try values.decode(String.self, forKey: .fix)
        message = try values.decode(String.self, forKey: .message)
        code = .notALibrary
    }

    /// A file that is no loadable library at all.
    static func damaged(
        _ check: String,
        _ message: String,
        expected: String,
        found: String,
        fix: String = "build or copy the file again"
    ) -> Finding {
        Finding(
            check,
            .refuse,
            check == "A1" ? "not a library for this machine" : "the file is damaged",
            expected: expected,
            found: found,
            fix: fix,
            message: message
        )
    }

    /// The refusal of a file as an error.
    func error(_ file: String) -> PluginError { PluginError(code, file, message) }
}
