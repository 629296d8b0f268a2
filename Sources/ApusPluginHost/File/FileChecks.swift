import CApusPlugin

/// The checks of a plugin's file, before any code of it runs; docs/loader.md has the list.
struct FileChecks {
    let facts: FileFacts
    let host: HostFacts
    /// Libraries that it may need besides the usual ones.
    var allowedLibraries: Set<String> = []

    private static let entryPrefix = "apus_plugin_v"
    /// How many names a message lists.
    private static let listedCountMax = 5

    /// Runs all checks.
    ///
    /// - Returns: What was noticed, in the order of the checks.
    func run() -> [Finding] {
        checkNote() + checkEntry() + checkExports() + checkUnique() + checkThreadLocals()
            + checkNeeded() + checkVersions() + checkSearchPaths() + checkMemory()
            + checkProcessor() + checkIdentity() + checkConstructors()
    }

    // MARK: - A4

    /// Exactly one entry function, of this host's major version.
    private func checkEntry() -> [Finding] {
        let entries = facts.symbols.filter { $0.isExported && $0.name.hasPrefix(Self.entryPrefix) }
        guard let entry = entries.first(where: { $0.name == APUS_ENTRY_NAME }) else {
            guard let other = entries.first else { return [notAPlugin] }
            let major = other.name.dropFirst(Self.entryPrefix.count)
            return [
                Finding(
                    "A4",
                    .refuse,
                    "made for another major version of the ABI",
                    expected: "\(host.major)",
                    found: "\(major)",
                    fix: "compile it with this version's headers",
                    code: .incompatible,
                    message: "made for ABI major \(major), this host has major \(host.major); "
                        + "compile it with this version's headers"
                )
            ]
        }
        guard entries.count == 1 else {
            return [
                Finding(
                    "A4",
                    .refuse,
                    "more than one entry function",
                    expected: "\(APUS_ENTRY_NAME) alone",
                    found: Self.list(entries.map(\.name)),
                    fix: "export one entry function; build a library for each major version",
                    code: .incompatible
                )
            ]
        }
        guard entry.kind != ElfSymbol.Kind.data else {
            return [
                Finding(
                    "A4",
                    .refuse,
                    "\(APUS_ENTRY_NAME) is no function",
                    expected: "a function",
                    found: "a variable",
                    fix: "define it as apus/entry.h declares it",
                    code: .notAPlugin
                )
            ]
        }
        return []
    }

    private var notAPlugin: Finding {
        Finding(
            "A4",
            .refuse,
            "a shared library, but not an Apus plugin",
            expected: "a function \(APUS_ENTRY_NAME) that others can see",
            found: "none",
            fix: "define it with APUS_EXPORT",
            code: .notAPlugin,
            message: "a shared library, but not an Apus plugin: it does not export "
                + "\(APUS_ENTRY_NAME); define it with APUS_EXPORT"
        )
    }

    /// Nothing else: names meet those of other libraries.
    private func checkExports() -> [Finding] {
        let others = facts.exports.filter { !$0.hasPrefix(Self.entryPrefix) }
        let taken = others.filter { Self.isTaken($0) || host.isCLibraryName($0) }
        let fix =
            "compile it with -fvisibility=hidden and link it with "
            + "-Wl,--version-script=sdk/c/plugin.map"
        if !taken.isEmpty {
            return [
                Finding(
                    "A4",
                    .refuse,
                    "it exports names of the C or C++ library, whose calls it would capture or "
                        + "which capture its own",
                    expected: "\(APUS_ENTRY_NAME) alone",
                    found: Self.list(taken.map(Self.readable)),
                    fix: fix,
                    code: .incompatible
                )
            ]
        }
        guard !others.isEmpty else { return [] }
        return [
            Finding(
                "A4",
                .warn,
                "it exports more than its entry function",
                expected: "\(APUS_ENTRY_NAME) alone",
                found: Self.list(others),
                fix: fix
            )
        ]
    }

    /// `main`, and the operators `new` and `delete` of C++.
    private static func isTaken(_ name: String) -> Bool {
        name == "main" || operators.contains { name.hasPrefix($0.prefix) }
    }

    private static let operators: [(prefix: String, name: String)] = [
        ("_Znw", "operator new"), ("_Zna", "operator new[]"), ("_Zdl", "operator delete"),
        ("_Zda", "operator delete[]"),
    ]

    private static func readable(_ name: String) -> String {
        operators.first { name.hasPrefix($0.prefix) }.map { "\($0.name) (\(name))" } ?? name
    }

    /// Some names as text.
    static func list(_ names: [String]) -> String {
        let shown = names.prefix(listedCountMax).joined(separator: ", ")
        let left = names.count - listedCountMax
        return left > 0 ? "\(shown) and \(left) more" : shown
    }
}
