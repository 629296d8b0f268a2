import ApusCore
import ApusMemory
import Glibc

extension EndpointError {
    /// Passes on why a file could not be written, where to write again loses and doubles nothing.
    ///
    /// What room on a disk, memory or fewer open files can mend is retryable, and so is `EIO`,
    /// which some disks report of a moment.
    init(retrying error: DiskError) {
        let isRetryable =
            switch error.errorNumber {
            case ENOSPC, EDQUOT, EIO, ENOMEM, EMFILE, ENFILE: true
            default: false
            }
        self.init(error.description, isRetryable: isRetryable)
    }
}
