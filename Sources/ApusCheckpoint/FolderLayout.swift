/// The names in a checkpoint folder.
///
///     FOLDER              whose folder it is: a random id, the job (FolderRecord)
///     LOCK                locked by the process that writes; its id in decimal, a newline
///     CURRENT             the newest complete checkpoint (CurrentRecord)
///     manifests/          one file per checkpoint, its number in 20 digits, ".json" (Manifest)
///     files/              the files of all checkpoints, each named after its content: XXH3-128 in
///                         32 hexadecimal digits, "-", the length; never changed
///     attempts/           a folder per attempt that is under way, its number in 20 digits; the
///                         last one stays, so that its number is not given again
///     trash/              what nothing needs, under its old name, until the next collection
///     work/               the job's own: local database, epoch logs; emptied when a job starts
///     swap/               what was decided of swaps (SwapJournal); nothing here touches it
///
/// A name that ends with ".tmp" is a file that is being written. A file is written under such a
/// name and synchronised, then it gets its name, and then its folder is synchronised: first the
/// files of a checkpoint, then its manifest, then CURRENT. So whatever CURRENT names is whole.
struct FolderLayout: Sendable {
    /// The folder's path.
    let root: String

    /// Numbers from here on are not given, so that the one after a number is a number.
    static let numberEnd: UInt64 = 1 << 63

    static let identityName = "FOLDER"
    static let lockName = "LOCK"
    static let currentName = "CURRENT"
    static let temporaryEnd = ".tmp"
    static let subfolders = ["attempts", "files", "manifests", "trash", "work"]

    /// The random id and the job.
    var identity: String { root + "/" + Self.identityName }
    /// What keeps other writers out.
    var lock: String { root + "/" + Self.lockName }
    /// The newest complete checkpoint.
    var current: String { root + "/" + Self.currentName }
    var manifests: String { root + "/manifests" }
    var files: String { root + "/files" }
    var attempts: String { root + "/attempts" }
    var trash: String { root + "/trash" }
    var work: String { root + "/work" }

    /// The path of a manifest.
    func manifest(_ number: UInt64) -> String { manifests + "/" + Self.manifestName(number) }

    /// The path of a file of a checkpoint.
    func file(_ contentName: String) -> String { files + "/" + contentName }

    /// The folder of an attempt.
    func attempt(_ number: UInt64) -> String { attempts + "/" + Self.digits(number) }

    /// A path as messages show it: without the folder's.
    func short(_ path: String) -> String {
        path.hasPrefix(root + "/") ? String(path.dropFirst(root.count + 1)) : path
    }

    static func manifestName(_ number: UInt64) -> String { digits(number) + ".json" }

    /// A number in 20 digits, so that names sort like numbers.
    static func digits(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: 20 - digits.count) + digits
    }

    /// The number in a manifest's name; nil for other names.
    static func manifestNumber(_ name: String) -> UInt64? {
        name.hasSuffix(".json") ? number(name.dropLast(".json".count)) : nil
    }

    /// The number at the front of a name that is given to something of an attempt; nil if none is.
    static func attemptNumber(_ name: String) -> UInt64? { number(name.prefix(20)) }

    private static func number(_ text: Substring) -> UInt64? {
        guard text.utf8.count == 20, let number = UInt64(text), digits(number) == text,
            number < numberEnd
        else { return nil }
        return number
    }

    /// The folder that a path is in; nil for the root and for a bare name.
    static func parent(of path: String) -> String? {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return nil }
        return String(path[..<slash])
    }
}
