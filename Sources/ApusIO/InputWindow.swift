import ApusCore
import Glibc

/// The part of an input that has been read and not yet been used, in one piece of memory.
///
///     base ... start ... end ... capacity ... padding
///                 unread     room
///
/// Indices count from `base`; they hold until the next ``fill(from:byteCount:)``, which moves what
/// is unread to the front when it needs the room.  One thread.
final class InputWindow {
    /// How many bytes behind the room may be read: the JSON parser looks that far ahead.
    static let paddingByteCount = 64

    // SAFETY: all that is read lies below `end` or in the padding, which is part of the allocation
    // and was set to zero; `end` grows only by what a file says it has written below `capacity`.
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private var start = 0
    private var end = 0
    /// Where in the input `base` is.
    private var baseOffset = 0

    /// Creates an empty window that has room for so many bytes and grows when they do not suffice.
    init(capacity: Int) {
        self.capacity = capacity
        base = Self.allocate(capacity)
    }

    deinit {
        base.deallocate()
    }

    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<UInt8> {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + paddingByteCount)
        (memory + capacity).initialize(repeating: 0, count: paddingByteCount)
        return memory
    }

    /// The bytes that have not been used, up to the end of what was read.
    var unread: ByteRange { ByteRange(base + start, count: end - start) }

    /// The index of the first unread byte.
    var unreadIndex: Int { start }

    /// Some bytes that have been read since the last fill.
    func bytes(at index: Int, count: Int) -> ByteRange { ByteRange(base + index, count: count) }

    /// How many bytes from an index on may be read, padding included.
    func readableByteCount(at index: Int) -> Int { capacity + Self.paddingByteCount - index }

    /// Where in the input the byte with an index is, counted from 0.
    func inputOffset(of index: Int) -> Int { baseOffset + index }

    /// Marks so many unread bytes as used; they stay readable until the next fill.
    func consume(_ byteCount: Int) { start += byteCount }

    /// Reads at most so many further bytes.
    ///
    /// - Returns: How many were read; 0 at the end of the file.
    /// - Throws: ``DiskError``; the window is as before then.
    func fill(from file: any ReadableFile, byteCount: Int) throws(DiskError) -> Int {
        if start == end {
            baseOffset += start
            start = 0
            end = 0
        }
        if capacity - end < byteCount { makeRoom(byteCount) }
        let count = try file.read(
            into: UnsafeMutableRawBufferPointer(start: base + end, count: byteCount)
        )
        end += count
        return count
    }

    private func makeRoom(_ byteCount: Int) {
        let unreadCount = end - start
        let needed = unreadCount + byteCount
        if needed <= capacity {
            memmove(base, base + start, unreadCount)
        } else {
            capacity = max(needed, capacity * 2)
            let grown = Self.allocate(capacity)
            grown.update(from: base + start, count: unreadCount)
            base.deallocate()
            base = grown
        }
        baseOffset += start
        start = 0
        end = unreadCount
    }
}
