import ApusCore
import Glibc

/// The part of an input that has been read and not yet been used, in one piece of memory.
///
///     base ... start ... end ... capacity ... padding
///        used     unread     room
///
/// Indices count from `base`; they hold until the next ``fill(from:byteCount:)``, which moves what
/// is unread to the front when it needs the room, and a little of what was used before with it: by
/// that, and by the input's first bytes, the input is known again later.  One thread.
final class InputWindow {
    /// How many bytes behind the room may be read: the JSON parser looks that far ahead.
    static let paddingByteCount = 64
    /// How many bytes of the input's start, and of those before a position, tell which input it is.
    static let sampleByteCountMax = 4 << 10

    // SAFETY: all that is read lies below `end` or in the padding, which is part of the allocation
    // and was set to zero; `end` grows only by what a file says it has written below `capacity`.
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private var start = 0
    private var end = 0
    /// Where in the input `base` is.
    private var baseOffset = 0
    /// The first bytes of the input, as far as they have been read.
    private(set) var head: [UInt8] = []

    /// Creates an empty window that has room for so many bytes and grows when they do not suffice.
    init(capacity: Int) {
        self.capacity = capacity + Self.sampleByteCountMax
        base = Self.allocate(self.capacity)
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

    /// Where in the input the first unread byte is, counted from 0.
    var unreadOffset: Int { baseOffset + start }

    /// The bytes before the first unread one, as many as tell which input it is.
    var tail: ByteRange {
        let byteCount = min(start, Self.sampleByteCountMax)
        return ByteRange(base + start - byteCount, count: byteCount)
    }

    /// Where in the input the byte with an index is, counted from 0.
    func inputOffset(of index: Int) -> Int { baseOffset + index }

    /// Marks so many unread bytes as used; they stay readable until the next fill.
    func consume(_ byteCount: Int) { start += byteCount }

    /// Forgets what was read, but not the input's first bytes.
    ///
    /// - Parameter offset: Where in the input the next byte to be read is.
    func move(to offset: Int) {
        baseOffset = offset
        start = 0
        end = 0
    }

    /// Reads at most so many further bytes.
    ///
    /// - Returns: How many were read; 0 at the end of the file.
    /// - Throws: ``DiskError``; the window is as before then.
    func fill(from file: any ReadableFile, byteCount: Int) throws(DiskError) -> Int {
        // When all is used it is moved early, so that one part of the memory stays in the caches.
        let isUsedUp = start == end && start > 2 * Self.sampleByteCountMax
        if isUsedUp || capacity - end < byteCount { makeRoom(byteCount) }
        let count = try file.read(
            into: UnsafeMutableRawBufferPointer(start: base + end, count: byteCount)
        )
        if head.count < Self.sampleByteCountMax, baseOffset + end == head.count {
            let missingByteCount = min(count, Self.sampleByteCountMax - head.count)
            head.append(contentsOf: UnsafeBufferPointer(start: base + end, count: missingByteCount))
        }
        end += count
        return count
    }

    private func makeRoom(_ byteCount: Int) {
        let dropped = start - min(start, Self.sampleByteCountMax)
        let keptByteCount = end - dropped
        let needed = keptByteCount + byteCount
        if needed <= capacity {
            memmove(base, base + dropped, keptByteCount)
        } else {
            capacity = max(needed, capacity * 2)
            let grown = Self.allocate(capacity)
            grown.update(from: base + dropped, count: keptByteCount)
            base.deallocate()
            base = grown
        }
        baseOffset += dropped
        start -= dropped
        end = keptByteCount
    }
}
