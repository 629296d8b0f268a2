extension FileChecks {
    /// What a plugin may need without being asked: the libraries of the languages.
    private static let usualLibraries = [
        "libc.so.", "libm.so.", "libdl.so.", "libpthread.so.", "librt.so.", "ld-linux",
        "libgcc_s.so.", "libstdc++.so.", "libc++.so.", "libc++abi.so.", "libatomic.so.",
        "libswift", "libFoundation", "lib_Foundation", "libdispatch.so", "libBlocksRuntime.so",
    ]

    /// Whether a library is one of the system or of a language.
    static func isUsual(_ name: String) -> Bool {
        usualLibraries.contains { name.hasPrefix($0) }
    }

    /// A5: objects of which a process has one only.
    func checkUnique() -> [Finding] {
        let names = facts.uniqueNames
        guard !names.isEmpty else { return [] }
        return [
            Finding(
                "A5",
                .warn,
                "it has objects that all versions of it in a process share, and that keep it "
                    + "loaded (STB_GNU_UNIQUE)",
                expected: "none",
                found: Self.list(names),
                fix: "compile it with -fno-gnu-unique, or hide them with the version script"
            )
        ]
    }

    /// A6: room for thread-local variables, of which a process has little when it runs.
    func checkThreadLocals() -> [Finding] {
        let byteCount = facts.threadLocalByteCount
        guard facts.needsStaticThreadLocals else {
            guard byteCount > 0 else { return [] }
            return [
                Finding(
                    "A6",
                    .info,
                    "it has thread-local variables",
                    expected: "few",
                    found: "\(byteCount) bytes in each thread that uses them",
                    fix: ""
                )
            ]
        }
        let isTooMuch = byteCount > Self.staticThreadLocalByteCountMax
        return [
            Finding(
                "A6",
                isTooMuch ? .refuse : .warn,
                "its thread-local variables need room that is given out when a process starts "
                    + "(DF_STATIC_TLS)",
                expected: isTooMuch
                    ? "at most \(Self.staticThreadLocalByteCountMax) bytes, which is what a "
                        + "process keeps for all its plugins" : "none",
                found: "\(byteCount) bytes",
                fix: "compile it without -ftls-model=initial-exec, and link no library into it "
                    + "that was (as jemalloc is by default)",
                code: .incompatible
            )
        ]
    }

    /// What glibc keeps for libraries that come later (`rtld.optional_static_tls`).
    private static let staticThreadLocalByteCountMax = 512

    /// A7: the libraries that come with it.
    func checkNeeded() -> [Finding] {
        let others = facts.needed.filter { name in
            !allowedLibraries.contains(name) && !Self.isUsual(name)
        }
        guard !others.isEmpty else { return [] }
        return [
            Finding(
                "A7",
                .warn,
                "it needs libraries that two versions of it, or two plugins, would share by name",
                expected: "libraries of the system and of the languages only",
                found: Self.list(others),
                fix: "link them into it statically, or name them under `libraries` of its entry in "
                    + "plugins.lock"
            )
        ]
    }

    /// A8: versions of the C library.
    func checkVersions() -> [Finding] {
        var findings: [Finding] = []
        let needs = facts.versions.compactMap(\.glibc)
        if let newest = needs.max(), let running = host.glibc, newest > running {
            findings.append(
                Finding(
                    "A8",
                    .refuse,
                    "built for a newer C library",
                    expected: "at most GLIBC_\(running), which this machine has",
                    found: "that it needs GLIBC_\(newest)",
                    fix: "build it on a system as old as this one, or update this one",
                    code: .notLoadable
                )
            )
        }
        if let need = facts.versions.first(where: { $0.version == "GLIBC_PRIVATE" }) {
            findings.append(
                Finding(
                    "A8",
                    .warn,
                    "it uses what the C library keeps for itself, which may change any day",
                    expected: "numbered versions",
                    found: "\(need.version) of \(need.library)",
                    fix: "call public functions only"
                )
            )
        }
        return findings
    }

    /// A9: where its libraries are looked for.
    func checkSearchPaths() -> [Finding] {
        var findings: [Finding] = []
        let relative = facts.searchPaths.filter { !$0.hasPrefix("/") && !Self.isOrigin($0) }
        if !relative.isEmpty {
            findings.append(
                Finding(
                    "A9",
                    .refuse,
                    "it looks for its libraries in the working directory (RPATH or RUNPATH)",
                    expected: "$ORIGIN, or nothing",
                    found: Self.list(relative.map { $0.isEmpty ? "an empty path" : $0 }),
                    fix: "link it without -rpath",
                    code: .incompatible
                )
            )
        }
        let absolute = facts.searchPaths.filter { $0.hasPrefix("/") }
        // Every package of Swift has it; what lies there is what this program uses itself.
        let others = absolute.filter { !$0.hasSuffix("/lib/swift/linux") }
        if !others.isEmpty {
            findings.append(
                Finding(
                    "A9",
                    .warn,
                    "it looks for its libraries in folders of the machine that it was built on "
                        + "(RPATH or RUNPATH)",
                    expected: "$ORIGIN, or nothing",
                    found: Self.list(others),
                    fix: "link it without -rpath"
                )
            )
        } else if !absolute.isEmpty {
            findings.append(
                Finding(
                    "A9",
                    .info,
                    "it looks for Swift's libraries where they were on the machine that built it",
                    expected: "$ORIGIN, or nothing",
                    found: Self.list(absolute),
                    fix: "build it with -Xswiftc -no-toolchain-stdlib-rpath"
                )
            )
        }
        return findings
    }

    private static func isOrigin(_ path: String) -> Bool {
        ["$ORIGIN", "${ORIGIN}"].contains { path == $0 || path.hasPrefix($0 + "/") }
    }
}
