/// Room for the addresses of the values of many records.
@usableFromInline
struct ManyValues {
    /// The address of each record's value; nil for a record without key.
    @usableFromInline let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    /// 1 for each record whose value is new.
    @usableFromInline let created: UnsafeMutablePointer<UInt8>

    init(capacity: Int) {
        // SAFETY: freed in `free()`; the host fills both before they are read.
        pointers = .allocate(capacity: capacity)
        pointers.initialize(repeating: nil, count: capacity)
        created = .allocate(capacity: capacity)
        created.initialize(repeating: 0, count: capacity)
    }

    func free() {
        pointers.deallocate()
        created.deallocate()
    }
}
