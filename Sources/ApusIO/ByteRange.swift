import Glibc

/// Some bytes that somebody else keeps: a field, a line.
///
/// They are valid as long as their owner says.  A pointer and a count, both in registers: what is
/// passed around per record.
struct ByteRange {
    // SAFETY: whoever makes one has checked that the bytes are readable; nobody stores one beyond
    // the call that it is made for.
    let start: UnsafePointer<UInt8>
    let count: Int

    init(_ start: UnsafePointer<UInt8>, count: Int) {
        self.start = start
        self.count = count
    }

    subscript(index: Int) -> UInt8 { start[index] }

    var isEmpty: Bool { count == 0 }

    /// The bytes for functions that take buffers.
    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// A copy of at most so many bytes.
    func copy(atMost countMax: Int = .max) -> [UInt8] {
        Array(UnsafeBufferPointer(start: start, count: min(count, countMax)))
    }

    /// The position of a byte, searched from `index` on.
    func firstIndex(of byte: UInt8, from index: Int = 0) -> Int? {
        guard index < count, let found = memchr(start + index, Int32(byte), count - index) else {
            return nil
        }
        return UnsafeRawPointer(found) - UnsafeRawPointer(start)
    }

    /// Whether the bytes are those of one of the words.
    func isOne(of words: [[UInt8]]) -> Bool {
        for word in words where word.count == count {
            if memcmp(word, start, count) == 0 { return true }
        }
        return false
    }
}
