/// What a plugin's file tells without running, and whether it may be loaded.
///
/// Also what `apus plugin inspect --json` prints.
package struct FileReport: Codable, Equatable, Sendable {
    /// Its note.
    package struct Note: Codable, Equatable, Sendable {
        /// The ABI of the headers: "0.3".
        package let abi: String
        /// The oldest minor version of a host that it runs on.
        package let minorFloor: Int
        /// The language; nil for one that is not known here.
        package let language: String?
        /// The version of the SDK.
        package let sdk: String
        /// Whether a process can hold one such library only.
        package let isOneRuntime: Bool
        /// Whether it wants a process of its own.
        package let needsIsolation: Bool
        /// The layout id as hexadecimal digits.
        package let layout: String

        init(_ note: ApusNote) {
            abi = note.abi
            minorFloor = note.minorFloor
            language = note.languageName
            sdk = note.sdk
            isOneRuntime = note.isOneRuntime
            needsIsolation = note.needsIsolation
            layout = note.layout
        }
    }

    /// What was read of the file; nil in the report of one that is no library.
    package struct Contents: Codable, Equatable, Sendable {
        /// The language that it was written in, as far as it shows.
        package let language: String
        /// The note; nil when there is none.
        package let note: Note?
        /// The build id; nil when there is none.
        package let buildID: String?
        /// Its own name; nil when it has none.
        package let ownName: String?
        /// The libraries that it needs.
        package let needed: [String]
        /// Where they are looked for.
        package let searchPaths: [String]
        /// Versions of symbols that it needs: "GLIBC_2.34 of libc.so.6".
        package let versions: [String]
        /// The least processor that it says it needs: "x86-64-v3".
        package let processor: String?
        /// What others can see.
        package let exports: [String]
        /// Objects that a process has one of.
        package let uniqueObjects: [String]
        /// Functions of the system that are worth knowing of.
        package let notableImports: [String]
        /// Functions with which it can start threads.
        package let threadStarters: [String]
        /// Libraries that are not those of the system and of the languages.
        package let otherLibraries: [String]
        /// Bytes of thread-local variables in each thread.
        package let threadLocalByteCount: Int
        /// Whether they need room from the start of the process.
        package let needsStaticThreadLocals: Bool
        /// How many functions run before the entry function.
        package let constructorCount: Int
        /// How many functions run when it is unloaded.
        package let destructorCount: Int
        /// Whether its tables are read-only once it is loaded.
        package let hasReadOnlyTables: Bool
        /// Whether all its symbols are bound when it is loaded; the host does so in any case.
        package let bindsAtOnce: Bool
        /// Why it could not be unloaded again; empty when it can.
        package let residency: [ResidencyReason]
    }

    /// The file, as the user named it.
    package let file: String
    /// Its length.
    package let byteCount: Int
    /// SHA-256 of its content.
    package let sha256: String
    /// What was read of it.
    package let contents: Contents?
    /// What the checks noticed, in their order.
    package let findings: [Finding]

    /// Inspects a file.
    ///
    /// - Parameters:
    ///   - bytes: Its content.
    ///   - file: Its name.
    ///   - sha256: The hash of the content.
    ///   - allowedLibraries: Libraries that it may need besides the usual ones.
    /// - Returns: The report, whatever the file is.
    package static func make(
        _ bytes: [UInt8],
        file: String,
        sha256: String,
        allowedLibraries: Set<String> = []
    ) -> FileReport {
        make(
            bytes,
            file: file,
            sha256: sha256,
            allowedLibraries: allowedLibraries,
            host: .current
        )
    }

    /// The same, for a host of which some things are not as they are.
    static func make(
        _ bytes: [UInt8],
        file: String,
        sha256: String,
        allowedLibraries: Set<String> = [],
        host: HostFacts
    ) -> FileReport {
        let contents: Contents?
        let findings: [Finding]
        do throws(Finding) {
            let facts = try FileFacts(bytes)
            contents = Contents(facts)
            findings =
                FileChecks(facts: facts, host: host, allowedLibraries: allowedLibraries).run()
        } catch {
            contents = nil
            findings = [error]
        }
        return FileReport(
            file: file,
            byteCount: bytes.count,
            sha256: sha256,
            contents: contents,
            findings: findings
        )
    }

    /// The first reason not to load the file; nil when there is none.
    ///
    /// - Parameter strictly: Whether a warning is a reason, too.
    /// - Returns: The finding.
    package func refusal(strictly: Bool = false) -> Finding? {
        findings.first { $0.severity == .refuse }
            ?? (strictly ? findings.first { $0.severity == .warn } : nil)
    }
}

extension FileReport.Contents {
    /// Functions with which a plugin leaves its own ground.
    private static let notable: Set<String> = [
        "pthread_create", "thrd_create", "fork", "vfork", "posix_spawn", "execve", "system",
        "popen", "dlopen", "dlclose", "signal", "sigaction", "sigprocmask", "setlocale", "umask",
        "chdir", "setenv", "putenv", "exit", "_exit", "quick_exit", "atexit", "abort",
        "pthread_atfork", "__cxa_thread_atexit", "__cxa_thread_atexit_impl",
        "pthread_key_create", "socket", "connect", "ptrace", "setrlimit", "prctl", "mlockall",
    ]

    init(_ facts: FileFacts) {
        language = facts.language
        note = facts.note.map(FileReport.Note.init)
        buildID = facts.buildID
        ownName = try? facts.dynamic.ownName()  // A name that lies elsewhere is no name.
        needed = facts.needed
        searchPaths = facts.searchPaths
        versions = facts.versions.map { "\($0.version) of \($0.library)" }
        processor = GNUProperties.name(ofHighest: facts.properties.isaNeeded)
        exports = facts.exports
        uniqueObjects = facts.uniqueNames
        notableImports = facts.imports.intersection(Self.notable).sorted()
        threadStarters = facts.imports.filter(ThreadCensus.startsThreads).sorted()
        otherLibraries = facts.needed.filter { !FileChecks.isUsual($0) }
        threadLocalByteCount = facts.threadLocalByteCount
        needsStaticThreadLocals = facts.needsStaticThreadLocals
        constructorCount = facts.dynamic.constructorCount
        destructorCount = facts.dynamic.destructorCount
        hasReadOnlyTables =
            facts.file.segment(ElfSegment.Kind.readOnlyAfterRelocation) != nil
        bindsAtOnce =
            facts.dynamic.has(flag: 8) || facts.dynamic.has(moreFlag: 1)
            || facts.dynamic.value(ElfDynamic.Tag.bindNow) != nil
        residency = facts.residency
    }
}
