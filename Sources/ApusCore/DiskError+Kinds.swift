/// What a failed file operation means for who wants to go on, by Linux's error numbers.
extension DiskError {
    /// There is nothing at the path: `ENOENT`, `ENOTDIR`.
    package var isMissing: Bool { [2, 20].contains(errorNumber) }

    /// Something is at the path already: `EEXIST`.
    package var isTaken: Bool { errorNumber == 17 }

    /// Somebody else has the lock: `EWOULDBLOCK`.
    package var isLocked: Bool { errorNumber == 11 }

    /// It is larger than the reader put up with: `EFBIG`.
    package var isTooLarge: Bool { errorNumber == 27 }

    /// The disk or the user's share of it is full: `ENOSPC`, `EDQUOT`.
    package var isOutOfSpace: Bool { [28, 122].contains(errorNumber) }

    /// The disk does not give back what was written: `EIO`, `EBADMSG`, `EUCLEAN`.
    package var isDamage: Bool { [5, 74, 117].contains(errorNumber) }

    /// This file system, or this pair of them, has no hard link for the file, a copy may do:
    /// `EPERM`, `EXDEV`, `EMLINK`, `ENOTSUP`.
    package var isWithoutLinks: Bool { [1, 18, 31, 95].contains(errorNumber) }
}
