/// What can be emitted, used as a key, and put into a timer: text or bytes.
///
/// Conform a type of your own by asking a part of it for its bytes.
public protocol ByteSource {
    /// Calls `body` with the bytes, which are valid until it returns.
    func withBytes<Result>(_ body: (Bytes) throws -> Result) rethrows -> Result
}

extension Bytes: ByteSource {
    /// Calls `body` with the bytes.
    @inlinable
    public func withBytes<Result>(_ body: (Bytes) throws -> Result) rethrows -> Result {
        try body(self)
    }
}

extension [UInt8]: ByteSource {
    // SAFETY: here and below, the view is used only within the call that lends the memory.

    /// Calls `body` with the bytes.
    @inlinable
    public func withBytes<Result>(_ body: (Bytes) throws -> Result) rethrows -> Result {
        try withUnsafeBytes { try body(Bytes($0)) }
    }
}

extension ArraySlice<UInt8>: ByteSource {
    /// Calls `body` with the bytes.
    @inlinable
    public func withBytes<Result>(_ body: (Bytes) throws -> Result) rethrows -> Result {
        try withUnsafeBytes { try body(Bytes($0)) }
    }
}

extension String: ByteSource {
    /// Calls `body` with the bytes.
    @inlinable
    public func withBytes<Result>(_ body: (Bytes) throws -> Result) rethrows -> Result {
        var text = self
        return try text.withUTF8 { try body(Bytes(UnsafeRawBufferPointer($0))) }
    }
}

extension Substring: ByteSource {
    /// Calls `body` with the bytes.
    @inlinable
    public func withBytes<Result>(_ body: (Bytes) throws -> Result) rethrows -> Result {
        var text = self
        return try text.withUTF8 { try body(Bytes(UnsafeRawBufferPointer($0))) }
    }
}
