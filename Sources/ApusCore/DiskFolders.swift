/// The part of the seam to files that is about names: folders, links, renames, locks.
///
/// A name is on the disk only when its folder was synchronised after it had been made; the bytes
/// of a file only when the file was.
package protocol DiskFolders: Sendable {
    /// What is at a path; nil when there is nothing.  Links are followed.
    ///
    /// - Throws: ``DiskError`` when it cannot be found out, for example for want of permission.
    func status(_ path: String) throws(DiskError) -> FileStatus?

    /// What is in a folder, sorted by name, without `.` and `..`.
    ///
    /// - Throws: ``DiskError`` that names the path and the reason.
    func list(_ path: String) throws(DiskError) -> [FolderEntry]

    /// Creates a file that is not there yet, in a folder that is, for the owner only.
    ///
    /// - Throws: ``DiskError``; a file that exists is an error (`EEXIST`) and is left alone.
    func create(_ path: String) throws(DiskError) -> any WritableFile

    /// Gives a file another name in the same file system; one that has that name is replaced.
    ///
    /// - Throws: ``DiskError``; both names are as they were.
    func rename(_ path: String, to newPath: String) throws(DiskError)

    /// Gives a file a second name (a hard link) in the same file system.
    ///
    /// - Throws: ``DiskError``; a name that exists is an error (`EEXIST`), another file system is
    ///   one (`EXDEV`), and so is a file system without links (`EPERM`).
    func link(_ path: String, at newPath: String) throws(DiskError)

    /// Removes a name of a file.
    ///
    /// - Throws: ``DiskError``; a name that is not there is an error (`ENOENT`).
    func remove(_ path: String) throws(DiskError)

    /// Removes a folder with all that is in it, or a file.  Links are removed, not followed.
    ///
    /// - Throws: ``DiskError``; a part may be gone.  Nothing at the path is no error.
    func removeTree(_ path: String) throws(DiskError)

    /// Waits until the bytes of a file are on the disk, whoever wrote them.
    ///
    /// - Throws: ``DiskError``; after a failure the bytes may be lost although a second try
    ///   succeeds, so there must be none.
    func synchronizeFile(_ path: String) throws(DiskError)

    /// Waits until the names in a folder are on the disk.
    ///
    /// - Throws: ``DiskError``; as for a file, there must be no second try.
    func synchronizeFolder(_ path: String) throws(DiskError)

    /// Takes a lock on a file without waiting; it ends with the object, or with the process.
    ///
    /// - Throws: ``DiskError``; with `EWOULDBLOCK` when somebody else has it, and then, for a lock
    ///   that is held exclusively, the reason names the process.
    func lock(_ path: String, _ kind: FileLockKind) throws(DiskError) -> any FileLock
}

/// How a file is locked.
package enum FileLockKind: Sendable {
    /// By nobody else.  The file is made if it is missing, and the process's id written into it.
    case writer
    /// By nobody else.  The file must exist and is left as it is.
    case exclusive
    /// By any number that take it the same way.  The file must exist and is left as it is.
    case shared
}

/// A lock that is held until it is released, or until nobody has the object any more.
package protocol FileLock: AnyObject, Sendable {
    /// The file that is locked, which may have lost or changed its name in the meantime.
    var identity: FileIdentity { get }

    /// Gives the lock back.  Nothing when that was done before.
    func release()
}

/// What is at a path.
package struct FileStatus: Equatable, Sendable {
    /// What a path can lead to.
    package enum Kind: Equatable, Sendable {
        /// A plain file.
        case file
        /// A folder.
        case folder
        /// A pipe, a socket, a device.
        case other
    }

    /// What it is.
    package let kind: Kind
    /// The length of a plain file.
    package let byteCount: Int
    /// Which file it is.
    package let identity: FileIdentity
    /// When its bytes last changed, in nanoseconds since 1970, as exact as the file system has it.
    package let modifiedNanoseconds: Int64

    /// Creates a status.
    package init(kind: Kind, byteCount: Int, identity: FileIdentity, modifiedNanoseconds: Int64) {
        self.kind = kind
        self.byteCount = byteCount
        self.identity = identity
        self.modifiedNanoseconds = modifiedNanoseconds
    }
}

/// A name in a folder.
package struct FolderEntry: Equatable, Sendable {
    /// The name, without the folder's.
    package let name: String
    /// Whether it is a folder; a link to one is not.
    package let isFolder: Bool

    /// Creates an entry.
    package init(name: String, isFolder: Bool) {
        self.name = name
        self.isFolder = isFolder
    }
}
