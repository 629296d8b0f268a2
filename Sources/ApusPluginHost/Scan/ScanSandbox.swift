import CApusGuard

/// What keeps a child that tries a plugin from doing harm.
package struct ScanSandbox: Codable, Equatable, Sendable {
    /// What keeps it from the network.
    package enum Network: String, Codable, Sendable {
        /// A network of its own, with nothing in it.
        case namespace
        /// A filter of system calls that refuses sockets.
        case filter
        /// Nothing: the system permits neither.
        case open
    }

    /// What keeps it from the network.
    package let network: Network
    /// How much memory of its own it may have.
    package let memoryByteCount: Int

    /// How much memory a plugin may use while it is scanned, with the program itself.
    package static let memoryByteCountMax = 512 << 20

    /// Shuts this process up for good.
    ///
    /// - Parameter memoryByteCount: How much memory it may have.
    /// - Returns: What keeps it.
    /// - Precondition: It has no other threads, and is there for a plugin alone.
    package static func enter(
        memoryByteCount: Int = memoryByteCountMax
    ) -> ScanSandbox {
        let network: Network =
            switch apus_guard_enter_sandbox(UInt64(memoryByteCount)) {
            case APUS_SANDBOX_NAMESPACE: .namespace
            case APUS_SANDBOX_FILTER: .filter
            default: .open
            }
        return ScanSandbox(network: network, memoryByteCount: memoryByteCount)
    }
}
