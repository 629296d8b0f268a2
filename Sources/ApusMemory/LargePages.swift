import CApusShims

/// Memory straight from the system, in pages of 2 MiB where the system has them.
///
/// Tables of many megabytes are read at random places; with pages of 4 KiB most reads miss the
/// processor's cache of page addresses as well as its data caches.
package enum LargePages {
    /// The size of a large page.
    package static let byteCount = 2 << 20

    /// Maps so many bytes, zeroed, aligned to a large page; untouched pages cost nothing.
    ///
    /// - Precondition: A multiple of ``byteCount``.
    package static func map(_ byteCount: Int) -> UnsafeMutableRawPointer {
        precondition(byteCount > 0 && byteCount % Self.byteCount == 0, "whole large pages")
        guard let memory = apus_map_large_pages(byteCount, Self.byteCount) else {
            preconditionFailure("out of memory: \(byteCount) bytes cannot be mapped")
        }
        return memory
    }

    /// Gives a mapping back.
    package static func unmap(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) {
        // SAFETY: the caller owns the mapping, which map(_:) made with this size.
        apus_unmap(memory, byteCount)
    }
}
